"""The user pool: its public keys over HTTPS, addresses of its people by its API."""

import json
from dataclasses import dataclass
from typing import cast, override

import urllib3

from erphub.platform.errors import Unavailable
from erphub.sign_in import problems
from erphub.sign_in.ports import Addresses, FetchKeys, Jwks
from erphub.tenancy.ports import UserDirectory

_TIMEOUT = urllib3.Timeout(connect=2, read=3)
_RETRIES = urllib3.Retry(total=2, redirect=False, backoff_factor=0.1)


@dataclass(frozen=True)
class PoolKeys(FetchKeys):
    """The pool's key set at its address, which is AWS's own: `https://cognito-idp…/<pool>/.well-known/jwks.json`."""

    url: str

    @override
    def __call__(self) -> Jwks:
        try:
            with urllib3.PoolManager(timeout=_TIMEOUT, retries=_RETRIES) as pool:
                answer = pool.request("GET", self.url)
        except urllib3.exceptions.HTTPError as error:
            raise _away() from error
        try:
            document = json.loads(answer.data) if answer.status == 200 else None
        except ValueError as error:
            raise _away() from error
        if not isinstance(document, dict):
            raise _away()
        return cast(Jwks, document)


@dataclass(frozen=True)
class PoolAddresses(Addresses):
    """Addresses as the pool has them now."""

    users: UserDirectory

    @override
    def find(self, user: str) -> str | None:
        found = self.users.find(user)
        if found is None:
            raise problems.USER_GONE()
        return found.email


def _away() -> Unavailable:
    return problems.SIGN_IN_UNAVAILABLE()
