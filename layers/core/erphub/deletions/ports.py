"""Where plans and deletions are kept, and the few steps that are all or nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from erphub.audit.models import AuditEntry
from erphub.connections.models import Connection
from erphub.deletions.models import Deletion, Plan
from erphub.events.models import Event


class PlanStore(Protocol):
    """What people were shown before they deleted, until it expires."""

    def save(self, plan: Plan) -> None:
        """Keep a plan until it expires."""
        ...

    def get(self, client_id: str, connection_id: str, token: str) -> Plan | None:
        """The plan of this token, when one was made and has not expired long ago."""
        ...


class DeletionStore(Protocol):
    """Deletions, and the few steps of one that are all or nothing."""

    def get(self, client_id: str, connection_id: str) -> Deletion | None:
        """The deletion somebody asked for."""
        ...

    def list_scheduled(self, client_id: str) -> Sequence[str]:
        """The client's connections of which nothing may be seen or used any more."""
        ...

    def request(self, deletion: Deletion, now: datetime) -> None:
        """Write down what is asked. Raises Conflict when another deletion of the connection goes on."""
        ...

    def schedule(self, deletion: Deletion, connection: Connection, entry: AuditEntry, notice: Event) -> Deletion | None:
        """In one step: the connection is `deleting`, the time to bring it back runs, and it is written down who did it.

        None, and nothing is done, when connection or deletion are no longer as they were read.
        """
        ...

    def cancel(
        self, deletion: Deletion, connection: Connection, entry: AuditEntry, notice: Event, now: datetime
    ) -> None:
        """In one step: the connection is `paused`, the deletion is gone, and its plan with it.

        Raises Conflict when it is too late.
        """
        ...

    def begin_removal(self, deletion: Deletion) -> Deletion | None:
        """From here on nothing can be brought back; None when it has been brought back. Again is the same."""
        ...

    def delete(self, connection: Connection, deletion: Deletion) -> None:
        """The last step: connection, name and deletion are gone, all at once."""
        ...
