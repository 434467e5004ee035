"""The clock, chance, secrets and state machines, as the use-cases see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> datetime:
        """Now, in UTC, with a zone."""
        ...


class Ids(Protocol):
    """Where identifiers come from."""

    def __call__(self) -> str:
        """A new identifier, never given before; 26 characters, sorted by time."""
        ...


class Secrets(Protocol):
    """Where passwords and tokens live. A name is made by the hub and holds nothing secret."""

    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        """Keep the fields under the name; the same name again replaces them."""
        ...

    def get(self, name: str) -> dict[str, str]:
        """The fields. Raises NotFound."""
        ...

    def delete(self, name: str) -> None:
        """Remove them at once, without a recovery window; a name that is not there is fine."""
        ...


class Redactor(Protocol):
    """Keeps secrets out of what is written down."""

    def hide(self, values: Iterable[str]) -> None:
        """Hide these values from now until the invocation ends."""
        ...

    def clean(self, value: Any) -> Any:
        """The value with every hidden text in it replaced."""
        ...


class Machine(Protocol):
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
