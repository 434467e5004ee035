"""Documents in: what a till hands over is checked, kept once, and goes on its way at the next transfer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from erphub.erp.documents import Document, DocumentKind, Settlement
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, Invalid, NotFound
from erphub.sync.export_log.canonical import digest, entry_id, pdf_name, read_document, title, to_text
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Attachment, Entry, EntryState
from erphub.sync.export_log.ports import DocumentFiles, ExportLogStore, UploadSlot
from erphub.sync.settings.models import Sync
from erphub.sync.settings.pacing import Next, next_transfer
from erphub.sync.settings.ports import SyncStore

LARGEST_DOCUMENT = 300 * 1024
"""Bytes; an entry of the export log, with all that is said of the document, has 400 KB at most."""
_PDF_WAIT = timedelta(minutes=30)
"""How long a transfer waits for a PDF that the till has announced, before the hub renders the settlement itself."""


SKIPPED_UNCERTAIN = "skipped_uncertain"
"""Left out by hand while nobody could tell whether the ERP has it."""


class Outcome(StrEnum):
    """What became of a body that was handed in."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    CORRECTION = "correction"


@dataclass(frozen=True)
class HandedIn:
    """A document as it is kept now, and where its PDF can be put when one is to come."""

    entry: Entry
    outcome: Outcome
    pdf: UploadSlot | None = None


@dataclass(frozen=True)
class Incoming:
    """A document that was read and found valid."""

    kind: DocumentKind
    external_id: str
    document: Document


def anything_goes(client_id: str, connection_id: str) -> None:
    """No connection is being deleted."""


@dataclass(frozen=True)
class DocumentService:
    """Takes documents in."""

    syncs: SyncStore
    log: ExportLogStore
    papers: DocumentFiles
    clock: Clock
    require_alive: Callable[[str, str], None] = anything_goes
    """Raises Conflict when the connection (client, connection) is being deleted."""

    def hand_in(
        self, client_id: str, connection_id: str, by: str, coming: Incoming, *, pdf_follows: bool = False
    ) -> HandedIn:
        """Keep a document. The same again changes nothing; another body replaces it until it is on its way.

        Raises NotFound, Invalid, and Conflict: `already_sent` with the ERP's reference, or `being_sent` while it cannot
        be told whether the ERP has it.
        """
        sync = self.sync(client_id, connection_id)
        now = self.clock()
        check_day(coming, now)
        existing = self.log.entry(client_id, connection_id, entry_id(connection_id, coming.kind, coming.external_id))
        wanted, outcome = decide(sync, existing, coming, by, now)
        if pdf_follows and coming.kind is DocumentKind.SETTLEMENT and wanted.state is not EntryState.SENT:
            wanted = wanted.model_copy(update={"wants_pdf_until": now + _PDF_WAIT})
        if existing is None or wanted != existing:
            wanted = self.log.put(wanted, sync.settings.retention_days)
        waits = wanted.wants_pdf_until is not None and wanted.state is not EntryState.SENT
        slot = self.papers.slot(pdf_name(wanted), "application/pdf", now) if waits else None
        if wanted.state is EntryState.PENDING:
            self.bring_nearer(sync, now)
        return HandedIn(wanted, outcome, slot)

    def hand_in_many(self, sync: Sync, by: str, batch: Sequence[Incoming]) -> list[tuple[Incoming, Outcome | HubError]]:
        """Keep a batch, in as few calls as there can be; what cannot be kept comes back with its error."""
        now = self.clock()
        names = {entry_id(sync.connection_id, coming.kind, coming.external_id): coming for coming in batch}
        existing = {entry.id: entry for entry in self.log.entries(sync.client_id, sync.connection_id, list(names))}
        done: list[tuple[Incoming, Outcome | HubError]] = []
        writes: list[Entry] = []
        for name, coming in names.items():
            try:
                check_day(coming, now)
                wanted, outcome = decide(sync, existing.get(name), coming, by, now)
            except HubError as error:
                done.append((coming, error))
                continue
            if outcome is not Outcome.UNCHANGED:
                writes.append(wanted)
            done.append((coming, outcome))
        late = {entry.id for entry in self.log.put_many(writes, sync.settings.retention_days)}
        return [self._again(sync, by, *one) if self._name(sync, one[0]) in late else one for one in done]

    def _again(
        self, sync: Sync, by: str, coming: Incoming, _: Outcome | HubError
    ) -> tuple[Incoming, Outcome | HubError]:
        """Somebody handed the same document in at the same moment: look at what is there now, once more."""
        try:
            return coming, self.hand_in(sync.client_id, sync.connection_id, by, coming).outcome
        except HubError as error:
            return coming, error

    def _name(self, sync: Sync, coming: Incoming) -> str:
        return entry_id(sync.connection_id, coming.kind, coming.external_id)

    def sync(self, client_id: str, connection_id: str) -> Sync:
        """The sync that documents are handed to. Raises Conflict (`sync_not_set_up`, `connection_deleting`)."""
        self.require_alive(client_id, connection_id)
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise Conflict(
                "This connection has no sync yet. Save its settings first (PUT …/sync).", code="sync_not_set_up"
            )
        return sync

    def bring_nearer(self, sync: Sync, now: datetime) -> None:
        """Something waits: the next transfer comes nearer, when it is automatic and farther away than need be.

        While the connection does not work, what waits brings nothing nearer: it goes as soon as that works again.
        """
        current: Sync | None = sync
        for _ in range(3):
            if current is None or not current.settings.automatic or current.next_at is None:
                return
            best = planned(current, now, waiting=1, oldest=now)
            if current.next_at <= best.at:
                return
            try:
                self.syncs.put(current.model_copy(update={"next_at": best.at, "next_why": best.why}))
            except Conflict:
                current = self.syncs.get(sync.client_id, sync.connection_id)
                continue
            return


