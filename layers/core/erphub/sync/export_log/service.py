"""The export log, as its readers use it: what got through, what did not and why, and what to do about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erphub.connections.models import ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import DocumentKind
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.pages import Page
from erphub.platform.spreadsheet import Sheet
from erphub.sync import problems
from erphub.sync.export_log.gaps import list_gaps, list_settlements
from erphub.sync.export_log.models import SKIPPED_UNCERTAIN, Attachment, Attempt, Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.export_log.releasing import release_discarded, release_entry
from erphub.sync.export_log.schemas import (
    CodeGroup,
    GapQuery,
    LogQuery,
    ManualPosting,
    RetryFailure,
    RetryRequest,
    RetryResult,
    SkipRequest,
    TillGaps,
)
from erphub.sync.settings.models import Sync
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore

_MAX_CSV_ENTRIES = 20_000
_COLUMNS_OF_ALL = {"document_date": "date"} | {
    name: name
    for name in (
        *("kind", "external_id", "title", "status", "code", "detail"),
        *("erp_message", "reference", "attempt_count", "updated_at"),
    )
}
_COLUMNS_OF_AN_INBOX = {"is_awaiting_approval": "awaiting_approval", "approved_at": "approved_at", "edits": "edits"}
_COLUMNS = _COLUMNS_OF_ALL | _COLUMNS_OF_AN_INBOX
"""Of the CSV, by the fields of an entry."""


@dataclass(frozen=True)
class ExportLogService:
    """Reads the export log of a sync, and puts right what stands in it."""

    connections: ConnectionStore
    syncs: SyncStore
    entries: EntryStore
    planner: TransferPlanner
    clock: Clock

    def list_entries(self, client_id: str, connection_id: str, query: LogQuery) -> Page[Entry]:
        """A page of entries; what waits says for what."""
        page = self.entries.page(client_id, connection_id, query)
        return Page(self._explained(self._sync(client_id, connection_id), page.items), page.next)

    def get(self, client_id: str, connection_id: str, entry_id: str) -> tuple[Entry, list[Attempt]]:
        """One entry with all its attempts. Raises NotFound."""
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        [entry] = self._explained(sync, [entry])
        return entry, self.entries.attempts(client_id, connection_id, entry_id)

    def group_by_code(self, client_id: str, connection_id: str) -> list[CodeGroup]:
        """What stands open, grouped: code, status, kind, how many, since which day, and the sentence of the newest."""
        sync = self._sync(client_id, connection_id)
        groups: Counter[tuple[str, EntryStatus, DocumentKind]] = Counter()
        first: dict[tuple[str, EntryStatus, DocumentKind], Entry] = {}
        newest: dict[tuple[str, EntryStatus, DocumentKind], Entry] = {}
        for queue in ("rejected", "uncertain", "pending", "attach", "unattached", "discarded"):
            for entry in self._explained(sync, list(self.entries.queue(client_id, connection_id, queue))):
                group = (entry.code, entry.status, entry.kind)
                groups[group] += 1
                first.setdefault(group, entry)
                newest[group] = entry
        return [
            CodeGroup(
                code=group[0],
                status=group[1],
                kind=group[2],
                count=count,
                from_date=first[group].date,
                to_date=newest[group].date,
                detail=newest[group].detail,
            )
            for group, count in groups.most_common()
        ]

    # --- putting right -----------------------------------------------------------------------------------------------

    def retry(self, client_id: str, connection_id: str, entry_id: str, *, resend_discarded: bool = False) -> Entry:
        """Send it again at the next transfer. What may be in the ERP is looked for there first, as always.

        `resend_discarded` says that whoever asks knows: it was thrown away in the ERP's inbox, and goes there again.
        Raises NotFound, Conflict (`already_sent`, `discarded_in_erp`).
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        if entry.status is EntryStatus.DISCARDED and not resend_discarded:
            raise problems.DISCARDED_THERE(reference=entry.reference)
        if resend_discarded and (entry.status is EntryStatus.DISCARDED or entry.awaiting_approval):
            describe_act(old={"status": entry.status.value, "reference": entry.reference})
            return self._released(sync, release_discarded(entry, self.clock()))
        if entry.status is EntryStatus.SENT and not entry.lacks_pdf:
            raise problems.SENT_ALREADY(reference=entry.reference)
        if entry.forgotten:
            raise problems.BODY_FORGOTTEN(external_id=entry.external_id)
        describe_act(old={"status": entry.status.value, "code": entry.code})
        fresh = release_entry(entry, self.clock())
        return self._released(sync, fresh) if fresh != entry else fresh

    def _released(self, sync: Sync, fresh: Entry) -> Entry:
        kept = self.entries.save(fresh, sync.settings.retention_days)
        self.planner.bring_forward(sync)
        return kept

    def retry_many(self, client_id: str, connection_id: str, wanted: RetryRequest) -> RetryResult:
        """Send several again: those that are named, or all that a code stopped. Says which could not be."""
        self._sync(client_id, connection_id)
        names = list(wanted.document_ids) or [
            entry.id for entry in self._stopped_by(client_id, connection_id, wanted.code or "")
        ]
        again = wanted.resend_discarded
        failed = list[RetryFailure]()
        for name in names:
            try:
                self.retry(client_id, connection_id, name, resend_discarded=again)
            except HubError as error:
                failed.append(RetryFailure(entry_id=name, code=error.code, detail=error.detail))
        return RetryResult(retried_count=len(names) - len(failed), failed=failed)

    def _stopped_by(self, client_id: str, connection_id: str, code: str) -> Iterator[Entry]:
        for queue in ("rejected", "attach", "unattached", "skipped", "discarded"):
            for entry in self.entries.queue(client_id, connection_id, queue):
                if entry.code == code:
                    yield entry

    def skip(self, client_id: str, connection_id: str, entry_id: str, who: str, skip: SkipRequest) -> Entry:
        """Leave it out for good, with the reason and the name of who says so; of what the ERP has, the PDF it lacks.

        Raises NotFound, Conflict.
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        detail = f"{skip.reason} ({who})"
        if entry.lacks_pdf:
            return self._save(sync, entry, {"attachment": Attachment.LEFT_OUT, "code": "", "detail": detail})
        _refuse_sent(entry)
        code = SKIPPED_UNCERTAIN if entry.status is EntryStatus.UNCERTAIN else problems.SKIPPED_BY_HAND.code
        return self._save(sync, entry, {"status": EntryStatus.SKIPPED, "code": code, "detail": detail})

    def post_manually(self, client_id: str, connection_id: str, entry_id: str, by: str, hand: ManualPosting) -> Entry:
        """Somebody posted it in the ERP: it counts as sent, under that voucher's number; or added the PDF it lacked.

        Raises NotFound, Conflict.
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        posted = {"posted_manually_by": by, "posted_manually_reason": hand.reason}
        if entry.lacks_pdf and hand.voucher == entry.reference:
            detail = f"PDF added by hand. {hand.reason}".strip()
            return self._save(sync, entry, {"attachment": Attachment.ATTACHED, "code": "", "detail": detail} | posted)
        _refuse_sent(entry)
        detail = f"Posted by hand. {hand.reason}".strip()
        changes = {"status": EntryStatus.SENT, "code": "", "detail": detail, "reference": hand.voucher}
        return self._save(sync, entry, changes | posted)

    def _save(self, sync: Sync, entry: Entry, changes: dict[str, Any]) -> Entry:
        details = {"kind": entry.kind.value, "external_id": entry.external_id}
        describe_act(old={name: getattr(entry, name) for name in changes}, new=details | changes)
        fresh = entry.model_copy(update=changes | {"updated_at": self.clock(), "retry_at": None})
        return self.entries.save(fresh, sync.settings.retention_days)

    # --- reading out -------------------------------------------------------------------------------------------------

    def export_csv(self, client_id: str, connection_id: str, query: LogQuery) -> str:
        """The entries as CSV with a header. Raises TooLarge beyond 20,000: narrow the question then."""
        sync = self._sync(client_id, connection_id)
        sheet = Sheet(list(_COLUMNS))
        count, following = 0, query.model_copy(update={"limit": 1000, "next": None})
        while True:
            page = self.entries.page(client_id, connection_id, following)
            shown = self._explained(sync, page.items)
            sheet.add([_cell(entry, name) for name in _COLUMNS.values()] for entry in shown)
            count += len(page.items)
            if count > _MAX_CSV_ENTRIES:
                raise problems.TOO_MANY_ENTRIES(maximum=_MAX_CSV_ENTRIES)
            if page.next is None:
                return sheet.text()
            following = following.model_copy(update={"next": page.next})

    def list_gaps(self, client_id: str, connection_id: str, query: GapQuery) -> list[TillGaps]:
        """Z-report numbers and days that are missing, for each till, until yesterday at the latest."""
        sync = self._sync(client_id, connection_id)
        today = self.clock().astimezone(ZoneInfo(sync.settings.time_zone)).date()
        remembered, yesterday = today - timedelta(days=sync.settings.retention_days), today - timedelta(days=1)
        first = max(query.from_date or date.min, sync.settings.from_date, remembered)
        last = min(query.to_date or yesterday, yesterday)
        return list_gaps(list_settlements(self.entries, client_id, connection_id, first, last), sync, first, last)

    def _explained(self, sync: Sync, entries: Sequence[Entry]) -> list[Entry]:
        """The entries as they are read: each that waits has a code and a sentence that say for what."""
        if not any(entry.status is EntryStatus.PENDING and not entry.code for entry in entries):
            return list(entries)
        code, detail = self._next_transfer(sync)
        waits = {"code": code, "detail": detail}
        return [
            entry.model_copy(update=waits) if entry.status is EntryStatus.PENDING and not entry.code else entry
            for entry in entries
        ]

    def _next_transfer(self, sync: Sync) -> tuple[str, str]:
        connection = self.connections.get(sync.client_id, sync.connection_id)
        match connection.status if connection else None:
            case ConnectionStatus.PAUSED:
                return "connection_paused", "It waits until somebody resumes the connection."
            case ConnectionStatus.REAUTH_REQUIRED:
                return "reauth_required", "It waits until the connection's credentials are entered again."
            case _ if sync.next_at is None:
                return "waits_for_transfer", "It goes with the next transfer, which somebody starts by hand."
            case _:
                return "waits_for_transfer", f"It goes with the next transfer, at {sync.next_at:%Y-%m-%d %H:%M} UTC."

    def _sync(self, client_id: str, connection_id: str) -> Sync:
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise problems.NO_SYNC_OR_CONNECTION()
        return sync

    def _entry(self, client_id: str, connection_id: str, entry_id: str) -> Entry:
        entry = self.entries.get(client_id, connection_id, entry_id)
        if entry is None:
            raise problems.ENTRY_NOT_FOUND()
        return entry


def _cell(entry: Entry, name: str) -> Any:
    if name != "edits":
        return getattr(entry, name)
    return "; ".join(
        f"{edit.field} {edit.account}".strip() + f": {edit.handed_over or '-'} → {edit.in_erp or '-'}"
        for edit in entry.edits
    )


def _refuse_sent(entry: Entry) -> None:
    if entry.status is EntryStatus.SENDING:
        raise problems.BEING_SENT()
    if entry.status is EntryStatus.SENT:
        raise problems.IN_THE_ERP(reference=entry.reference)
