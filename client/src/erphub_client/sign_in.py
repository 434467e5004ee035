"""Signing in as a person: by the deployment's sign-in page (authorization code with PKCE), and by SRP.

Whoever signs in gets tokens that sign requests for a while, and a refresh token that gets others for thirty days.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from erphub_client.problems import NotSignedIn, Unavailable

CALLBACK = "http://localhost:8400/signed-in"
SOON = 60.0
"""Seconds before its end at which a token is renewed."""


@dataclass(frozen=True)
class SignInPage:
    """Where people of a deployment sign in."""

    url: str
    app_client_id: str
    callback: str = CALLBACK
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    def redeem(self, code: str, verifier: str) -> "Tokens":
        """The tokens for a code. Raises NotSignedIn, Unavailable."""
        return self._ask(grant_type="authorization_code", code=code, redirect_uri=self.callback, code_verifier=verifier)

    def renew(self, refresh_token: str) -> "Tokens":
        """New tokens. Raises NotSignedIn when the refresh token has ended, Unavailable."""
        renewed = self._ask(grant_type="refresh_token", refresh_token=refresh_token)
        return Tokens(renewed.id_token, renewed.refresh_token or refresh_token)

    def _ask(self, **form: str) -> "Tokens":
        try:
            with httpx.Client(transport=self.transport, timeout=30) as http:
                answer = http.post(f"{self.url}/oauth2/token", data={"client_id": self.app_client_id, **form})
        except httpx.TransportError as error:
            detail = f"The sign-in at {self.url} does not answer: {error}."
            raise Unavailable(0, {"code": "not_reached", "detail": detail}) from error
        if answer.status_code >= 500:
            raise Unavailable(answer.status_code, {"code": "sign_in_unavailable"})
        if not answer.is_success:
            raise NotSignedIn(401, {"code": "sign_in_refused", "detail": "The sign-in was refused. Sign in again."})
        said = answer.json()
        return Tokens(said["id_token"], said.get("refresh_token", ""))


@dataclass(frozen=True)
class Tokens:
    """What a person's sign-in gave: neither is shown, not even by `repr`."""

    id_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)

    @property
    def ends_at(self) -> float:
        """When the ID token ends, in seconds since 1970; 0 when that cannot be read."""
        try:
            claims = self.id_token.split(".")[1]
            read = cast(Mapping[str, Any], json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))))
            return float(read["exp"])
        except (IndexError, KeyError, ValueError, TypeError):
            return 0.0


class KeepTokens(Protocol):
    """Where new tokens go."""

    def __call__(self, tokens: Tokens, /) -> None:
        """Keep them in place of those before."""
        ...


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> float:
        """Seconds since 1970, as `time.time` counts them."""
        ...


class PersonToken:
    """A person's ID token, renewed when it ends. Satisfies `requests.Token`; `keep` is given new tokens."""

    def __init__(
        self,
        page: SignInPage,
        tokens: Tokens,
        keep: KeepTokens = lambda _: None,
        clock: Clock = time.time,
    ) -> None:
        self._page, self._tokens, self._keep, self._clock = page, tokens, keep, clock

    def current(self) -> str:
        """The token to show now."""
        if self._tokens.refresh_token and self._tokens.ends_at - self._clock() < SOON:
            return self._renew()
        return self._tokens.id_token

    def renewed(self, refused: str) -> str | None:
        """Another token, when the hub refused this one."""
        if not self._tokens.refresh_token or refused != self._tokens.id_token:
            return None
        return self._renew()

    def _renew(self) -> str:
        self._tokens = self._page.renew(self._tokens.refresh_token)
        self._keep(self._tokens)
        return self._tokens.id_token


@dataclass(frozen=True)
class Question:
    """A sign-in that was begun: only this program can turn its code into tokens, for only it knows the verifier."""

    page: SignInPage
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def address(self) -> str:
        """The page to open in a browser."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.page.app_client_id,
            "redirect_uri": self.page.callback,
            "scope": "openid email",
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.page.url}/oauth2/authorize?{urlencode(asked)}"

    def answered(self, address: str) -> Tokens:
        """The tokens, from the address that the page sent the browser back to. Raises NotSignedIn, Unavailable."""
        said = dict(parse_qsl(urlsplit(address.strip()).query))
        if not secrets.compare_digest(said.get("state", ""), self.state) or "code" not in said:
            detail = said.get("error_description") or "This is not the answer to this sign-in. Sign in again."
            raise NotSignedIn(401, {"code": "sign_in_refused", "detail": detail})
        return self.page.redeem(said["code"], self.verifier)


def by_srp(pool_id: str, app_client_id: str, region: str, user: str, password: str) -> Tokens:
    """Sign in by SRP, which sends no password. Needs `erphub-client[srp]`. Raises NotSignedIn, ImportError."""
    boto3, errors, aws_srp = (import_module(name) for name in ("boto3", "botocore.exceptions", "pycognito.aws_srp"))
    nobody = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    cognito = boto3.client("cognito-idp", region_name=region, **nobody)
    srp = aws_srp.AWSSRP(username=user, password=password, pool_id=pool_id, client_id=app_client_id, client=cognito)
    try:
        said: Mapping[str, str] = srp.authenticate_user()["AuthenticationResult"]
    except errors.ClientError as error:
        detail = "The user name or the password is wrong."
        raise NotSignedIn(401, {"code": "sign_in_refused", "detail": detail}) from error
    return Tokens(said["IdToken"], said.get("RefreshToken", ""))
