"""Uploads: many documents in one file."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from erphub.platform.wire import Identifier, Model


class UploadFormat(StrEnum):
    """What a batch's file is."""

    JSON_LINES = "json_lines"
    CASH_REGISTER = "saft_cash_register"


class UploadState(StrEnum):
    """How far a batch has come."""

    OPEN = "open"
    READING = "reading"
    DONE = "done"
    FAILED = "failed"


class Upload(Model):
    """A batch and what was made of it."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    by: str
    format: UploadFormat
    state: UploadState = UploadState.OPEN
    created_at: datetime
    lines: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused: int = 0
    errors: tuple[dict[str, Any], ...] = ()
    """The first 100 lines that were refused, each with its number, code and sentence."""
    problem: dict[str, Any] | None = None
    rev: int = 0
