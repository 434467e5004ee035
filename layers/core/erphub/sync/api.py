"""Syncs: settings, documents, transfers, the export log, changes."""

from typing import Any

from erphub.platform.http.router import Router, Text
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.sync.capability import SYNC_MANAGE, SYNC_RUN
from erphub.sync.changes.schemas import AcknowledgedView, Acknowledgement, ChangesQuery, ChangesView
from erphub.sync.documents.schemas import CashRegisterView
from erphub.sync.export_log.schemas import (
    ByHand,
    CodeGroups,
    EntryDetail,
    EntryPage,
    EntryView,
    GapQuery,
    GapsView,
    HandedInView,
    LogQuery,
    PdfQuery,
    RetriedView,
    RetryMany,
    Skip,
)
from erphub.sync.front import SyncFront
from erphub.sync.settings.models import SyncInput
from erphub.sync.settings.schemas import CheckView, SyncView
from erphub.sync.transfers.schemas import NewTransfer, TransferDetail, TransferPage, TransferView
from erphub.sync.uploads.schemas import NewUpload, UploadView
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
HERE = "/clients/{client_id}/connections/{connection}"
LOG = HERE + "/export-log"


@router.get(HERE + "/sync", needs=CONNECTIONS_VIEW)
def show_sync(service: SyncFront, member: Member, connection: str) -> SyncView:
    """Show a sync's settings, and when it transfers next and why."""
    return service.show(member, connection)


@router.put(HERE + "/sync", needs=SYNC_MANAGE)
def save_sync(service: SyncFront, member: Member, connection: str, body: SyncInput) -> SyncView:
    """Save a sync's settings, once the ERP has everything they name."""
    return service.save(member, connection, body)


@router.post(HERE + "/sync/test", needs=SYNC_MANAGE, status=200)
def test_sync(service: SyncFront, member: Member, connection: str, body: SyncInput) -> CheckView:
    """Test settings against the ERP without saving them; also says what there is to choose from."""
    return service.test(member, connection, body)


@router.post(HERE + "/documents/saft-cash-register", needs=SYNC_RUN, status=200)
def hand_in_cash_register(service: SyncFront, member: Member, connection: str, body: bytes) -> CashRegisterView:
    """Hand in the Z-reports of a SAF-T Cash Register file (XML, up to 4 MB; larger ones by upload)."""
    return service.cash_register(member, connection, body)


@router.put(HERE + "/documents/{kind}/{external_id}", needs=SYNC_RUN)
def hand_in_document(
    service: SyncFront,
    member: Member,
    connection: str,
    kind: str,
    external_id: str,
    query: PdfQuery,
    body: dict[str, Any],
) -> HandedInView:
    """Hand in a settlement, invoice, customer or product; the same again changes nothing."""
    return service.hand_in(member, connection, kind, external_id, body, query.pdf)


@router.post(HERE + "/document-uploads", needs=SYNC_RUN)
def open_upload(service: SyncFront, member: Member, connection: str, body: NewUpload) -> UploadView:
    """Open a batch: thousands of documents in one file, put to the address in the answer."""
    return service.open_upload(member, connection, body)


@router.get(HERE + "/document-uploads/{upload}", needs=CONNECTIONS_VIEW)
def show_upload(service: SyncFront, member: Member, connection: str, upload: str) -> UploadView:
    """Show what was made of a batch, line by line where a line was refused."""
    return service.show_upload(member, connection, upload)


@router.post(HERE + "/document-uploads/{upload}/take", needs=SYNC_RUN, status=202)
def take_upload(service: SyncFront, member: Member, connection: str, upload: str) -> UploadView:
    """Have a batch read whose file has been put in its place."""
    return service.take_upload(member, connection, upload)


@router.get(HERE + "/changes", needs=SYNC_RUN)
def list_changes(service: SyncFront, member: Member, connection: str, query: ChangesQuery) -> ChangesView:
    """List what changed in the ERP, oldest first; whole records, for whoever may take them over."""
    return service.changes(member, connection, query)


