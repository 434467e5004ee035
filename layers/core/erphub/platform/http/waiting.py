"""Waiting for what a request has begun: `Prefer: wait=20` (RFC 7240).

A route says what shows the work that it begins, and when that has come to its end (`router.Awaited`). The function
looks at it with growing pauses, for as long as the caller prefers and the gateway keeps the connection; what has not
ended by then is answered as it would have been at once.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from erphub.platform.clock import Clock, Pause
from erphub.platform.errors import HubError
from erphub.platform.http.gateway import Request
from erphub.platform.http.router import Awaited

PREFER, APPLIED = "Prefer", "Preference-Applied"
LONGEST_SECONDS = 25
"""API Gateway gives an answer 29 seconds from when it took the request; a last look and the answer need some."""
_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.25, 2.0, 1.5
_WAIT = re.compile(r'wait[ \t]*=[ \t]*(?:"(\d{1,9})"|(\d{1,9}))[ \t]*(?:;.*)?', re.IGNORECASE)


def preferred_seconds(request: Request) -> int:
    """How long the caller prefers to wait; 0 when they do not. A preference that is not understood is none."""
    for one in (request.field(PREFER) or "").split(","):
        if (found := _WAIT.fullmatch(one.strip(" \t"))) is not None:
            return int(found[1] or found[2])
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class PreferredWait:
    """Waits for work that goes on elsewhere."""

    clock: Clock = _now
    pause: Pause = time.sleep

    def seconds_for(self, request: Request) -> int:
        """How long to wait at most for the sake of this request; 0 when nobody prefers it, or no time is left."""
        left = LONGEST_SECONDS - max(0.0, (self.clock() - request.received).total_seconds())
        return max(0, min(preferred_seconds(request), int(left)))

    def wait(self, awaited: Awaited, look: Callable[[], Any], seconds: float) -> Any | None:
        """What is seen once it has come to its end; None when it has not within this time, or cannot be looked at."""
        until, pause = self.clock().timestamp() + seconds, _FIRST_PAUSE
        while True:
            try:
                seen = look()
            except HubError:
                return None  # it has begun all the same: the answer is the one that says so
            if awaited.is_finished(seen):
                return seen
            left = until - self.clock().timestamp()
            if left <= 0:
                return None
            self.pause(min(pause, left))
            pause = min(_LONGEST_PAUSE, pause * _GROWTH)
