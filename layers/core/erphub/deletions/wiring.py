"""How deletions are made."""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.service import DeletionService
    from erphub.deletions.tasks import DeletionTasks
    from erphub.lake.ports import HiddenConnections
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.platform.tasks import TimeLeft


def deletion_table(services: "Services") -> "DeletionTable":
    """Deletions and their plans, as they are kept."""
    from erphub.deletions.dynamodb import DeletionTable

    return DeletionTable(services.platform.table)


def deletion_service(services: "Services") -> "DeletionService":
    """Deletion, for the API."""
    from erphub.audit.service import AuditTrail
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.service import ConnectionService
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.service import DeletionService

    platform = services.platform
    return DeletionService(
        services.get(DeletionTable),
        services.get(ConnectionTable),
        _dependents(services),
        platform.machine(platform.settings.delete_machine),
        services.get(AuditTrail),
        services.get(ConnectionAccess).connection,
        services.get(ConnectionService).get,
        platform.clock,
        timedelta(seconds=platform.settings.grace_seconds),
    )


def deletion_tasks(services: "Services") -> "DeletionTasks":
    """The tasks of delete.asl.json."""
    from erphub.audit.service import AuditTrail
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.tasks import DeletionTasks

    platform = services.platform
    return DeletionTasks(
        services.get(DeletionTable),
        services.get(ConnectionTable),
        _dependents(services),
        services.get(AuditTrail),
        platform.clock,
    )


def _dependents(services: "Services") -> "Sequence[Dependent]":
    """Every kind of thing that hangs on a connection, in the order of removal."""
    from erphub.companies.service import CompanyRegistry
    from erphub.deletions.dependents import Stores, kinds

    platform = services.platform
    settings = platform.settings

    def erase(client_id: str, connection_id: str, time_left: "TimeLeft") -> bool:
        """Only the function that removes carries the table engine; those that only count never come here."""
        from erphub.lake.delta.removal import LakeRemoval

        removal = LakeRemoval(f"s3://{settings.lake_bucket}", platform.bucket, settings.lake_options)
        return removal.remove(client_id, connection_id, time_left)

    return kinds(
        Stores(
            platform.table,
            platform.export_log_table,
            platform.bucket,
            platform.secrets,
            platform.stored_secrets.names,
            platform.machine(settings.connect_machine),
            platform.machine(settings.import_machine),
            platform.clock,
            erase,
            lambda client, connection: services.get(CompanyRegistry).held(client, connection),
            lambda client, connection: services.get(CompanyRegistry).release(client, connection),
        )
    )


def condemned_connections(services: "Services") -> "HiddenConnections":
    """Rows of a connection that is being deleted are out of sight."""
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.hooks import CondemnedConnections

    return CondemnedConnections(services.get(DeletionTable))


PROVIDES = (deletion_table, deletion_service, deletion_tasks)
TAKES_PART = (condemned_connections,)
