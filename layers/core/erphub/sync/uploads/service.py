"""Uploads: ten thousand customers or products, or a large cash register file, come as one upload."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from erphub.erp.documents import DocumentKind
from erphub.platform import logging
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Conflict, HubError, Invalid, Malformed
from erphub.platform.files import Files, UploadSlot
from erphub.platform.lexical import loads
from erphub.platform.workers import Worker
from erphub.sync import problems
from erphub.sync.documents.models import IncomingDocument, SubmitOutcome
from erphub.sync.documents.saft_cash_register import CashRegisterFile, read_cash_register
from erphub.sync.documents.service import MAX_DOCUMENT_BYTES, DocumentService, read_incoming
from erphub.sync.settings.models import Sync
from erphub.sync.uploads.models import BadLine, LineError, Upload, UploadFormat, UploadStatus
from erphub.sync.uploads.ports import UploadStore
from erphub.sync.uploads.schemas import NewUpload

MAX_READING_TIME = timedelta(hours=1)
"""After this a file that is still being read has failed: its worker is asked for that long, and tried three times."""
MAX_TRIES = 3
MAX_FILE_BYTES: Mapping[UploadFormat, int] = {
    UploadFormat.JSON_LINES: 100 * 1024 * 1024,
    UploadFormat.CASH_REGISTER: 1024 * 1024 * 1024,
}
"""A cash register file is nearly all transactions, of which nothing is kept: 1 GB takes 43 MB and 20 seconds of a
processor's time. A worker of 1,024 MB has more than half a processor, and 300 seconds."""
UNREADABLE = "upload_unreadable"
_MAX_ERRORS = 100
_NONE_TAKEN = "Some lines cannot be read; `errors` says why. None was taken, as was asked for."
_OTHER_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_BE)
_BATCH_LINES = 500


