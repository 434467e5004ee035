"""What time it is, and where identifiers come from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> datetime:
        """Now, in UTC, with a zone."""
        ...


class Pause(Protocol):
    """Waits; tests let a clock go on instead."""

    def __call__(self, seconds: float, /) -> None:
        """Come back after so many seconds."""
        ...


class IdGenerator(Protocol):
    """Where identifiers come from."""

    def __call__(self) -> str:
        """A new identifier, never given before; 26 characters, sorted by time."""
        ...
