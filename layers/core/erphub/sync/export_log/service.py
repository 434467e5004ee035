"""The export log, as its readers use it: what got through, what did not and why, and what to do about it."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, NotFound, TooLarge
from erphub.platform.pages import Page
from erphub.platform.wire import JsonObject
from erphub.sync.export_log.gaps import list_gaps, list_settlements
from erphub.sync.export_log.models import SKIPPED_UNCERTAIN, Attachment, Attempt, Entry, EntryState
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.export_log.releasing import release_entry
from erphub.sync.export_log.schemas import ByHand, CodeGroup, GapQuery, LogQuery, RetriedView, RetryMany, Skip, TillGaps
from erphub.sync.settings.models import Sync
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore

_MAX_CSV_ENTRIES = 20_000
_COLUMNS = (
    "date",
    "kind",
    "external_id",
    "title",
    "state",
    "code",
    "detail",
    "erp_words",
    "reference",
    "attempts",
    "updated_at",
)


@dataclass(frozen=True)
class ExportLogService:
    """Reads the export log of a sync, and puts right what stands in it."""

    syncs: SyncStore
    entries: EntryStore
    planner: TransferPlanner
    clock: Clock

    def list_entries(self, client_id: str, connection_id: str, query: LogQuery) -> Page[Entry]:
        """A page of entries."""
        self._sync(client_id, connection_id)
        return self.entries.page(client_id, connection_id, query)

    def get(self, client_id: str, connection_id: str, entry_id: str) -> tuple[Entry, list[Attempt]]:
        """One entry with all its attempts. Raises NotFound."""
        entry = self._entry(client_id, connection_id, entry_id)
        return entry, self.entries.attempts(client_id, connection_id, entry_id)

    def group_by_code(self, client_id: str, connection_id: str) -> list[CodeGroup]:
        """What stands open, grouped: code, state, kind, how many, since which day, and the sentence of the newest."""
        self._sync(client_id, connection_id)
        groups: Counter[tuple[str, EntryState, str]] = Counter()
        first: dict[tuple[str, EntryState, str], Entry] = {}
        newest: dict[tuple[str, EntryState, str], Entry] = {}
        for queue in ("rejected", "uncertain", "pending", "attach", "unattached"):
            for entry in self.entries.queue(client_id, connection_id, queue):
                group = (entry.code, entry.state, entry.kind.value)
                groups[group] += 1
                first.setdefault(group, entry)
                newest[group] = entry
        return [
            CodeGroup(
                code=group[0],
                state=group[1],
                kind=group[2],
                count=count,
                first=first[group].date,
                last=newest[group].date,
                detail=newest[group].detail,
            )
            for group, count in groups.most_common()
        ]

    # --- putting right -----------------------------------------------------------------------------------------------

    def retry(self, client_id: str, connection_id: str, entry_id: str) -> Entry:
        """Send it again at the next transfer. What may be in the ERP is looked for there first, as always.

        Raises NotFound, Conflict (`already_sent`).
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        if entry.state is EntryState.SENT and not entry.lacks_pdf:
            raise Conflict(
                f"It is in the ERP already, as {entry.reference}.", code="already_sent", reference=entry.reference
            )
        if entry.forgotten:
            raise Conflict(
                f"It was left out and its time in the log is over. Hand {entry.external_id} in again, then retry.",
                code="body_forgotten",
            )
        fresh = release_entry(entry, self.clock())
        if fresh != entry:
            fresh = self.entries.save(fresh, sync.settings.retention_days)
            self.planner.bring_forward(sync)
        return fresh

    def retry_many(self, client_id: str, connection_id: str, wanted: RetryMany) -> RetriedView:
        """Send several again: those that are named, or all that a code stopped. Says which could not be."""
        self._sync(client_id, connection_id)
        names = list(wanted.documents) or [
            entry.id for entry in self._stopped_by(client_id, connection_id, wanted.code or "")
        ]
        failed: list[JsonObject] = []
        for name in names:
            try:
                self.retry(client_id, connection_id, name)
            except HubError as error:
                failed.append({"entry": name, "code": error.code, "detail": error.detail})
        return RetriedView(retried=len(names) - len(failed), failed=failed)

    def _stopped_by(self, client_id: str, connection_id: str, code: str) -> Iterator[Entry]:
        for queue in ("rejected", "attach", "unattached", "skipped"):
            for entry in self.entries.queue(client_id, connection_id, queue):
                if entry.code == code:
                    yield entry

    def skip(self, client_id: str, connection_id: str, entry_id: str, by: str, skip: Skip) -> Entry:
        """Leave it out for good, with the reason; of what is in the ERP already, the PDF that is not.

        Raises NotFound, Conflict.
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        detail = f"{skip.reason} ({by})"
        if entry.lacks_pdf:
            return self._save(sync, entry, {"attachment": Attachment.LEFT_OUT, "code": "", "detail": detail})
        _refuse_sent(entry)
        code = SKIPPED_UNCERTAIN if entry.state is EntryState.UNCERTAIN else "skipped_by_hand"
        return self._save(sync, entry, {"state": EntryState.SKIPPED, "code": code, "detail": detail})

    def post_manually(self, client_id: str, connection_id: str, entry_id: str, by: str, hand: ByHand) -> Entry:
        """Somebody posted it in the ERP: it counts as sent, under that voucher's number; or added the PDF it lacked.

        Raises NotFound, Conflict.
        """
        sync, entry = self._sync(client_id, connection_id), self._entry(client_id, connection_id, entry_id)
        if entry.lacks_pdf and hand.voucher == entry.reference:
            detail = f"PDF added by hand. {hand.reason}".strip()
            changes = {"attachment": Attachment.ATTACHED, "code": "", "detail": detail, "settled_by_hand": by}
            return self._save(sync, entry, changes)
        _refuse_sent(entry)
        detail = f"Posted by hand. {hand.reason}".strip()
        changes = {
            "state": EntryState.SENT,
            "code": "",
            "detail": detail,
            "reference": hand.voucher,
            "settled_by_hand": by,
        }
        return self._save(sync, entry, changes)

    def _save(self, sync: Sync, entry: Entry, changes: dict[str, Any]) -> Entry:
        fresh = entry.model_copy(update=changes | {"updated_at": self.clock(), "not_before": None})
        return self.entries.save(fresh, sync.settings.retention_days)

    # --- reading out -------------------------------------------------------------------------------------------------

    def export_csv(self, client_id: str, connection_id: str, query: LogQuery) -> str:
        """The entries as CSV with a header. Raises TooLarge beyond 20,000: narrow the question then."""
        self._sync(client_id, connection_id)
        text = StringIO()
        writer = csv.writer(text)
        writer.writerow(_COLUMNS)
        count, following = 0, query.model_copy(update={"limit": 1000, "next": None})
        while True:
            page = self.entries.page(client_id, connection_id, following)
            writer.writerows([[_cell(getattr(entry, name)) for name in _COLUMNS] for entry in page.items])
            count += len(page.items)
            if count > _MAX_CSV_ENTRIES:
                raise TooLarge(
                    f"More than {_MAX_CSV_ENTRIES} entries: ask for fewer days or one kind.", code="too_many_entries"
                )
            if page.next is None:
                return text.getvalue()
            following = following.model_copy(update={"next": page.next})

    def list_gaps(self, client_id: str, connection_id: str, query: GapQuery) -> list[TillGaps]:
        """Z-report numbers and days that are missing, for each till, until yesterday at the latest."""
        sync = self._sync(client_id, connection_id)
        today = self.clock().astimezone(ZoneInfo(sync.settings.time_zone)).date()
        remembered, yesterday = today - timedelta(days=sync.settings.retention_days), today - timedelta(days=1)
        first = max(query.first or date.min, sync.settings.from_date, remembered)
        last = min(query.last or yesterday, yesterday)
        return list_gaps(list_settlements(self.entries, client_id, connection_id, first, last), first, last)

    def _sync(self, client_id: str, connection_id: str) -> Sync:
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise NotFound("This connection has no sync, or there is no such connection.", code="sync_not_set_up")
        return sync

    def _entry(self, client_id: str, connection_id: str, entry_id: str) -> Entry:
        entry = self.entries.get(client_id, connection_id, entry_id)
        if entry is None:
            raise NotFound("There is no such document in the export log.", code="entry_not_found")
        return entry


def _refuse_sent(entry: Entry) -> None:
    if entry.state is EntryState.SENDING:
        raise Conflict("It is being sent right now. Wait for the outcome.", code="being_sent")
    if entry.state is EntryState.SENT:
        raise Conflict(f"It is in the ERP, as {entry.reference}.", code="already_sent", reference=entry.reference)


def _cell(value: Any) -> str:
    """A value as text; what a spreadsheet would run as a formula is marked as text."""
    text = str(value if value is not None else "")
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
