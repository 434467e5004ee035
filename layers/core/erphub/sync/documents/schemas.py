"""What is sent and shown of documents handed in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.platform.actors import ActorView
from erphub.platform.errors import HubError
from erphub.platform.lexical import QueryFlag
from erphub.platform.wire import Model
from erphub.sync.documents.models import CashRegisterResult, SubmitOutcome, SubmittedDocument, UploadSlot
from erphub.sync.export_log.schemas import EntryView, shown_fields
from erphub.sync.schemas import FieldErrorView, field_errors


class PdfQuery(Model):
    """Whether a settlement's PDF follows: the answer then says where to put it."""

    pdf: QueryFlag = False


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
        shown = {name: str(error.facts[name]) if name in error.facts else None for name in ("entry_id", "reference")}
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
