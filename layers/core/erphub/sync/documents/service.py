"""Documents in: what a till hands over is checked, kept once, and goes on its way at the next transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.connections.access import require_active
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import DocumentKind
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, Invalid, TooMany
from erphub.platform.files import Files
from erphub.platform.lexical import is_external_id
from erphub.platform.limits import Limits, Owner
from erphub.sync import problems
from erphub.sync.canonical import entry_id, read_received, to_text
from erphub.sync.capability import DOCUMENTS
from erphub.sync.documents.decisions import decide
from erphub.sync.documents.identity import gives_way, identities_of, may_be_same, require_same_content
from erphub.sync.documents.models import CashRegisterResult, IncomingDocument, SubmitOutcome, SubmittedDocument
from erphub.sync.documents.plausibility import require_plausible, require_rates
from erphub.sync.export_log.models import Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore, IdentityStore
from erphub.sync.settings.models import Sync
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore

MAX_DOCUMENT_BYTES = 300 * 1024
"""Bytes; an entry of the export log, with all that is said of the document, has 400 KB at most."""
_MAX_TRIES = 3
"""How often a document is looked at again because somebody handed it in, or its like, at the same moment."""
_PDF_WAIT = timedelta(minutes=30)
"""How long a transfer waits for a PDF that the till has announced, before the hub renders the settlement itself."""


@dataclass(frozen=True)
class DocumentService:
    """Takes documents in."""

    connections: ConnectionStore
    syncs: SyncStore
    entries: EntryStore
    identities: IdentityStore
    files: Files
    planner: TransferPlanner
    clock: Clock
    limits: Limits

    def submit(
        self, client_id: str, connection_id: str, by: str, coming: IncomingDocument, *, pdf_follows: bool = False
    ) -> SubmittedDocument:
        """Keep a document. The same again changes nothing, under whatever id; another body replaces it until it is on
        its way.

        Raises NotFound, Invalid, and Conflict: `already_sent` with the ERP's reference, `being_sent` while it cannot be
        told whether the ERP has it, `another_content` when it is kept otherwise under another id.
        """
        sync = self.get_sync(client_id, connection_id)
        for _ in range(_MAX_TRIES - 1):
            try:
                return self._submit(sync, by, coming, pdf_follows)
            except Conflict as error:
                if error.code != "version_conflict":
                    raise  # else: somebody was first, with this id or with this document under another
        return self._submit(sync, by, coming, pdf_follows)

    def _submit(self, sync: Sync, by: str, coming: IncomingDocument, pdf_follows: bool) -> SubmittedDocument:
        now, key = self.clock(), (sync.client_id, sync.connection_id)
        holders = self.identities.holders(*key, identities_of(coming.document, sync))
        names = dict.fromkeys((_entry_id(sync, coming), *holders.values()))
        known = {name: entry for name in names if (entry := self.entries.get(*key, name)) is not None}
        wanted, outcome = self._decide(sync, by, coming, known, holders)
        if pdf_follows and coming.kind is DocumentKind.SETTLEMENT and wanted.status is not EntryStatus.SENT:
            wanted = wanted.model_copy(update=_waiting_for_pdf(wanted, now + _PDF_WAIT))
        if wanted != known.get(wanted.id):
            self.limits.take(DOCUMENTS, Owner(LimitScope.CLIENT, sync.client_id))
            wanted = self.entries.save(wanted, sync.settings.retention_days)
        waits = wanted.wants_pdf_until is not None and wanted.status is not EntryStatus.SENT
        slot = self.files.slot(wanted.pdf_file, "application/pdf", now) if waits else None
        if wanted.status is EntryStatus.PENDING:
            self.planner.bring_forward(sync)
        return SubmittedDocument(wanted, outcome, slot)

    def _decide(
        self,
        sync: Sync,
        by: str,
        coming: IncomingDocument,
        known: Mapping[str, Entry],
        holders: Mapping[str, str],
    ) -> tuple[Entry, SubmitOutcome]:
        """What is to be kept, given the entries that are known and who holds which identity.

        Raises Invalid, and Conflict.
        """
        now, name = self.clock(), _entry_id(sync, coming)
        require_plausible(coming.document, now)
        found = [(one, holders[one]) for one in identities_of(coming.document, sync) if one in holders]
        same = [pair for pair in found if pair[1] not in known or may_be_same(known[pair[1]], coming.document, sync)]
        identity, holder = same[0] if same else ("", name)
        first, yielding = known.get(holder), None
        if first is None and holder != name:
            self.identities.release(sync.client_id, sync.connection_id, identity, holder)
        elif first is not None and first.id != name:
            if not gives_way(first):
                require_same_content(first, coming.document)
                return first, SubmitOutcome.UNCHANGED
            yielding = first
        wanted, outcome = decide(sync, known.get(name), coming, by, now)
        if outcome is not SubmitOutcome.UNCHANGED and wanted.status is EntryStatus.PENDING:
            require_rates(coming.document, sync)
        if yielding is not None:
            self.entries.save(yielding.model_copy(update={"identity": ""}), sync.settings.retention_days)
        return wanted, outcome

    def submit_many(
        self, sync: Sync, by: str, batch: Sequence[IncomingDocument]
    ) -> list[tuple[IncomingDocument, SubmitOutcome | HubError]]:
        """Keep a batch, in as few calls as there can be; what cannot be kept comes back with its error."""
        named = {_entry_id(sync, coming): coming for coming in batch}
        identities = {name: identities_of(coming.document, sync) for name, coming in named.items()}
        of_all = list(dict.fromkeys(one for several in identities.values() for one in several))
        holders = self.identities.holders(sync.client_id, sync.connection_id, of_all)
        names = list(dict.fromkeys((*named, *holders.values())))
        known = {entry.id: entry for entry in self.entries.get_many(sync.client_id, sync.connection_id, names)}
        done: dict[str, SubmitOutcome | HubError] = {}
        writes: dict[str, Entry] = {}
        for name, coming in named.items():
            if any(holders.get(one) in writes for one in identities[name]):
                continue  # the same as one before it, which is not kept yet
            try:
                wanted, done[name] = self._decide(sync, by, coming, known, holders)
            except HubError as error:
                done[name] = error
                continue
            if done[name] is not SubmitOutcome.UNCHANGED:
                writes[name] = wanted
                holders |= dict.fromkeys(identities[name][:1], name)
        late = self._write(sync, list(writes.values()), done)
        return [
            (coming, done[name] if name in done.keys() - late else self._submit_after_others(sync, by, coming))
            for name, coming in named.items()
        ]

    def _write(self, sync: Sync, writes: Sequence[Entry], done: dict[str, SubmitOutcome | HubError]) -> set[str]:
        """Keep entries, or say in `done` why not; the ids of those that met somebody else's write."""
        try:
            if writes:
                self.limits.take(DOCUMENTS, Owner(LimitScope.CLIENT, sync.client_id), len(writes))
        except TooMany as error:
            done |= {entry.id: error for entry in writes}
            return set()
        return {entry.id for entry in self.entries.save_many(writes, sync.settings.retention_days)}

    def _submit_after_others(self, sync: Sync, by: str, coming: IncomingDocument) -> SubmitOutcome | HubError:
        """The document may be kept by now, as one before it or by somebody else: look at what is there."""
        try:
            return self.submit(sync.client_id, sync.connection_id, by, coming).outcome
        except HubError as error:
            return error

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
            raise problems.SYNC_NEEDED()
        return sync


