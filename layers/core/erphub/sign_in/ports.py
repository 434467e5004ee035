"""What signing in asks of the user pool."""

from collections.abc import Mapping
from typing import Any, Protocol

type Jwks = Mapping[str, Any]
"""A JSON Web Key Set (RFC 7517)."""


class FetchKeys(Protocol):
    """Fetches what the user pool's tokens are signed with."""

    def __call__(self) -> Jwks:
        """The pool's public keys now. Raises Unavailable."""
        ...


class Addresses(Protocol):
    """Knows people's e-mail addresses."""

    def find(self, user: str) -> str | None:
        """The confirmed address of a user. Raises Unavailable, NotSignedIn when there is no such user."""
        ...
