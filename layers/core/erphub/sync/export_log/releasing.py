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


def release_discarded(entry: Entry, now: datetime) -> Entry:
    """An entry that goes to the ERP's inbox once more, as somebody says that it was discarded there.

    It is looked for all the same: what is still there, or in the ledger by now, is not posted twice.
    """
    changes: dict[str, Any] = {
        "status": EntryStatus.PENDING,
        "code": "",
        "detail": "",
        "erp_message": "",
        "reference": "",
        "awaiting_approval": False,
        "approval_reminded_at": None,
        "attachment": Attachment.NONE,
        "resend_allowed": True,
        "retry_at": None,
        "handled_by": "",
        "updated_at": now,
    }
    return entry.model_copy(update=changes)


def release_selected(entry: Entry, now: datetime) -> Entry:
    """An entry that somebody selected to be sent now: also when it was refused, or only its PDF waits."""
    can_go = entry.status in (EntryStatus.PENDING, EntryStatus.REJECTED) or entry.lacks_pdf
    return release_entry(entry, now) if can_go else entry
