"""Entries of the export log and the attempts to send them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.wire import Identifier, Model
from erphub.sync import problems


class EntryStatus(StrEnum):
    """What has become of a document; `uncertain` while nobody can tell whether the ERP has it."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"
    DISCARDED = "discarded"
    """Somebody threw it away in the ERP's inbox: it is sent again only when somebody says so."""


SETTLEMENT_EMPTY = problems.SETTLEMENT_EMPTY.code
"""The code of a Z-report without any amount: there is nothing to post, and any other may take its id."""


DISCARDED_IN_ERP = problems.DISCARDED_IN_ERP.code
"""The code of what somebody threw away in the ERP's inbox."""


BEFORE_FROM_DATE = problems.BEFORE_FROM_DATE.code
"""The code of what was left out because of its day."""


SKIPPED_UNCERTAIN = problems.SKIPPED_UNCERTAIN.code
"""The code of what was left out by hand while nobody could tell whether the ERP has it."""


class Attachment(StrEnum):
    """What has become of a settlement's PDF."""

    NONE = "none"
    DUE = "due"
    ATTACHED = "attached"
    FAILED = "failed"
    """It could not be attached now; it is tried again."""
    REFUSED = "refused"
    """It cannot be attached; only somebody who retries it tries again."""
    LEFT_OUT = "left_out"
    """Somebody said that it is not needed."""


class VoucherEdit(Model):
    """Something of a voucher that was edited in the ERP before its approval, as text; empty where there is none.

    `field` is `date`, `voucher_type`, or, of an account, `amount` (debit when positive), `department` or `text`;
    `not_compared` with the reason when the two cannot be compared.
    """

    field: str
    account: str = ""
    handed_over: str = ""
    in_erp: str = ""


MAX_PDF_BYTES = 10 * 1024 * 1024
BY_THE_HUB = "hub"
"""Stands for the PDF that the hub makes, where a digest names one of the till's."""


def said_of_pdf(code: str) -> str:
    """The sentence of an entry's `pdf_code`; empty without one."""
    match code:
        case problems.PDF_INVALID.code:
            return problems.PDF_INVALID.render(maximum=MAX_PDF_BYTES >> 20)
        case problems.PDF_AMBIGUOUS.code:
            return problems.PDF_AMBIGUOUS.render()
        case problems.PDF_REPLACED_LATE.code:
            return problems.PDF_REPLACED_LATE.render()
        case _:
            return ""


class PdfFile(Model):
    """A file that a till handed over as a settlement's PDF, and where it lies; never changed or overwritten."""

    name: str
    version: str = ""
    """Which of those that were put under the name; empty where there is only one."""
    digest: str
    """SHA-256, in hexadecimal; of a file that is not read for its size, that."""
    size_bytes: int
    is_pdf: bool = True
    revision: int
    """The document's body that it came with."""
    received_at: datetime
    received_from: str = ""
    """The user who handed it to the API; empty for what was put to the address."""


