"""What is asked for and shown of the export log."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from erphub.erp.documents import DocumentKind
from erphub.platform.pages import Page
from erphub.platform.wire import Identifier, JsonObject, Model, PageQuery
from erphub.sync.canonical import from_text, masked, masked_fields
from erphub.sync.export_log.models import Attempt, Entry, EntryState


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


class EntryView(Model):
    """A document in the export log."""

    id: str
    kind: str
    external_id: str
    date: date
    title: str
    state: EntryState
    code: str
    detail: str
    erp_words: str
    reference: str
    awaiting_approval: bool
    attachment: str
    attempts: int
    revision: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime | None
    lost: JsonObject = Field(default_factory=dict)
    settled_by_hand: str = ""

    @classmethod
    def of(cls, entry: Entry) -> "EntryView":
        """The view of an entry; the document itself stays inside, and what gave way is masked."""
        return cls.model_validate(shown_fields(entry))


def shown_fields(entry: Entry) -> dict[str, Any]:
    """The fields of an entry's view."""
    return {name: getattr(entry, name) for name in EntryView.model_fields} | {
        "lost": masked_fields(entry.kind, entry.lost)
    }


class EntryDetail(EntryView):
    """A document with all attempts to send it."""

    tries: list[Attempt] = Field(default_factory=list[Attempt])
    document: JsonObject = Field(default_factory=dict)
    """The document, personal data masked."""

    @classmethod
    def with_attempts(cls, entry: Entry, attempts: list[Attempt]) -> "EntryDetail":
        """The view of an entry with its attempts and its document."""
        document = masked(from_text(entry.body)) if entry.body else {}
        return cls.model_validate(shown_fields(entry) | {"tries": attempts, "document": document})


class EntryPage(Model):
    """A page of the export log."""

    items: list[EntryView]
    next: str | None

    @classmethod
    def of(cls, page: Page[Entry]) -> "EntryPage":
        """The view of a page of entries."""
        return cls(items=[EntryView.of(entry) for entry in page.items], next=page.next)


class CodeGroup(Model):
    """Open entries that one reason stopped."""

    code: str
    state: EntryState
    kind: str
    count: int
    first: date
    last: date
    detail: str


class CodeGroups(Model):
    """What stands open, grouped."""

    items: list[CodeGroup]


class MissingDay(Model):
    """A day without a Z-report."""

    day: date
    usually_open: bool


class TillGaps(Model):
    """What is missing of a till's Z-reports; `first` and `last` are the days of the first and last one known."""

    department: str
    till: str
    first: date
    last: date
    missing_numbers: list[int]
    missing_days: list[MissingDay]


class GapsView(Model):
    """What is missing, by department and till."""

    items: list[TillGaps]


class RetriedView(Model):
    """How many documents go again, and which could not."""

    retried: int
    failed: list[JsonObject]