@dataclass(frozen=True)
class UploadService:
    """Takes uploads in: a signed address first, then the file, then the word to read it."""

    documents: DocumentService
    uploads: UploadStore
    files: Files
    worker: Worker
    clock: Clock
    new_id: IdGenerator

    def create(self, client_id: str, connection_id: str, by: str, wanted: NewUpload) -> tuple[Upload, UploadSlot]:
        """A new upload, and where its file goes."""
        sync, now = self.documents.get_sync(client_id, connection_id), self.clock()
        upload = Upload(
            id=self.new_id(),
            client_id=client_id,
            connection_id=connection_id,
            created_by=by,
            format=wanted.format,
            on_bad_line=wanted.on_bad_line,
            created_at=now,
        )
        describe_act(new={"upload_id": upload.id})
        kept = self.uploads.save(upload, sync.settings.retention_days)
        return kept, self.files.slot(upload_file_name(kept), _CONTENT_TYPES[wanted.format], now)

    def get(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """An upload; one whose readers have all died has failed. Raises NotFound."""
        upload = self.uploads.get(client_id, connection_id, upload_id)
        if upload is None:
            raise problems.UPLOAD_NOT_FOUND()
        since = upload.reading_since or upload.created_at
        if upload.status is not UploadStatus.READING or self.clock() - since <= MAX_READING_TIME:
            return upload
        try:
            return self._end(upload, UploadStatus.FAILED, _unreadable(upload))
        except Conflict:  # its reader lives after all, or somebody else looked at the same moment
            return self.uploads.get(client_id, connection_id, upload_id) or upload

    def start(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """The file is there: read it. Raises NotFound, Conflict (`file_missing`, `upload_taken`), Invalid."""
        sync, upload = self.documents.get_sync(client_id, connection_id), self.get(client_id, connection_id, upload_id)
        given_up = upload.status is UploadStatus.FAILED and (upload.problem or {}).get("code") == UNREADABLE
        if upload.status is not UploadStatus.OPEN and not given_up:
            raise problems.UPLOAD_TAKEN(status=upload.status.value)
        size = self.files.size(upload_file_name(upload))
        if size is None:
            raise problems.FILE_NOT_UPLOADED()
        if size > (maximum := MAX_FILE_BYTES[upload.format]):
            raise problems.FILE_TOO_LARGE(maximum=maximum >> 20)
        begun = {"status": UploadStatus.READING, "reading_since": self.clock(), "tries": 0, "problem": None}
        kept = self.uploads.save(upload.model_copy(update=begun), sync.settings.retention_days)
        self.worker.ask(
            {"task": "read_upload", "client_id": client_id, "connection_id": connection_id, "upload_id": upload_id}
        )
        return kept

    def read(self, client_id: str, connection_id: str, upload_id: str) -> Upload:
        """Read the file into the export log. A worker that takes over from one that died goes on behind what it kept;
        lines that it took and had not kept come again without a change. Whoever is the third to die has ended it.
        A line is of the moment at which the file was handed in: it replaces nothing that came afterwards.
        """
        sync, upload = self.documents.get_sync(client_id, connection_id), self.get(client_id, connection_id, upload_id)
        if upload.status is not UploadStatus.READING:
            return upload
        if upload.tries >= MAX_TRIES:
            return self._end(upload, UploadStatus.FAILED, _unreadable(upload))
        counted = self._save(upload, tries=upload.tries + 1)
        try:
            if counted.on_bad_line is BadLine.REFUSE_ALL and (refused := self._refused(counted)) is not None:
                return self._end(refused, UploadStatus.FAILED, {"code": "lines_refused", "detail": _NONE_TAKEN})
            for lines in _batches(self._documents(counted)):
                counted = self._submit(sync, counted, lines)
        except HubError as error:
            return self._end(counted, UploadStatus.FAILED, {"code": error.code, "detail": error.detail})
        except Exception as error:
            if counted.tries < MAX_TRIES:
                raise
            logging.logger().error("an upload cannot be read", exc_info=error, extra={"upload_id": upload.id})
            return self._end(counted, UploadStatus.FAILED, _unreadable(counted))
        done = self._end(counted, UploadStatus.DONE, None)
        if counted.accepted_count:
            self.documents.planner.bring_forward(sync)
        return done

    def _refused(self, upload: Upload) -> Upload | None:
        """The upload with the lines that cannot be read, before any is taken; None when all can."""
        count, refused, errors = 0, 0, list[LineError]()
        for number, one in self._documents(upload):
            count += 1
            if isinstance(one, HubError):
                refused += 1
                if len(errors) < _MAX_ERRORS:
                    errors.append(_line_error(number, one))
        if not refused:
            return None
        return upload.model_copy(update={"line_count": count, "refused_count": refused, "errors": tuple(errors)})

    def _end(self, upload: Upload, status: UploadStatus, problem: dict[str, str] | None) -> Upload:
        return self._save(upload, status=status, problem=problem)

    def _save(self, upload: Upload, **changes: Any) -> Upload:
        sync = self.documents.get_sync(upload.client_id, upload.connection_id)
        return self.uploads.save(upload.model_copy(update=changes), sync.settings.retention_days)

    def _documents(self, upload: Upload) -> Iterator[tuple[int, IncomingDocument | HubError]]:
        name = upload_file_name(upload)
        if upload.format is UploadFormat.CASH_REGISTER:
            with self.files.open(name) as file:
                listed = enumerate(cash_register_documents(read_cash_register(file)), 1)
        else:
            listed = _lines(self.files.lines(name))
        return ((number, one) for number, one in listed if number > upload.last_line)

    def _submit(self, sync: Sync, upload: Upload, lines: Iterable[tuple[int, IncomingDocument | HubError]]) -> Upload:
        listed = list(lines)
        wrong = [(number, one) for number, one in listed if isinstance(one, HubError)]
        good = {
            (one.kind, one.external_id): (number, replace(one, arrived_at=upload.reading_since))
            for number, one in listed
            if isinstance(one, IncomingDocument)
        }
        outcomes = self.documents.submit_many(sync, upload.created_by, [one for _, one in good.values()])
        wrong += [(good[one.kind, one.external_id][0], came) for one, came in outcomes if isinstance(came, HubError)]
        same = sum(1 for _, came in outcomes if came is SubmitOutcome.UNCHANGED)
        taken = sum(1 for _, came in outcomes if isinstance(came, SubmitOutcome)) - same
        errors = [_line_error(number, error) for number, error in sorted(wrong, key=lambda w: w[0])]
        return self._save(
            upload,
            **{
                "last_line": max(number for number, _ in listed),
                "line_count": upload.line_count + len(listed),
                "accepted_count": upload.accepted_count + taken,
                "unchanged_count": upload.unchanged_count + same,
                "refused_count": upload.refused_count + len(wrong),
                "errors": (*upload.errors, *errors)[:_MAX_ERRORS],
            },
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
        if number == 1:
            if line.startswith(_OTHER_MARKS):
                raise problems.ENCODING_UNSUPPORTED()
            line = line.removeprefix(BOM_UTF8)
        if line.strip():
            yield number, _read(number, line)


def _read(number: int, line: bytes) -> IncomingDocument | HubError:
    try:
        return _line(line)
    except HubError as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever one line does to its reader, the others are read
        logging.logger().error("a line cannot be read", exc_info=error, extra={"line_number": number})
        return problems.LINE_UNREADABLE()


def _line(line: bytes) -> IncomingDocument:
    if len(line) > 4 * MAX_DOCUMENT_BYTES:
        raise problems.LINE_TOO_LONG()
    try:
        fields: Any = loads(line)
    except Malformed as error:
        raise problems.LINE_NOT_JSON() from error
    if not isinstance(fields, dict):
        raise problems.LINE_NO_OBJECT()
    document = dict(cast(dict[str, Any], fields))
    external_id, kind = document.pop("external_id", None), document.get("kind", "")
    if not isinstance(external_id, str) or not isinstance(kind, str):
        raise problems.LINE_WITHOUT_ID()
    return read_incoming(kind, external_id, document)


def _line_error(number: int, error: HubError) -> LineError:
    return LineError(line_number=number, code=error.code, detail=_sentence(error))


def _unreadable(upload: Upload) -> dict[str, str]:
    """Why an upload has failed whose readers died."""
    behind = f"behind line {upload.last_line}" if upload.last_line else "at its beginning"
    return {
        "code": UNREADABLE,
        "detail": f"The file could not be read on {behind}, in {MAX_TRIES} tries. What is counted here was taken. Hand"
        " in the rest as smaller files, to find what cannot be read.",
    }


def _sentence(error: HubError) -> str:
    """The error with what is wrong where."""
    if isinstance(error, Invalid) and error.errors:
        return "; ".join(f"{wrong.pointer}: {wrong.detail}" for wrong in error.errors[:5])
    return error.detail
