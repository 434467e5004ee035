"""Documents in: what a till hands over is checked, kept once, and goes on its way at the next transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.connections.access import require_active
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import Document, DocumentKind, Settlement
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, Invalid, NotFound, TooMany
from erphub.platform.limits import Limits, Owner
from erphub.sync.canonical import digest, entry_id, read_received, title, to_text
from erphub.sync.capability import DOCUMENTS
from erphub.sync.documents.models import CashRegisterResult, IncomingDocument, SubmitOutcome, SubmittedDocument
from erphub.sync.documents.ports import DocumentFiles
from erphub.sync.export_log.models import BEFORE_FROM_DATE, SKIPPED_UNCERTAIN, Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import Sync
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore

MAX_DOCUMENT_BYTES = 300 * 1024
"""Bytes; an entry of the export log, with all that is said of the document, has 400 KB at most."""
_PDF_WAIT = timedelta(minutes=30)
"""How long a transfer waits for a PDF that the till has announced, before the hub renders the settlement itself."""


@dataclass(frozen=True)
class DocumentService:
    """Takes documents in."""

    connections: ConnectionStore
    syncs: SyncStore
    entries: EntryStore
    files: DocumentFiles
    planner: TransferPlanner
    clock: Clock
    limits: Limits

    def submit(
        self, client_id: str, connection_id: str, by: str, coming: IncomingDocument, *, pdf_follows: bool = False
    ) -> SubmittedDocument:
        """Keep a document. The same again changes nothing; another body replaces it until it is on its way.

        Raises NotFound, Invalid, and Conflict: `already_sent` with the ERP's reference, or `being_sent` while it cannot
        be told whether the ERP has it.
        """
        sync = self.get_sync(client_id, connection_id)
        now = self.clock()
        check_day(coming, now)
        existing = self.entries.get(client_id, connection_id, entry_id(connection_id, coming.kind, coming.external_id))
        wanted, outcome = decide(sync, existing, coming, by, now)
        if pdf_follows and coming.kind is DocumentKind.SETTLEMENT and wanted.status is not EntryStatus.SENT:
            wanted = wanted.model_copy(update={"wants_pdf_until": now + _PDF_WAIT})
        if existing is None or wanted != existing:
            self.limits.take(DOCUMENTS, Owner(LimitScope.CLIENT, client_id))
            wanted = self.entries.save(wanted, sync.settings.retention_days)
        waits = wanted.wants_pdf_until is not None and wanted.status is not EntryStatus.SENT
        slot = self.files.slot(wanted.pdf_file, "application/pdf", now) if waits else None
        if wanted.status is EntryStatus.PENDING:
            self.planner.bring_forward(sync)
        return SubmittedDocument(wanted, outcome, slot)

    def submit_many(
        self, sync: Sync, by: str, batch: Sequence[IncomingDocument]
    ) -> list[tuple[IncomingDocument, SubmitOutcome | HubError]]:
        """Keep a batch, in as few calls as there can be; what cannot be kept comes back with its error."""
        now = self.clock()
        names = {entry_id(sync.connection_id, coming.kind, coming.external_id): coming for coming in batch}
        existing = {entry.id: entry for entry in self.entries.get_many(sync.client_id, sync.connection_id, list(names))}
        done: list[tuple[IncomingDocument, SubmitOutcome | HubError]] = []
        writes: list[Entry] = []
        for name, coming in names.items():
            try:
                check_day(coming, now)
                wanted, outcome = decide(sync, existing.get(name), coming, by, now)
            except HubError as error:
                done.append((coming, error))
                continue
            if outcome is not SubmitOutcome.UNCHANGED:
                writes.append(wanted)
            done.append((coming, outcome))
        try:
            if writes:
                self.limits.take(DOCUMENTS, Owner(LimitScope.CLIENT, sync.client_id), len(writes))
        except TooMany as error:
            kept = {one.id for one in writes}
            return [(coming, error) if _entry_id(sync, coming) in kept else (coming, came) for coming, came in done]
        late = {entry.id for entry in self.entries.save_many(writes, sync.settings.retention_days)}
        return [self._submit_once_more(sync, by, *one) if _entry_id(sync, one[0]) in late else one for one in done]

    def _submit_once_more(
        self, sync: Sync, by: str, coming: IncomingDocument, _: SubmitOutcome | HubError
    ) -> tuple[IncomingDocument, SubmitOutcome | HubError]:
        """Somebody handed the same document in at the same moment: look at what is there now, once more."""
        try:
            return coming, self.submit(sync.client_id, sync.connection_id, by, coming).outcome
        except HubError as error:
            return coming, error

    def submit_cash_register(self, client_id: str, connection_id: str, by: str, xml: bytes) -> CashRegisterResult:
        """Keep the Z-reports of a cash register file; what cannot be taken says why, and stops none of the others.

        Raises Conflict, and Invalid when it is no SAF-T Cash Register file.
        """
        from erphub.sync.documents.saft_cash_register import read_cash_register

        self.get_sync(client_id, connection_id)
        reading = read_cash_register(xml)
        submitted: list[SubmittedDocument] = []
        refused = [(f"{one.register}:{one.number}", one.error) for one in reading.refused]
        for coming in reading.settlements:
            try:
                submitted.append(self.submit(client_id, connection_id, by, coming))
            except HubError as error:
                refused.append((coming.external_id, error))
        return CashRegisterResult(submitted, refused, reading.open_transactions)

    def get_sync(self, client_id: str, connection_id: str) -> Sync:
        """The sync that documents are handed to. Raises Conflict (`sync_not_set_up`, `connection_deleting`)."""
        require_active(self.connections.get(client_id, connection_id))
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise Conflict(
                "This connection has no sync yet. Save its settings first (PUT …/sync).", code="sync_not_set_up"
            )
        return sync


def _entry_id(sync: Sync, coming: IncomingDocument) -> str:
    return entry_id(sync.connection_id, coming.kind, coming.external_id)


def read_incoming(kind: str, external_id: str, fields: Mapping[str, Any]) -> IncomingDocument:
    """A document as it came. Raises NotFound for a kind there is none of, Invalid for its content or its length."""
    if kind not in {known.value for known in DocumentKind}:
        raise NotFound(f"There are no documents of the kind {kind!r}.", code="unknown_kind")
    if not _is_external_id(external_id):
        raise Invalid.field(
            "/external_id", "external_id_invalid", "An id has 1 to 100 of: letters A-Z, digits, and . _ : @ ~ -"
        )
    document = read_received(DocumentKind(kind), fields)
    if len(to_text(document).encode()) > MAX_DOCUMENT_BYTES:
        raise Invalid(
            f"A document may have at most {MAX_DOCUMENT_BYTES >> 10} KB. Hand it in as several.",
            code="document_too_large",
        )
    return IncomingDocument(DocumentKind(kind), external_id, document)


def _is_external_id(text: str) -> bool:
    return 1 <= len(text) <= 100 and all(char.isascii() and (char.isalnum() or char in "._:@~-") for char in text)


def check_day(coming: IncomingDocument, now: datetime) -> None:
    """A document of a day that has not come yet is a mistake. Raises Invalid."""
    day = getattr(coming.document, "date", None)
    if day is not None and day > (now + timedelta(hours=14)).date():
        raise Invalid.field("/date", "date_in_future", f"{day} has not come yet.")


def decide(
    sync: Sync, existing: Entry | None, coming: IncomingDocument, by: str, now: datetime
) -> tuple[Entry, SubmitOutcome]:
    """What is to be kept, given what is there. Raises Conflict."""
    text = to_text(coming.document)
    fingerprint = digest(text)
    if existing is None:
        return _new(sync, coming, text, fingerprint, by, now), SubmitOutcome.CREATED
    restored = existing.forgotten and existing.status is EntryStatus.SKIPPED
    if existing.body_hash == fingerprint and not restored:
        return existing, SubmitOutcome.UNCHANGED
    if existing.status is not EntryStatus.SENT:
        _require_same_report(existing, coming.document)
    match existing.status:
        case status if status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN) or existing.code == SKIPPED_UNCERTAIN:
            raise Conflict(
                "The document is on its way, and it cannot be told yet whether the ERP has it. Try again later.",
                code="being_sent",
                entry_id=existing.id,
            )
        case EntryStatus.SENT if coming.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE):
            raise Conflict(
                f"The ERP has it already, as {existing.reference}. It must be corrected there.",
                code="already_sent",
                reference=existing.reference,
                entry_id=existing.id,
            )
        case EntryStatus.SKIPPED if existing.code != BEFORE_FROM_DATE:
            status, outcome = EntryStatus.SKIPPED, SubmitOutcome.REPLACED
        case EntryStatus.SENT:
            status, outcome = EntryStatus.PENDING, SubmitOutcome.CORRECTION
        case _:
            status, outcome = EntryStatus.PENDING, SubmitOutcome.REPLACED
    fresh = _new(sync, coming, text, fingerprint, by, now)
    changes: dict[str, Any] = {name: getattr(fresh, name) for name in _BODY_FIELDS}
    if status is EntryStatus.PENDING:
        changes |= {name: getattr(fresh, name) for name in _STATUS_FIELDS}
    changes |= {"revision": existing.revision + 1, "updated_at": now, "arrived_at": now, "forgotten": False}
    return existing.model_copy(update=changes), outcome


def _require_same_report(existing: Entry, coming: Document) -> None:
    """A body replaces one of the same Z-report; that of another shop under the same id would make the first disappear.

    Raises Conflict (`another_settlement`).
    """
    if not isinstance(coming, Settlement):
        return
    known = (existing.number, existing.department, existing.till or coming.till)
    if known != (coming.number, coming.department, coming.till):
        raise Conflict(
            f"Under this id another Z-report is kept: {existing.title}. Hand this one in under an id of its own; if it"
            " was the other that was wrong, skip that in the export log.",
            code="another_settlement",
            entry_id=existing.id,
        )


_BODY_FIELDS = ("body", "body_hash", "date", "title", "number", "department", "till")
_STATUS_FIELDS = ("status", "code", "detail", "erp_message", "retry_at", "claimed_at")


def _new(sync: Sync, coming: IncomingDocument, text: str, fingerprint: str, by: str, now: datetime) -> Entry:
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
        status=EntryStatus.SKIPPED if early else EntryStatus.PENDING,
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
