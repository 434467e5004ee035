"""A state machine, as services see it."""

from collections.abc import Mapping
from typing import Any, Protocol


class StateMachine(Protocol):
    """One state machine."""

    def execution(self, name: str) -> str:
        """The ARN that the execution of this name has, or would have."""
        ...

    def start(self, name: str, input: Mapping[str, Any]) -> str:
        """Start an execution and return its ARN; the same name and input again is the same execution."""
        ...

    def stop(self, execution: str, cause: str) -> None:
        """End an execution; one that has ended already is fine."""
        ...

    def is_running(self, execution: str) -> bool:
        """Whether an execution still goes on."""
        ...

    def resume(self, token: str, output: Mapping[str, Any]) -> None:
        """Answer a task that waits. Raises Gone when it no longer does."""
        ...