def _entry_id(sync: Sync, coming: IncomingDocument) -> str:
    return entry_id(sync.connection_id, coming.kind, coming.external_id)


def _waiting_for_pdf(entry: Entry, until: datetime) -> dict[str, Any]:
    """What changes of an entry whose PDF is to come: what already holds it up goes before."""
    changes: dict[str, Any] = {"wants_pdf_until": until}
    if entry.status is EntryStatus.PENDING and not entry.code:
        detail = f"It waits for its PDF, until {until:%Y-%m-%d %H:%M} UTC at most; then the hub makes one."
        changes |= {"code": "waits_for_pdf", "detail": detail}
    return changes


def read_incoming(kind: str, external_id: str, fields: Mapping[str, Any]) -> IncomingDocument:
    """A document as it came. Raises NotFound for a kind there is none of, Invalid for its content or its length."""
    if kind not in {known.value for known in DocumentKind}:
        raise problems.UNKNOWN_KIND(kind=kind)
    if not is_external_id(external_id):
        raise Invalid.of(problems.EXTERNAL_ID_INVALID("/external_id"))
    document = read_received(DocumentKind(kind), fields)
    if len(to_text(document).encode()) > MAX_DOCUMENT_BYTES:
        raise problems.DOCUMENT_TOO_LARGE(maximum=MAX_DOCUMENT_BYTES >> 10)
    return IncomingDocument(DocumentKind(kind), external_id, document)
