"""One document's way to the ERP: sent once, whatever happens on the way.

    pending ──claim──▶ sending ──┬─ posted ─────────────▶ sent  (then the PDF, which can fail and be retried alone)
       ▲                         ├─ refused ────────────▶ rejected
       │                         ├─ not applied ────────▶ pending, later
       └── nothing found ◀─ find ┴─ no telling, or died ▶ uncertain

A document that may be in the ERP is looked for before it is sent again, and not before the resend delay has passed: an
answer that was lost may belong to a request that the ERP is still working on. The delay is longer than a worker can
live, so whoever claimed a document that long ago is dead.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erphub.erp.documents import Document, DocumentKind, Product, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.platform.errors import (
    Conflict,
    CredentialsRefused,
    ErpRefused,
    HubError,
    Invalid,
    NotFound,
    ServiceBusy,
    Unavailable,
    Uncertain,
)
from erphub.platform.outbound import deadlines
from erphub.platform.redaction import clean
from erphub.sync import problems
from erphub.sync.canonical import from_text, posting_key
from erphub.sync.changes.record_merge import RecordMerge
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Attachment, Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import SettlementTarget, SyncSettings
from erphub.sync.transfers.actions import ActionPlanner, PlannedAction
from erphub.sync.transfers.approvals import edited_words, edits_of
from erphub.sync.transfers.attachments import PdfAttacher
from erphub.sync.transfers.attempts import (
    AttemptContext,
    AttemptRecorder,
    erp_message_of,
    erp_trace_id_of,
    growing_delay,
    quiet_since,
    readable_message,
    report_unexpected,
)
from erphub.sync.transfers.references import known_references
from erphub.sync.transfers.send_outcome import SendOutcome, TransferAborted

_ANY_PRODUCT = Product(number="0", name="0", price=Decimal(0))
_CORRECTABLE = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)
DOCUMENT_SECONDS = 120.0
"""The longest that one document may take: looking for it, sending it, its answer."""


@dataclass(frozen=True)
class DocumentSender:
    """Sends documents of one sync through one connected ERP, for one transfer."""

    adapter: PostsDocuments
    settings: SyncSettings
    entries: EntryStore
    actions: ActionPlanner
    recorder: AttemptRecorder
    attacher: PdfAttacher
    records: RecordMerge | None
    """Merges customers and products with the ERP's, where it says what changed there."""
    resend_delay: timedelta

    def send(self, entry: Entry) -> SendOutcome:
        """Try one document. Raises TransferAborted when the ERP cannot be used at all."""
        match self.actions.action_for(entry):
            case PlannedAction.POST:
                return self._send(entry, maybe_there=False)
            case PlannedAction.FIND_THEN_POST:
                return self._send(entry, maybe_there=True)
            case PlannedAction.ATTACH:
                return self._attach_alone(entry)
            case PlannedAction.LEAVE_OUT:
                return self._leave_out(entry)
            case PlannedAction.WAIT if reason := self.actions.pdf_reason(entry):
                self.recorder.set_status(entry, EntryStatus.PENDING, code=reason[0], detail=reason[1])
                return SendOutcome.LEFT
            case _:
                return SendOutcome.LEFT

    def preview(self, entry: Entry) -> dict[str, Any]:
        """What would be done with a document, and exactly what would be posted. Raises what posting would."""
        action = self.actions.action_for(entry)
        if action not in (PlannedAction.POST, PlannedAction.FIND_THEN_POST):
            return {"action": action.value}
        document = from_text(entry.body)
        known = known_references(self.entries, self.settings, entry, document)
        document = self._merged(entry, document)
        posting = Posting(posting_key(entry.id), self.settings.routing(), known, entry.reference or None)
        document, posting = self._match_existing(entry, document, posting)
        return {"action": action.value, "postings": list(self.adapter.preview(document, posting))}

    # --- the attempt -------------------------------------------------------------------------------------------------

    def _send(self, entry: Entry, *, maybe_there: bool) -> SendOutcome:
        now = self._now()
        if entry.status is EntryStatus.SENDING:
            self.recorder.record_interrupted(entry)
        try:
            document = from_text(entry.body)
            known = known_references(self.entries, self.settings, entry, document)
        except HubError as error:
            return self.refuse_unsent(entry, error, maybe_there)
        try:
            chosen = self.attacher.choose(entry, document)
            claimed = self._claim(entry, now, maybe_there, chosen.changes)
        except Conflict:
            return SendOutcome.LEFT
        document = self._merged(claimed, document)
        posting = Posting(
            posting_key(entry.id),
            self.settings.routing(),
            known,
            entry.reference or None,
            chosen.content,
            chosen.name,
            resend=entry.resend_allowed,
            quiet_since=quiet_since(entry, self.resend_delay),
        )
        return self._try(AttemptContext(claimed, document, posting, now, maybe_there))

    def _claim(self, entry: Entry, now: datetime, maybe_there: bool, changes: Mapping[str, Any]) -> Entry:
        return self.recorder.update(
            entry,
            status=EntryStatus.SENDING,
            claimed_at=now,
            attempt_count=entry.attempt_count + 1,
            handled_by=self.recorder.transfer_id,
            sent_hash=entry.body_hash,
            resend_allowed=False,
            **({} if maybe_there and entry.destination else self._destination(entry)),
            **changes,
        )

    def _destination(self, entry: Entry) -> dict[str, Any]:
        """Where the document goes by the settings; of what goes to an inbox also how, to be compared later."""
        to_inbox = entry.kind is DocumentKind.SETTLEMENT and self.settings.settlement_target is SettlementTarget.INBOX
        return {
            "destination": self.settings.destination(),
            "sent_routing": self.settings.routing() if to_inbox else {},
        }

    def _try(self, attempt: AttemptContext) -> SendOutcome:
        try:
            with deadlines.at_most(DOCUMENT_SECONDS):
                posted = self._post(attempt)
        except CredentialsRefused as error:
            self._not_applied(attempt, error)
            raise TransferAborted(error) from error
        except Unavailable as error:
            return self._unanswered(attempt, error)
        except (ErpRefused, Invalid, NotFound) as error:
            if attempt.maybe_there and not attempt.pushed:
                return self._uncertain(attempt, error)  # the search was refused: that tells nothing of the document
            return self._rejected(attempt, error)
        except Uncertain as error:
            return self._uncertain(attempt, error)
        except Exception as error:  # noqa: BLE001 — whatever it was, the ERP may have the document
            report_unexpected(attempt.entry.id, error)
            return self._uncertain(attempt, problems.SENDING_FAILED())
        if posted is None:
            self.recorder.record(attempt, "left_out")
            return self._leave_out(attempt.entry)
        return self._sent(attempt, posted)

    def _post(self, attempt: AttemptContext) -> Posted | None:
        """Post it, unless its day is one of which nothing is sent any more.

        It is looked for first whenever it was tried before, and so is a record that the ERP may have had all along.
        """
        was_tried = attempt.maybe_there or attempt.entry.attempt_count > 1
        if not attempt.entry.reference and was_tried and not isinstance(attempt.document, Product):
            found = self._find(attempt)
            if found is not None:
                return found
        attempt.searched_first = attempt.searched_first or self._can_match(attempt.entry)
        attempt.document, attempt.posting = self._match_existing(attempt.entry, attempt.document, attempt.posting)
        if self.actions.is_too_early(attempt.entry):
            return None
        wanted = self._destination(attempt.entry)
        if any(getattr(attempt.entry, name) != value for name, value in wanted.items()):
            attempt.entry = self.recorder.update(attempt.entry, **wanted)
        attempt.pushed = True
        return self.adapter.push(attempt.document, attempt.posting)

    def _find(self, attempt: AttemptContext) -> Posted | None:
        """Look for it where the last attempt sent it: the settings may name another destination by now."""
        attempt.searched_first = True
        there = replace(attempt.posting, routing=self._routing(attempt.entry))
        found = self.adapter.find(attempt.entry.kind, there, attempt.document)
        if found is not None and attempt.entry.sent_routing and isinstance(attempt.document, Settlement):
            attempt.edits = edits_of(self.adapter, attempt.entry, attempt.document, there, found)
        return found

    def _routing(self, entry: Entry) -> dict[str, Any]:
        """How the document went; where that is not known, the settings, but for the destination."""
        return entry.sent_routing or self.settings.routing() | entry.destination

    # --- records that the ERP may have had or changed ----------------------------------------------------------------

    def _merged(self, entry: Entry, document: Document) -> Document:
        if self.records is None or entry.kind not in _CORRECTABLE:
            return document
        return self.records.merged(entry, document)

    def _can_match(self, entry: Entry) -> bool:
        return self.records is not None and not entry.reference and entry.kind in _CORRECTABLE

    def _match_existing(self, entry: Entry, document: Document, posting: Posting) -> tuple[Document, Posting]:
        """A product with this number, or a company with this organisation number, is changed instead of made twice."""
        if self.records is None or not self._can_match(entry):
            return document, posting
        try:
            match = self.records.match_existing(entry, document, posting)
        except Conflict as error:
            raise Unavailable.restored(error.code, error.detail, only_this=True) from error
        return (match[0], replace(posting, previous=match[1])) if match is not None else (document, posting)

    def _mark_in_sync(self, entry: Entry, document: Document, reference: str) -> Entry:
        """Keep what both sides have in common; the entry as it is kept then.

        Before it is kept as sent: whoever dies in between finds the document in the ERP, and comes by here again.
        """
        if self.records is None or entry.kind not in _CORRECTABLE:
            return entry
        try:
            self.records.mark_in_sync(entry.model_copy(update={"reference": reference}), document)
        except HubError as error:
            if isinstance(error, ServiceBusy):
                raise
            # The document is in the ERP; what both have in common is found out with the next look at its changes.
            report_unexpected(entry.id, error)
        kept = self.entries.get(entry.client_id, entry.connection_id, entry.id)
        if kept is None or kept.handled_by != entry.handled_by or kept.body_hash != entry.body_hash:
            return entry  # another body is the till's newer word, and was not sent
        return kept  # what gave way was written beside it

    # --- what came of it ---------------------------------------------------------------------------------------------

    def _leave_out(self, entry: Entry) -> SendOutcome:
        detail = problems.BEFORE_FROM_DATE.render(from_date=self.settings.from_date)
        self.recorder.set_status(entry, EntryStatus.SKIPPED, code=BEFORE_FROM_DATE, detail=detail)
        return SendOutcome.SKIPPED

    def refuse_unsent(self, entry: Entry, error: HubError, maybe_there: bool) -> SendOutcome:
        """Keep why a document is not sent now; `maybe_there` when an earlier attempt may have sent it."""
        if maybe_there:
            self.recorder.set_status(entry, EntryStatus.UNCERTAIN, code=error.code, detail=error.detail)
            return SendOutcome.UNCERTAIN
        if isinstance(error, Unavailable):
            if entry.code != error.code:
                self.recorder.set_status(entry, EntryStatus.PENDING, code=error.code, detail=error.detail)
            return SendOutcome.PENDING
        self.recorder.set_status(entry, EntryStatus.REJECTED, code=error.code, detail=error.detail)
        return SendOutcome.REJECTED

    def _sent(self, attempt: AttemptContext, posted: Posted) -> SendOutcome:
        attachment = Attachment.NONE
        if isinstance(attempt.document, Settlement):
            attachment = Attachment.ATTACHED if posted.attached else Attachment.DUE
        self.recorder.record(attempt, "sent", posted=posted)
        entry = self._mark_in_sync(attempt.entry, attempt.document, posted.reference)
        saved = self.recorder.update(
            entry,
            status=EntryStatus.SENT,
            attempt_count=entry.attempt_count + (attachment is Attachment.DUE),
            code="",
            detail="Waits for approval in the ERP." if posted.awaiting_approval else edited_words(attempt.edits),
            approved_at=self._now() if attempt.was_approved(posted) else None,
            edits=attempt.edits,
            erp_message=readable_message(posted.erp_message),
            reference=posted.reference,
            erp_trace_id=posted.trace_id or "",
            awaiting_approval=posted.awaiting_approval,
            erp_details=clean(json.loads(json.dumps(dict(posted.details), default=str))),
            attachment=attachment,
            retry_at=None,
            updated_at=self._now(),
        )
        if attachment is Attachment.DUE:
            self._attach(saved, posted, replace(attempt.posting, routing=self._routing(saved), quiet_since=None))
        return SendOutcome.SENT

    def _attach_alone(self, entry: Entry) -> SendOutcome:
        document = from_text(entry.body)
        chosen = self.attacher.choose(entry, document)
        posting = Posting(
            posting_key(entry.id),
            self._routing(entry),
            {},
            entry.reference,
            chosen.content,
            chosen.name,
            quiet_since=entry.retry_at if entry.attachment is Attachment.FAILED else None,
        )
        posted = Posted(
            entry.reference,
            trace_id=entry.erp_trace_id or None,
            awaiting_approval=entry.awaiting_approval,
            details=entry.erp_details,
        )
        numbered = self.recorder.update(
            entry,
            attempt_count=entry.attempt_count + 1,
            handled_by=self.recorder.transfer_id,
            **chosen.changes,
        )
        return SendOutcome.ATTACHED if self._attach(numbered, posted, posting) else SendOutcome.LEFT

    def _attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        try:
            return self.attacher.attach(entry, posted, posting)
        except CredentialsRefused as error:
            raise TransferAborted(error) from error

    def _unanswered(self, attempt: AttemptContext, error: Unavailable) -> SendOutcome:
        """It was not applied. It may itself be the reason: then it waits, longer each time, and the others go on.

        Raises TransferAborted when the ERP asks for peace, or answers nothing else either.
        """
        if error.members.get("only_this"):
            self._not_applied(attempt, error)
            return SendOutcome.PENDING  # its PDF, say, cannot be taken now: the others have nothing to do with that
        if "retry_after" in error.members or not self._answers(attempt):
            self._not_applied(attempt, error)
            raise TransferAborted(error) from error
        self._not_applied(attempt, error, wait=growing_delay(attempt.entry, self.resend_delay))
        return SendOutcome.UNANSWERED

    def _answers(self, attempt: AttemptContext) -> bool:
        """Whether the ERP answers another question now; any answer will do, a refusal too."""
        posting = Posting(attempt.posting.key, self.settings.routing())
        try:
            self.adapter.find(DocumentKind.PRODUCT, posting, _ANY_PRODUCT)
        except (CredentialsRefused, Unavailable):
            return False
        except HubError:
            return True
        except Exception as error:  # noqa: BLE001 — that is no answer; what was sent is still written down as it fared
            report_unexpected(attempt.entry.id, error)
            return False
        return True

    def _not_applied(self, attempt: AttemptContext, error: HubError, wait: timedelta | None = None) -> None:
        """It simply waits, unless an earlier attempt may have been applied."""
        status = EntryStatus.UNCERTAIN if attempt.maybe_there and not attempt.pushed else EntryStatus.PENDING
        self.recorder.record(attempt, "not_applied", error=error)
        if (asked := error.members.get("retry_after")) is not None:
            wait = timedelta(seconds=float(str(asked)))
        self.recorder.set_status(
            attempt.entry,
            status,
            code=error.code,
            detail=error.detail,
            retry_at=self._now() + wait if wait else None,
            erp_trace_id=erp_trace_id_of(error),
        )

    def _rejected(self, attempt: AttemptContext, error: HubError) -> SendOutcome:
        self.recorder.record(attempt, "rejected", error=error)
        self.recorder.set_status(
            attempt.entry,
            EntryStatus.REJECTED,
            code=error.code,
            detail=error.detail,
            erp_message=erp_message_of(error),
            erp_trace_id=erp_trace_id_of(error),
        )
        return SendOutcome.REJECTED

    def _uncertain(self, attempt: AttemptContext, error: HubError) -> SendOutcome:
        self.recorder.record(attempt, "uncertain", error=error)
        self.recorder.set_status(
            attempt.entry,
            EntryStatus.UNCERTAIN,
            code=error.code,
            detail=f"{error.detail} The ERP is asked before it is sent again.",
            erp_message=erp_message_of(error),
            retry_at=self._now() + growing_delay(attempt.entry, self.resend_delay),
            erp_trace_id=erp_trace_id_of(error),
        )
        return SendOutcome.UNCERTAIN

    def _now(self) -> datetime:
        return self.recorder.clock()
