"""What a sync does when something happens to its connection."""

from dataclasses import dataclass
from datetime import datetime

from erphub.connections.models import Connection
from erphub.sync.settings.planning import TransferPlanner


@dataclass(frozen=True)
class SyncHooks:
    """Transfers go on when a connection works again."""

    planner: TransferPlanner

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        """A new connection has no sync until somebody saves its settings."""

    def reconnected(self, connection: Connection, since: datetime) -> None:  # noqa: ARG002
        """What waits is sent, however long it has waited."""
        self.planner.connection_restored(connection.client_id, connection.id)
