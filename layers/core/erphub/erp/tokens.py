"""Tokens and sessions of ERP systems: fetched once, kept encrypted until they expire, renewed by one at a time."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """What lets us in until `expires_at` (UTC)."""

    value: str = field(repr=False)
    expires_at: datetime
    made_with: str = field(default="", repr=False)
    """A digest of the credentials it was fetched with: a token outlives no change of password. As secret as these."""


class TokenStore(Protocol):
    """The tokens of one connection, by name, shared by everything that uses the connection."""

    def read(self, name: str) -> Token | None:
        """The token that is kept, expired or not; None when there is none. Raises Unavailable."""
        ...

    def acquire_lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Whether `holder` alone may fetch a new token until then. A lease that has run out can be taken over."""
        ...

    def save(self, name: str, holder: str, token: Token) -> bool:
        """Keep the token, encrypted, and end the lease; False when the lease had passed to somebody else, whose token
        stands."""
        ...

    def release_lease(self, name: str, holder: str) -> None:
        """End the lease without a token; one that has passed to somebody else is left alone."""
        ...
