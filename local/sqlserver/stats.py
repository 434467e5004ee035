"""What the stand-in server has seen: logins, statements, rows, refusals."""

import threading
from collections import Counter, deque
from typing import Any

from local.sqlserver.errors import SqlError


class Stats:
    """Counts, safe to use from every connection's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self.logins: Counter[str] = Counter()
        self.refusals: Counter[int] = Counter()
        self.unknown_texts: deque[str] = deque(maxlen=50)
        self.lost_reasons: deque[str] = deque(maxlen=50)

    def count(self, what: str, by: int = 1) -> None:
        """One more (or `by` more) of something."""
        with self._lock:
            self.counts[what] += by

    def statement(self, name: str) -> None:
        """A statement of the hub's list was asked."""
        with self._lock:
            self.statements[name] += 1

    def signed_in(self, login: str) -> None:
        """Somebody came in."""
        with self._lock:
            self.logins[login] += 1

    def refused(self, error: SqlError) -> None:
        """Somebody was turned away."""
        with self._lock:
            self.refusals[error.number] += 1

    def unknown(self, text: str) -> None:
        """A text that is on no list."""
        with self._lock:
            self.counts["unknown statements"] += 1
            self.unknown_texts.append(text[:2000])

    def lost(self, reason: str) -> None:
        """A connection ended without a good-bye, or with one."""
        with self._lock:
            self.counts["connections ended"] += 1
            self.lost_reasons.append(reason)

    def shown(self) -> dict[str, Any]:
        """All of it, as JSON takes it."""
        with self._lock:
            return {
                "counts": dict(self.counts),
                "statements": dict(self.statements),
                "logins": dict(self.logins),
                "refusals": {str(number): times for number, times in self.refusals.items()},
                "unknown_statements": list(self.unknown_texts),
            }
