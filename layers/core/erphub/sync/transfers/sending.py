"""One document's way to the ERP: sent once, whatever happens on the way.

    pending ──claim──▶ sending ──┬─ posted ─────────────▶ sent  (then the PDF, which can fail and be retried alone)
       ▲                         ├─ refused ────────────▶ rejected
       │                         ├─ not applied ────────▶ pending, later
       └── nothing found ◀─ look ┴─ no telling, or died ▶ uncertain

A document that may be in the ERP is looked for before it is sent again, and not before the settle time has passed: an
answer that was lost may belong to a request that the ERP is still working on. The settle time is longer than a worker
can live, so whoever claimed a document that long ago is dead.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from erphub.erp.documents import Document, DocumentKind, Invoice, Product, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.platform.clock import Clock
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
from erphub.sync.export_log.canonical import entry_id, from_text, pdf_name, posting_key
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Attachment, Entry, EntryState
from erphub.sync.export_log.ports import DocumentFiles, ExportLogStore
from erphub.sync.settings.models import Master, SyncSettings
from erphub.sync.transfers.attachments import PdfAttacher
from erphub.sync.transfers.attempts import AttemptContext, AttemptRecorder, erp_message_of, erp_trace_id_of

_ANYTHING = Product(number="0", name="0", price=Decimal(0))
_CORRECTABLE = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)


class SendOutcome(StrEnum):
    """What a try came to, for the transfer's counts."""

    SENT = "sent"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    PENDING = "pending"
    SKIPPED = "skipped"
    ATTACHED = "attached"
    UNANSWERED = "unanswered"
    """The ERP did not take it now, though it answers otherwise."""
    LEFT = "left"
    """Not its turn: somebody else has it, or it waits for something."""

    @property
    def counted(self) -> str:
        """Where the transfer counts it."""
        return SendOutcome.PENDING.value if self is SendOutcome.UNANSWERED else self.value


class PlannedAction(StrEnum):
    """What a transfer would do with a document now."""

    POST = "post"
    LOOK = "look_then_post"
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


class TransferAborted(Exception):
    """The ERP cannot be used at all now: trying the other documents would only repeat it."""

    def __init__(self, error: HubError) -> None:
        super().__init__(error.detail)
        self.error = error