def released(entry: Entry, now: datetime) -> Entry:
    """An entry that may be tried again at once. What may be in the ERP still waits for its settle time."""
    if entry.code == SKIPPED_UNCERTAIN:
        return entry.model_copy(update={"state": EntryState.UNCERTAIN, "code": "answer_lost", "handled_by": ""})
    if entry.state in (EntryState.REJECTED, EntryState.SKIPPED):
        changes: dict[str, Any] = {"state": EntryState.PENDING, "code": "", "detail": "", "not_before": None}
        return entry.model_copy(update=changes | {"updated_at": now, "handled_by": ""})
    if entry.lacks_pdf:
        return entry.model_copy(update={"attachment": Attachment.DUE, "not_before": None, "handled_by": ""})
    if entry.state is EntryState.PENDING:
        return entry.model_copy(update={"not_before": None, "handled_by": ""})
    return entry


def let_go(entry: Entry, now: datetime) -> Entry:
    """An entry that somebody chose to be sent now: also when it was refused, or only its PDF waits."""
    goes = entry.state in (EntryState.PENDING, EntryState.REJECTED) or entry.lacks_pdf
    return released(entry, now) if goes else entry


def planned(sync: Sync, now: datetime, *, waiting: int, oldest: datetime | None) -> Next:
    """When this sync's next transfer is best."""
    return next_transfer(
        sync.connection_id, sync.rhythm, now, waiting=waiting, oldest=oldest, zone=sync.settings.time_zone
    )


def read_incoming(kind: str, external_id: str, fields: Mapping[str, Any]) -> Incoming:
    """A document as it came. Raises NotFound for a kind there is none of, Invalid for its content or its length."""
    if kind not in {known.value for known in DocumentKind}:
        raise NotFound(f"There are no documents of the kind {kind!r}.", code="unknown_kind")
    if not _is_external_id(external_id):
        raise Invalid.field(
            "/external_id", "external_id_invalid", "An id has 1 to 100 of: letters A-Z, digits, and . _ : @ ~ -"
        )
    document = read_document(DocumentKind(kind), fields)
    if len(to_text(document).encode()) > LARGEST_DOCUMENT:
        raise Invalid(
            f"A document may have at most {LARGEST_DOCUMENT >> 10} KB. Hand it in as several.",
            code="document_too_large",
        )
    return Incoming(DocumentKind(kind), external_id, document)


def _is_external_id(text: str) -> bool:
    return 1 <= len(text) <= 100 and all(char.isascii() and (char.isalnum() or char in "._:@~-") for char in text)


