"""Changes in the ERP for the till: fetched, offered, acknowledged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erphub.erp.documents import Document, DocumentKind
from erphub.erp.posting import Change, ReadsChanges
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, ErpRefused, Invalid
from erphub.sync.changes.merge import Fields, Merged, all_fields, merge, told_fields
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.changes.schemas import Acknowledged
from erphub.sync.export_log.canonical import digest, entry_id, from_text, posting_key, read_document, title, to_text
from erphub.sync.export_log.models import Entry, EntryState
from erphub.sync.export_log.ports import ExportLogStore
from erphub.sync.settings.models import Master, Sync
from erphub.sync.transfers.models import Counts

KINDS = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)


def _nested(flat: Mapping[str, Any]) -> Fields:
    nested: Fields = {}
    for name, value in flat.items():
        first, _, rest = name.partition(".")
        if rest:
            nested.setdefault(first, {})[rest] = value
        else:
            nested[first] = value
    return nested


@dataclass(frozen=True)
class ChangeService:
    """Changes of one sync's records, in both directions."""

    log: ExportLogStore
    clock: Clock

    def fetch(
        self, sync: Sync, system: ReadsChanges, kind: DocumentKind, may_go_on: Callable[[], bool]
    ) -> tuple[datetime | None, Counts, bool]:
        """Take in what changed in the ERP since the last time: up to when, what came of it, and whether that is all."""
        counts, newest, master = Counts(), sync.cursors.get(kind.value), sync.settings.master(kind)
        since = newest or (None if master is Master.ERP else sync.saved_at)
        for change in system.changed_since(kind, since, sync.settings.company):
            if not may_go_on():
                return newest, counts, False
            offered, conflict = self._take(sync, change, master)
            counts = counts.plus(changes=offered, conflicts=conflict)
            newest = max(newest or change.changed_at, change.changed_at)
        return newest, counts, True

    def _take(self, sync: Sync, change: Change, master: Master) -> tuple[bool, bool]:
        """Whether the till is offered something new, and whether both sides had changed the same."""
        erp = told_fields(change.document)
        if not sync.settings.stock_quantities:
            erp.pop("stock", None)
        bond = self._bond(sync, change) or SyncedRecord(kind=change.kind, reference=change.reference)
        if not bond.external_id and master is not Master.ERP:
            return False, False
        if all(bond.theirs.get(name) == value for name, value in erp.items()) and bond.theirs:
            return False, False
        if not bond.external_id:
            return self._unknown(sync, bond, bond.theirs | erp), False
        entry = self._entry(sync, bond)
        till = _tills(entry, bond)
        merged = merge(bond.base, till, erp, master)
        if merged.lost and entry:
            self._keep_lost(sync, entry, merged.lost, master)
        fresh = bond.model_copy(update={"theirs": bond.theirs | erp})
        told = [name for name in erp if merged.fields.get(name) != till.get(name)]
        return self._tell(sync, bond, fresh, merged, told if entry else told or list(erp)), bool(merged.lost)

    def _tell(self, sync: Sync, before: SyncedRecord, bond: SyncedRecord, merged: Merged, told: Sequence[str]) -> bool:
        """Offer the till what it does not have yet, or take back what is offered; whether something new is offered."""
        if told and bond.offered != merged.fields:
            self._offer(sync, bond, merged, told)
            return True
        if not told and bond.sequence is not None:
            self.log.withdraw(sync.client_id, sync.connection_id, bond)
        elif bond != before:
            self.log.put_bond(sync.client_id, sync.connection_id, bond)
        return False

    def _bond(self, sync: Sync, change: Change) -> SyncedRecord | None:
        """The bond of a changed record; made anew from the export log when a crash came before it was written."""
        bond = self.log.bond(sync.client_id, sync.connection_id, change.kind, change.reference)
        if bond is not None or not change.external_id:
            return bond
        for name in (
            change.external_id.removeprefix(posting_key("")),
            entry_id(sync.connection_id, change.kind, change.external_id),
        ):
            entry = self.log.entry(sync.client_id, sync.connection_id, name)
            if entry is not None and entry.reference == change.reference and entry.kind is change.kind:
                fields = all_fields(from_text(entry.body)) if entry.body else {}
                return SyncedRecord(
                    kind=change.kind,
                    reference=change.reference,
                    external_id=entry.external_id,
                    base=fields,
                    theirs=fields,
                )
        return None

    def _entry(self, sync: Sync, bond: SyncedRecord) -> Entry | None:
        if not bond.external_id:
            return None
        name = entry_id(sync.connection_id, bond.kind, bond.external_id)
        return self.log.entry(sync.client_id, sync.connection_id, name)

    def _unknown(self, sync: Sync, bond: SyncedRecord, erp: Fields) -> bool:
        """A record that the till does not know yet is offered whole, as the ERP has it now."""
        self._offer(sync, bond.model_copy(update={"base": erp, "theirs": erp}), Merged(erp), list(erp))
        return True

    def _offer(self, sync: Sync, bond: SyncedRecord, merged: Merged, told: Sequence[str]) -> None:
        offer = OfferedChange(
            sequence=0,
            kind=bond.kind,
            reference=bond.reference,
            external_id=bond.external_id,
            changed=tuple(told),
            document=merged.fields,
            lost=merged.lost if sync.settings.master(bond.kind) is Master.ERP else {},
            offered_at=self.clock(),
        )
        self.log.offer(sync.client_id, sync.connection_id, bond, offer)

    def _keep_lost(self, sync: Sync, entry: Entry, lost: Fields, master: Master) -> bool:
        """What gave way is kept beside the document, whatever else is written there meanwhile; whether it is new.

        Raises Conflict.
        """
        current: Entry | None = entry
        for last in (False, False, True):
            if current is None or current.lost == (told := _with_lost(current, lost, master)):
                break
            try:
                self.log.put(current.model_copy(update={"lost": told}), sync.settings.retention_days)
            except Conflict:
                if last:
                    raise
                current = self.log.entry(entry.client_id, entry.connection_id, entry.id)
            else:
                return True
        return False

    # --- on the way to the ERP ---------------------------------------------------------------------------------------

    def merged(self, sync: Sync, entry: Entry, document: Document) -> Document:
        """What is sent of a record: the till's fields, and the ERP's where only they changed or their word counts."""
        bond = self._of(sync, entry)
        if bond is None or not bond.theirs:
            return document
        fields = merge(bond.base, all_fields(document), bond.theirs, sync.settings.master(entry.kind)).fields
        return read_document(entry.kind, _nested(fields))

    def met(self, sync: Sync, entry: Entry, document: Document, there: Change, *, dry: bool = False) -> Document:
        """The ERP had the record before the till handed it over: bind the two, and say what is to be sent of it.

        Only what both have alike is agreed on, so where both say something and differ the master's word counts, and the
        till is offered what it lacks; a dry run only says.

        Raises ErpRefused (`bound_otherwise`) when it is another of the till's.
        """
        master = sync.settings.master(entry.kind)
        known = self.log.bond(sync.client_id, sync.connection_id, entry.kind, there.reference)
        bond = known or SyncedRecord(kind=entry.kind, reference=there.reference)
        if bond.external_id not in ("", entry.external_id):
            raise ErpRefused(
                f"In the ERP this is {there.reference}, which is the till's {bond.external_id} already. Send it under"
                " that id, or give one of them another number.",
                code="bound_otherwise",
            )
        till, theirs = all_fields(document), told_fields(there.document)
        if not sync.settings.stock_quantities:
            theirs.pop("stock", None)
        base = (bond.base if bond.external_id else _silences(till, theirs)) | _common(till, theirs)
        fresh = bond.model_copy(update={"external_id": entry.external_id, "base": base, "theirs": bond.theirs | theirs})
        merged = merge(base, till, fresh.theirs, master)
        told = [name for name in fresh.theirs if merged.fields.get(name) != till.get(name)]
        if not dry:
            self._tell(sync, bond, fresh, merged, told)
        return read_document(entry.kind, _nested(merged.fields))

    def agreed(self, sync: Sync, entry: Entry, sent: Document) -> bool:
        """The ERP has this of the record now: it is no change of theirs, and what it lacks is offered to the till.

        Whether something gave way that had not been told of before.
        """
        bond = self._of(sync, entry) or SyncedRecord(kind=entry.kind, reference=entry.reference)
        master = sync.settings.master(entry.kind)
        ours, till = all_fields(sent), _tills(entry, bond)
        lost = merge(bond.base, till, bond.theirs, master).lost
        conflict = self._keep_lost(sync, entry, lost, master)
        common = {name: value for name, value in ours.items() if till.get(name) == value}
        told = [name for name in ours if name not in common]
        fresh = bond.model_copy(
            update={"external_id": entry.external_id, "base": bond.base | common, "theirs": bond.theirs | ours}
        )
        self._tell(sync, bond, fresh, Merged(ours, lost), told)
        return conflict

    def _of(self, sync: Sync, entry: Entry) -> SyncedRecord | None:
        if not entry.reference:
            return None
        return self.log.bond(sync.client_id, sync.connection_id, entry.kind, entry.reference)

    # --- the feed ----------------------------------------------------------------------------------------------------

    def acknowledge(self, sync: Sync, by: str, what: Acknowledged) -> Entry | None:
        """The till takes a change over: its record as it is from now on, with what it changed itself meanwhile.

        None when a newer change has taken its place: that is still to come. Raises Invalid (`external_id_required` for
        a record the till did not have), Conflict (`being_sent`, `bound_otherwise`).
        """
        offer = self.log.offered(sync.client_id, sync.connection_id, int(what.change))
        bond = self.log.bond(sync.client_id, sync.connection_id, offer.kind, offer.reference) if offer else None
        if offer is None or bond is None or bond.sequence != offer.sequence:
            return None
        external_id = bond.external_id or what.external_id
        if not external_id:
            raise Invalid.field(
                "/changes", "external_id_required", "The record is new: say under which id the till keeps it."
            )
        entry = self._in_step(sync, by, bond, offer, external_id)
        common = {name: value for name, value in offer.document.items() if bond.theirs.get(name, value) == value}
        agreed = bond.model_copy(update={"external_id": external_id, "base": bond.base | common})
        self.log.withdraw(sync.client_id, sync.connection_id, agreed)
        return entry

    def _in_step(self, sync: Sync, by: str, bond: SyncedRecord, offer: OfferedChange, external_id: str) -> Entry:
        """The till has what is new to it in the offer; what it changed itself meanwhile stays its own."""
        name = entry_id(sync.connection_id, offer.kind, external_id)
        entry = self.log.entry(sync.client_id, sync.connection_id, name)
        if entry is None:
            taken = self._from_the_erp(sync, by, name, external_id, offer)
        else:
            taken = self._taken_over(sync, entry, bond, offer)
        bound = taken.model_copy(update={"reference": bond.reference})
        return self.log.put(bound, sync.settings.retention_days)

    def _taken_over(self, sync: Sync, entry: Entry, bond: SyncedRecord, offer: OfferedChange) -> Entry:
        """The till's document with the offered fields in it; one that waits to be sent goes on waiting."""
        if entry.reference not in ("", bond.reference):
            raise Conflict(
                f"The till's {entry.external_id} is {entry.reference} in the ERP, not {bond.reference}.",
                code="bound_otherwise",
                reference=entry.reference,
            )
        if entry.state in (EntryState.SENDING, EntryState.UNCERTAIN):
            raise Conflict(
                "The till's own change of this record is on its way to the ERP. Acknowledge again after the transfer.",
                code="being_sent",
                entry=entry.id,
            )
        master = sync.settings.master(entry.kind)
        till = _tills(entry, bond)
        if bond.external_id:
            base, news = bond.base, {name: offer.document[name] for name in offer.changed}
        else:
            base, news = _silences(till, offer.document), offer.document
        merged = merge(base, till, news, master)
        lost = _with_lost(entry, merged.lost, master)
        return entry.model_copy(update=_of_body(read_document(offer.kind, _nested(merged.fields))) | {"lost": lost})

    def _from_the_erp(self, sync: Sync, by: str, name: str, external_id: str, offer: OfferedChange) -> Entry:
        """A record that the till did not have: it is in the ERP already."""
        now = self.clock()
        return Entry(
            id=name,
            client_id=sync.client_id,
            connection_id=sync.connection_id,
            kind=offer.kind,
            external_id=external_id,
            date=now.date(),
            state=EntryState.SENT,
            detail="Came from the ERP.",
            created_at=now,
            created_by=by,
            updated_at=now,
            arrived_at=now,
            **_of_body(read_document(offer.kind, _nested(offer.document))),
        )


def _with_lost(entry: Entry, lost: Fields, master: Master) -> dict[str, Any]:
    """All that gave way so far, by side and field; of a field its last value, so that it can be entered again."""
    loser = "till" if master is Master.ERP else "erp"
    return entry.lost | {loser: entry.lost.get(loser, {}) | lost} if lost else entry.lost


def _tills(entry: Entry | None, bond: SyncedRecord) -> Fields:
    """What the till has: as it handed it in; when that is no longer kept, as both sides had it last."""
    return all_fields(from_text(entry.body)) if entry and entry.body else dict(bond.offered or bond.base)


def _common(till: Fields, theirs: Fields) -> Fields:
    """What both sides have alike: whoever changes it from now on has changed it alone."""
    return {name: value for name, value in theirs.items() if name in till and till[name] == value}


def _silences(*sides: Fields) -> Fields:
    """What sides that never agreed on anything start from: an empty field of one says nothing against the other."""
    return {name: value for fields in sides for name, value in fields.items() if value in ("", None)}


def _of_body(document: Document) -> dict[str, Any]:
    text = to_text(document)
    return {"body": text, "body_hash": digest(text), "title": title(document)}
