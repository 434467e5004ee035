"""Takes in what changed in the ERP since the last time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from erphub.erp.documents import DocumentKind
from erphub.erp.posting import Change, ReadsChanges
from erphub.sync.canonical import entry_id, from_text, posting_key
from erphub.sync.changes.merge import Fields, Merged, all_fields, merge, provided_fields
from erphub.sync.changes.models import SyncedRecord
from erphub.sync.changes.offers import ChangeOffers, is_of, other_company, till_state
from erphub.sync.settings.located import company_word
from erphub.sync.settings.models import Sync, SyncDirection

KINDS = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)


@dataclass(frozen=True)
class Fetched:
    """What came of fetching changes of one kind."""

    until: datetime | None
    """Up to when they have been fetched."""
    offered: int = 0
    conflicts: int = 0
    is_complete: bool = True
    """Whether that is all there was."""


class StopSignal(Protocol):
    """Says when to stop."""

    def __call__(self) -> bool:
        """Whether there is no time left for more."""
        ...


@dataclass(frozen=True)
class ChangeFetcher:
    """Reads changed records of an ERP and offers them to the till."""

    offers: ChangeOffers

    def fetch(
        self, sync: Sync, adapter: ReadsChanges, kind: DocumentKind, company: str, must_stop: StopSignal
    ) -> Fetched:
        """Take in what changed in a company since the last time. Raises Conflict, and what the ERP raises."""
        offered, conflicts = 0, 0
        until, master = sync.cursors.get(cursor_name(sync, kind, company)), sync.settings.master(kind)
        since = until or (None if master is SyncDirection.ERP else sync.saved_at)
        for change in adapter.changed_since(kind, since, company):
            if must_stop():
                return Fetched(until, offered, conflicts, is_complete=False)
            is_new, is_conflict = self._take(sync, change, company, master)
            offered, conflicts = offered + is_new, conflicts + is_conflict
            until = max(until or change.changed_at, change.changed_at)
        return Fetched(until, offered, conflicts)

    def _take(self, sync: Sync, change: Change, company: str, master: SyncDirection) -> tuple[bool, bool]:
        """Whether the till is offered something new, and whether both sides had changed the same."""
        erp = erp_fields(sync, change)
        record = self._record(sync, change, company) or SyncedRecord(
            kind=change.kind, company=other_company(sync, company), reference=change.reference
        )
        if not record.external_id and master is not SyncDirection.ERP:
            return False, False
        if all(record.erp_state.get(name) == value for name, value in erp.items()) and record.erp_state:
            return False, False
        if not record.external_id:
            self._offer_unknown(sync, record, record.erp_state | erp)
            return True, False
        entry = self.offers.entry_of(sync, record)
        if entry is not None and entry.reference and not is_of(sync, entry, company):
            return False, False  # the till's record belongs to another company by now
        till = till_state(entry, record)
        merged = merge(record.common_state, till, erp, master)
        if merged.overridden and entry:
            self.offers.keep_overridden(sync, entry, merged.overridden, master)
        fresh = record.model_copy(update={"erp_state": record.erp_state | erp})
        changed = [name for name in erp if merged.fields.get(name) != till.get(name)]
        is_new = self.offers.update(sync, record, fresh, merged, changed if entry else changed or list(erp))
        return is_new, bool(merged.overridden)

    def _offer_unknown(self, sync: Sync, record: SyncedRecord, erp: Fields) -> None:
        """A record that the till does not know yet is offered whole, as the ERP has it now."""
        known = record.model_copy(update={"common_state": erp, "erp_state": erp})
        word = company_word(sync, record.company or sync.settings.company)
        self.offers.offer(sync, known, Merged(erp | ({"department": word} if word else {})), list(erp))

    def _record(self, sync: Sync, change: Change, company: str) -> SyncedRecord | None:
        """The synced record that changed; made anew from the export log when a crash came before it was written."""
        record = self.offers.get(sync, change.kind, change.reference, company)
        if record is not None or not change.external_id:
            return record
        for name in (
            change.external_id.removeprefix(posting_key("")),
            entry_id(sync.connection_id, change.kind, change.external_id),
        ):
            entry = self.offers.entries.get(sync.client_id, sync.connection_id, name)
            if entry is None or entry.kind is not change.kind or not is_of(sync, entry, company):
                continue
            if entry.reference == change.reference:
                fields = all_fields(from_text(entry.body)) if entry.body else {}
                return SyncedRecord(
                    kind=change.kind,
                    company=other_company(sync, company),
                    reference=change.reference,
                    external_id=entry.external_id,
                    common_state=fields,
                    erp_state=fields,
                )
        return None


def cursor_name(sync: Sync, kind: DocumentKind, company: str) -> str:
    """Under which name it is kept how far the changes of a kind in a company were fetched."""
    other = other_company(sync, company)
    return f"{kind.value}@{other}" if other else kind.value


def erp_fields(sync: Sync, change: Change) -> Fields:
    """The fields that the ERP gives of a record, without stock where that is not exchanged."""
    fields = provided_fields(change.document)
    if not sync.settings.stock_quantities:
        fields.pop("stock", None)
    return fields
