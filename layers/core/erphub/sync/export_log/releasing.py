"""Lets documents be tried again that were stopped or wait."""

from datetime import datetime
from typing import Any

from erphub.sync.export_log.models import SKIPPED_UNCERTAIN, Attachment, Entry, EntryStatus


def release_entry(entry: Entry, now: datetime) -> Entry:
    """An entry that may be tried again at once. What may be in the ERP still waits for its resend delay."""
    if entry.code == SKIPPED_UNCERTAIN:
        return entry.model_copy(update={"status": EntryStatus.UNCERTAIN, "code": "answer_lost", "handled_by": ""})
    if entry.status in (EntryStatus.REJECTED, EntryStatus.SKIPPED):
        changes: dict[str, Any] = {"status": EntryStatus.PENDING, "code": "", "detail": "", "retry_at": None}
        return entry.model_copy(update=changes | {"updated_at": now, "handled_by": ""})
    if entry.lacks_pdf:
        return entry.model_copy(update={"attachment": Attachment.DUE, "retry_at": None, "handled_by": ""})
    if entry.status is EntryStatus.PENDING:
        return entry.model_copy(update={"retry_at": None, "handled_by": ""})
    return entry


def release_selected(entry: Entry, now: datetime) -> Entry:
    """An entry that somebody selected to be sent now: also when it was refused, or only its PDF waits."""
    can_go = entry.status in (EntryStatus.PENDING, EntryStatus.REJECTED) or entry.lacks_pdf
    return release_entry(entry, now) if can_go else entry
