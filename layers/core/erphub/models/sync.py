"""How a till and an ERP are kept in step: the settings of a sync, what is in its export log, and its transfers."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from .document import DocumentKind, PaymentMeans
from .wire import Identifier, Model, PageQuery

AccountNo = Annotated[str, Field(pattern=r"^\d{1,10}$", description="An account number of the ERP's chart of accounts")]
Choice = Annotated[str, Field(max_length=100)]
RateKey = Annotated[
    str, Field(pattern=r"^(0|[1-9]\d?(\.\d?[1-9])?|0\.\d?[1-9]|100)$", description="A VAT rate without needless zeros")
]


class ImportType(StrEnum):
    """Where settlements go: the voucher inbox (to be approved, editable) or straight to the ledger (final)."""

    INBOX = "inbox"
    LEDGER = "ledger"


class InvoicesAs(StrEnum):
    """What becomes of an invoice in the ERP."""

    OFF = "off"
    ORDER = "order"
    DRAFT = "draft"


class Master(StrEnum):
    """Whose word counts when both sides changed the same field; `off` when nothing is exchanged."""

    OFF = "off"
    TILL = "till"
    ERP = "erp"


class Accounts(Model):
    """Where in the ledger each part of a settlement goes."""

    sales: dict[RateKey, AccountNo] = Field(default_factory=dict)
    means: dict[PaymentMeans, AccountNo] = Field(default_factory=dict)
    stock_change: AccountNo | None = None
    inventory: AccountNo | None = None


class SyncSettings(Model):
    """Every setting of a sync. Nothing is exchanged that is not switched on here."""

    company: Choice = ""
    department: Choice = ""
    z_report: bool = False
    stock_change: bool = False
    import_type: ImportType = ImportType.INBOX
    invoices: InvoicesAs = InvoicesAs.OFF
    customers: Master = Master.OFF
    products: Master = Master.OFF
    stock_quantities: bool = False
    from_date: date
    """Nothing of a day before it is ever sent."""
    automatic: bool = False
    voucher_type: Choice = ""
    accounts: Accounts = Accounts()
    retention_days: Annotated[int, Field(ge=30, le=3700, description="How long the export log is kept")] = 1100
    time_zone: Annotated[str, Field(max_length=50)] = "Europe/Oslo"

    def sends(self, kind: DocumentKind) -> bool:
        """Whether documents of the kind are sent at all."""
        match kind:
            case DocumentKind.SETTLEMENT:
                return self.z_report
            case DocumentKind.INVOICE:
                return self.invoices is not InvoicesAs.OFF
            case DocumentKind.CUSTOMER | DocumentKind.PRODUCT:
                return self.master(kind) is not Master.OFF

    def master(self, kind: DocumentKind) -> Master:
        """Whose word counts for customers or products; `till` for what only the till makes."""
        if kind is DocumentKind.CUSTOMER:
            return self.customers
        return self.products if kind is DocumentKind.PRODUCT else Master.TILL

    def place(self) -> dict[str, str]:
        """The part of the routing that says where in the ERP a document ends up, and so where it is looked for."""
        return {"company": self.company, "target": self.import_type.value}

    def routing(self) -> dict[str, Any]:
        """The settings as an ERP is told them; see `ports.documents.Posting`."""
        return self.place() | {
            "department": self.department,
            "voucher_type": self.voucher_type,
            "sales_accounts": dict(self.accounts.sales),
            "means_accounts": {means.value: account for means, account in self.accounts.means.items()},
            "stock_change": self.stock_change,
            "stock_change_account": self.accounts.stock_change or "",
            "inventory_account": self.accounts.inventory or "",
            "invoices_as": self.invoices.value,
            "stock_quantities": self.stock_quantities,
        }


class SyncInput(SyncSettings):
    """Settings as they are sent: the whole, not a part."""

    confirm_ledger: bool = False
    """Says for the second time that settlements go straight to the ledger, where they cannot be edited."""
    version: Annotated[int, Field(ge=1)] | None = None

    def settings(self) -> SyncSettings:
        """The settings alone, without what only goes with sending them."""
        return SyncSettings.model_validate({name: getattr(self, name) for name in SyncSettings.model_fields})


class Rhythm(Model):
    """What is remembered of the past to tell when the next transfer is best; see `pacing`."""

    arrivals: tuple[datetime, ...] = ()
    """When documents arrived, one instant per group of arrivals, oldest first."""
    quiet: int = 0
    """Transfers in a row that found nothing."""
    failures: int = 0
    """Transfers in a row that the ERP did not answer."""
    last_at: datetime | None = None
    last_sent_at: datetime | None = None
    restored: bool = False
    """Whether the connection works again and no transfer has been tried since."""


class Sync(Model):
    """A sync as it is kept: its settings, and where it stands."""

    client_id: Identifier
    connection_id: Identifier
    settings: SyncSettings
    version: int = 1
    saved_at: datetime
    saved_by: str
    rhythm: Rhythm = Rhythm()
    next_at: datetime | None = None
    next_why: str = ""
    cursors: dict[str, datetime] = Field(default_factory=dict)
    """Up to when changes in the ERP have been fetched, by kind."""
    judged_from: date | None = None
    """The latest from date by which documents may have been left out for their day, since they were last let in."""
    silent_at: datetime | None = None
    """When it becomes odd that nothing has been sent, and people are told; None once they were."""
    gaps_judged: date | None = None
    """Up to which day people were told what Z-reports are missing."""
    told: tuple[str, ...] = ()
    """Which notices stand, so that each is given once."""
    rev: int = 0
    """Grows with every write, of whatever; `version` only with the settings."""

    @property
    def held(self) -> bool:
        """Whether it waits until the connection works again: it would transfer by itself, and no time is set."""
        return self.settings.automatic and self.next_at is None


class EntryState(StrEnum):
    """What has become of a document; `uncertain` while nobody can tell whether the ERP has it."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


