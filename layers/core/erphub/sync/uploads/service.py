"""Uploads: ten thousand customers or products, or a large cash register file, come as one upload."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any, cast

from erphub.erp.documents import DocumentKind
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, HubError, Invalid, Malformed, NotFound
from erphub.platform.lexical import loads
from erphub.platform.workers import Worker
from erphub.sync.documents.models import IncomingDocument, SubmitOutcome, UploadSlot
from erphub.sync.documents.ports import DocumentFiles
from erphub.sync.documents.saft_cash_register import CashRegisterFile, read_cash_register
from erphub.sync.documents.service import MAX_DOCUMENT_BYTES, DocumentService, read_incoming
from erphub.sync.settings.models import Sync
from erphub.sync.uploads.models import LineError, Upload, UploadFormat, UploadStatus
from erphub.sync.uploads.ports import UploadStore
from erphub.sync.uploads.schemas import NewUpload

MAX_READING_TIME = timedelta(hours=1)
"""After this a file that is still being read may be taken again: whoever read it has died, and was tried again."""
MAX_FILE_BYTES = 100 * 1024 * 1024
_MAX_ERRORS = 100
_BATCH_LINES = 500


@dataclass(frozen=True)
class UploadService:
    """Takes uploads in: a signed address first, then the file, then the word to read it."""

    documents: DocumentService
    uploads: UploadStore
    files: DocumentFiles
    worker: Worker
    clock: Clock
    new_id: Ids

    def create(self, client_id: str, connection_id: str, by: str, wanted: NewUpload) -> tuple[Upload, UploadSlot]:
        """A new upload, and where its file goes."""
        sync, now = self.documents.get_sync(client_id, connection_id), self.clock()
        upload = Upload(
            id=self.new_id(),
            client_id=client_id,
            connection_id=connection_id,
            created_by=by,
            format=wanted.format,
            created_at=now,
        )
        kept = self.uploads.save(upload, sync.settings.retention_days)
        return kept, self.files.slot(upload_file_name(kept), _CONTENT_TYPES[wanted.format], now)

    def get(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """An upload. Raises NotFound."""
        upload = self.uploads.get(client_id, connection_id, upload_id)
        if upload is None:
            raise NotFound("There is no such upload.", code="upload_not_found")
        return upload

    def start(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """The file is there: read it. Raises NotFound, Conflict (`file_missing`, `upload_taken`), Invalid."""
        sync, upload = self.documents.get_sync(client_id, connection_id), self.get(client_id, connection_id, upload_id)
        given_up = upload.status is UploadStatus.READING and self.clock() - upload.created_at > MAX_READING_TIME
        if upload.status is not UploadStatus.OPEN and not given_up:
            raise Conflict(
                "This upload has been read, or is being read.", code="upload_taken", status=upload.status.value
            )
        size = self.files.size(upload_file_name(upload))
        if size is None:
            raise Conflict("The file has not been uploaded yet.", code="file_missing")
        if size > MAX_FILE_BYTES:
            raise Invalid(f"A file may have at most {MAX_FILE_BYTES >> 20} MB.", code="file_too_large")
        kept = self.uploads.save(
            upload.model_copy(update={"status": UploadStatus.READING}), sync.settings.retention_days
        )
        self.worker.ask(
            {"task": "read_upload", "client_id": client_id, "connection_id": connection_id, "upload_id": upload_id}
        )
        return kept

    def read(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """Read the file into the export log; again after a crash with the same result: the same body is no change."""
        sync, upload = self.documents.get_sync(client_id, connection_id), self.get(client_id, connection_id, upload_id)
        if upload.status is not UploadStatus.READING:
            return upload
        counted = upload
        try:
            for lines in _batches(self._documents(upload)):
                counted = self._submit(sync, counted, lines)
        except HubError as error:
            problem = {"code": error.code, "detail": error.detail}
            failed = counted.model_copy(update={"status": UploadStatus.FAILED, "problem": problem})
            return self.uploads.save(failed, sync.settings.retention_days)
        done = self.uploads.save(counted.model_copy(update={"status": UploadStatus.DONE}), sync.settings.retention_days)
        if counted.accepted_count:
            self.documents.planner.bring_forward(sync)
        return done

    def _documents(self, upload: Upload) -> Iterator[tuple[int, IncomingDocument | HubError]]:
        name = upload_file_name(upload)
        if upload.format is UploadFormat.CASH_REGISTER:
            return enumerate(cash_register_documents(read_cash_register(BytesIO(self.files.read(name)))), 1)
        return _lines(self.files.lines(name))

    def _submit(self, sync: Sync, upload: Upload, lines: Iterable[tuple[int, IncomingDocument | HubError]]) -> Upload:
        listed = list(lines)
        wrong = [(number, one) for number, one in listed if isinstance(one, HubError)]
        good = {
            (one.kind, one.external_id): (number, one) for number, one in listed if isinstance(one, IncomingDocument)
        }
        outcomes = self.documents.submit_many(sync, upload.created_by, [one for _, one in good.values()])
        wrong += [(good[one.kind, one.external_id][0], came) for one, came in outcomes if isinstance(came, HubError)]
        same = sum(1 for _, came in outcomes if came is SubmitOutcome.UNCHANGED)
        taken = sum(1 for _, came in outcomes if isinstance(came, SubmitOutcome)) - same
        errors = [
            LineError(line_number=number, code=error.code, detail=_sentence(error))
            for number, error in sorted(wrong, key=lambda w: w[0])
        ]
        return upload.model_copy(
            update={
                "line_count": upload.line_count + len(listed),
                "accepted_count": upload.accepted_count + taken,
                "unchanged_count": upload.unchanged_count + same,
                "refused_count": upload.refused_count + len(wrong),
                "errors": (*upload.errors, *errors)[:_MAX_ERRORS],
            }
        )


def _batches(
    lines: Iterable[tuple[int, IncomingDocument | HubError]],
) -> Iterator[list[tuple[int, IncomingDocument | HubError]]]:
    """Lines to be taken together; a document that comes again waits for the next batch, as a body after the first."""
    batch: list[tuple[int, IncomingDocument | HubError]] = []
    there: set[tuple[DocumentKind, str]] = set()
    for number, one in lines:
        name = (one.kind, one.external_id) if isinstance(one, IncomingDocument) else None
        if len(batch) == _BATCH_LINES or name in there:
            yield batch
            batch, there = [], set()
        batch.append((number, one))
        if name is not None:
            there.add(name)
    if batch:
        yield batch


def cash_register_documents(reading: CashRegisterFile) -> list[IncomingDocument | HubError]:
    """A cash register file's Z-reports, good and refused."""
    return [*reading.settlements, *(refused.error for refused in reading.refused)]


