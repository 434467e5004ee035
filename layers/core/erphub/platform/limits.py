"""Limits: how much a client, a customer or a caller may have, so that none of them can exhaust what all share.

    rates    counted in windows of time, by attempts: one conditional write counts and refuses, so that twice at once
             cannot come to more; what is cut off after it has been counted
    stocks   counted from what is stored, never from a counter that could drift from it. Whoever adds one reserves its
             place first (a conditional write over the reservations as they were read before counting), stores it, and
             gives the reservation back; one that died loses it when no request can be alive any more
    sizes    bounds of lists that come from elsewhere
    refusals how many tries may be refused until the next must wait; whoever makes them wait counts them

A limit is declared in the manifest of its capability, and where a route adds one of what is limited, on the route.
Its maximum is the manifest's, or the deployment's (`Limits`), or what an operator set for this owner.
"""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

from erphub.platform import logging, problems
from erphub.platform.capability import Limit, LimitKind, LimitScope
from erphub.platform.clock import Clock, Pause
from erphub.platform.errors import HubError, TooMany
from erphub.platform.ids import unrepeated

RESERVED_FOR = timedelta(seconds=60)
"""Longer than any request: a reservation of one that died ends then."""
_ATTEMPTS = 12
_PAUSE_SECONDS = 0.08
_WINDOWS = {60: "minute", 3600: "hour", 86400: "day"}


@dataclass(frozen=True)
class Owner:
    """Whose limit it is."""

    scope: LimitScope
    id: str


@dataclass(frozen=True)
class Reservations:
    """Places reserved of one limit, as they were read: by id, until when each holds."""

    version: int
    until: Mapping[str, datetime]

    def alive(self, now: datetime) -> dict[str, datetime]:
        """Those that somebody may still be using."""
        return {name: until for name, until in self.until.items() if until > now}


class LimitStore(Protocol):
    """What is remembered of limits, by owner. All of it raises Unavailable."""

    def maxima(self, owner: Owner) -> Mapping[str, int]:
        """The maxima that an operator set for this owner, by limit."""
        ...

    def set_maximum(self, owner: Owner, name: str, maximum: int | None) -> None:
        """Set one, or with None go back to what holds for everybody."""
        ...

    def add(self, owner: Owner, window: str, count: int, maximum: int, until: datetime) -> int | None:
        """Count so many more in a window that ends then: how many there are with them. None when `maximum` is less."""
        ...

    def used(self, owner: Owner, window: str) -> int:
        """How many were counted in a window."""
        ...

    def reservations(self, owner: Owner, name: str) -> Reservations:
        """The places reserved now."""
        ...

    def reserve(self, owner: Owner, name: str, before: Reservations, after: Mapping[str, datetime]) -> bool:
        """Put these in place of those, unless they have changed since: then False."""
        ...

    def release(self, owner: Owner, name: str, reservation: str) -> None:
        """Give one back; one that is not there is fine."""
        ...


class StockCount(Protocol):
    """Counts what there is of a limit's stock; each capability has those of its own."""

    @property
    def limit(self) -> Limit:
        """The limit it counts for."""
        ...

    def count(self, owner_id: str, most: int) -> int:
        """How many there are now, as the last write left them; counts to `most`. Raises Unavailable."""
        ...


class StockCounts(Protocol):
    """Gives what counts stocks, when it is first needed."""

    def __call__(self) -> Sequence[StockCount]:
        """All of them."""
        ...


@dataclass(frozen=True)
class LimitUse:
    """Where an owner stands with a limit."""

    limit: Limit
    maximum: int
    used: int | None
    """None of a size, of which every list has its own, and of refusals, which tell nobody what others tried."""
    resets_at: datetime | None
    """When a rate's window ends (UTC)."""


