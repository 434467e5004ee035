"""What is asked for and shown of the export log."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from erphub.erp.documents import DocumentKind
from erphub.platform.actors import ActorView
from erphub.platform.lexical import Day, Flag, Instant, QueryFlag
from erphub.platform.pages import Page
from erphub.platform.wire import LINE, LINES, NOT_BLANK, Identifier, JsonObject, Model, PageQuery
from erphub.sync import problems
from erphub.sync.canonical import from_text, masked, masked_fields
from erphub.sync.export_log.models import (
    BY_THE_HUB,
    Attachment,
    Attempt,
    Entry,
    EntryStatus,
    PdfFile,
    VoucherEdit,
    said_of_pdf,
)


class LogQuery(PageQuery):
    """Which entries of the export log."""

    status: EntryStatus | None = None
    kind: DocumentKind | None = None
    from_date: Annotated[Day | None, Field(description="From this day on")] = None
    to_date: Annotated[Day | None, Field(description="Up to and with this day")] = None
    code: Annotated[str | None, Field(max_length=100)] = None
    text: Annotated[str | None, Field(max_length=200)] = None
    updated_since: Annotated[
        Instant | None,
        Field(description="What was handed in or came further then or later; ask with the latest `updated_at` seen"),
    ] = None


class GapQuery(Model):
    """Which days to look for missing Z-reports in."""

    from_date: Day | None = None
    to_date: Day | None = None


class SkipRequest(Model):
    """Why a document is left out for good."""

    reason: Annotated[str, Field(min_length=1, max_length=500), LINES, NOT_BLANK]


class ManualPosting(Model):
    """That somebody posted it in the ERP, and as what."""

    voucher: Annotated[
        str, Field(min_length=1, max_length=100, description="The voucher's number in the ERP"), LINE, NOT_BLANK
    ]
    reason: Annotated[str, Field(max_length=500), LINES] = ""


class RetryRequest(Model):
    """Which entries to send again: these, or all that ended with a code."""

    document_ids: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    code: Annotated[str, Field(min_length=1, max_length=100), LINE] | None = None
    resend_discarded: Annotated[
        Flag, Field(description="What was discarded in the ERP's inbox goes there again, knowingly")
    ] = False

    @model_validator(mode="after")
    def _one_of(self) -> "RetryRequest":
        if bool(self.document_ids) == (self.code is not None):
            raise problems.DOCUMENTS_OR_CODE.in_model()
        return self


class RetryQuery(Model):
    """Whether it was thrown away in the ERP and goes there again, knowingly."""

    resend_discarded: Annotated[
        QueryFlag, Field(description="It was discarded in the ERP's inbox, and goes there again knowingly")
    ] = False


class PdfFileView(Model):
    """A file that was handed over as a settlement's PDF."""

    digest: Annotated[str, Field(description="SHA-256 of it, in hexadecimal; of a file that is too large, its size")]
    size_bytes: int
    is_pdf: bool
    revision: Annotated[int, Field(description="The document's body that it came with")]
    received_at: datetime

    @classmethod
    def of(cls, file: PdfFile) -> "PdfFileView":
        """The view of a file."""
        return cls.model_validate({name: getattr(file, name) for name in cls.model_fields})


class PdfView(Model):
    """A settlement's PDF: which one counts, which one the ERP has, and every file that was handed over."""

    digest: Annotated[str | None, Field(description="The till's that counts; null while the hub makes one")]
    sent_digest: Annotated[str | None, Field(description="The till's that the ERP has with the voucher")]
    is_made_by_hub: Annotated[bool, Field(description="The ERP has the one that the hub made")]
    code: Annotated[
        str, Field(description="`pdf_invalid`, `pdf_ambiguous`, `pdf_replaced_late`; empty when nothing is to be said")
    ]
    detail: str
    files: list[PdfFileView]

    @classmethod
    def of(cls, entry: Entry) -> "PdfView | None":
        """The view of an entry's PDF; None for what has none."""
        if entry.kind is not DocumentKind.SETTLEMENT:
            return None
        attached = entry.attachment is Attachment.ATTACHED and not entry.posted_manually_by
        there = entry.offered_pdf if attached else ""
        return cls(
            digest=entry.pdf_digest or None,
            sent_digest=there if there not in ("", BY_THE_HUB) else None,
            is_made_by_hub=there == BY_THE_HUB,
            code=entry.pdf_code,
            detail=said_of_pdf(entry.pdf_code),
            files=[PdfFileView.of(file) for file in entry.pdfs],
        )


