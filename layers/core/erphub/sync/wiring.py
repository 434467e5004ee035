"""How the services of syncs are made; what only a transfer needs is loaded by the function that does it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.models import Connection
    from erphub.connections.ports import ConnectionHooks
    from erphub.platform.errors import HubError
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.documents.files import S3DocumentFiles
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.front import SyncFront
    from erphub.sync.scheduler import SyncScheduler
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.ports import DueSync
    from erphub.sync.settings.service import SyncService
    from erphub.sync.tasks import SyncTasks
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.uploads.service import UploadService


def export_log_table(services: "Services") -> "ExportLogTable":
    """The export log, as it is kept."""
    from erphub.sync.export_log.dynamodb import ExportLogTable

    return ExportLogTable(services.platform.export_log_table)


def sync_table(services: "Services") -> "SyncTable":
    """Settings and due times of syncs, as they are kept."""
    from erphub.sync.settings.dynamodb import SyncTable

    return SyncTable(services.platform.table)


def document_files(services: "Services") -> "S3DocumentFiles":
    """Documents' PDFs and uploads."""
    from erphub.sync.documents.files import S3DocumentFiles

    return S3DocumentFiles(services.platform.settings.lake_bucket)


def document_service(services: "Services") -> "DocumentService":
    """Documents, on their way in."""
    from erphub.connections.access import require_active
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.documents.files import S3DocumentFiles
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.settings.dynamodb import SyncTable

    connections = services.get(ConnectionTable)
    return DocumentService(
        services.get(SyncTable),
        services.get(ExportLogTable),
        services.get(S3DocumentFiles),
        services.platform.clock,
        lambda client_id, connection_id: require_active(connections.get(client_id, connection_id)),
    )


def sync_notices(services: "Services") -> "SyncNotices":
    """What a client's people are notified of about a sync."""
    from erphub.events.publisher import EventPublisher
    from erphub.sync.transfers.notices import SyncNotices

    return SyncNotices(services.get(EventPublisher), services.platform.clock)


def sync_service(services: "Services") -> "SyncService":
    """Settings and transfers of syncs."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.service import SyncService
    from erphub.sync.transfers.notices import SyncNotices

    platform = services.platform
    return SyncService(
        services.get(SyncTable),
        services.get(ExportLogTable),
        services.get(ConnectionTable),
        services.get(ErpAccess).connected,
        platform.worker,
        platform.clock,
        platform.new_id,
        services.get(SyncNotices),
    )


def upload_service(services: "Services") -> "UploadService":
    """Uploads of many documents at once."""
    from erphub.sync.documents.files import S3DocumentFiles
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.uploads.service import UploadService

    platform = services.platform
    return UploadService(
        services.get(DocumentService),
        services.get(ExportLogTable),
        services.get(S3DocumentFiles),
        platform.worker,
        platform.clock,
        platform.new_id,
    )


def export_log_service(services: "Services") -> "ExportLogService":
    """The export log, for the API."""
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.settings.dynamodb import SyncTable

    return ExportLogService(
        services.get(SyncTable),
        services.get(ExportLogTable),
        services.get(DocumentService),
        services.platform.clock,
    )


def change_service(services: "Services") -> "ChangeService":
    """Changes in the ERP, for the till."""
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.export_log.dynamodb import ExportLogTable

    return ChangeService(services.get(ExportLogTable), services.platform.clock)


def sync_front(services: "Services") -> "SyncFront":
    """Syncs, in the words of the API."""
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.front import SyncFront
    from erphub.sync.settings.service import SyncService
    from erphub.sync.uploads.service import UploadService

    return SyncFront(
        services.get(SyncService),
        services.get(DocumentService),
        services.get(ExportLogService),
        services.get(UploadService),
        services.get(ChangeService),
    )


def transfer_executor(services: "Services") -> "TransferExecutor":
    """Carries documents to the ERP."""
    from datetime import timedelta

    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.platform import logging
    from erphub.platform.problems import as_problem
    from erphub.sync.documents.files import S3DocumentFiles
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.transfers.settlement_pdf import render

    def report(entry_id: str, error: Exception) -> None:
        logging.logger().error("a document met something unforeseen", exc_info=error, extra={"entry_id": entry_id})

    def refused(connection: "Connection", error: "HubError") -> None:
        """For the log; the transfer ends at once, and its outcome has the connection wait for its people."""
        about = {"connection_id": connection.id}
        logging.logger().warning("the ERP refused the connection's credentials", exc_info=error, extra=about)

    platform = services.platform
    return TransferExecutor(
        services.get(SyncTable),
        services.get(ExportLogTable),
        services.get(S3DocumentFiles),
        services.get(ConnectionTable),
        services.get(ErpAccess).connected,
        refused,
        platform.worker,
        services.get(SyncNotices),
        platform.clock,
        timedelta(seconds=platform.settings.settle_seconds),
        render,
        as_problem,
        report,
    )


def sync_tasks(services: "Services") -> "SyncTasks":
    """What the worker and the state machine ask."""
    from erphub.connections.health import HealthService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.tasks import SyncTasks
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.uploads.service import UploadService

    return SyncTasks(
        services.get(TransferExecutor),
        services.get(UploadService),
        services.get(ExportLogTable),
        lambda outcome: services.get(HealthService).report(outcome),
    )


def sync_scheduler(services: "Services") -> "SyncScheduler":
    """Starts the transfers that are due."""
    from erphub.platform import logging
    from erphub.sync.scheduler import SyncScheduler
    from erphub.sync.settings.service import SyncService

    def report(due: "DueSync", error: Exception) -> None:
        about = {"client_id": due.client_id, "connection_id": due.connection_id}
        logging.logger().error("a due transfer could not be started", exc_info=error, extra=about)

    return SyncScheduler(services.get(SyncService), report)


def sync_hooks(services: "Services") -> "ConnectionHooks":
    """Transfers go on when a connection works again."""
    from erphub.sync.hooks import SyncHooks
    from erphub.sync.settings.service import SyncService

    return SyncHooks(services.get(SyncService))


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of a sync hangs on a connection."""
    from erphub.sync.dependents import sync_dependents

    platform = services.platform
    return sync_dependents(platform.table, platform.export_log_table, platform.bucket, platform.clock)


PROVIDES = (
    export_log_table,
    sync_table,
    document_files,
    document_service,
    sync_notices,
    sync_service,
    upload_service,
    export_log_service,
    change_service,
    sync_front,
    transfer_executor,
    sync_tasks,
    sync_scheduler,
)
TAKES_PART = (sync_hooks, dependents)
