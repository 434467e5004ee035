"""What is written of an attempt to send a document: the attempt, for good, and then what has become of the document.

The attempt is written before the document's entry says what came of it: whoever dies in between leaves an entry that is
still being sent, and the ERP is asked before anything is sent again.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.documents import Document
from erphub.erp.posting import NEVER_TRIED, Posted, Posting
from erphub.platform import logging
from erphub.platform.characters import shown
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.redaction import clean_text
from erphub.sync import problems
from erphub.sync.canonical import digest, masked
from erphub.sync.export_log.models import Attempt, Entry, EntryStatus, VoucherEdit
from erphub.sync.export_log.ports import EntryStore

_MAX_DOUBLINGS = 6
"""How often the resend delay is doubled at most."""


@dataclass
class AttemptContext:
    """One attempt while it goes on."""

    entry: Entry
    document: Document
    posting: Posting
    started: datetime
    maybe_there: bool = False
    """Whether an earlier attempt may have reached the ERP."""
    searched_first: bool = False
    pushed: bool = False
    """Whether this one may have reached the ERP."""
    edits: tuple[VoucherEdit, ...] = ()
    """What was edited of it in the ERP's inbox, when it was found approved."""

    def was_approved(self, posted: Posted) -> bool:
        """Whether it went to an inbox and is found in the ledger."""
        return bool(self.entry.sent_routing) and not self.pushed and not posted.awaiting_approval


@dataclass(frozen=True)
class AttemptRecorder:
    """Writes down what one transfer does to the documents of a sync, and keeps it for so many days."""

    entries: EntryStore
    clock: Clock
    started_by: str
    transfer_id: str
    keep_days: int

    def update(self, entry: Entry, **changes: Any) -> Entry:
        """Keep the entry with these changes. Raises Conflict when somebody else was first."""
        return self.entries.save(entry.model_copy(update=changes), self.keep_days)

    def set_status(self, entry: Entry, status: EntryStatus, **changes: Any) -> Entry:
        """Keep the entry with its new status; nothing of an earlier outcome remains."""
        cleared: dict[str, Any] = {
            "erp_message": "",
            "erp_trace_id": "",
            "retry_at": None,
            "handled_by": self.transfer_id,
        }
        return self.update(entry, status=status, updated_at=self.clock(), **(cleared | changes))

    def record(
        self, attempt: AttemptContext, outcome: str, *, posted: Posted | None = None, error: HubError | None = None
    ) -> None:
        """Append the attempt with its outcome."""
        entry = attempt.entry
        text = json.dumps([entry.body, dict(attempt.posting.routing)], sort_keys=True, default=str)
        self.entries.add_attempt(
            entry,
            Attempt(
                number=entry.attempt_count,
                attempted_at=attempt.started,
                finished_at=self.clock(),
                started_by=self.started_by,
                transfer_id=self.transfer_id,
                outcome=outcome,
                content_hash=digest(text),
                document=masked(attempt.document),
                searched_first=attempt.searched_first,
                code=error.code if error else "",
                detail=error.detail if error else "",
                erp_message=readable_message(posted.erp_message) if posted else erp_message_of(error),
                reference=posted.reference if posted else "",
                erp_trace_id=(posted.trace_id or "") if posted else erp_trace_id_of(error),
            ),
            self.keep_days,
        )

    def record_interrupted(self, entry: Entry) -> None:
        """Append the attempt before this one, which ended without a word: whoever made it died."""
        began = entry.claimed_at or entry.updated_at
        self.entries.add_attempt(
            entry,
            Attempt(
                number=entry.attempt_count,
                attempted_at=began,
                finished_at=began,
                started_by=self.started_by,
                transfer_id=entry.handled_by,
                outcome="interrupted",
                content_hash=entry.sent_hash,
                code=problems.INTERRUPTED.code,
                detail=problems.INTERRUPTED.render(),
            ),
            self.keep_days,
        )


def quiet_since(entry: Entry, resend_delay: timedelta) -> datetime | None:
    """See `Posting`: whoever claimed the entry before is dead when the resend delay has passed."""
    if not entry.attempt_count:
        return NEVER_TRIED
    return entry.claimed_at + resend_delay if entry.claimed_at else None


def growing_delay(entry: Entry, resend_delay: timedelta) -> timedelta:
    """How long what failed waits, longer each time."""
    return resend_delay * 2 ** min(max(entry.attempt_count - 1, 0), _MAX_DOUBLINGS)


def erp_message_of(error: HubError | None) -> str:
    """The ERP's own words in an error."""
    return readable_message(str(error.members.get("erp_message", ""))) if error else ""


def readable_message(words: str) -> str:
    """The ERP's own words as people may read them, at most 1,000 characters."""
    return shown(clean_text(words))[:1000]


def erp_trace_id_of(error: HubError | None) -> str:
    """The ERP's own id of the exchange, in an error."""
    return str(error.members.get("erp_trace_id", "") or "") if error else ""


def report_unexpected(about: str, error: Exception) -> None:
    """For operators: something of a document, or of a kind of records, went wrong in a way nobody foresaw."""
    logging.logger().error("a document met something unforeseen", exc_info=error, extra={"entry_id": about})
