"""How the end-to-end tests wait: for as long as it takes, however busy the machine is."""

import time
from collections.abc import Callable

PATIENCE = 240
"""Seconds after which something is stuck rather than slow."""


def until[T](ask: Callable[[], T | None], every: float = 0.2) -> T:
    """Ask until there is an answer; fails the test when there is none in all that time."""
    deadline = time.monotonic() + PATIENCE
    while (answer := ask()) is None:
        assert time.monotonic() < deadline, f"waited {PATIENCE} seconds for {ask.__qualname__}"
        time.sleep(every)
    return answer
