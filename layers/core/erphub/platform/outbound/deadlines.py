"""Ends in wall-clock time, which do not depend on what the other side sends, or how slowly.

Each transport bounds one exchange by itself. Whoever needs several says how long all of them may take together:

    with at_most(PART_SECONDS):
        ...  # every exchange meanwhile, over whichever transport, has ended by then

It holds for the thread that says it. A transport that waits on another thread is told its end by the caller's.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class SecondsClock(Protocol):
    """A clock that only goes forward."""

    def __call__(self) -> float:
        """Seconds since some instant."""
        ...


class Deadline:
    """An end in wall-clock time; without seconds there is none."""

    def __init__(self, seconds: float | None, clock: SecondsClock = time.monotonic) -> None:
        self._clock = clock
        self._ends = None if seconds is None else clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never less than none."""
        return float("inf") if self._ends is None else max(0.0, self._ends - self._clock())

    def within(self, seconds: float) -> "Deadline":
        """The nearer of this end and one in so many seconds."""
        return Deadline(min(seconds, self.left), self._clock)

    def require(self) -> float:
        """Seconds that are left. Raises TimeoutError when there are none."""
        if self.left <= 0:
            raise TimeoutError("the server took too long")
        return self.left


LOOK_UP_SECONDS = 25.0
"""The longest that an ERP is asked while a request waits, which ends after 29 seconds."""
_NONE = Deadline(None)
_current: ContextVar[Deadline] = ContextVar("deadline", default=_NONE)


def current() -> Deadline:
    """The end of the work that this thread is at; one without an end where nobody said one."""
    return _current.get()


@contextmanager
def at_most(seconds: float) -> Generator[Deadline]:
    """Every exchange meanwhile has ended after so many seconds, or earlier where an outer end is nearer."""
    before = _current.get()
    deadline = before.within(seconds)
    _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.set(before)