class EntryView(Model):
    """A document in the export log."""

    id: str
    kind: DocumentKind
    external_id: str
    document_date: Annotated[date, Field(description="The day that it is about; the day it came for master data")]
    title: str
    status: EntryStatus
    code: str
    detail: str
    erp_message: Annotated[str, Field(description="What the ERP said, in its own words")]
    reference: Annotated[str, Field(description="What the ERP calls it: the number of a voucher, order or record")]
    is_awaiting_approval: Annotated[bool, Field(description="It is in the ERP's inbox, not approved yet")]
    approved_at: Annotated[
        datetime | None, Field(description="When it was seen that the voucher in the ERP's inbox had been approved")
    ]
    edits: Annotated[
        list[VoucherEdit], Field(description="What was edited in the ERP's inbox before the voucher was approved")
    ]
    attachment: Attachment
    pdf: PdfView | None
    attempt_count: int
    revision: int
    created_at: datetime
    updated_at: datetime
    retry_at: Annotated[datetime | None, Field(description="Before then it is not tried again")]
    overridden_values: Annotated[
        JsonObject, Field(description="By side, `till` or `erp`: fields that gave way to the other's, masked")
    ]
    posted_manually_by: ActorView | None
    posted_manually_reason: str

    @classmethod
    def of(cls, entry: Entry, actors: Mapping[str, ActorView]) -> "EntryView":
        """The view of an entry; the document itself stays inside, and what gave way is masked."""
        return cls.model_validate(shown_fields(entry, actors))


_OTHER_NAMES = {"document_date": "date", "is_awaiting_approval": "awaiting_approval"}


def shown_fields(entry: Entry, actors: Mapping[str, ActorView]) -> dict[str, Any]:
    """The fields of an entry's view."""
    own = [name for name in EntryView.model_fields if name != "pdf"]
    shown: dict[str, Any] = {name: getattr(entry, _OTHER_NAMES.get(name, name)) for name in own}
    shown["pdf"] = PdfView.of(entry)
    shown["edits"] = list(entry.edits)
    masked_values = masked_fields(entry.kind, entry.overridden_values)
    return shown | {"overridden_values": masked_values, "posted_manually_by": actors.get(entry.posted_manually_by)}


class AttemptView(Model):
    """One attempt to send a document."""

    number: int
    attempted_at: datetime
    finished_at: datetime
    started_by: ActorView
    transfer_id: str
    outcome: str
    content_hash: Annotated[str, Field(description="The same for the same document and settings")]
    document: Annotated[JsonObject, Field(description="What was sent, personal data masked")]
    searched_first: bool
    code: str
    detail: str
    erp_message: str
    reference: str
    erp_trace_id: Annotated[str, Field(description="The ERP's own id of the exchange, for its support")]

    @classmethod
    def of(cls, attempt: Attempt, actors: Mapping[str, ActorView]) -> "AttemptView":
        """The view of an attempt."""
        return cls.model_validate(dict(attempt) | {"started_by": actors[attempt.started_by]})


class EntryDetail(EntryView):
    """A document with all attempts to send it."""

    attempts: list[AttemptView]
    document: Annotated[JsonObject, Field(description="The document, personal data masked")]

    @classmethod
    def with_attempts(cls, entry: Entry, attempts: Sequence[Attempt], actors: Mapping[str, ActorView]) -> "EntryDetail":
        """The view of an entry with its attempts and its document."""
        document = masked(from_text(entry.body)) if entry.body else {}
        shown = [AttemptView.of(attempt, actors) for attempt in attempts]
        return cls.model_validate(shown_fields(entry, actors) | {"attempts": shown, "document": document})


class EntryPage(Model):
    """A page of the export log."""

    items: list[EntryView]
    next: str | None

    @classmethod
    def of(cls, page: Page[Entry], actors: Mapping[str, ActorView]) -> "EntryPage":
        """The view of a page of entries."""
        return cls(items=[EntryView.of(entry, actors) for entry in page.items], next=page.next)


class CodeGroup(Model):
    """Open entries that one reason stopped."""

    code: str
    status: EntryStatus
    kind: DocumentKind
    count: int
    from_date: date
    to_date: date
    detail: str


class CodeGroupPage(Model):
    """What stands open, grouped: all of it."""

    items: list[CodeGroup]
    next: str | None = None


class MissingDay(Model):
    """A day without a Z-report."""

    missing_date: date
    is_usually_open: bool


class TillGaps(Model):
    """What is missing of a till's Z-reports; the dates are those of the first and the last one known."""

    department: str
    till: str
    from_date: date
    to_date: date
    missing_numbers: list[int]
    missing_days: list[MissingDay]


class GapPage(Model):
    """What is missing, by department and till: all of it."""

    items: list[TillGaps]
    next: str | None = None


class RetryFailure(Model):
    """A document that cannot be sent again, and why."""

    entry_id: str
    code: str
    detail: str


class RetryResult(Model):
    """How many documents go again, and which could not."""

    retried_count: int
    failed: list[RetryFailure]
