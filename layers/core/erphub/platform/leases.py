"""Leases: one at a time, and whoever dies with one in hand loses it when it runs out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from erphub.platform.writes import Key


@dataclass(frozen=True)
class Lease:
    """That `holder` alone may do something until an instant (UTC)."""

    key: Key
    """The item that the lease is kept in: one of its own, or that of the thing itself."""
    holder: str
    until: datetime
    number: int
    """Grows whenever the lease is acquired: who has the smaller one of two has lost the lease (a fencing number)."""
    previous_holder: str = ""
    """Who had it until this one acquired it, and did not release it; empty when there was nobody."""


class Leases(Protocol):
    """Leases by the key of the item that they are kept in. All of it raises Unavailable."""

    def acquire(
        self, key: Key, holder: str, *, now: datetime, until: datetime, in_place_of: str | None = None
    ) -> Lease | None:
        """The lease, unless somebody else holds it: then None.

        Whoever holds it already gets it again. It passes over when it has run out, or when it is held by `in_place_of`,
        whom the caller knows to be dead.
        """
        ...

    def held(self, key: Key, *, now: datetime) -> Lease | None:
        """The lease of whoever holds it now."""
        ...

    def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        """The same lease until then; None when it has passed to somebody else, whose it is now."""
        ...

    def release(self, lease: Lease) -> None:
        """End it; one that has passed to somebody else is left alone."""
        ...
