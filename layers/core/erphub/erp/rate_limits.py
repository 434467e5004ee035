"""How many calls an ERP allows us, shared by everything that uses the same connection."""

import math
from datetime import datetime
from typing import Protocol

from erphub.erp import problems
from erphub.platform.errors import Unavailable


class RateLimiter(Protocol):
    """Calls of one connection by kind (`soap`, `rest`)."""

    def acquire(self, kind: str, hourly: int | None = None) -> None:
        """Count one call before it is made. `hourly` is the most there may be in a clock hour.

        Raises Unavailable (`erp_busy`, with `retry_after` in seconds and `retry_at`) when the hour's calls are spent or
        the ERP has asked us to wait.
        """
        ...

    def block(self, kind: str, until: datetime) -> None:
        """The ERP asked us to wait until then: everybody who shares the connection does."""
        ...


def waiting(until: datetime, now: datetime, why: str) -> Unavailable:
    """The error that says how long to wait."""
    seconds = max(1, math.ceil((until - now).total_seconds()))
    return problems.ERP_BUSY(
        why=why, until=until, retry_after=seconds, retry_at=until.isoformat(timespec="seconds").replace("+00:00", "Z")
    )
