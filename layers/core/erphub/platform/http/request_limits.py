"""What a request may take: requests per minute of who calls and of the client they call, and what its route adds to.

Requests are counted in batches: a process counts ten at once and answers that many before it counts again. So there are
never more than the limit, one request in ten pays for a write, and a refused one pays nothing.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from erphub.platform.capability import Limit, LimitKind, LimitScope
from erphub.platform.errors import TooMany
from erphub.platform.identity import Caller, Member
from erphub.platform.limits import Limits, LimitUse, Owner, window

BATCH = 10
_MAX_REMEMBERED = 2_000


@dataclass
class _Batch:
    """What this process may still answer in a window without counting."""

    start: datetime
    left: int = 0
    use: LimitUse | None = None
    """Where the owner stood when it was last counted."""
    refused: TooMany | None = None


@dataclass(frozen=True)
class RequestLimits:
    """Counts requests and refuses those that are too many."""

    limits: Limits
    by_caller: Limit
    by_client: Limit
    waiting: Limit
    batches: dict[Owner, _Batch] = field(default_factory=dict[Owner, _Batch])

    def admit_caller(self, caller: Caller) -> LimitUse:
        """A request of somebody, whatever they may do; says where they stand. Raises TooMany."""
        return self._count(self.by_caller, Owner(LimitScope.CALLER, caller.user))

    def admit_member(self, member: Member) -> LimitUse:
        """A request to a client by one of its members; says where the client stands. Raises TooMany."""
        return self._count(self.by_client, Owner(LimitScope.CLIENT, member.client_id))

    def admit_waiting(self, member: Member) -> bool:
        """Whether one more request of the client may keep a function while it waits for work that it began."""
        try:
            self.limits.take(self.waiting, Owner(LimitScope.CLIENT, member.client_id))
        except TooMany:
            return False
        return True

    @contextmanager
    def adding(self, limit: Limit | None, client_id: str | None, customer_id: str | None) -> Generator[None]:
        """Room for what a route adds, while it does. Raises TooMany, LimitReached."""
        if limit is None:
            yield
            return
        owner = Owner(limit.scope, (customer_id if limit.scope is LimitScope.CUSTOMER else client_id) or "")
        if limit.kind is LimitKind.RATE:
            self.limits.take(limit, owner)
            yield
            return
        with self.limits.hold(limit, owner):
            yield

    def _count(self, limit: Limit, owner: Owner) -> LimitUse:
        start, end = window(limit, self.limits.clock())
        batch = self.batches.get(owner)
        if batch is None or batch.start != start:
            if len(self.batches) >= _MAX_REMEMBERED:
                self.batches.clear()
            batch = self.batches[owner] = _Batch(start)
        if batch.refused is not None:
            raise batch.refused
        if not batch.left:
            batch.left = self._more(limit, owner, batch)
        batch.left -= 1
        known = batch.use or LimitUse(limit, limit.maximum, 0, end)
        # What was counted for this process and not answered yet is not used up.
        return replace(known, used=(known.used or 0) - batch.left)

    def _more(self, limit: Limit, owner: Owner, batch: _Batch) -> int:
        """Count a batch, or one request where a batch is too many."""
        for count in (BATCH, 1):
            try:
                batch.use = self.limits.take(limit, owner, count)
            except TooMany as error:
                batch.refused = error
            else:
                batch.refused = None
                return count
        raise batch.refused or AssertionError
