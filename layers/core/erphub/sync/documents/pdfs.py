"""A settlement's PDF handed to the API itself: kept beside every earlier one, and replaced only when that is said."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from erphub.connections.access import require_active
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import DocumentKind
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.files import FileLink, VersionedFiles
from erphub.sync import problems
from erphub.sync.documents.models import PdfOutcome
from erphub.sync.documents.reading import DocumentReader
from erphub.sync.export_log.models import MAX_PDF_BYTES, Attachment, Entry, EntryStatus, PdfFile
from erphub.sync.export_log.pdfs import WAITS_FOR_PDF, HandedPdfs, is_pdf
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import Sync
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.ports import SyncStore

_MAX_TRIES = 3
"""How often it is looked again because somebody changed the document at the same moment."""
_MAX_FILES = 50
_OPEN = (EntryStatus.SENDING, EntryStatus.UNCERTAIN)
_FINISHED = (Attachment.ATTACHED, Attachment.LEFT_OUT)


@dataclass(frozen=True)
class DocumentPdfs:
    """Takes PDFs in, and says where they are fetched."""

    connections: ConnectionStore
    syncs: SyncStore
    entries: EntryStore
    reader: DocumentReader
    files: VersionedFiles
    planner: TransferPlanner
    clock: Clock

    def link(self, client_id: str, connection_id: str, kind: str, external_id: str) -> FileLink:
        """Where the PDF of a document that counts can be fetched. Raises NotFound (`pdf_not_found`)."""
        entry, _ = self.reader.get(client_id, connection_id, kind, external_id)
        chosen = HandedPdfs(self.files).look(entry).chosen if not entry.forgotten else None
        if chosen is None:
            raise problems.PDF_NOT_FOUND()
        name = f"{entry.kind.value}-{entry.external_id}.pdf"
        return self.files.link(chosen.name, "application/pdf", name, self.clock(), chosen.version)

    def hand_in(
        self, named: tuple[str, str, str, str], by: str, content: bytes, *, replace: bool = False
    ) -> tuple[Entry, PdfOutcome]:
        """Keep a settlement's PDF; the same again changes nothing. `named` is client, connection, kind and external id.

        One that the voucher went without, or with another, does not change what is in the ERP: the entry says so
        (`pdf_replaced_late`). Raises NotFound, Invalid (`pdf_invalid`), and Conflict: `pdf_exists` with the digest of
        the one that is kept, `being_sent` while the ERP may be taking it.
        """
        client_id, connection_id, kind, external_id = named
        require_active(self.connections.get(client_id, connection_id))
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise problems.SYNC_NEEDED()
        if not is_pdf(content):
            raise problems.PDF_INVALID(maximum=MAX_PDF_BYTES >> 20)
        for _ in range(_MAX_TRIES - 1):
            try:
                return self._hand_in(sync, kind, external_id, by, content, replace)
            except Conflict as error:
                if error.code != "version_conflict":
                    raise  # else: somebody changed the document meanwhile, perhaps by handing in this very PDF
        return self._hand_in(sync, kind, external_id, by, content, replace)

    def _hand_in(
        self, sync: Sync, kind: str, external_id: str, by: str, content: bytes, replace: bool
    ) -> tuple[Entry, PdfOutcome]:
        read, _ = self.reader.get(sync.client_id, sync.connection_id, kind, external_id)
        entry = self.entries.get(sync.client_id, sync.connection_id, read.id) or read
        if entry.kind is not DocumentKind.SETTLEMENT:
            raise problems.PDF_NOT_TAKEN(kind=entry.kind.value)
        if entry.forgotten:
            raise problems.BODY_FORGOTTEN(external_id=external_id)
        handed, digest = HandedPdfs(self.files).look(entry), sha256(content).hexdigest()
        kept = handed.chosen
        if kept is not None and kept.digest == digest and not (replace and handed.code):
            return entry, PdfOutcome.UNCHANGED
        if entry.status in _OPEN or entry.queue == "attach":
            raise problems.OUTCOME_OPEN(entry_id=entry.id)
        if kept is not None and not replace:
            raise problems.PDF_EXISTS(entry_id=entry.id, digest=kept.digest)
        if len(handed.files) >= _MAX_FILES:
            raise problems.PDF_TOO_OFTEN(count=len(handed.files))
        outcome = PdfOutcome.REPLACED if kept else PdfOutcome.CREATED
        describe_act(
            old={"pdf": kept.digest if kept else None},
            new={"document": external_id, "pdf": digest, "outcome": outcome.value},
        )
        file = next((one for one in handed.files if one.digest == digest and one.revision == entry.revision), None)
        if file is None:
            name = entry.pdf_name(digest)
            self.files.keep(name, content, "application/pdf")
            file = PdfFile(
                name=name,
                digest=digest,
                size_bytes=len(content),
                revision=entry.revision,
                received_at=self.clock(),
                received_from=by,
            )
        others = tuple(one for one in handed.files if one != file)
        changes = {"pdfs": (*others, file), "pdf_digest": digest, "pdf_code": "", "updated_at": self.clock()}
        fresh = entry.model_copy(update=changes | _consequences(entry, digest))
        saved = self.entries.save(fresh, sync.settings.retention_days)
        if saved.status is EntryStatus.PENDING or saved.queue == "attach":
            self.planner.bring_forward(sync)
        return saved, outcome


def _consequences(entry: Entry, digest: str) -> dict[str, Any]:
    """What the right PDF changes for its document: what waited for it goes, and what the ERP has stays as it is."""
    if entry.status is EntryStatus.PENDING and entry.code in WAITS_FOR_PDF:
        return {"code": "", "detail": ""}
    if entry.status is not EntryStatus.SENT:
        return {}
    if entry.attachment is Attachment.REFUSED:
        return {"attachment": Attachment.DUE, "code": "", "detail": "", "retry_at": None, "handled_by": ""}
    there = entry.attachment in _FINISHED and entry.offered_pdf == digest
    return {} if there else {"pdf_code": problems.PDF_REPLACED_LATE.code}