BEFORE_FROM_DATE = "before_from_date"
"""The code of what was left out because of its day."""


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


class Entry(Model):
    """One document and what has become of it on its way to the ERP. `body` is the document as JSON text."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    kind: DocumentKind
    external_id: str
    date: date
    """The day the document is about; the day it came for customers and products."""
    state: EntryState = EntryState.PENDING
    body: str = ""
    body_hash: str
    title: str = ""
    """A few words by which a person knows it: `Z 118, 1,240.00 NOK`; no personal data."""
    revision: int = 1
    """Grows each time the till hands over another body."""
    attempts: int = 0
    created_at: datetime
    created_by: str
    updated_at: datetime
    arrived_at: datetime
    """When the body that is kept now came."""
    not_before: datetime | None = None
    claimed_at: datetime | None = None
    handled_by: str = ""
    """The transfer that had it last."""
    code: str = ""
    detail: str = ""
    erp_words: str = ""
    reference: str = ""
    trace: str = ""
    awaiting_approval: bool = False
    facts: dict[str, Any] = Field(default_factory=dict)
    sent_hash: str = ""
    went_to: dict[str, str] = Field(default_factory=dict)
    """Where the last try sent it (see `SyncSettings.place`), whatever the settings say by now."""
    wants_pdf_until: datetime | None = None
    """The till said that a PDF follows: it is waited for until then."""
    attachment: Attachment = Attachment.NONE
    lost: dict[str, Any] = Field(default_factory=dict)
    """Fields of the till that gave way to the ERP's (`till`), or the other way round (`erp`), with the last values."""
    settled_by_hand: str = ""
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
        """Where it waits: its state; in the ERP without its PDF `attach`, or `unattached` when that was refused."""
        if self.state is EntryState.SENT and self.attachment in (Attachment.DUE, Attachment.FAILED):
            return "attach"
        if self.state is EntryState.SENT and self.attachment is Attachment.REFUSED:
            return "unattached"
        return self.state.value

    @property
    def lacks_pdf(self) -> bool:
        """Whether it is in the ERP and its PDF is not."""
        return self.queue in ("attach", "unattached")


QUEUES = (*(state.value for state in EntryState), "attach", "unattached")
"""Everywhere an entry can stand, in the words of `Entry.queue`."""


class Attempt(Model):
    """One try to send a document; never changed afterwards."""

    number: int
    at: datetime
    finished_at: datetime
    by: str
    """The user, or `automatic`."""
    transfer_id: str
    outcome: str
    hash: str = ""
    view: dict[str, Any] = Field(default_factory=dict)
    """What was sent, personal data masked."""
    looked_first: bool = False
    code: str = ""
    detail: str = ""
    erp_words: str = ""
    reference: str = ""
    trace: str = ""