class Entry(Model):
    """One document and what has become of it on its way to the ERP. `body` is the document as JSON text."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    kind: DocumentKind
    external_id: str
    date: date
    """The day the document is about; the day it came for customers and products."""
    status: EntryStatus = EntryStatus.PENDING
    body: str = ""
    body_hash: str
    title: str = ""
    """A few words by which a person knows it: `Z 118, 1,240.00 NOK`; no personal data."""
    revision: int = 1
    """Grows each time the till hands over another body."""
    attempt_count: int = 0
    created_at: datetime
    created_by: str
    updated_at: datetime
    arrived_at: datetime
    """When the body that is kept now came."""
    retry_at: datetime | None = None
    claimed_at: datetime | None = None
    handled_by: str = ""
    """The transfer that had it last."""
    code: str = ""
    detail: str = ""
    erp_message: str = ""
    reference: str = ""
    erp_trace_id: str = ""
    awaiting_approval: bool = False
    """It is in the ERP's inbox, and nobody there has approved it yet."""
    approval_reminded_at: datetime | None = None
    """When people were told that it has waited long."""
    approved_at: datetime | None = None
    """When it was seen that it had been approved."""
    edits: tuple[VoucherEdit, ...] = ()
    """What was edited in the ERP before its approval."""
    resend_allowed: bool = False
    """Somebody said that the ERP's people discarded it and that it goes again; for the next attempt alone."""
    erp_details: dict[str, Any] = Field(default_factory=dict)
    sent_hash: str = ""
    destination: dict[str, str] = Field(default_factory=dict)
    """Where the last attempt sent it (see `SyncSettings.destination`), whatever the settings say by now."""
    sent_routing: dict[str, Any] = Field(default_factory=dict)
    """How the last attempt posted it (see `SyncSettings.routing`); only of what goes to an inbox, to be compared."""
    wants_pdf_until: datetime | None = None
    """The till said that a PDF follows: it is waited for until then."""
    pdfs: tuple[PdfFile, ...] = ()
    """Every file that was handed over as its PDF, in order."""
    pdf_digest: str = ""
    """Which of them counts; empty while the hub's own does."""
    pdf_code: str = ""
    """Why people should look at them: `pdf_invalid`, `pdf_ambiguous`, `pdf_replaced_late`."""
    offered_pdf: str = ""
    """The one that last went to the ERP, `hub` for the hub's own."""
    attachment: Attachment = Attachment.NONE
    overridden_values: dict[str, Any] = Field(default_factory=dict)
    """Fields of the till that gave way to the ERP's (`till`), or the other way round (`erp`), with the last values."""
    posted_manually_by: str = ""
    """Who said that somebody posted it in the ERP, or added its PDF there."""
    posted_manually_reason: str = ""
    identity: str = ""
    """What it is in the world, as a digest (`documents.identity`); empty for what is by its id alone."""
    claimed_identity: str = ""
    """The identity that the store holds for it, so that no other document has it."""
    number: int = 0
    """A settlement's Z-report number."""
    department: str = ""
    till: str = ""
    """Which of the department's tills it is of, where the till says so."""
    forgotten: bool = False
    """Whether its time in the log is over and this is what remains: no body, no words, only what it became."""
    rev: int = 0

    @property
    def queue(self) -> str:
        """Where it waits: its status; in the ERP without its PDF `attach`, or `unattached` when that was refused; in
        the ERP's inbox `approval`."""
        if self.status is EntryStatus.SENT and self.attachment in (Attachment.DUE, Attachment.FAILED):
            return "attach"
        if self.status is EntryStatus.SENT and self.attachment is Attachment.REFUSED:
            return "unattached"
        return "approval" if self.awaiting_approval else self.status.value

    @property
    def pdf_file(self) -> str:
        """Where a settlement's PDF can be put: each body has its own, so that an old PDF never goes with a new
        settlement."""
        return f"documents/{self.client_id}/{self.connection_id}/{self.id}/{self.revision}.pdf"

    def pdf_name(self, digest: str) -> str:
        """Where a PDF of its present body lies that was handed to the API: no other content ever has this name."""
        return self.pdf_file.removesuffix(".pdf") + f"/{digest}.pdf"

    @property
    def lacks_pdf(self) -> bool:
        """Whether it is in the ERP and its PDF is not."""
        return self.queue in ("attach", "unattached")


QUEUES = (*(status.value for status in EntryStatus), "attach", "unattached", "approval")
"""Everywhere an entry can stand, in the words of `Entry.queue`."""


class Attempt(Model):
    """One attempt to send a document; never changed afterwards."""

    number: int
    attempted_at: datetime
    finished_at: datetime
    started_by: str
    """The user, or `hub`."""
    transfer_id: str
    outcome: str
    content_hash: str = ""
    document: dict[str, Any] = Field(default_factory=dict)
    """What was sent, personal data masked."""
    searched_first: bool = False
    code: str = ""
    detail: str = ""
    erp_message: str = ""
    reference: str = ""
    erp_trace_id: str = ""