@dataclass(frozen=True)
class Limits:
    """Counts and refuses."""

    store: LimitStore
    counts: StockCounts
    maxima: Mapping[str, int]
    """What this deployment sets, by limit."""
    clock: Clock
    pause: Pause = time.sleep

    def maximum(self, limit: Limit, owner: Owner) -> int:
        """What holds for this owner."""
        return self.store.maxima(owner).get(limit.name, self.maxima.get(limit.name, limit.maximum))

    def set_maximum(self, limit: Limit, owner: Owner, maximum: int | None) -> None:
        """An operator's decision for one owner; None goes back to what holds for everybody."""
        self.store.set_maximum(owner, limit.name, maximum)

    def take(self, limit: Limit, owner: Owner, count: int = 1) -> LimitUse:
        """Count so many more of a rate; says where the owner stands then.

        Raises TooMany (`limit_reached`) when there would be too many; none is counted.

        A request that is answered anew after it died is counted once.
        """
        now = self.clock()
        start, end = window(limit, now)
        maximum = self.maximum(limit, owner)
        used = None if count > maximum else self.store.add(owner, _window_name(limit, start), count, maximum, end)
        if used is None:
            raise _too_many(limit, maximum, now, end)
        return LimitUse(limit, maximum, used, end)

    @contextmanager
    def hold(self, limit: Limit, owner: Owner) -> Generator[None]:
        """A place for one more of a stock, while whoever asked stores it. Raises LimitReached."""
        with unrepeated():
            reservation = self._reserve(limit, owner)
        try:
            yield
        finally:
            with unrepeated():
                self._release(limit, owner, reservation)

    def use(self, limit: Limit, owner: Owner) -> LimitUse:
        """Where the owner stands."""
        maximum, now = self.maximum(limit, owner), self.clock()
        match limit.kind:
            case LimitKind.RATE:
                start, end = window(limit, now)
                return LimitUse(limit, maximum, self.store.used(owner, _window_name(limit, start)), end)
            case LimitKind.STOCK:
                return LimitUse(limit, maximum, self._count_of(limit).count(owner.id, maximum), None)
            case LimitKind.SIZE | LimitKind.REFUSALS:
                return LimitUse(limit, maximum, None, None)

    def available(self, limit: Limit, owner: Owner) -> int:
        """How many more of a stock there may be now; another may take them meanwhile."""
        maximum = self.maximum(limit, owner)
        return maximum - self._count_of(limit).count(owner.id, maximum)

    def _reserve(self, limit: Limit, owner: Owner) -> str:
        maximum, mine = self.maximum(limit, owner), uuid4().hex
        counter = self._count_of(limit)
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.pause(_PAUSE_SECONDS)
            # In this order: what is stored after it was counted has its reservation among those read before.
            before = self.store.reservations(owner, limit.name)
            count, now = counter.count(owner.id, maximum), self.clock()
            if count >= maximum:
                break
            alive = before.alive(now)
            # A place may be counted twice for a moment, as stored and as reserved: then it is looked at again.
            if count + len(alive) < maximum:
                after = alive | {mine: now + RESERVED_FOR}
                if self.store.reserve(owner, limit.name, before, after):
                    return mine
        raise problems.STOCK_EXHAUSTED(maximum=maximum, summary=limit.summary.lower(), limit=limit.name)

    def _release(self, limit: Limit, owner: Owner, reservation: str) -> None:
        try:
            self.store.release(owner, limit.name, reservation)
        except HubError as error:
            # What was to be done is done, and the reservation ends by itself.
            about = {"limit": limit.name, "owner": owner.id}
            logging.logger().warning("a reservation was not given back", exc_info=error, extra=about)

    def _count_of(self, limit: Limit) -> StockCount:
        return next(one for one in self.counts() if one.limit == limit)


def window(limit: Limit, now: datetime) -> tuple[datetime, datetime]:
    """The window of a rate that an instant lies in: its beginning and its end (UTC)."""
    start = int(now.timestamp()) // limit.seconds * limit.seconds
    return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(start + limit.seconds, UTC)


def _window_name(limit: Limit, start: datetime) -> str:
    return f"{limit.name}#{start:%Y-%m-%dT%H:%M}"


def _too_many(limit: Limit, maximum: int, now: datetime, end: datetime) -> TooMany:
    seconds = max(1, math.ceil((end - now).total_seconds()))
    return problems.RATE_EXCEEDED(
        maximum=maximum,
        window=_WINDOWS[limit.seconds],
        summary=limit.summary.lower(),
        limit=limit.name,
        retry_after=seconds,
        window_seconds=limit.seconds,
    )
