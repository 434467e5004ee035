"""How the services of syncs are made; what only a transfer needs is loaded by the function that does it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.ports import CompanyUsers, ConnectionHooks
    from erphub.platform.aws.files import S3Files
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.sync.changes.offers import ChangeOffers
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.documents.pdfs import DocumentPdfs
    from erphub.sync.documents.reading import DocumentReader
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import EntryTable
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.scheduler import SyncScheduler
    from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
    from erphub.sync.settings.gift_cards import GiftCards
    from erphub.sync.settings.planning import TransferPlanner
    from erphub.sync.settings.service import SyncService
    from erphub.sync.tasks import SyncTasks
    from erphub.sync.transfers.dynamodb import TransferTable
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.transfers.service import TransferService
    from erphub.sync.uploads.dynamodb import UploadTable
    from erphub.sync.uploads.service import UploadService


# --- stores ----------------------------------------------------------------------------------------------------------


def sync_table(services: "Services") -> "SyncTable":
    """Settings and due times of syncs."""
    from erphub.sync.settings.dynamodb import SyncTable

    return SyncTable(services.platform.table)


def transfer_lease_table(services: "Services") -> "TransferLeaseTable":
    """Which transfer may send."""
    from erphub.sync.settings.dynamodb import TransferLeaseTable

    return TransferLeaseTable(services.platform.table)


def entry_table(services: "Services") -> "EntryTable":
    """Documents and attempts of the export log."""
    from erphub.sync.export_log.dynamodb import EntryTable

    return EntryTable(services.platform.export_log_table)


def transfer_table(services: "Services") -> "TransferTable":
    """Transfers."""
    from erphub.sync.transfers.dynamodb import TransferTable

    return TransferTable(services.platform.export_log_table)


def upload_table(services: "Services") -> "UploadTable":
    """Uploads."""
    from erphub.sync.uploads.dynamodb import UploadTable

    return UploadTable(services.platform.export_log_table)


def document_files(services: "Services") -> "S3Files":
    """Documents' PDFs and uploads' files."""
    from erphub.platform.aws.files import S3Files

    return S3Files(services.platform.settings.lake_bucket)


# --- for the API -----------------------------------------------------------------------------------------------------


def transfer_planner(services: "Services") -> "TransferPlanner":
    """Plans the next transfer anew when something happens."""
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.planning import TransferPlanner

    return TransferPlanner(services.get(SyncTable), services.platform.clock)


def sync_service(services: "Services") -> "SyncService":
    """Settings of syncs."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.sync.export_log.dynamodb import EntryTable
    from erphub.sync.export_log.history import ExportHistory
    from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
    from erphub.sync.settings.service import SyncService

    return SyncService(
        services.get(SyncTable),
        services.get(TransferLeaseTable),
        ExportHistory(services.get(EntryTable)),
        services.get(ConnectionTable),
        services.get(ErpAccess),
        services.platform.clock,
    )


def gift_cards(services: "Services") -> "GiftCards":
    """The product of gift cards in the ERP."""
    from erphub.sync.settings.dynamodb import TransferLeaseTable
    from erphub.sync.settings.gift_cards import GiftCards
    from erphub.sync.settings.service import SyncService

    platform = services.platform
    return GiftCards(services.get(SyncService), services.get(TransferLeaseTable), platform.clock, platform.new_id)


def document_service(services: "Services") -> "DocumentService":
    """Documents, on their way in."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import EntryTable, IdentityTable
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.planning import TransferPlanner
    from erphub.tenancy.limits import TenantLimits

    return DocumentService(
        services.get(ConnectionTable),
        services.get(SyncTable),
        services.get(EntryTable),
        IdentityTable(services.platform.export_log_table),
        document_files(services),
        services.get(TransferPlanner),
        services.platform.clock,
        services.get(TenantLimits),
    )


def document_reader(services: "Services") -> "DocumentReader":
    """Documents, read back."""
    from erphub.sync.documents.reading import DocumentReader
    from erphub.sync.export_log.service import ExportLogService

    return DocumentReader(services.get(ExportLogService))


def document_pdfs(services: "Services") -> "DocumentPdfs":
    """PDFs of documents, handed in and fetched."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.documents.pdfs import DocumentPdfs
    from erphub.sync.documents.reading import DocumentReader
    from erphub.sync.export_log.dynamodb import EntryTable
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.planning import TransferPlanner

    return DocumentPdfs(
        services.get(ConnectionTable),
        services.get(SyncTable),
        services.get(EntryTable),
        services.get(DocumentReader),
        document_files(services),
        services.get(TransferPlanner),
        services.platform.clock,
    )


def upload_service(services: "Services") -> "UploadService":
    """Uploads of many documents at once."""
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.uploads.dynamodb import UploadTable
    from erphub.sync.uploads.service import UploadService

    platform = services.platform
    return UploadService(
        services.get(DocumentService),
        services.get(UploadTable),
        document_files(services),
        platform.worker,
        platform.clock,
        platform.new_id,
    )


