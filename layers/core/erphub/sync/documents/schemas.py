"""What is sent and shown of documents handed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.actors import ActorView
from erphub.platform.errors import HubError
from erphub.platform.files import FileLink, UploadSlot
from erphub.platform.lexical import QueryFlag
from erphub.platform.wire import JsonObject, Model, PageQuery
from erphub.sync.canonical import from_text, plain
from erphub.sync.documents.models import CashRegisterResult, PdfOutcome, SubmitOutcome, SubmittedDocument
from erphub.sync.export_log.models import Attempt, Entry, EntryStatus
from erphub.sync.export_log.schemas import EntryView, shown_fields
from erphub.sync.schemas import FieldErrorView, field_errors


class PdfQuery(Model):
    """Whether a settlement's PDF follows: the answer then says where to put it."""

    pdf: QueryFlag = False


class ReplaceQuery(Model):
    """Whether this PDF is to count instead of the one that is kept."""

    replace: Annotated[QueryFlag, Field(description="It replaces the PDF that is kept, which stays beside it")] = False


class PdfSlot(Model):
    """Where the settlement's PDF is to be put, and until when."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime

    @classmethod
    def of(cls, slot: UploadSlot) -> "PdfSlot":
        """The view of a place for a file."""
        return cls(method=slot.method, url=slot.url, headers=dict(slot.headers), expires_at=slot.expires_at)


class PdfLink(Model):
    """Where a document's PDF can be fetched, and until when."""

    url: str
    expires_at: datetime

    @classmethod
    def of(cls, link: FileLink) -> "PdfLink":
        """The view of where a file can be fetched."""
        return cls(url=link.url, expires_at=link.expires_at)


class DocumentQuery(PageQuery):
    """Which documents."""

    status: EntryStatus | None = None
    kind: DocumentKind | None = None


class DocumentView(EntryView):
    """A document that was handed in: as it came, as it was sent last, and what became of it."""

    document: Annotated[JsonObject, Field(description="As it was handed in; empty when its time in the log is over")]
    sent_document: Annotated[
        JsonObject | None, Field(description="What of it the last attempt sent, personal data masked; null before one")
    ]

    @classmethod
    def of_read(cls, entry: Entry, attempts: Sequence[Attempt], actors: Mapping[str, ActorView]) -> "DocumentView":
        """The view of a document that is read."""
        sent = next((one.document for one in reversed(attempts) if one.document), None)
        document = plain(from_text(entry.body)) if entry.body else {}
        return cls.model_validate(shown_fields(entry, actors) | {"document": document, "sent_document": sent})


class SubmittedDocumentView(EntryView):
    """A document that was handed in: `outcome` says what became of the body."""

    outcome: SubmitOutcome
    pdf_upload: PdfSlot | None = None

    @classmethod
    def of_submitted(cls, submitted: SubmittedDocument, actors: Mapping[str, ActorView]) -> "SubmittedDocumentView":
        """The view of a document that was handed in."""
        slot = PdfSlot.of(submitted.pdf_slot) if submitted.pdf_slot else None
        shown = shown_fields(submitted.entry, actors)
        return cls.model_validate(shown | {"outcome": submitted.outcome, "pdf_upload": slot})


class SubmittedPdfView(EntryView):
    """The document of a PDF that was handed in: `outcome` says what became of the PDF."""

    outcome: PdfOutcome

    @classmethod
    def of_handed_in(cls, entry: Entry, outcome: PdfOutcome, actors: Mapping[str, ActorView]) -> "SubmittedPdfView":
        """The view of a document whose PDF was handed in."""
        return cls.model_validate(shown_fields(entry, actors) | {"outcome": outcome})


class RefusedReportView(Model):
    """A Z-report of a cash register file that was not taken, and why."""

    z_report: Annotated[str, Field(description="Register and number, or the id it would have had")]
    code: str
    detail: str
    errors: list[FieldErrorView]
    entry_id: Annotated[str | None, Field(description="The document that is kept under its id, where one is")]
    reference: Annotated[str | None, Field(description="What the ERP calls that document, where it has it")]

    @classmethod
    def of(cls, name: str, error: HubError) -> "RefusedReportView":
        """The view of a Z-report that was refused."""
        shown = {
            name: str(error.members[name]) if name in error.members else None for name in ("entry_id", "reference")
        }
        return cls(z_report=name, code=error.code, detail=error.detail, errors=field_errors(error), **shown)


class CashRegisterView(Model):
    """What a cash register file held."""

    settlements: list[SubmittedDocumentView]
    refused: list[RefusedReportView]
    open_transactions: dict[str, int]
    """Transactions by register that no Z-report of the file closes."""

    @classmethod
    def of(cls, result: CashRegisterResult, actors: Mapping[str, ActorView]) -> "CashRegisterView":
        """The view of a cash register file that was handed in."""
        return cls(
            settlements=[SubmittedDocumentView.of_submitted(one, actors) for one in result.settlements],
            refused=[RefusedReportView.of(name, error) for name, error in result.refused],
            open_transactions=dict(result.open_transactions),
        )
