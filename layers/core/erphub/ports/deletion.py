"""What deletion asks of every kind of thing that refers to a connection, and of where deletions are written down."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..models.audit import AuditEntry
from ..models.connection import Connection
from ..models.deletion import Deletion, Plan
from ..models.notification import Event

type TimeLeft = Callable[[], float]
"""Seconds that are left to the function."""
type Checkpoint = Callable[[str], None]
"""Told where the work is; a test ends it there."""


@dataclass(frozen=True)
class Found:
    """What there is of a kind: how many, what they are called, and a mark that differs when other things are meant."""

    count: int
    names: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mark: str = ""


class Kind(Protocol):
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

    def find(self, of: Connection) -> Found:
        """Count and name what there is."""
        ...

    def stop(self, of: Connection, *, force: bool) -> bool:
        """End what goes on, and see to it that nothing begins. False while something still has to come to its end.

        What it leaves behind must suit a connection that was restored and is paused: nothing is undone afterwards.
        With `force` it is ended from outside, whatever state it leaves behind.
        """
        ...

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """Remove all of it. False when time ran out: then ask again."""
        ...


class Deletions(Protocol):
    """Plans and deletions, and the few steps that are all or nothing."""

    def keep_plan(self, plan: Plan) -> None:
        """Keep a plan until it expires."""
        ...

    def plan(self, client_id: str, connection_id: str, token: str) -> Plan | None:
        """The plan of this token, when one was made and has not been forgotten."""
        ...

    def get(self, client_id: str, connection_id: str) -> Deletion | None:
        """The deletion somebody asked for."""
        ...

    def condemned(self, client_id: str) -> Sequence[str]:
        """The client's connections of which nothing may be seen or used any more."""
        ...

    def ask(self, deletion: Deletion, now: datetime) -> None:
        """Write down what is asked. Raises Conflict when another deletion of the connection goes on."""
        ...

    def condemn(self, deletion: Deletion, connection: Connection, entry: AuditEntry, told: Event) -> Deletion | None:
        """In one step: the connection is `deleting`, the time to bring it back runs, and it is written down who did it.

        None, and nothing is done, when connection or deletion are no longer as they were read.
        """
        ...

    def pardon(self, deletion: Deletion, connection: Connection, entry: AuditEntry, told: Event, now: datetime) -> None:
        """In one step: the connection is `paused`, the deletion is gone, and its plan with it.

        Raises Conflict when it is too late.
        """
        ...

    def begin_removal(self, deletion: Deletion) -> Deletion | None:
        """From here on nothing can be brought back; None when it has been brought back. Again is the same."""
        ...

    def forget(self, connection: Connection, deletion: Deletion) -> None:
        """The last step: connection, name and deletion are gone, all at once."""
        ...
