"""What a sync does when something happens to its connection."""

from dataclasses import dataclass
from datetime import datetime
from typing import override

from erphub.connections.models import Connection
from erphub.connections.ports import CompanyUsers
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore


@dataclass(frozen=True)
class SyncCompanies(CompanyUsers):
    """The companies that a sync's settings name."""

    syncs: SyncStore

    @override
    def is_used(self, client_id: str, connection_id: str, company_key: str) -> bool:
        sync = self.syncs.get(client_id, connection_id)
        return sync is not None and company_key in sync.settings.companies()


@dataclass(frozen=True)
class SyncHooks:
    """Transfers go on when a connection works again."""

    planner: TransferPlanner

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        """A new connection has no sync until somebody saves its settings."""

    def reconnected(self, connection: Connection, since: datetime) -> None:  # noqa: ARG002
        """What waits is sent, however long it has waited."""
        self.planner.connection_restored(connection.client_id, connection.id)
