"""Uploads: many documents in one file."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from erphub.platform.wire import Identifier, Model


class UploadFormat(StrEnum):
    """What a batch's file is."""

    JSON_LINES = "json_lines"
    CASH_REGISTER = "saft_cash_register"


class BadLine(StrEnum):
    """What becomes of an upload with a line that cannot be taken."""

    SKIP = "skip"
    REFUSE_ALL = "refuse_all"


class UploadStatus(StrEnum):
    """How far a batch has come."""

    OPEN = "open"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to the batch."""
        return self in (UploadStatus.DONE, UploadStatus.FAILED)


class LineError(Model):
    """A line that was refused, and why."""

    line_number: int
    code: str
    detail: str


class Upload(Model):
    """A batch and what was made of it."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    created_by: str
    format: UploadFormat
    on_bad_line: BadLine = BadLine.SKIP
    status: UploadStatus = UploadStatus.OPEN
    created_at: datetime
    line_count: int = 0
    accepted_count: int = 0
    unchanged_count: int = 0
    refused_count: int = 0
    errors: tuple[LineError, ...] = ()
    """The first 100 lines that were refused."""
    reading_since: datetime | None = None
    tries: int = 0
    """How many workers have begun to read it; each goes on behind `last_line`, the last that was taken or refused."""
    last_line: int = 0
    problem: dict[str, Any] | None = None
    rev: int = 0