@dataclass(frozen=True)
class DocumentSender:
    """Sends documents of one sync through one connected ERP, for one transfer."""

    log: ExportLogStore
    system: PostsDocuments
    settings: SyncSettings
    papers: DocumentFiles
    clock: Clock
    by: str
    transfer_id: str
    settle: timedelta
    render: Callable[[Settlement], bytes]
    merged: Callable[[Entry, Document], Document] | None = None
    """What is sent of a record that both sides may have changed."""
    meet: Callable[[Entry, Document, Posting], tuple[Document, str] | None] | None = None
    """What is sent of a record that the ERP had before, and its reference there; None when it had nothing such."""
    agreed: Callable[[Entry, Document], object] | None = None
    """Told what the ERP has of a customer or product from now on."""
    report: Callable[[str, HubError | Exception], None] = field(default=lambda _entry, _error: None)

    @cached_property
    def _book(self) -> AttemptRecorder:
        return AttemptRecorder(self.log, self.clock, self.by, self.transfer_id, self.settings.retention_days)

    @cached_property
    def _attacher(self) -> PdfAttacher:
        return PdfAttacher(self.system, self._book, self.papers, self.settle, self.render, self.report)

    def send(self, entry: Entry) -> SendOutcome:
        """Try one document. Raises StandStill when the ERP cannot be used at all."""
        match self.step(entry):
            case PlannedAction.POST:
                return self._send(entry, maybe_there=False)
            case PlannedAction.LOOK:
                return self._send(entry, maybe_there=True)
            case PlannedAction.ATTACH:
                return self._attach_alone(entry)
            case PlannedAction.LEAVE_OUT:
                return self._leave_out(entry)
            case _:
                return SendOutcome.LEFT

    def step(self, entry: Entry) -> PlannedAction:
        """What is to be done with a document now, as far as it can be told without the ERP."""
        now = self.clock()
        maybe_there = entry.state in (EntryState.SENDING, EntryState.UNCERTAIN)
        if not (maybe_there or entry.state is EntryState.PENDING or entry.queue == "attach"):
            return PlannedAction.NOTHING
        if not self._its_turn(entry, now):
            return PlannedAction.WAIT
        if entry.queue == "attach":
            return PlannedAction.ATTACH
        if not maybe_there and self._too_early(entry):
            return PlannedAction.LEAVE_OUT
        if self._waits_for_pdf(entry, now):
            return PlannedAction.WAIT
        return PlannedAction.LOOK if maybe_there else PlannedAction.POST

    def preview(self, entry: Entry) -> dict[str, Any]:
        """What would be done with a document (`would`), and exactly what would be posted. Raises what posting would."""
        step = self.step(entry)
        if step not in (PlannedAction.POST, PlannedAction.LOOK):
            return {"would": step.value}
        document = from_text(entry.body)
        known = self.known(entry, document)
        if self.merged is not None and entry.kind in _CORRECTABLE:
            document = self.merged(entry, document)
        posting = Posting(posting_key(entry.id), self.settings.routing(), known, entry.reference or None)
        document, posting = self._met(entry, document, posting)
        return {"would": step.value, "postings": list(self.system.preview(document, posting))}

    def _send(self, entry: Entry, *, maybe_there: bool) -> SendOutcome:
        now = self.clock()
        if entry.state is EntryState.SENDING:
            self._book.note_interrupted(entry)
        try:
            document = from_text(entry.body)
            known = self.known(entry, document)
        except HubError as error:
            return self._refuse_unsent(entry, error, maybe_there)
        try:
            claimed = self._claim(entry, now, maybe_there)
        except Conflict:
            return SendOutcome.LEFT
        if self.merged is not None and entry.kind in _CORRECTABLE:
            document = self.merged(claimed, document)
        posting = Posting(
            posting_key(entry.id),
            self.settings.routing(),
            known,
            entry.reference or None,
            *self._attacher.pdf(claimed, document),
        )
        return self._go(AttemptContext(claimed, document, posting, now, maybe_there))

    def _its_turn(self, entry: Entry, now: datetime) -> bool:
        if entry.not_before is not None and entry.not_before > now:
            return False
        if entry.state in (EntryState.SENDING, EntryState.UNCERTAIN):
            return entry.claimed_at is None or entry.claimed_at + self.settle <= now
        return True

    def _too_early(self, entry: Entry) -> bool:
        dated = entry.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)
        return dated and entry.date < self.settings.from_date

    def _leave_out(self, entry: Entry) -> SendOutcome:
        reason = f"Nothing of a day before {self.settings.from_date} is sent."
        self._book.save(entry, EntryState.SKIPPED, code=BEFORE_FROM_DATE, detail=reason)
        return SendOutcome.SKIPPED

    def _waits_for_pdf(self, entry: Entry, now: datetime) -> bool:
        waits = entry.wants_pdf_until is not None and entry.wants_pdf_until > now
        return waits and self.papers.size(pdf_name(entry)) is None

    def known(self, entry: Entry, document: Document) -> dict[str, str]:
        """References of what an invoice names.

        Raises ErpRefused when its customer was never handed over, Unavailable while that is not in the ERP yet.
        """
        if not isinstance(document, Invoice):
            return {}
        if self.settings.customers is Master.OFF:
            known = {f"customer:{document.customer_id}": document.customer_id}
        else:
            known = {f"customer:{document.customer_id}": self._customer(entry, document)}
        numbers = sorted({line.product_no for line in document.lines if line.product_no})
        names = [entry_id(entry.connection_id, DocumentKind.PRODUCT, number) for number in numbers]
        if names and self.settings.products is not Master.OFF:
            products = self.log.entries(entry.client_id, entry.connection_id, names)
            known |= {f"product:{product.external_id}": product.reference for product in products if product.reference}
        return known

    def _customer(self, entry: Entry, invoice: Invoice) -> str:
        name = entry_id(entry.connection_id, DocumentKind.CUSTOMER, invoice.customer_id)
        customer = self.log.entry(entry.client_id, entry.connection_id, name)
        if customer is None:
            raise ErpRefused(
                f"The invoice names the customer {invoice.customer_id}, who was never handed over."
                " Send the customer, then retry.",
                code="customer_unknown",
            )
        if not customer.reference:
            raise Unavailable(
                "The invoice's customer is not in the ERP yet; it follows the customer.", code="waits_for_customer"
            )
        return customer.reference

    def _refuse_unsent(self, entry: Entry, error: HubError, maybe_there: bool) -> SendOutcome:
        if maybe_there:
            self._book.save(entry, EntryState.UNCERTAIN, code=error.code, detail=error.detail)
            return SendOutcome.UNCERTAIN
        if isinstance(error, Unavailable):
            if entry.code != error.code:
                self._book.save(entry, EntryState.PENDING, code=error.code, detail=error.detail)
            return SendOutcome.PENDING
        self._book.save(entry, EntryState.REJECTED, code=error.code, detail=error.detail)
        return SendOutcome.REJECTED

    def _claim(self, entry: Entry, now: datetime, maybe_there: bool) -> Entry:
        known_place = entry.went_to if maybe_there else {}
        return self._book.put(
            entry,
            state=EntryState.SENDING,
            claimed_at=now,
            attempts=entry.attempts + 1,
            handled_by=self.transfer_id,
            sent_hash=entry.body_hash,
            went_to=known_place or self.settings.place(),
        )

    def _go(self, attempt: AttemptContext) -> SendOutcome:
        try:
            posted = self._post(attempt)
        except CredentialsRefused as error:
            self._later(attempt, error)
            raise TransferAborted(error) from error
        except Unavailable as error:
            return self._unanswered(attempt, error)
        except (ErpRefused, Invalid, NotFound) as error:
            if attempt.maybe_there and not attempt.pushed:
                return self._uncertain(attempt, error)  # the look was refused: that tells nothing of the document
            return self._rejected(attempt, error)
        except Uncertain as error:
            return self._uncertain(attempt, error)
        except Exception as error:  # noqa: BLE001 — whatever it was, the ERP may have the document
            self.report(attempt.entry.id, error)
            return self._uncertain(
                attempt, Uncertain("Something went wrong on our side while it was being sent.", code="internal_error")
            )
        if posted is None:
            self._book.note(attempt, "left_out")
            return self._leave_out(attempt.entry)
        return self._sent(attempt, posted)

    def _post(self, attempt: AttemptContext) -> Posted | None:
        """Post it, unless its day is one of which nothing is sent any more.

        It is looked for first whenever it was tried before, and so is a record that the ERP may have had all along.
        """
        tried = attempt.maybe_there or attempt.entry.attempts > 1
        if not attempt.entry.reference and tried and not isinstance(attempt.document, Product):
            found = self._look(attempt)
            if found is not None:
                return found
        attempt.looked = attempt.looked or self._may_meet(attempt.entry)
        attempt.document, attempt.posting = self._met(attempt.entry, attempt.document, attempt.posting)
        if self._too_early(attempt.entry):
            return None
        if attempt.entry.went_to != self.settings.place():
            attempt.entry = self._book.put(attempt.entry, went_to=self.settings.place())
        attempt.pushed = True
        return self.system.push(attempt.document, attempt.posting)

    def _may_meet(self, entry: Entry) -> bool:
        return self.meet is not None and not entry.reference and entry.kind in _CORRECTABLE

    def _met(self, entry: Entry, document: Document, posting: Posting) -> tuple[Document, Posting]:
        """A product with this number, or a company with this organisation number, is changed instead of made twice."""
        if self.meet is None or not self._may_meet(entry):
            return document, posting
        try:
            met = self.meet(entry, document, posting)
        except Conflict as error:
            raise Unavailable(error.detail, code=error.code, only_this=True) from error
        return (met[0], replace(posting, previous=met[1])) if met is not None else (document, posting)

    def _look(self, attempt: AttemptContext) -> Posted | None:
        """Look for it where the last try sent it: the settings may name another place by now."""
        attempt.looked = True
        there = replace(attempt.posting, routing=self._routing(attempt.entry))
        return self.system.find(attempt.entry.kind, there, attempt.document)

    def _routing(self, entry: Entry) -> dict[str, Any]:
        """The settings, but for the place to which the document went."""
        return self.settings.routing() | entry.went_to

    def _sent(self, attempt: AttemptContext, posted: Posted) -> SendOutcome:
        attachment = Attachment.NONE
        if isinstance(attempt.document, Settlement):
            attachment = Attachment.ATTACHED if posted.attached else Attachment.DUE
        self._book.note(attempt, "sent", posted=posted)
        entry = self._agree(attempt.entry, attempt.document, posted.reference)
        saved = self._book.put(
            entry,
            state=EntryState.SENT,
            attempts=entry.attempts + (attachment is Attachment.DUE),
            code="",
            detail="Waits for approval in the ERP." if posted.awaiting_approval else "",
            erp_words=posted.words[:1000],
            reference=posted.reference,
            trace=posted.trace or "",
            awaiting_approval=posted.awaiting_approval,
            facts=_plain_facts(posted),
            attachment=attachment,
            not_before=None,
            updated_at=self.clock(),
        )
        if attachment is Attachment.DUE:
            self._attach(saved, posted, replace(attempt.posting, routing=self._routing(saved)))
        return SendOutcome.SENT

    def _agree(self, entry: Entry, document: Document, reference: str) -> Entry:
        """Keep what both sides agree on; the entry as it is kept then.

        Before it is kept as sent: whoever dies in between finds the document in the ERP, and comes by here again.
        """
        if self.agreed is None or entry.kind not in _CORRECTABLE:
            return entry
        try:
            self.agreed(entry.model_copy(update={"reference": reference}), document)
        except HubError as error:
            if isinstance(error, ServiceBusy):
                raise
            # The document is in the ERP; what both sides agree on is found out again at the next look at its changes.
            self.report(entry.id, error)
        kept = self.log.entry(entry.client_id, entry.connection_id, entry.id)
        # What gave way was written beside it. Another body is the till's newer word, and was not sent.
        mine = kept is not None and kept.handled_by == entry.handled_by and kept.body_hash == entry.body_hash
        return kept if kept is not None and mine else entry

    def _attach_alone(self, entry: Entry) -> SendOutcome:
        document = from_text(entry.body)
        pdf, name = self._attacher.pdf(entry, document)
        posting = Posting(posting_key(entry.id), self._routing(entry), {}, entry.reference, pdf, name)
        posted = Posted(
            entry.reference, trace=entry.trace or None, awaiting_approval=entry.awaiting_approval, facts=entry.facts
        )
        numbered = self._book.put(entry, attempts=entry.attempts + 1, handled_by=self.transfer_id)
        return SendOutcome.ATTACHED if self._attach(numbered, posted, posting) else SendOutcome.LEFT

    def _attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        try:
            return self._attacher.attach(entry, posted, posting)
        except CredentialsRefused as error:
            raise TransferAborted(error) from error

    def _unanswered(self, attempt: AttemptContext, error: Unavailable) -> SendOutcome:
        """It was not applied. It may itself be the reason: then it waits, longer each time, and the others go on.

        Raises StandStill when the ERP asks for peace, or answers nothing else either.
        """
        if error.facts.get("only_this"):
            self._later(attempt, error)
            return SendOutcome.PENDING  # its PDF, say, cannot be taken now: the others have nothing to do with that
        if "retry_after" in error.facts or not self._answers(attempt):
            self._later(attempt, error)
            raise TransferAborted(error) from error
        self._later(attempt, error, wait=self.settle * 2 ** min(attempt.entry.attempts - 1, 6))
        return SendOutcome.UNANSWERED

    def _answers(self, attempt: AttemptContext) -> bool:
        """Whether the ERP answers another question now; any answer will do, a refusal too."""
        try:
            self.system.find(DocumentKind.PRODUCT, Posting(attempt.posting.key, self.settings.routing()), _ANYTHING)
        except (CredentialsRefused, Unavailable):
            return False
        except HubError:
            return True
        except Exception as error:  # noqa: BLE001 — that is no answer; what was sent is still written down as it fared
            self.report(attempt.entry.id, error)
            return False
        return True

    def _later(self, attempt: AttemptContext, error: HubError, wait: timedelta | None = None) -> None:
        """It was not applied; unless an earlier try may have been, it simply waits."""
        state = EntryState.UNCERTAIN if attempt.maybe_there and not attempt.pushed else EntryState.PENDING
        self._book.note(attempt, "not_applied", error=error)
        if (asked := error.facts.get("retry_after")) is not None:
            wait = timedelta(seconds=float(str(asked)))
        self._book.save(
            attempt.entry,
            state,
            code=error.code,
            detail=error.detail,
            not_before=self.clock() + wait if wait else None,
            trace=erp_trace_id_of(error),
        )

    def _rejected(self, attempt: AttemptContext, error: HubError) -> SendOutcome:
        self._book.note(attempt, "rejected", error=error)
        self._book.save(
            attempt.entry,
            EntryState.REJECTED,
            code=error.code,
            detail=error.detail,
            erp_words=erp_message_of(error),
            trace=erp_trace_id_of(error),
        )
        return SendOutcome.REJECTED

    def _uncertain(self, attempt: AttemptContext, error: HubError) -> SendOutcome:
        self._book.note(attempt, "uncertain", error=error)
        self._book.save(
            attempt.entry,
            EntryState.UNCERTAIN,
            code=error.code,
            detail=f"{error.detail} The ERP is asked before it is sent again.",
            erp_words=erp_message_of(error),
            not_before=self.clock() + self.settle * 2 ** min(max(attempt.entry.attempts - 1, 0), 6),
            trace=erp_trace_id_of(error),
        )
        return SendOutcome.UNCERTAIN


def _plain_facts(posted: Posted) -> dict[str, Any]:
    return json.loads(json.dumps(dict(posted.facts), default=str))
