"""What the till does not have yet of the ERP's records is offered to it; what gave way is kept beside the document."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.erp.documents import DocumentKind
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.sync.canonical import entry_id, from_text
from erphub.sync.changes.merge import Fields, Merged, all_fields
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.changes.ports import ChangeFeed, SyncedRecordStore
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import Sync, SyncDirection


@dataclass(frozen=True)
class ChangeOffers:
    """Keeps synced records and the feed in step with what was merged."""

    records: SyncedRecordStore
    feed: ChangeFeed
    entries: EntryStore
    clock: Clock

    def update(
        self, sync: Sync, before: SyncedRecord, record: SyncedRecord, merged: Merged, changed: Sequence[str]
    ) -> bool:
        """Offer the till the changed fields, or withdraw what is offered; whether something new is offered."""
        if changed and record.offered != merged.fields:
            self.offer(sync, record, merged, changed)
            return True
        if not changed and record.sequence is not None:
            self.feed.withdraw(sync.client_id, sync.connection_id, record)
        elif record != before:
            self.records.save(sync.client_id, sync.connection_id, record)
        return False

    def offer(self, sync: Sync, record: SyncedRecord, merged: Merged, changed: Sequence[str]) -> None:
        """Offer the till a record as it should be, naming what is new to it."""
        change = OfferedChange(
            sequence=0,
            kind=record.kind,
            company=record.company or sync.settings.company,
            reference=record.reference,
            external_id=record.external_id,
            changed=tuple(changed),
            document=merged.fields,
            overridden_values=merged.overridden if sync.settings.master(record.kind) is SyncDirection.ERP else {},
            offered_at=self.clock(),
        )
        self.feed.offer(sync.client_id, sync.connection_id, record, change)

    def entry_of(self, sync: Sync, record: SyncedRecord) -> Entry | None:
        """The till's document of a synced record."""
        if not record.external_id:
            return None
        name = entry_id(sync.connection_id, record.kind, record.external_id)
        return self.entries.get(sync.client_id, sync.connection_id, name)

    def get(self, sync: Sync, kind: DocumentKind, reference: str, company: str) -> SyncedRecord | None:
        """What is known of a company's record."""
        return self.records.get(sync.client_id, sync.connection_id, kind, reference, other_company(sync, company))

    def keep_overridden(self, sync: Sync, entry: Entry, overridden: Fields, master: SyncDirection) -> bool:
        """What gave way is kept beside the document, whatever else is written there meanwhile; whether it is new.

        Raises Conflict.
        """
        current: Entry | None = entry
        for is_last in (False, False, True):
            if current is None or current.overridden_values == (kept := with_overridden(current, overridden, master)):
                break
            try:
                self.entries.save(current.model_copy(update={"overridden_values": kept}), sync.settings.retention_days)
            except Conflict:
                if is_last:
                    raise
                current = self.entries.get(entry.client_id, entry.connection_id, entry.id)
            else:
                return True
        return False


def other_company(sync: Sync, company: str) -> str:
    """The company, where it is not the settings' own; else empty: so its records are kept."""
    return "" if company in ("", sync.settings.company) else company


def is_of(sync: Sync, entry: Entry, company: str) -> bool:
    """Whether the ERP's reference of an entry is one of the company."""
    return (entry.destination.get("company") or sync.settings.company) == (company or sync.settings.company)


def with_overridden(entry: Entry, overridden: Fields, master: SyncDirection) -> Fields:
    """All that gave way so far, by side and field; of a field its last value, so that it can be entered again."""
    loser = "till" if master is SyncDirection.ERP else "erp"
    return (
        entry.overridden_values | {loser: entry.overridden_values.get(loser, {}) | overridden}
        if overridden
        else entry.overridden_values
    )


def till_state(entry: Entry | None, record: SyncedRecord) -> Fields:
    """What the till has: as it handed it in; when that is no longer kept, as both sides had it last."""
    return all_fields(from_text(entry.body)) if entry and entry.body else dict(record.offered or record.common_state)
