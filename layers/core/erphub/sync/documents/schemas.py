"""What is sent and shown of documents handed in."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from erphub.platform.errors import FieldError, HubError, Invalid
from erphub.platform.wire import JsonObject, Model
from erphub.sync.documents.models import CashRegisterResult, SubmittedDocument, UploadSlot
from erphub.sync.export_log.schemas import EntryView, shown_fields


class PdfQuery(Model):
    """Whether a settlement's PDF follows: the answer then says where to put it."""

    pdf: bool = False


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


class HandedInView(EntryView):
    """A document that was handed in: `outcome` says what became of the body."""

    outcome: str = ""
    pdf_upload: PdfSlot | None = None

    @classmethod
    def of_submitted(cls, submitted: SubmittedDocument) -> "HandedInView":
        """The view of a document that was handed in."""
        slot = PdfSlot.of(submitted.pdf_slot) if submitted.pdf_slot else None
        shown = shown_fields(submitted.entry)
        return cls.model_validate(shown | {"outcome": submitted.outcome.value, "pdf_upload": slot})


class CashRegisterView(Model):
    """What a cash register file held."""

    settlements: list[HandedInView]
    refused: list[JsonObject]
    open_transactions: dict[str, int]
    """Transactions by register that no Z-report of the file closes."""

    @classmethod
    def of(cls, result: CashRegisterResult) -> "CashRegisterView":
        """The view of a cash register file that was handed in."""
        return cls(
            settlements=[HandedInView.of_submitted(one) for one in result.settlements],
            refused=[_refused(name, error) for name, error in result.refused],
            open_transactions=dict(result.open_transactions),
        )


def _refused(name: str, error: HubError) -> JsonObject:
    errors = [asdict(wrong) for wrong in _field_errors(error)]
    return {"z_report": name, "code": error.code, "detail": error.detail, "errors": errors} | error.facts


def _field_errors(error: HubError) -> Sequence[FieldError]:
    return error.errors if isinstance(error, Invalid) else ()