def upload_file_name(upload: Upload) -> str:
    """Where a batch's file lies until it has been read."""
    return f"staging/uploads/{upload.client_id}/{upload.connection_id}/{upload.id}"


_CONTENT_TYPES: Mapping[UploadFormat, str] = {
    UploadFormat.JSON_LINES: "application/x-ndjson",
    UploadFormat.CASH_REGISTER: "application/xml",
}


def _lines(lines: Iterable[bytes]) -> Iterator[tuple[int, IncomingDocument | HubError]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, _line(line)
            except HubError as error:
                yield number, error


def _line(line: bytes) -> IncomingDocument:
    if len(line) > 4 * MAX_DOCUMENT_BYTES:
        raise Invalid("The line is longer than any document may be.", code="line_too_long")
    try:
        fields: Any = loads(line)
    except Malformed as error:
        raise Invalid("The line is no JSON.", code="malformed_json") from error
    if not isinstance(fields, dict):
        raise Invalid("The line is no JSON object.", code="object_required")
    document = dict(cast(dict[str, Any], fields))
    external_id, kind = document.pop("external_id", None), document.get("kind", "")
    if not isinstance(external_id, str) or not isinstance(kind, str):
        raise Invalid("The line needs a kind and an external_id.", code="external_id_required")
    return read_incoming(kind, external_id, document)


def _sentence(error: HubError) -> str:
    """The error with what is wrong where."""
    if isinstance(error, Invalid) and error.errors:
        return "; ".join(f"{wrong.pointer}: {wrong.detail}" for wrong in error.errors[:5])
    return error.detail