@router.post(HERE + "/changes/acknowledge", needs=SYNC_RUN, status=200)
def acknowledge_changes(service: SyncFront, member: Member, connection: str, body: Acknowledgement) -> AcknowledgedView:
    """Say which changes the till has taken over."""
    return service.acknowledge(member, connection, body)


@router.post(HERE + "/transfers", needs=SYNC_RUN, status=202)
def start_transfer(service: SyncFront, member: Member, connection: str, body: NewTransfer) -> TransferView:
    """Transfer everything due, one kind, or chosen documents; or show what would be posted (dry run)."""
    return service.start_transfer(member, connection, body)


@router.get(HERE + "/transfers", needs=CONNECTIONS_VIEW)
def list_transfers(service: SyncFront, member: Member, connection: str, query: PageQuery) -> TransferPage:
    """List transfers, the newest first."""
    return service.transfers(member, connection, query)


@router.get(HERE + "/transfers/{transfer}", needs=CONNECTIONS_VIEW)
def show_transfer(service: SyncFront, member: Member, connection: str, transfer: str) -> TransferDetail:
    """Show a transfer; of a dry run what would be done, and to whoever may send it the vouchers to be posted."""
    return service.show_transfer(member, connection, transfer)


@router.get(LOG, needs=CONNECTIONS_VIEW)
def list_export_log(service: SyncFront, member: Member, connection: str, query: LogQuery) -> EntryPage:
    """List the export log by state, kind, day, code and text, the newest day first."""
    return service.log(member, connection, query)


@router.get(LOG + "/codes", needs=CONNECTIONS_VIEW)
def list_export_codes(service: SyncFront, member: Member, connection: str) -> CodeGroups:
    """Group what stands open by the reason that stopped it."""
    return service.codes(member, connection)


@router.get(LOG + "/gaps", needs=CONNECTIONS_VIEW)
def list_export_gaps(service: SyncFront, member: Member, connection: str, query: GapQuery) -> GapsView:
    """List Z-report numbers and days that are missing."""
    return service.gaps(member, connection, query)


@router.get(LOG + "/csv", needs=CONNECTIONS_VIEW)
def export_log_as_csv(service: SyncFront, member: Member, connection: str, query: LogQuery) -> Text:
    """Download the export log as CSV, filtered like the list."""
    return Text(service.log_csv(member, connection, query), "text/csv; charset=utf-8")


@router.post(LOG + "/retry", needs=SYNC_RUN, status=202)
def retry_many(service: SyncFront, member: Member, connection: str, body: RetryMany) -> RetriedView:
    """Send several documents again, or all that one code stopped."""
    return service.retry_many(member, connection, body)


@router.get(LOG + "/{entry}", needs=CONNECTIONS_VIEW)
def show_export(service: SyncFront, member: Member, connection: str, entry: str) -> EntryDetail:
    """Show a document with every attempt to send it."""
    return service.entry(member, connection, entry)


@router.post(LOG + "/{entry}/retry", needs=SYNC_RUN, status=202)
def retry_export(service: SyncFront, member: Member, connection: str, entry: str) -> EntryView:
    """Send a document again at the next transfer."""
    return service.retry(member, connection, entry)


@router.post(LOG + "/{entry}/skip", needs=SYNC_RUN, status=200)
def skip_export(service: SyncFront, member: Member, connection: str, entry: str, body: Skip) -> EntryView:
    """Leave a document out for good, with a reason."""
    return service.skip(member, connection, entry, body)


@router.post(LOG + "/{entry}/posted-by-hand", needs=SYNC_RUN, status=200)
def mark_as_posted(service: SyncFront, member: Member, connection: str, entry: str, body: ByHand) -> EntryView:
    """Say that somebody posted a document in the ERP, and under which voucher number."""
    return service.posted_by_hand(member, connection, entry, body)