class TransferState(StrEnum):
    """How far a transfer has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"


class Counts(Model):
    """How many documents of a transfer ended how."""

    sent: int = 0
    rejected: int = 0
    uncertain: int = 0
    pending: int = 0
    skipped: int = 0
    attached: int = 0
    changes: int = 0
    conflicts: int = 0

    def plus(self, **more: int) -> "Counts":
        """These and some more."""
        return self.model_copy(update={name: getattr(self, name) + count for name, count in more.items()})


class Transfer(Model):
    """One attempt to send what is due, by hand or automatic; a dry run only shows what would be posted."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    by: str
    automatic: bool = False
    dry_run: bool = False
    kind: DocumentKind | None = None
    documents: tuple[Identifier, ...] = ()
    state: TransferState = TransferState.QUEUED
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    counts: Counts = Counts()
    arrivals: tuple[datetime, ...] = ()
    """When what it handled had arrived."""
    not_read: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Kinds whose changes in the ERP could not be read, each with its problem; the till's documents go all the same."""
    problem: dict[str, Any] | None = None
    """What ended it early; at its end also what could not be read."""
    rev: int = 0


class PdfQuery(Model):
    """Whether a settlement's PDF follows: the answer then says where to put it."""

    pdf: bool = False


class NewTransfer(Model):
    """What to transfer: everything due, one kind, or chosen documents (export log entries)."""

    kind: DocumentKind | None = None
    documents: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> "NewTransfer":
        if self.kind and self.documents:
            raise ValueError("name a kind or documents, not both")
        return self


class LogQuery(PageQuery):
    """Which entries of the export log."""

    state: EntryState | None = None
    kind: DocumentKind | None = None
    first: Annotated[date | None, Field(description="From this day on")] = None
    last: Annotated[date | None, Field(description="Up to and with this day")] = None
    code: Annotated[str | None, Field(max_length=100)] = None
    text: Annotated[str | None, Field(max_length=200)] = None


class GapQuery(Model):
    """Which days to look for missing Z-reports in."""

    first: date | None = None
    last: date | None = None


class Skip(Model):
    """Why a document is left out for good."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ByHand(Model):
    """That somebody posted it in the ERP, and as what."""

    voucher: Annotated[str, Field(min_length=1, max_length=100, description="The voucher's number in the ERP")]
    reason: Annotated[str, Field(max_length=500)] = ""


class RetryMany(Model):
    """Which entries to send again: these, or all that ended with a code."""

    documents: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    code: Annotated[str | None, Field(min_length=1, max_length=100)] = None

    @model_validator(mode="after")
    def _one_of(self) -> "RetryMany":
        if bool(self.documents) == (self.code is not None):
            raise ValueError("name documents or a code")
        return self


class UploadFormat(StrEnum):
    """What a batch's file is."""

    JSON_LINES = "json_lines"
    CASH_REGISTER = "saft_cash_register"


class NewUpload(Model):
    """A batch that comes as one file: a JSON document per line with `kind` and `external_id`, or a SAF-T file."""

    format: UploadFormat = UploadFormat.JSON_LINES


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


class Bond(Model):
    """That a customer or product of the till and one of the ERP are the same, and what both last agreed on."""

    kind: DocumentKind
    reference: str
    external_id: str = ""
    base: dict[str, Any] = Field(default_factory=dict)
    """The fields as both sides last had them."""
    theirs: dict[str, Any] = Field(default_factory=dict)
    """The fields as the ERP was last seen to have them."""
    offered: dict[str, Any] | None = None
    """The fields as they are offered to the till, until it acknowledges them."""
    sequence: int | None = None
    """Where in the feed the offer stands."""
    rev: int = 0


class Offer(Model):
    """A change in the ERP, offered to the till."""

    sequence: int
    kind: DocumentKind
    reference: str
    external_id: str = ""
    changed: tuple[str, ...]
    """Fields that are new to the till; all of them for a record that it does not know."""
    document: dict[str, Any]
    lost: dict[str, Any] = Field(default_factory=dict)
    """What the till had in fields where the ERP's word counted."""
    offered_at: datetime


class ChangesQuery(PageQuery):
    """Which changes of the ERP."""

    since: Annotated[str | None, Field(pattern=r"^\d{1,15}$", description="The last change that was read")] = None


class Acknowledged(Model):
    """That the till has taken a change over; `external_id` names a record it did not have before."""

    change: Annotated[str, Field(pattern=r"^\d{1,15}$")]
    external_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._:@~-]{1,100}$")] = None


class Acknowledgement(Model):
    """Changes that the till has taken over."""

    changes: Annotated[tuple[Acknowledged, ...], Field(min_length=1, max_length=200)]
