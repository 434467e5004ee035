"""What is to be done with a document now, as far as it can be told without the ERP."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from erphub.erp.documents import DocumentKind
from erphub.platform.clock import Clock
from erphub.sync.export_log.models import Entry, EntryStatus
from erphub.sync.export_log.pdfs import WAITS_FOR_PDF, HandedOver, HandedPdfs
from erphub.sync.settings.models import SyncSettings


class PlannedAction(StrEnum):
    """What a transfer would do with a document now."""

    POST = "post"
    FIND_THEN_POST = "find_then_post"
    """It may be in the ERP: only if it is not found there it is posted."""
    ATTACH = "attach"
    """It is in the ERP; only its PDF follows."""
    LEAVE_OUT = "leave_out"
    """Its day is one of which nothing is sent."""
    WAIT = "wait"
    NOTHING = "nothing"
    """It has come to an end."""
    BE_REFUSED = "be_refused"
    """It cannot be posted as it is; a dry run says why."""


@dataclass(frozen=True)
class ActionPlanner:
    """Decides for documents of one sync."""

    settings: SyncSettings
    handed: HandedPdfs
    clock: Clock
    resend_delay: timedelta

    def action_for(self, entry: Entry) -> PlannedAction:
        """What is to be done with a document now."""
        now = self.clock()
        maybe_there = entry.status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN)
        if not (maybe_there or entry.status is EntryStatus.PENDING or entry.queue == "attach"):
            return PlannedAction.NOTHING
        if self._must_wait(entry, now):
            return PlannedAction.WAIT
        if entry.queue == "attach":
            return PlannedAction.ATTACH
        if not maybe_there and self.is_too_early(entry):
            return PlannedAction.LEAVE_OUT
        if self.wait_for_pdf(entry) is not None:
            return PlannedAction.WAIT
        return PlannedAction.FIND_THEN_POST if maybe_there else PlannedAction.POST

    def pdf_reason(self, entry: Entry) -> tuple[str, str] | None:
        """Code and sentence of what waits although files came for its PDF, where the entry does not say so yet."""
        handed = self.wait_for_pdf(entry) if entry.status is EntryStatus.PENDING else None
        if handed is None or not handed.code or entry.code not in ("", *WAITS_FOR_PDF):
            return None
        said = (handed.code, handed.reason(entry.wants_pdf_until))
        return said if said != (entry.code, entry.detail) else None

    def is_too_early(self, entry: Entry) -> bool:
        """Whether it is of a day of which nothing is sent."""
        is_dated = entry.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)
        return is_dated and entry.date < self.settings.from_date

    def _must_wait(self, entry: Entry, now: datetime) -> bool:
        if entry.retry_at is not None and entry.retry_at > now:
            return True
        if entry.status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN):
            return entry.claimed_at is not None and entry.claimed_at + self.resend_delay > now
        return False

    def wait_for_pdf(self, entry: Entry) -> HandedOver | None:
        """What was handed over so far, when the right PDF can still come and is waited for."""
        if entry.wants_pdf_until is None or entry.wants_pdf_until <= self.clock():
            return None
        handed = self.handed.look(entry)
        return None if handed.is_ready else handed
