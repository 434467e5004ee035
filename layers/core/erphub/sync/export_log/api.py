"""The export log: what got through, what did not and why, and what to do about it."""

from erphub.platform.http.router import Router, Text
from erphub.platform.identity import Member
from erphub.sync.capability import DOCUMENT_POSTED, DOCUMENT_RETRIED, DOCUMENT_SKIPPED, DOCUMENTS_RETRIED, SYNC_RUN
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.schemas import (
    CodeGroupPage,
    EntryDetail,
    EntryPage,
    EntryView,
    GapPage,
    GapQuery,
    LogQuery,
    ManualPosting,
    RetryQuery,
    RetryRequest,
    RetryResult,
    SkipRequest,
)
from erphub.sync.export_log.service import ExportLogService
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
LOG = "/clients/{client_id}/connections/{connection_id}/export-log"


@router.get(LOG, needs=CONNECTIONS_VIEW)
def list_export_log(
    service: ExportLogService, actors: MemberDirectory, member: Member, connection_id: str, query: LogQuery
) -> EntryPage:
    """List the export log by status, kind, day, code and text, the newest day first."""
    page = service.list_entries(member.client_id, connection_id, query)
    return EntryPage.of(page, actors.find(member.client_id, [entry.posted_manually_by for entry in page.items]))


@router.get(LOG + "/codes", needs=CONNECTIONS_VIEW)
def list_export_codes(service: ExportLogService, member: Member, connection_id: str) -> CodeGroupPage:
    """Group what stands open by the reason that stopped it."""
    return CodeGroupPage(items=service.group_by_code(member.client_id, connection_id))


@router.get(LOG + "/gaps", needs=CONNECTIONS_VIEW)
def list_export_gaps(service: ExportLogService, member: Member, connection_id: str, query: GapQuery) -> GapPage:
    """List Z-report numbers and days that are missing."""
    return GapPage(items=service.list_gaps(member.client_id, connection_id, query))


@router.get(LOG + "/csv", needs=CONNECTIONS_VIEW)
def download_export_log(service: ExportLogService, member: Member, connection_id: str, query: LogQuery) -> Text:
    """Download the export log as CSV, filtered like the list."""
    return Text(service.export_csv(member.client_id, connection_id, query), "text/csv; charset=utf-8")


@router.post(LOG + "/retry", needs=SYNC_RUN, audit=DOCUMENTS_RETRIED, status=202)
def retry_exports(service: ExportLogService, member: Member, connection_id: str, body: RetryRequest) -> RetryResult:
    """Send several documents again, or all that one code stopped."""
    return service.retry_many(member.client_id, connection_id, body)


@router.get(LOG + "/{entry_id}", needs=CONNECTIONS_VIEW)
def get_export(
    service: ExportLogService, actors: MemberDirectory, member: Member, connection_id: str, entry_id: str
) -> EntryDetail:
    """Show a document with every attempt to send it."""
    entry, attempts = service.get(member.client_id, connection_id, entry_id)
    people = [entry.posted_manually_by, *(attempt.started_by for attempt in attempts)]
    return EntryDetail.with_attempts(entry, attempts, actors.find(member.client_id, people))


@router.post(LOG + "/{entry_id}/retry", needs=SYNC_RUN, audit=DOCUMENT_RETRIED, status=202)
def retry_export(
    service: ExportLogService,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    entry_id: str,
    query: RetryQuery,
) -> EntryView:
    """Send a document again at the next transfer; what was discarded in the ERP's inbox, only when that is said."""
    again = query.resend_discarded
    return _shown(service.retry(member.client_id, connection_id, entry_id, resend_discarded=again), actors)


@router.post(LOG + "/{entry_id}/skip", needs=SYNC_RUN, audit=DOCUMENT_SKIPPED, status=200)
def skip_export(
    service: ExportLogService,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    entry_id: str,
    body: SkipRequest,
) -> EntryView:
    """Leave a document out for good, with a reason."""
    who = member.name or "somebody"
    return _shown(service.skip(member.client_id, connection_id, entry_id, who, body), actors)


@router.post(LOG + "/{entry_id}/posted-by-hand", needs=SYNC_RUN, audit=DOCUMENT_POSTED, status=200)
def post_manually(
    service: ExportLogService,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    entry_id: str,
    body: ManualPosting,
) -> EntryView:
    """Say that somebody posted a document in the ERP, and under which voucher number."""
    return _shown(service.post_manually(member.client_id, connection_id, entry_id, member.user, body), actors)


def _shown(entry: Entry, actors: MemberDirectory) -> EntryView:
    return EntryView.of(entry, actors.find(entry.client_id, [entry.posted_manually_by]))
