"""People: recognised by the tokens that the user pool gave them, ID tokens and access tokens alike.

Which of the two it is, `token_use` says. An ID token names its app client as `aud` and the person's address; an access
token names it as `client_id`, and no address: that is looked up. Source: "Verifying JSON web tokens", "Client and
audience validation for Amazon Cognito" (Cognito developer guide).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from erphub.platform.clock import Clock
from erphub.platform.errors import NotSignedIn
from erphub.platform.identity import Caller, SignInMethod
from erphub.sign_in.ports import Addresses
from erphub.sign_in.signing_keys import ALGORITHM, SigningKeys

LEEWAY_SECONDS = 5
"""How far the pool's clock may be ahead of ours."""
MAX_TOKEN = 8_192
"""Characters; the gateway takes 10,240 bytes of headers in all."""
_REQUIRED = ["exp", "iat", "iss", "sub", "token_use"]


@dataclass(frozen=True)
class TokenSignIn:
    """Finds the person whose token it is."""

    keys: SigningKeys
    addresses: Addresses
    issuer: str
    """The pool, as tokens name it."""
    client_id: str
    """The app client that tokens must be for."""
    clock: Clock

    def find(self, shown: str) -> Caller | None:
        """The person; None for what is no token of this pool and app client now. Raises Unavailable."""
        claims = self._verified(shown) if len(shown) <= MAX_TOKEN else None
        if claims is None or not isinstance(claims["sub"], str):
            return None
        user, until = claims["sub"], datetime.fromtimestamp(int(claims["exp"]), UTC)
        match claims["token_use"]:
            case "id" if claims.get("aud") == self.client_id:
                return Caller(user, _confirmed(claims), method=SignInMethod.ID_TOKEN, valid_until=until)
            case "access" if claims.get("client_id") == self.client_id:
                try:
                    email = self.addresses.find(user)
                except NotSignedIn:
                    return None
                return Caller(user, email, method=SignInMethod.ACCESS_TOKEN, valid_until=until)
            case _:
                return None

    def _verified(self, shown: str) -> Mapping[str, Any] | None:
        """The claims of a token that the pool signed and whose time has come and not ended.

        Times are judged by the clock given, not by the library: so tests can say what time it is.
        """
        try:
            header = jwt.get_unverified_header(shown)
            key_id = header.get("kid")
            # The algorithm is ours to say, never the token's: `none`, or a public key taken for a secret, open nothing.
            if header.get("alg") != ALGORITHM or not isinstance(key_id, str):
                return None
            key = self.keys.find(key_id)
            if key is None:
                return None
            options: Any = {"require": _REQUIRED, "verify_aud": False, "verify_exp": False, "verify_iat": False}
            options["verify_nbf"] = False
            claims = jwt.decode(shown, key, algorithms=[ALGORITHM], issuer=self.issuer, options=options)
        except jwt.PyJWTError:
            return None
        return claims if self._is_now(claims) else None

    def _is_now(self, claims: Mapping[str, Any]) -> bool:
        now = self.clock().timestamp()
        begun = [claims["iat"], *([claims["nbf"]] if "nbf" in claims else [])]
        if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (*begun, claims["exp"])):
            return False
        return now < claims["exp"] and all(one <= now + LEEWAY_SECONDS for one in begun)


def _confirmed(claims: Mapping[str, Any]) -> str | None:
    """The person's address; one that was not confirmed is nobody's."""
    email = claims.get("email")
    is_confirmed = str(claims.get("email_verified")).lower() == "true"
    return email if is_confirmed and isinstance(email, str) else None
