"""Waiting for what the hub does by itself: looked at often while it moves, ever less often while it does not."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
FIRST, LONGEST, GROWTH = 0.25, 5.0, 1.5


class StillGoing(TimeoutError):
    """It was not over in the time the caller had for it; it goes on in the hub."""


def follow(
    ask: Callable[[], T],
    is_over: Callable[[T], bool],
    *,
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[T]:
    """What is seen, whenever it has changed, until it is over; `timeout` in seconds. Raises StillGoing."""
    began, pause = clock(), FIRST
    seen = ask()
    yield seen
    while not is_over(seen):
        if timeout is not None and clock() - began >= timeout:
            raise StillGoing(f"It was not over after {timeout:g} seconds; it goes on.")
        sleep(pause)
        latest = ask()
        if latest == seen:
            pause = min(LONGEST, pause * GROWTH)
            continue
        seen, pause = latest, FIRST
        yield seen


def last(seen: Iterator[T]) -> T:
    """The end of what was followed."""
    *_, end = seen
    return end
