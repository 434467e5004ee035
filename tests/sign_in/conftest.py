"""A user pool that signs tokens with keys of its own, and an authorizer that asks it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from erphub.api_keys.credentials.models import Credential
from erphub.platform.errors import NotSignedIn, Unavailable
from erphub.sign_in.authorizer import RequestAuthorizer
from erphub.sign_in.keys import KeySignIn
from erphub.sign_in.signing_keys import SigningKeys
from erphub.sign_in.tokens import TokenSignIn

ISSUER = "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_EXAMPLE"
APP = "examplexample"
SUB = "0f0e0d0c-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
_MADE: dict[str, rsa.RSAPrivateKey] = {}


def private_key(name: str) -> rsa.RSAPrivateKey:
    """One that is made once for all tests: making them takes its time."""
    if name not in _MADE:
        _MADE[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return _MADE[name]


@dataclass
class Pool:
    """The user pool: its keys, and how often it was asked for them."""

    names: list[str] = field(default_factory=lambda: ["id", "access"])
    fetched: int = 0
    is_away: bool = False
    people: dict[str, str | None] = field(default_factory=lambda: {SUB: "kari@example.test"})

    def keys(self) -> dict[str, Any]:
        self.fetched += 1
        if self.is_away:
            raise Unavailable("The sign-in service does not answer.")
        return {"keys": [jwk(name) for name in self.names]}

    def find(self, user: str) -> str | None:
        if self.is_away:
            raise Unavailable("The sign-in service is busy.")
        if user not in self.people:
            raise NotSignedIn("There is no such user any more.")
        return self.people[user]


@dataclass
class Credentials:
    """What is kept of keys, and how often it was looked up."""

    kept: dict[str, Credential] = field(default_factory=dict)
    asked: int = 0

    def find(self, key_id: str) -> Credential | None:
        self.asked += 1
        return self.kept.get(key_id)


def jwk(name: str) -> dict[str, Any]:
    """A public key as Cognito gives it."""
    public: dict[str, Any] = RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": name, "n": public["n"], "e": public["e"]}


def id_claims(**other: Any) -> dict[str, Any]:
    """The claims of an ID token, as Cognito writes them."""
    now = int(NOW.timestamp())
    claims = {"sub": SUB, "iss": ISSUER, "token_use": "id", "aud": APP, "cognito:username": SUB, "auth_time": now}
    claims |= {"email": "kari@example.test", "email_verified": True, "iat": now, "exp": now + 3600, "jti": "1"}
    return {name: value for name, value in (claims | other).items() if value is not ...}


def access_claims(**other: Any) -> dict[str, Any]:
    """The claims of an access token, as Cognito writes them: no address, and no `aud`."""
    claims = id_claims(token_use="access", client_id=APP, username=SUB, scope="aws.cognito.signin.user.admin")
    for name in ("aud", "email", "email_verified", "cognito:username"):
        del claims[name]
    return {name: value for name, value in (claims | other).items() if value is not ...}


def signed(claims: dict[str, Any], key: str = "id", **header: Any) -> str:
    """A token as the pool signs it."""
    return jwt.encode(claims, private_key(key), algorithm="RS256", headers={"kid": key} | header)


@dataclass
class Door:
    """The authorizer with its outside, and the time."""

    pool: Pool
    credentials: Credentials
    time: list[datetime]
    ask: Callable[[str], Any]
    """Whom a token or key lets in: the caller's context, or None."""
    authorizer: RequestAuthorizer

    def pass_time(self, **how_long: float) -> None:
        self.time[0] += timedelta(**how_long)


@pytest.fixture
def door() -> Door:
    pool, credentials, time = Pool(), Credentials(), [NOW]
    clock = lambda: time[0]  # noqa: E731
    tokens = TokenSignIn(SigningKeys(pool.keys, clock), pool, ISSUER, APP, clock)
    authorizer = RequestAuthorizer(KeySignIn(credentials, clock), tokens)

    def ask(shown: str) -> Any:
        arn = "arn:aws:execute-api:eu-north-1:000000000000:0123456789/dev/GET/me"
        answer = authorizer.answer({"methodArn": arn, "headers": {"Authorization": f"Bearer {shown}"}})
        effect = answer["policyDocument"]["Statement"][0]["Effect"]
        assert (effect == "Allow") == bool(answer["context"])
        return answer["context"] or None

    return Door(pool, credentials, time, ask, authorizer)
