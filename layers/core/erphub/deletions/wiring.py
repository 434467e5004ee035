"""How deletions are made."""

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.scheduling import DeletionScheduler
    from erphub.deletions.service import DeletionService
    from erphub.deletions.tasks import DeletionTasks
    from erphub.lake.ports import HiddenConnections
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def deletion_table(services: "Services") -> "DeletionTable":
    """Deletions, as they are kept."""
    from erphub.deletions.dynamodb import DeletionTable

    return DeletionTable(services.platform.table)


def deletion_scheduler(services: "Services") -> "DeletionScheduler":
    """The step that makes a connection unusable."""
    from erphub.audit.service import AuditLog
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.scheduling import DeletionScheduler

    return DeletionScheduler(services.get(DeletionTable), services.get(ConnectionTable), services.get(AuditLog))


def deletion_service(services: "Services") -> "DeletionService":
    """Deletion, for the API."""
    from erphub.connections.access import ConnectionAccess
    from erphub.deletions.dynamodb import DeletionTable, PlanTable
    from erphub.deletions.preview import DeletionPreview
    from erphub.deletions.scheduling import DeletionScheduler
    from erphub.deletions.service import DeletionService
    from erphub.tenancy.actors import MemberDirectory

    platform = services.platform
    return DeletionService(
        services.get(DeletionTable),
        DeletionPreview(PlanTable(platform.table), _in_order_of_removal(services), platform.clock),
        services.get(DeletionScheduler),
        platform.machine(platform.settings.delete_machine),
        services.get(ConnectionAccess),
        platform.clock,
        timedelta(seconds=platform.settings.deletion_grace_seconds),
        services.get(MemberDirectory),
    )


def deletion_tasks(services: "Services") -> "DeletionTasks":
    """The tasks of delete.asl.json."""
    from erphub.audit.service import AuditLog
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.scheduling import DeletionScheduler
    from erphub.deletions.tasks import DeletionTasks

    platform = services.platform
    return DeletionTasks(
        services.get(DeletionTable),
        services.get(ConnectionTable),
        services.get(DeletionScheduler),
        _in_order_of_removal(services),
        services.get(AuditLog),
        platform.clock,
    )


def _in_order_of_removal(services: "Services") -> "Sequence[Dependent]":
    """Whatever hangs on a connection, by stage; within a stage the uppermost capability's is first."""
    from erphub.platform.removal import Dependent

    return sorted(services.all(Dependent), key=lambda one: one.stage)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What a deletion itself keeps of a connection."""
    from erphub.deletions.dependents import deletion_dependents

    return deletion_dependents(services.platform.table)


def hidden_connections(services: "Services") -> "HiddenConnections":
    """Rows of a connection that is being deleted are out of sight."""
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.hooks import ConnectionsBeingDeleted

    return ConnectionsBeingDeleted(services.get(DeletionTable))


PROVIDES = (deletion_table, deletion_scheduler, deletion_service, deletion_tasks)
TAKES_PART = (hidden_connections, dependents)
