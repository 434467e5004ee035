"""What a deletion asks of whoever keeps something of a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from erphub.platform.tasks import TimeLeft


class RemovalStage(IntEnum):
    """When something goes; whatever is left after a removal was cut off anywhere still has its owner."""

    SECRETS = 1
    """What lets somebody into the ERP."""
    DATA = 2
    """What came from the ERP or goes there."""
    RECORDS = 3
    """What describes it: settings, runs, wizards, events."""
    REGISTRY = 4
    """What the connection is known by: licences, companies. The connection itself goes after all else."""


class ConnectionRef(Protocol):
    """The connection that is removed, as far as whoever keeps something of it needs to know it."""

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
    """What there is of a kind: how many, their names, and a fingerprint that differs when other things are meant."""

    count: int
    names: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fingerprint: str = ""


class Dependent(Protocol):
    """A kind of thing that refers to connections. Whatever it is asked for may be asked again, after dying anywhere.

    The stage says when it is removed; within a stage the uppermost capability's is first.
    """

    @property
    def kind(self) -> str:
        """A stable word for programs."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def stage(self) -> RemovalStage:
        """When it is removed."""
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
