"""Where plans and deletions are kept, and the few steps that are all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from erphub.audit.models import AuditEntry
from erphub.connections.models import Connection
from erphub.deletions.models import Deletion, Plan
from erphub.events.models import Event


class DeletionStore(Protocol):
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
