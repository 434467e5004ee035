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
from enum import StrEnum
from typing import Any

from .errors import Conflict, CredentialsRefused, ErpRefused, HubError, Invalid, NotFound, Unavailable, Uncertain
from .models.document import Document, DocumentKind, Invoice, Product, Settlement
from .models.sync import Attachment, Attempt, Entry, EntryState, Master, SyncSettings
from .paperwork import digest, entry_id, from_text, masked, pdf_name, posting_key
from .ports.documents import Posted, Posting, TakesDocuments
from .ports.sync import ExportLog, Papers
from .ports.world import Clock

LARGEST_PDF = 10 * 1024 * 1024
_CORRECTABLE = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)


class Fate(StrEnum):
    """What a try came to, for the transfer's counts."""

    SENT = "sent"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    PENDING = "pending"
    SKIPPED = "skipped"
    ATTACHED = "attached"
    LEFT = "left"
    """Not its turn: somebody else has it, or it waits for something."""


class StandStill(Exception):
    """The ERP cannot be used at all now: trying the other documents would only repeat it."""

    def __init__(self, error: HubError) -> None:
        super().__init__(error.detail)
        self.error = error


@dataclass
class _Try:
    """One attempt while it goes on."""

    entry: Entry
    document: Document
    posting: Posting
    started: datetime
    maybe_there: bool = False
    """Whether an earlier try may have reached the ERP."""
    looked: bool = False
    pushed: bool = False