def check_day(coming: Incoming, now: datetime) -> None:
    """A document of a day that has not come yet is a mistake. Raises Invalid."""
    day = getattr(coming.document, "date", None)
    if day is not None and day > (now + timedelta(hours=14)).date():
        raise Invalid.field("/date", "date_in_future", f"{day} has not come yet.")


def decide(sync: Sync, existing: Entry | None, coming: Incoming, by: str, now: datetime) -> tuple[Entry, Outcome]:
    """What is to be kept, given what is there. Raises Conflict."""
    text = to_text(coming.document)
    fingerprint = digest(text)
    if existing is None:
        return _new(sync, coming, text, fingerprint, by, now), Outcome.CREATED
    restored = existing.forgotten and existing.state is EntryState.SKIPPED
    if existing.body_hash == fingerprint and not restored:
        return existing, Outcome.UNCHANGED
    if existing.state is not EntryState.SENT:
        _same_report(existing, coming.document)
    match existing.state:
        case state if state in (EntryState.SENDING, EntryState.UNCERTAIN) or existing.code == SKIPPED_UNCERTAIN:
            raise Conflict(
                "The document is on its way, and it cannot be told yet whether the ERP has it. Try again later.",
                code="being_sent",
                entry=existing.id,
            )
        case EntryState.SENT if coming.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE):
            raise Conflict(
                f"The ERP has it already, as {existing.reference}. It must be corrected there.",
                code="already_sent",
                reference=existing.reference,
                entry=existing.id,
            )
        case EntryState.SKIPPED if existing.code != BEFORE_FROM_DATE:
            state, outcome = EntryState.SKIPPED, Outcome.REPLACED
        case EntryState.SENT:
            state, outcome = EntryState.PENDING, Outcome.CORRECTION
        case _:
            state, outcome = EntryState.PENDING, Outcome.REPLACED
    fresh = _new(sync, coming, text, fingerprint, by, now)
    changes: dict[str, Any] = {name: getattr(fresh, name) for name in _OF_THE_BODY}
    if state is EntryState.PENDING:
        changes |= {name: getattr(fresh, name) for name in _OF_THE_STATE}
    changes |= {"revision": existing.revision + 1, "updated_at": now, "arrived_at": now, "forgotten": False}
    return existing.model_copy(update=changes), outcome


def _same_report(existing: Entry, coming: Document) -> None:
    """A body replaces one of the same Z-report; that of another shop under the same id would make the first disappear.

    Raises Conflict (`another_settlement`).
    """
    if not isinstance(coming, Settlement):
        return
    told = (existing.number, existing.department, existing.till or coming.till)
    if told != (coming.number, coming.department, coming.till):
        raise Conflict(
            f"Under this id another Z-report is kept: {existing.title}. Hand this one in under an id of its own; if it"
            " was the other that was wrong, skip that in the export log.",
            code="another_settlement",
            entry=existing.id,
        )


_OF_THE_BODY = ("body", "body_hash", "date", "title", "number", "department", "till")
_OF_THE_STATE = ("state", "code", "detail", "erp_words", "not_before", "claimed_at")


def _new(sync: Sync, coming: Incoming, text: str, fingerprint: str, by: str, now: datetime) -> Entry:
    document = coming.document
    day = getattr(document, "date", None) or now.date()
    early = coming.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE) and day < sync.settings.from_date
    settlement = document if isinstance(document, Settlement) else None
    return Entry(
        id=entry_id(sync.connection_id, coming.kind, coming.external_id),
        client_id=sync.client_id,
        connection_id=sync.connection_id,
        kind=coming.kind,
        external_id=coming.external_id,
        date=day,
        state=EntryState.SKIPPED if early else EntryState.PENDING,
        code=BEFORE_FROM_DATE if early else "",
        detail=f"Nothing of a day before {sync.settings.from_date} is sent." if early else "",
        body=text,
        body_hash=fingerprint,
        title=title(document),
        created_at=now,
        created_by=by,
        updated_at=now,
        arrived_at=now,
        number=settlement.number if settlement else 0,
        department=settlement.department if settlement else "",
        till=settlement.till if settlement else "",
    )
