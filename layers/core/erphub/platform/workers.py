"""Work that is asked for without waiting."""

from collections.abc import Mapping
from typing import Any, Protocol


class Worker(Protocol):
    """Whoever does the work that no request waits for."""

    def ask(self, task: Mapping[str, Any]) -> None:
        """Have a task done soon, and again when it fails."""
        ...

    def ask_machine(self, name: str, task: Mapping[str, Any]) -> None:
        """Have a long task done in pieces by the state machine; the same name is the same work."""
        ...