@dataclass(frozen=True)
class Sender:
    """Sends documents of one sync through one connected ERP, for one transfer."""

    log: ExportLog
    system: TakesDocuments
    settings: SyncSettings
    papers: Papers
    clock: Clock
    by: str
    transfer_id: str
    settle: timedelta
    render: Callable[[Settlement], bytes]
    merged: Callable[[Entry, Document], Document] | None = None
    """What is sent of a record that both sides may have changed."""
    agreed: Callable[[Entry, Document], None] | None = None
    """Told what the ERP has of a customer or product from now on."""
    report: Callable[[str, HubError | Exception], None] = field(default=lambda _entry, _error: None)

    def send(self, entry: Entry) -> Fate:
        """Try one document. Raises StandStill when the ERP cannot be used at all."""
        now = self.clock()
        if not self._its_turn(entry, now):
            return Fate.LEFT
        if entry.queue == "attach":
            return self._attach_alone(entry)
        if reason := self._before(entry):
            self._save(entry, EntryState.SKIPPED, code="before_from_date", detail=reason)
            return Fate.SKIPPED
        if self._waits_for_pdf(entry, now):
            return Fate.LEFT
        maybe_there = entry.state in (EntryState.SENDING, EntryState.UNCERTAIN)
        if entry.state is EntryState.SENDING:
            self._note_interrupted(entry)
        try:
            document = from_text(entry.body)
            known = self.known(entry, document)
        except HubError as error:
            return self._refuse_unsent(entry, error, maybe_there)
        try:
            claimed = self._claim(entry, now)
        except Conflict:
            return Fate.LEFT
        if self.merged is not None and entry.kind in _CORRECTABLE:
            document = self.merged(claimed, document)
        posting = Posting(
            posting_key(entry.id),
            self.settings.routing(),
            known,
            entry.reference or None,
            *self._pdf(claimed, document),
        )
        return self._go(_Try(claimed, document, posting, now, maybe_there))

    def _its_turn(self, entry: Entry, now: datetime) -> bool:
        if entry.not_before is not None and entry.not_before > now:
            return False
        if entry.state in (EntryState.SENDING, EntryState.UNCERTAIN):
            return entry.claimed_at is None or entry.claimed_at + self.settle <= now
        return entry.state is EntryState.PENDING or entry.queue == "attach"

    def _before(self, entry: Entry) -> str | None:
        dated = entry.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)
        if dated and entry.state is EntryState.PENDING and entry.date < self.settings.from_date:
            return f"Nothing of a day before {self.settings.from_date} is sent."
        return None

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

    def _refuse_unsent(self, entry: Entry, error: HubError, maybe_there: bool) -> Fate:
        if maybe_there:
            self._save(entry, EntryState.UNCERTAIN, code=error.code, detail=error.detail)
            return Fate.UNCERTAIN
        if isinstance(error, Unavailable):
            if entry.code != error.code:
                self._save(entry, EntryState.PENDING, code=error.code, detail=error.detail)
            return Fate.PENDING
        self._save(entry, EntryState.REJECTED, code=error.code, detail=error.detail)
        return Fate.REJECTED

    def _claim(self, entry: Entry, now: datetime) -> Entry:
        return self._put(
            entry,
            state=EntryState.SENDING,
            claimed_at=now,
            attempts=entry.attempts + 1,
            handled_by=self.transfer_id,
            sent_hash=entry.body_hash,
        )

    def _pdf(self, entry: Entry, document: Document) -> tuple[bytes | None, str]:
        """The till's own PDF, or the settlement as the hub renders it."""
        if not isinstance(document, Settlement):
            return None, ""
        name = f"Z-{document.number}-{document.date.isoformat()}.pdf"
        size = self.papers.size(pdf_name(entry)) if entry.wants_pdf_until else None
        if size is not None and 0 < size <= LARGEST_PDF:
            pdf = self.papers.read(pdf_name(entry))
            if pdf.startswith(b"%PDF-"):
                return pdf, name
        try:
            return self.render(document), name
        except Exception as error:  # noqa: BLE001 — a PDF that cannot be made does not hold the voucher back
            self.report(entry.id, error)
            return None, name

    def _go(self, attempt: _Try) -> Fate:
        try:
            posted = self._post(attempt)
        except (CredentialsRefused, Unavailable) as error:
            self._later(attempt, error)
            if error.facts.get("only_this"):
                return Fate.PENDING  # its PDF, say, cannot be taken now: the others have nothing to do with that
            raise StandStill(error) from error
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
        return self._sent(attempt, posted)

    def _post(self, attempt: _Try) -> Posted:
        """Post it; but look first whenever it was tried before, and for a product by its number."""
        entry, posting = attempt.entry, attempt.posting
        tried = attempt.maybe_there or entry.attempts > 1
        if not entry.reference and (tried or isinstance(attempt.document, Product)):
            attempt.looked = True
            found = self.system.find(entry.kind, posting, attempt.document)
            if found is not None and not isinstance(attempt.document, Product):
                return found
            if found is not None:
                posting = replace(posting, previous=found.reference)
        attempt.pushed = True
        return self.system.push(attempt.document, posting)

    def _sent(self, attempt: _Try, posted: Posted) -> Fate:
        attachment = Attachment.NONE
        if isinstance(attempt.document, Settlement):
            attachment = Attachment.ATTACHED if posted.attached else Attachment.DUE
        self._note(attempt, "sent", posted=posted)
        saved = self._put(
            attempt.entry,
            state=EntryState.SENT,
            attempts=attempt.entry.attempts + (attachment is Attachment.DUE),
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
        self._agree(saved, attempt.document)
        if attachment is Attachment.DUE:
            self._attach(saved, posted, attempt.posting)
        return Fate.SENT

    def _agree(self, entry: Entry, document: Document) -> None:
        if self.agreed is None or entry.kind not in _CORRECTABLE:
            return
        try:
            self.agreed(entry, document)
        except HubError as error:
            # The document is in the ERP; what both sides agree on is found out again at the next look at its changes.
            self.report(entry.id, error)

    def _attach_alone(self, entry: Entry) -> Fate:
        document = from_text(entry.body)
        pdf, name = self._pdf(entry, document)
        posting = Posting(posting_key(entry.id), self.settings.routing(), {}, entry.reference, pdf, name)
        posted = Posted(
            entry.reference, trace=entry.trace or None, awaiting_approval=entry.awaiting_approval, facts=entry.facts
        )
        numbered = self._put(entry, attempts=entry.attempts + 1, handled_by=self.transfer_id)
        return Fate.ATTACHED if self._attach(numbered, posted, posting) else Fate.LEFT

    def _attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        """Attach the PDF to what was posted. Only that is tried again when it fails."""
        started = self.clock()
        trial = _Try(entry, from_text(entry.body), posting, started)
        try:
            if posting.pdf is None:
                raise HubError("The PDF could not be made.", code="pdf_not_made")
            done = self.system.attach(posted, posting, posting.pdf, posting.pdf_name)
        except HubError as error:
            self._not_attached(trial, error)
            if isinstance(error, CredentialsRefused):
                raise StandStill(error) from error
            return False
        except Exception as error:  # noqa: BLE001 — the voucher is there; attaching is repeated, and repeats safely
            self.report(entry.id, error)
            self._not_attached(trial, HubError("The PDF could not be attached.", code="internal_error"))
            return False
        self._note(trial, "attached", posted=done)
        self._put(
            entry,
            attachment=Attachment.ATTACHED,
            code="",
            detail=entry.detail if not entry.code else "",
            not_before=None,
        )
        return True

    def _not_attached(self, trial: _Try, error: HubError) -> None:
        self._note(trial, "attachment_failed", error=error)
        self._put(
            trial.entry,
            attachment=Attachment.FAILED,
            code="attachment_failed",
            detail=f"The voucher is in the ERP, its PDF is not: {error.detail}",
            erp_words=str(error.facts.get("words", ""))[:1000],
            not_before=self.clock() + self.settle * 2 ** min(trial.entry.attempts, 6),
        )

    def _later(self, attempt: _Try, error: HubError) -> None:
        """It was not applied; unless an earlier try may have been, it simply waits."""
        state = EntryState.UNCERTAIN if attempt.maybe_there and not attempt.pushed else EntryState.PENDING
        self._note(attempt, "not_applied", error=error)
        wait = error.facts.get("retry_after")
        later = self.clock() + timedelta(seconds=float(str(wait))) if wait is not None else None
        self._save(attempt.entry, state, code=error.code, detail=error.detail, not_before=later, trace=_trace(error))

    def _rejected(self, attempt: _Try, error: HubError) -> Fate:
        self._note(attempt, "rejected", error=error)
        self._save(
            attempt.entry,
            EntryState.REJECTED,
            code=error.code,
            detail=error.detail,
            erp_words=str(error.facts.get("words", ""))[:1000],
            trace=_trace(error),
        )
        return Fate.REJECTED

    def _uncertain(self, attempt: _Try, error: HubError) -> Fate:
        self._note(attempt, "uncertain", error=error)
        self._save(
            attempt.entry,
            EntryState.UNCERTAIN,
            code=error.code,
            detail=f"{error.detail} The ERP is asked before it is sent again.",
            erp_words=str(error.facts.get("words", ""))[:1000],
            not_before=self.clock() + self.settle * 2 ** min(max(attempt.entry.attempts - 1, 0), 6),
            trace=_trace(error),
        )
        return Fate.UNCERTAIN

    def _note_interrupted(self, entry: Entry) -> None:
        """The try before this one ended without a word: whoever made it died."""
        began = entry.claimed_at or entry.updated_at
        self.log.add_attempt(
            entry,
            Attempt(
                number=entry.attempts,
                at=began,
                finished_at=began,
                by=self.by,
                transfer_id=entry.handled_by,
                outcome="interrupted",
                hash=entry.sent_hash,
                code="interrupted",
                detail="The transfer broke off here; the ERP is asked before the document is sent again.",
            ),
            self.settings.retention_days,
        )

    def _note(
        self, attempt: _Try, outcome: str, *, posted: Posted | None = None, error: HubError | None = None
    ) -> None:
        """Append the attempt to the log, before the entry says what came of it."""
        entry, view = attempt.entry, masked(attempt.document)
        text = json.dumps([entry.body, dict(attempt.posting.routing)], sort_keys=True, default=str)
        self.log.add_attempt(
            entry,
            Attempt(
                number=entry.attempts,
                at=attempt.started,
                finished_at=self.clock(),
                by=self.by,
                transfer_id=self.transfer_id,
                outcome=outcome,
                hash=digest(text),
                view=view,
                looked_first=attempt.looked,
                code=error.code if error else "",
                detail=error.detail if error else "",
                erp_words=(posted.words if posted else str(error.facts.get("words", "")) if error else "")[:1000],
                reference=posted.reference if posted else "",
                trace=(posted.trace or "") if posted else _trace(error),
            ),
            self.settings.retention_days,
        )

    def _save(self, entry: Entry, state: EntryState, **changes: Any) -> Entry:
        cleared: dict[str, Any] = {"erp_words": "", "trace": "", "not_before": None, "handled_by": self.transfer_id}
        return self._put(entry, state=state, updated_at=self.clock(), **(cleared | changes))

    def _put(self, entry: Entry, **changes: Any) -> Entry:
        return self.log.put(entry.model_copy(update=changes), self.settings.retention_days)


def _trace(error: HubError | None) -> str:
    return str(error.facts.get("trace", "") or "") if error else ""


def _plain_facts(posted: Posted) -> dict[str, Any]:
    return json.loads(json.dumps(dict(posted.facts), default=str))