def export_log_service(services: "Services") -> "ExportLogService":
    """The export log, for its readers."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.export_log.dynamodb import EntryTable
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.planning import TransferPlanner

    return ExportLogService(
        services.get(ConnectionTable),
        services.get(SyncTable),
        services.get(EntryTable),
        services.get(TransferPlanner),
        services.platform.clock,
    )


def change_offers(services: "Services") -> "ChangeOffers":
    """Changes offered to tills."""
    from erphub.sync.changes.dynamodb import ChangeFeedTable, SyncedRecordTable
    from erphub.sync.changes.offers import ChangeOffers
    from erphub.sync.export_log.dynamodb import EntryTable

    table = services.platform.export_log_table
    return ChangeOffers(
        SyncedRecordTable(table), ChangeFeedTable(table), services.get(EntryTable), services.platform.clock
    )


def change_service(services: "Services") -> "ChangeService":
    """Changes in the ERP, for the till."""
    from erphub.sync.changes.offers import ChangeOffers
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.settings.service import SyncService

    return ChangeService(services.get(SyncService), services.get(ChangeOffers))


def transfer_service(services: "Services") -> "TransferService":
    """Transfers, started and looked at."""
    from erphub.sync.export_log.dynamodb import EntryTable
    from erphub.sync.settings.service import SyncService
    from erphub.sync.transfers.dynamodb import TransferTable
    from erphub.sync.transfers.service import TransferService

    platform = services.platform
    return TransferService(
        services.get(SyncService),
        services.get(EntryTable),
        services.get(TransferTable),
        platform.worker,
        platform.clock,
        platform.new_id,
    )


# --- behind it -------------------------------------------------------------------------------------------------------


def sync_notices(services: "Services") -> "SyncNotices":
    """What a client's people are notified of about a sync."""
    from erphub.events.publisher import EventPublisher
    from erphub.sync.transfers.notices import SyncNotices

    return SyncNotices(services.get(EventPublisher), services.platform.clock)


def transfer_executor(services: "Services") -> "TransferExecutor":
    """Carries documents to the ERP."""
    from datetime import timedelta

    from erphub.connections.background import BackgroundErpAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.changes.offers import ChangeOffers
    from erphub.sync.export_log.dynamodb import EntryTable, IdentityTable
    from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
    from erphub.sync.transfers.dynamodb import TransferTable
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.transfers.ports import TransferStores
    from erphub.sync.transfers.settlement_pdf import PdfRenderer

    platform, offers = services.platform, services.get(ChangeOffers)
    stores = TransferStores(
        services.get(SyncTable),
        services.get(TransferLeaseTable),
        services.get(EntryTable),
        IdentityTable(platform.export_log_table),
        services.get(TransferTable),
        offers.records,
        offers.feed,
        services.get(ConnectionTable),
    )
    return TransferExecutor(
        stores,
        services.get(BackgroundErpAccess),
        document_files(services),
        PdfRenderer(),
        services.get(SyncNotices),
        platform.worker,
        platform.clock,
        timedelta(seconds=platform.settings.resend_delay_seconds),
    )


def sync_tasks(services: "Services") -> "SyncTasks":
    """What the worker and the state machine ask."""
    from erphub.connections.health import HealthService
    from erphub.sync.tasks import SyncTasks
    from erphub.sync.transfers.approval_tasks import ApprovalTask
    from erphub.sync.transfers.dynamodb import TransferTable
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.uploads.service import UploadService

    executor = services.get(TransferExecutor)
    return SyncTasks(
        executor,
        services.get(UploadService),
        services.get(TransferTable),
        services.get(HealthService),
        ApprovalTask(executor.stores, executor.erp, executor.approval_check, executor.clock),
    )


def sync_scheduler(services: "Services") -> "SyncScheduler":
    """Starts the transfers that are due."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.sync.scheduler import SyncScheduler
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.transfers.approval_tasks import ApprovalSchedule
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.transfers.service import TransferService
    from erphub.sync.transfers.silence import SilenceAlert

    syncs, clock = services.get(SyncTable), services.platform.clock
    silence = SilenceAlert(syncs, services.get(ConnectionTable), services.get(SyncNotices), clock)
    approvals = ApprovalSchedule(syncs, services.platform.worker, clock)
    return SyncScheduler(syncs, services.get(TransferService), silence, approvals, clock)


def sync_hooks(services: "Services") -> "ConnectionHooks":
    """Transfers go on when a connection works again."""
    from erphub.sync.hooks import SyncHooks
    from erphub.sync.settings.planning import TransferPlanner

    return SyncHooks(services.get(TransferPlanner))


def company_users(services: "Services") -> "CompanyUsers":
    """The companies that syncs send to."""
    from erphub.sync.hooks import SyncCompanies
    from erphub.sync.settings.dynamodb import SyncTable

    return SyncCompanies(SyncTable(services.platform.table))


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of a sync hangs on a connection."""
    from erphub.sync.dependents import sync_dependents

    platform = services.platform
    return sync_dependents(platform.table, platform.export_log_table, platform.bucket, platform.clock)


PROVIDES = (
    sync_table,
    transfer_lease_table,
    entry_table,
    transfer_table,
    upload_table,
    transfer_planner,
    sync_service,
    gift_cards,
    document_service,
    document_reader,
    document_pdfs,
    upload_service,
    export_log_service,
    change_offers,
    change_service,
    transfer_service,
    sync_notices,
    transfer_executor,
    sync_tasks,
    sync_scheduler,
)
TAKES_PART = (sync_hooks, company_users, dependents)
