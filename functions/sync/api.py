"""The door for tills and people: settings of a sync, documents in, transfers, the export log."""

from typing import Any

from erphub import wiring
from erphub.platform.http.router import Router, Text
from erphub.platform.identity import Member, Permission
from erphub.platform.wire import PageQuery
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
from erphub.sync.settings.models import SyncInput
from erphub.sync.settings.schemas import CheckView, SyncView
from erphub.sync.transfers.schemas import NewTransfer, TransferDetail, TransferPage, TransferView
from erphub.sync.uploads.schemas import NewUpload, UploadView

door = Router(wiring.house.hall)
handler = door

HERE = "/clients/{client}/connections/{connection}"
LOG = HERE + "/export-log"


@door.get(HERE + "/sync", needs=Permission.CONNECTIONS_VIEW)
def show_sync(member: Member, connection: str) -> SyncView:
    """Show a sync's settings, and when it transfers next and why."""
    return wiring.sync.front().show(member, connection)


@door.put(HERE + "/sync", needs=Permission.SYNC_MANAGE)
def save_sync(member: Member, connection: str, body: SyncInput) -> SyncView:
    """Save a sync's settings, once the ERP has everything they name."""
    return wiring.sync.front().save(member, connection, body)


@door.post(HERE + "/sync/test", needs=Permission.SYNC_MANAGE, status=200)
def test_sync(member: Member, connection: str, body: SyncInput) -> CheckView:
    """Test settings against the ERP without saving them; also says what there is to choose from."""
    return wiring.sync.front().test(member, connection, body)


@door.post(HERE + "/documents/saft-cash-register", needs=Permission.SYNC_RUN, status=200)
def hand_in_cash_register(member: Member, connection: str, body: bytes) -> CashRegisterView:
    """Hand in the Z-reports of a SAF-T Cash Register file (XML, up to 4 MB; larger ones by upload)."""
    return wiring.sync.front().cash_register(member, connection, body)


@door.put(HERE + "/documents/{kind}/{external_id}", needs=Permission.SYNC_RUN)
def hand_in_document(
    member: Member, connection: str, kind: str, external_id: str, query: PdfQuery, body: dict[str, Any]
) -> HandedInView:
    """Hand in a settlement, invoice, customer or product; the same again changes nothing."""
    return wiring.sync.front().hand_in(member, connection, kind, external_id, body, query.pdf)


@door.post(HERE + "/document-uploads", needs=Permission.SYNC_RUN)
def open_upload(member: Member, connection: str, body: NewUpload) -> UploadView:
    """Open a batch: thousands of documents in one file, put to the address in the answer."""
    return wiring.sync.front().open_upload(member, connection, body)


@door.get(HERE + "/document-uploads/{upload}", needs=Permission.CONNECTIONS_VIEW)
def show_upload(member: Member, connection: str, upload: str) -> UploadView:
    """Show what was made of a batch, line by line where a line was refused."""
    return wiring.sync.front().show_upload(member, connection, upload)


@door.post(HERE + "/document-uploads/{upload}/take", needs=Permission.SYNC_RUN, status=202)
def take_upload(member: Member, connection: str, upload: str) -> UploadView:
    """Have a batch read whose file has been put in its place."""
    return wiring.sync.front().take_upload(member, connection, upload)


@door.get(HERE + "/changes", needs=Permission.SYNC_RUN)
def list_changes(member: Member, connection: str, query: ChangesQuery) -> ChangesView:
    """List what changed in the ERP, oldest first; whole records, for whoever may take them over."""
    return wiring.sync.front().changes(member, connection, query)


@door.post(HERE + "/changes/acknowledge", needs=Permission.SYNC_RUN, status=200)
def acknowledge_changes(member: Member, connection: str, body: Acknowledgement) -> AcknowledgedView:
    """Say which changes the till has taken over."""
    return wiring.sync.front().acknowledge(member, connection, body)


@door.post(HERE + "/transfers", needs=Permission.SYNC_RUN, status=202)
def start_transfer(member: Member, connection: str, body: NewTransfer) -> TransferView:
    """Transfer everything due, one kind, or chosen documents; or show what would be posted (dry run)."""
    return wiring.sync.front().start_transfer(member, connection, body)


@door.get(HERE + "/transfers", needs=Permission.CONNECTIONS_VIEW)
def list_transfers(member: Member, connection: str, query: PageQuery) -> TransferPage:
    """List transfers, the newest first."""
    return wiring.sync.front().transfers(member, connection, query)


@door.get(HERE + "/transfers/{transfer}", needs=Permission.CONNECTIONS_VIEW)
def show_transfer(member: Member, connection: str, transfer: str) -> TransferDetail:
    """Show a transfer; of a dry run what would be done, and to whoever may send it the vouchers to be posted."""
    return wiring.sync.front().show_transfer(member, connection, transfer)


@door.get(LOG, needs=Permission.CONNECTIONS_VIEW)
def list_export_log(member: Member, connection: str, query: LogQuery) -> EntryPage:
    """List the export log by state, kind, day, code and text, the newest day first."""
    return wiring.sync.front().log(member, connection, query)


@door.get(LOG + "/codes", needs=Permission.CONNECTIONS_VIEW)
def list_export_codes(member: Member, connection: str) -> CodeGroups:
    """Group what stands open by the reason that stopped it."""
    return wiring.sync.front().codes(member, connection)


@door.get(LOG + "/gaps", needs=Permission.CONNECTIONS_VIEW)
def list_export_gaps(member: Member, connection: str, query: GapQuery) -> GapsView:
    """List Z-report numbers and days that are missing."""
    return wiring.sync.front().gaps(member, connection, query)


@door.get(LOG + "/csv", needs=Permission.CONNECTIONS_VIEW)
def export_log_as_csv(member: Member, connection: str, query: LogQuery) -> Text:
    """Download the export log as CSV, filtered like the list."""
    return Text(wiring.sync.front().log_csv(member, connection, query), "text/csv; charset=utf-8")


@door.post(LOG + "/retry", needs=Permission.SYNC_RUN, status=202)
def retry_many(member: Member, connection: str, body: RetryMany) -> RetriedView:
    """Send several documents again, or all that one code stopped."""
    return wiring.sync.front().retry_many(member, connection, body)


@door.get(LOG + "/{entry}", needs=Permission.CONNECTIONS_VIEW)
def show_export(member: Member, connection: str, entry: str) -> EntryDetail:
    """Show a document with every attempt to send it."""
    return wiring.sync.front().entry(member, connection, entry)


@door.post(LOG + "/{entry}/retry", needs=Permission.SYNC_RUN, status=202)
def retry_export(member: Member, connection: str, entry: str) -> EntryView:
    """Send a document again at the next transfer."""
    return wiring.sync.front().retry(member, connection, entry)


@door.post(LOG + "/{entry}/skip", needs=Permission.SYNC_RUN, status=200)
def skip_export(member: Member, connection: str, entry: str, body: Skip) -> EntryView:
    """Leave a document out for good, with a reason."""
    return wiring.sync.front().skip(member, connection, entry, body)


@door.post(LOG + "/{entry}/posted-by-hand", needs=Permission.SYNC_RUN, status=200)
def mark_as_posted(member: Member, connection: str, entry: str, body: ByHand) -> EntryView:
    """Say that somebody posted a document in the ERP, and under which voucher number."""
    return wiring.sync.front().posted_by_hand(member, connection, entry, body)
