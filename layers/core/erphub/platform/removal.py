"""What a deletion asks of whoever keeps something of a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from erphub.platform.tasks import TimeLeft


class ConnectionRef(Protocol):
    """The connection that goes, as far as whoever keeps something of it needs to know it."""

    @property
    def client_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def id(self) -> str:
        """Its identifier."""
        ...

    @property
    def secret_name(self) -> str:
        """Where its passwords are."""
        ...

    @property
    def generation(self) -> str:
        """Which of its lists of companies is in use."""
        ...


@dataclass(frozen=True)
class Found:
    """What there is of a kind: how many, what they are called, and a mark that differs when other things are meant."""

    count: int
    names: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mark: str = ""


class Dependent(Protocol):
    """A kind of thing that refers to connections. Whatever it is asked for may be asked again, after dying anywhere."""

    @property
    def id(self) -> str:
        """A stable word for programs."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def shown(self) -> bool:
        """Whether people know it by itself; what only serves another kind is not shown."""
        ...

    @property
    def holds(self) -> Sequence[str]:
        """The items it answers for, by table and first word of the sort key (`tenants:JOB`, `exports:*`)."""
        ...

    def find(self, of: ConnectionRef) -> Found:
        """Count and name what there is."""
        ...

    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        """End what goes on, and see to it that nothing begins. False while something still has to come to its end.

        What it leaves behind must suit a connection that was restored and is paused: nothing is undone afterwards.
        With `force` it is ended from outside, whatever state it leaves behind.
        """
        ...

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        """Remove all of it. False when time ran out: then ask again."""
        ...
