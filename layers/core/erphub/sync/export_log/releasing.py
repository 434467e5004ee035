"""Lets documents be tried again that were stopped or wait."""

from datetime import datetime
from typing import Any

from erphub.sync.export_log.models import SKIPPED_UNCERTAIN, Attachment, Entry, EntryState


def release_entry(entry: Entry, now: datetime) -> Entry:
    """An entry that may be tried again at once. What may be in the ERP still waits for its resend delay."""
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


def release_selected(entry: Entry, now: datetime) -> Entry:
    """An entry that somebody selected to be sent now: also when it was refused, or only its PDF waits."""
    can_go = entry.state in (EntryState.PENDING, EntryState.REJECTED) or entry.lacks_pdf
    return release_entry(entry, now) if can_go else entry
