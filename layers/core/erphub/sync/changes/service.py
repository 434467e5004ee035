"""Changes in the ERP for the till: listed, and taken over."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from erphub.erp.documents import Document
from erphub.platform.errors import Invalid
from erphub.sync import problems
from erphub.sync.canonical import digest, entry_id, read_document, shop_words, title, to_text
from erphub.sync.changes.merge import empty_fields, merge
from erphub.sync.changes.models import OfferedChange, SyncedRecord, nested
from erphub.sync.changes.offers import ChangeOffers, is_of, till_state, with_overridden
from erphub.sync.changes.schemas import AcknowledgedChange, ChangesQuery
from erphub.sync.export_log.models import Entry, EntryStatus
from erphub.sync.settings.models import Sync
from erphub.sync.settings.service import SyncService


@dataclass(frozen=True)
class ChangeService:
    """What the till reads and says of changes in the ERP."""

    syncs: SyncService
    offers: ChangeOffers

    def list_changes(self, client_id: str, connection_id: str, query: ChangesQuery) -> list[OfferedChange]:
        """What is offered, the oldest first. Raises NotFound."""
        self.syncs.get(client_id, connection_id)
        return self.offers.feed.list_after(client_id, connection_id, int(query.since or 0), query.limit)

    def acknowledge(
        self, client_id: str, connection_id: str, by: str, changes: Sequence[AcknowledgedChange]
    ) -> dict[str, Entry | None]:
        """The till takes changes over: by change its record as it is from now on, with what it changed itself since.

        None when a newer change has taken its place: that is still to come. Raises NotFound, Invalid
        (`external_id_required` for a record the till did not have), Conflict (`being_sent`, `bound_otherwise`).
        """
        sync = self.syncs.get(client_id, connection_id)
        return {change.change_id: self._acknowledge(sync, by, change) for change in changes}

    def _acknowledge(self, sync: Sync, by: str, change: AcknowledgedChange) -> Entry | None:
        client_id, connection_id = sync.client_id, sync.connection_id
        offer = self.offers.feed.get(client_id, connection_id, int(change.change_id))
        record = self.offers.get(sync, offer.kind, offer.reference, offer.company) if offer else None
        if offer is None or record is None or record.sequence != offer.sequence:
            return None
        external_id = record.external_id or change.external_id
        if not external_id:
            raise Invalid.of(problems.EXTERNAL_ID_REQUIRED("/changes"))
        entry = self._save_taken_over(sync, by, record, offer, external_id)
        common = {name: value for name, value in offer.document.items() if record.erp_state.get(name, value) == value}
        fresh = record.model_copy(update={"external_id": external_id, "common_state": record.common_state | common})
        self.offers.feed.withdraw(client_id, connection_id, fresh)
        return entry

    def _save_taken_over(
        self, sync: Sync, by: str, record: SyncedRecord, offer: OfferedChange, external_id: str
    ) -> Entry:
        """The till has what is new to it in the offer; what it changed itself meanwhile stays its own."""
        name = entry_id(sync.connection_id, offer.kind, external_id)
        entry = self.offers.entries.get(sync.client_id, sync.connection_id, name)
        if entry is None:
            taken = self._new_entry(sync, by, name, external_id, offer)
        else:
            taken = _taken_over(sync, entry, record, offer)
        there = sync.settings.destination() | {"company": record.company or sync.settings.company}
        linked = taken.model_copy(update={"reference": record.reference, "destination": there})
        return self.offers.entries.save(linked, sync.settings.retention_days)

    def _new_entry(self, sync: Sync, by: str, name: str, external_id: str, offer: OfferedChange) -> Entry:
        """A record that the till did not have: it is in the ERP already."""
        now = self.offers.clock()
        return Entry(
            id=name,
            client_id=sync.client_id,
            connection_id=sync.connection_id,
            kind=offer.kind,
            external_id=external_id,
            date=now.date(),
            status=EntryStatus.SENT,
            detail="Came from the ERP.",
            created_at=now,
            created_by=by,
            updated_at=now,
            arrived_at=now,
            **_body_fields(read_document(offer.kind, nested(offer.document))),
        )


def _taken_over(sync: Sync, entry: Entry, record: SyncedRecord, offer: OfferedChange) -> Entry:
    """The till's document with the offered fields in it; one that waits to be sent goes on waiting."""
    if entry.reference and (entry.reference != record.reference or not is_of(sync, entry, record.company)):
        raise problems.BOUND_TO_ANOTHER(
            external_id=entry.external_id, reference=entry.reference, other_reference=record.reference
        )
    if entry.status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN):
        raise problems.CHANGE_BEING_SENT(entry_id=entry.id)
    master, till = sync.settings.master(entry.kind), till_state(entry, record)
    if record.external_id:
        common, news = record.common_state, {name: offer.document[name] for name in offer.changed}
    else:
        common, news = empty_fields(till, offer.document), offer.document
    merged = merge(common, till, news, master)
    body = _body_fields(read_document(offer.kind, nested(merged.fields)))
    return entry.model_copy(update=body | {"overridden_values": with_overridden(entry, merged.overridden, master)})


def _body_fields(document: Document) -> dict[str, Any]:
    text = to_text(document)
    department, _ = shop_words(document)
    return {"body": text, "body_hash": digest(text), "title": title(document), "department": department}
