"""Manners towards the ERP: how often we may call, and waiting when it asks us to.

7,200 SOAP calls an hour are allowed per address; beyond that the ERP refuses everything until the next hour. REST
states no limit and answers 429 with Retry-After instead. Either way all who share the connection wait together.
"""

from datetime import datetime, timedelta
from threading import Lock
from typing import override

from erphub.erp.rate_limits import RateLimiter, waiting
from erphub.platform.clock import Clock

SOAP_ALLOWED = 7200
SOAP_HOURLY = SOAP_ALLOWED - 50
"""What we take of it: a call that is counted as an hour ends arrives in the next, and is counted there by the ERP."""


def next_hour(now: datetime) -> datetime:
    """When the current clock hour ends."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


SPENT = "24SevenOffice allows 7,200 calls an hour, and this hour's are used up."
ASKED = "24SevenOffice has asked us to wait."


class InProcessRateLimiter(RateLimiter):
    """A rate limit for one process: what an adapter uses when nothing is shared with others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: dict[tuple[str, datetime], int] = {}
        self._blocked: dict[str, datetime] = {}
        self._lock = Lock()

    @override
    def acquire(self, kind: str, hourly: int | None = None) -> None:
        with self._lock:
            now = self._clock()
            until = self._blocked.get(kind)
            if until is not None and until > now:
                raise waiting(until, now, ASKED)
            end = next_hour(now)
            used = self._used.get((kind, end), 0)
            if hourly is not None and used >= hourly:
                raise waiting(end, now, SPENT)
            self._used = {(kind, end): used + 1} | {
                key: count for key, count in self._used.items() if key[1] == end and key[0] != kind
            }

    @override
    def block(self, kind: str, until: datetime) -> None:
        with self._lock:
            self._blocked[kind] = max(until, self._blocked.get(kind, until))
