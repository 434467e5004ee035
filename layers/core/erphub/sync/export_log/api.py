"""The export log: what got through, what did not and why, and what to do about it."""

from erphub.platform.http.router import Router, Text
from erphub.platform.identity import Member
from erphub.sync.capability import SYNC_RUN
from erphub.sync.export_log.schemas import (
    ByHand,
    CodeGroups,
    EntryDetail,
    EntryPage,
    EntryView,
    GapQuery,
    GapsView,
    LogQuery,
    RetriedView,
    RetryMany,
    Skip,
)
from erphub.sync.export_log.service import ExportLogService
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
LOG = "/clients/{client_id}/connections/{connection}/export-log"


@router.get(LOG, needs=CONNECTIONS_VIEW)
def list_export_log(service: ExportLogService, member: Member, connection: str, query: LogQuery) -> EntryPage:
    """List the export log by state, kind, day, code and text, the newest day first."""
    return EntryPage.of(service.list_entries(member.client_id, connection, query))


@router.get(LOG + "/codes", needs=CONNECTIONS_VIEW)
def list_export_codes(service: ExportLogService, member: Member, connection: str) -> CodeGroups:
    """Group what stands open by the reason that stopped it."""
    return CodeGroups(items=service.group_by_code(member.client_id, connection))


@router.get(LOG + "/gaps", needs=CONNECTIONS_VIEW)
def list_export_gaps(service: ExportLogService, member: Member, connection: str, query: GapQuery) -> GapsView:
    """List Z-report numbers and days that are missing."""
    return GapsView(items=service.list_gaps(member.client_id, connection, query))


@router.get(LOG + "/csv", needs=CONNECTIONS_VIEW)
def export_log_as_csv(service: ExportLogService, member: Member, connection: str, query: LogQuery) -> Text:
    """Download the export log as CSV, filtered like the list."""
    return Text(service.export_csv(member.client_id, connection, query), "text/csv; charset=utf-8")


@router.post(LOG + "/retry", needs=SYNC_RUN, status=202)
def retry_many(service: ExportLogService, member: Member, connection: str, body: RetryMany) -> RetriedView:
    """Send several documents again, or all that one code stopped."""
    return service.retry_many(member.client_id, connection, body)


@router.get(LOG + "/{entry}", needs=CONNECTIONS_VIEW)
def show_export(service: ExportLogService, member: Member, connection: str, entry: str) -> EntryDetail:
    """Show a document with every attempt to send it."""
    return EntryDetail.with_attempts(*service.get(member.client_id, connection, entry))


@router.post(LOG + "/{entry}/retry", needs=SYNC_RUN, status=202)
def retry_export(service: ExportLogService, member: Member, connection: str, entry: str) -> EntryView:
    """Send a document again at the next transfer."""
    return EntryView.of(service.retry(member.client_id, connection, entry))


@router.post(LOG + "/{entry}/skip", needs=SYNC_RUN, status=200)
def skip_export(service: ExportLogService, member: Member, connection: str, entry: str, body: Skip) -> EntryView:
    """Leave a document out for good, with a reason."""
    return EntryView.of(service.skip(member.client_id, connection, entry, member.user, body))


@router.post(LOG + "/{entry}/posted-by-hand", needs=SYNC_RUN, status=200)
def mark_as_posted(service: ExportLogService, member: Member, connection: str, entry: str, body: ByHand) -> EntryView:
    """Say that somebody posted a document in the ERP, and under which voucher number."""
    return EntryView.of(service.post_manually(member.client_id, connection, entry, member.user, body))
