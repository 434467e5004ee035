"""Tries that a server refused, or that reached none: counted, so that the hub is no tool for guessing.

A try is an answer to a wizard's step that is tested, of a new connection or an edit, and a test by hand. It is counted
for whoever made it, for the client, and for the target (server and login, whichever client asks).
From a small number on (limits of kind `refusals`) the next try must wait, each time twice as long; that is written into
the audit log, and the client's people are notified. What was refused is forgotten an hour after its wait has ended.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from erphub.audit.service import AuditLog
from erphub.connections import problems
from erphub.connections.capability import ATTEMPTS_SLOWED, REFUSED_OF_CALLER, REFUSED_OF_CLIENT, REFUSED_OF_TARGET
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.limits import Limits, Owner
from erphub.platform.wire import JsonObject

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """One try, as it is counted and written down."""

    id: str
    """The same for the same try, however often it is told."""
    client_id: str
    connection_id: str
    target: Mapping[str, str]
    user: str
    email: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Refusals:
    """How many tries of a subject were refused, and when the last was."""

    count: int
    last_at: datetime


class RefusalStore(Protocol):
    """Refused tries by subject (`client <id>`)."""

    def get(self, subject: str) -> Refusals | None:
        """Those of a subject, unless they are forgotten."""
        ...

    def add(self, subject: str, answer: str, now: datetime, *, forgotten: Refusals | None) -> Refusals:
        """One more; the first again in place of `forgotten`, unless another was first. The same answer counts once."""
        ...


@dataclass(frozen=True)
class AttemptGuard:
    """Counts refused tries, and makes the next one wait."""

    store: RefusalStore
    audit: AuditLog
    events: EventPublisher
    limits: Limits
    clock: Clock

    def require_allowed(self, user: str, client_id: str, target: Mapping[str, str]) -> None:
        """Whether the next try may be made now. Raises TooMany (`too_many_attempts`)."""
        now = self.clock()
        subjects = self._subjects(user, client_id, target)
        ends = [_ends(self.store.get(subject), maximum) for subject, maximum in subjects.items()]
        seconds = max((end - now).total_seconds() for end in ends if end) if any(ends) else 0
        if seconds > 0:
            raise problems.TOO_MANY_ATTEMPTS(retry_after=int(seconds) + 1)

    def record(self, attempt: Attempt, problem: JsonObject) -> None:
        """A try was refused. Again, for the same try, is fine."""
        now, key = self.clock(), f"attempts {attempt.id}"
        waits: list[timedelta] = []
        for subject, maximum in self._subjects(attempt.user, attempt.client_id, attempt.target).items():
            before = self.store.get(subject)
            stale = before is not None and now > (_ends(before, maximum) or before.last_at) + FORGOTTEN_AFTER
            counted = self.store.add(subject, attempt.id, now, forgotten=before if stale else None)
            waits.append(_wait(counted.count, maximum))
        longest = max(waits)
        if not longest:
            return
        details = {"code": problem.get("code"), "wait_seconds": int(longest.total_seconds())}
        self.audit.record(
            attempt.client_id,
            attempt.connection_id,
            attempt.user,
            "attempts.slowed",
            None,
            details,
            attempt.source,
            email=attempt.email,
            event_key=key,
        )
        detail = "Many tries to connect were refused, so the next must wait. The audit log says who made them."
        self.events.publish(make_event(ATTEMPTS_SLOWED, attempt.client_id, None, now, key, detail, **details))

    def _subjects(self, user: str, client_id: str, target: Mapping[str, str]) -> dict[str, int]:
        """Whom a try is counted for, and how many refused ones each may have until the next must wait."""
        client = Owner(LimitScope.CLIENT, client_id)
        return {
            f"caller {user}": self.limits.maximum(REFUSED_OF_CALLER, Owner(LimitScope.CALLER, user)),
            f"client {client_id}": self.limits.maximum(REFUSED_OF_CLIENT, client),
            f"target {json.dumps(dict(target), sort_keys=True)}": self.limits.maximum(REFUSED_OF_TARGET, client),
        }


def _ends(refused: Refusals | None, maximum: int) -> datetime | None:
    wait = _wait(refused.count, maximum) if refused else timedelta(0)
    return refused.last_at + wait if refused and wait else None


def _wait(count: int, maximum: int) -> timedelta:
    over = count - maximum
    return min(FIRST_WAIT * 2 ** min(over, 10), LONGEST_WAIT) if over >= 0 else timedelta(0)
