"""What is sent and shown about uploads."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.platform.files import UploadSlot
from erphub.platform.wire import JsonObject, Model
from erphub.sync.documents.schemas import PdfSlot
from erphub.sync.uploads.models import BadLine, LineError, Upload, UploadFormat, UploadStatus


class NewUpload(Model):
    """A batch that comes as one file: a JSON document per line with `kind` and `external_id`, or a SAF-T file."""

    format: UploadFormat = UploadFormat.JSON_LINES
    on_bad_line: Annotated[
        BadLine,
        Field(description="When a line cannot be read: `skip` takes the others, `refuse_all` takes none"),
    ] = BadLine.SKIP


class UploadView(Model):
    """A batch and what was made of it; `upload` says where its file goes while it is open."""

    id: str
    format: UploadFormat
    on_bad_line: BadLine
    status: UploadStatus
    created_at: datetime
    line_count: int
    accepted_count: int
    unchanged_count: int
    refused_count: int
    errors: list[LineError]
    problem: JsonObject | None
    upload: PdfSlot | None = None

    @classmethod
    def of(cls, upload: Upload, slot: UploadSlot | None = None) -> "UploadView":
        """The view of a batch."""
        shown = {name: getattr(upload, name) for name in cls.model_fields if name != "upload"}
        return cls.model_validate(shown | {"upload": PdfSlot.of(slot) if slot else None, "errors": list(upload.errors)})
