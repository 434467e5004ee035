"""A customer or product on its way to the ERP: merged with what the ERP has, field by field."""

from dataclasses import dataclass

from erphub.erp.documents import Document
from erphub.erp.posting import Posting, ReadsChanges
from erphub.sync import problems
from erphub.sync.canonical import read_document
from erphub.sync.changes.fetching import erp_fields
from erphub.sync.changes.merge import Merged, all_fields, common_fields, empty_fields, merge
from erphub.sync.changes.models import SyncedRecord, nested
from erphub.sync.changes.offers import ChangeOffers, other_company, till_state
from erphub.sync.export_log.models import Entry
from erphub.sync.settings.models import Sync


@dataclass
class RecordMerge:
    """Merges records of one transfer; a dry run keeps nothing."""

    offers: ChangeOffers
    sync: Sync
    adapter: ReadsChanges
    is_dry_run: bool = False
    conflicts: int = 0
    """How many records both sides had changed."""

    def merged(self, entry: Entry, document: Document) -> Document:
        """What is sent of a record: the till's fields, and the ERP's where only they changed or their word counts."""
        record = self._record(entry, entry.destination.get("company", ""))
        if record is None or not record.erp_state:
            return document
        master = self.sync.settings.master(entry.kind)
        fields = merge(record.common_state, all_fields(document), record.erp_state, master).fields
        return read_document(entry.kind, nested(fields))

    def match_existing(self, entry: Entry, document: Document, posting: Posting) -> tuple[Document, str] | None:
        """The ERP may have had the record before the till handed it over: then the two are the same from now on.

        What is to be sent of it, and the ERP's reference; None when the ERP has nothing such. Only what both have alike
        is common, so where both say something and differ the master's word counts, and the till is offered what it
        lacks.

        Raises ErpRefused (`bound_otherwise`) when it is another of the till's, and what the ERP raises.
        """
        change = self.adapter.find_matching_record(document, posting)
        if change is None:
            return None
        master = self.sync.settings.master(entry.kind)
        company = str(posting.routing.get("company") or "")
        record = self.offers.get(self.sync, entry.kind, change.reference, company) or SyncedRecord(
            kind=entry.kind, company=other_company(self.sync, company), reference=change.reference
        )
        if record.external_id not in ("", entry.external_id):
            raise problems.BOUND_OTHERWISE(reference=change.reference, external_id=record.external_id)
        till, erp = all_fields(document), erp_fields(self.sync, change)
        common = (record.common_state if record.external_id else empty_fields(till, erp)) | common_fields(till, erp)
        fresh = record.model_copy(
            update={"external_id": entry.external_id, "common_state": common, "erp_state": record.erp_state | erp}
        )
        merged = merge(common, till, fresh.erp_state, master)
        changed = [name for name in fresh.erp_state if merged.fields.get(name) != till.get(name)]
        if not self.is_dry_run:
            self.offers.update(self.sync, record, fresh, merged, changed)
        return read_document(entry.kind, nested(merged.fields)), change.reference

    def mark_in_sync(self, entry: Entry, sent: Document) -> None:
        """The ERP has this of the record now: it is no change of its own, and what the till lacks is offered to it.

        Raises Conflict.
        """
        company = entry.destination.get("company", "")
        record = self._record(entry, company) or SyncedRecord(
            kind=entry.kind, company=other_company(self.sync, company), reference=entry.reference
        )
        master = self.sync.settings.master(entry.kind)
        erp, till = all_fields(sent), till_state(entry, record)
        overridden = merge(record.common_state, till, record.erp_state, master).overridden
        self.conflicts += self.offers.keep_overridden(self.sync, entry, overridden, master)
        common = {name: value for name, value in erp.items() if till.get(name) == value}
        changed = [name for name in erp if name not in common]
        fresh = record.model_copy(
            update={
                "external_id": entry.external_id,
                "common_state": record.common_state | common,
                "erp_state": record.erp_state | erp,
            }
        )
        self.offers.update(self.sync, record, fresh, Merged(erp, overridden), changed)

    def _record(self, entry: Entry, company: str) -> SyncedRecord | None:
        if not entry.reference:
            return None
        return self.offers.get(self.sync, entry.kind, entry.reference, company)
