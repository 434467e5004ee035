"""Documents on their way in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erphub.erp.documents import Document, DocumentKind
from erphub.platform.errors import HubError
from erphub.platform.files import UploadSlot
from erphub.sync.export_log.models import Entry


class SubmitOutcome(StrEnum):
    """What became of a body that was handed in."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    CORRECTION = "correction"


class PdfOutcome(StrEnum):
    """What became of a PDF that was handed in."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"


@dataclass(frozen=True)
class IncomingDocument:
    """A document that was read and found valid."""

    kind: DocumentKind
    external_id: str
    document: Document
    arrived_at: datetime | None = None
    """When its file was handed in, where it is read later than that; None: now."""


@dataclass(frozen=True)
class SubmittedDocument:
    """A document as it is kept now, and where its PDF can be put when one is to come."""

    entry: Entry
    outcome: SubmitOutcome
    pdf_slot: UploadSlot | None = None


@dataclass(frozen=True)
class CashRegisterResult:
    """What became of a cash register file."""

    settlements: Sequence[SubmittedDocument]
    refused: Sequence[tuple[str, HubError]]
    """Z-reports that were not taken, by register and number, each with its error."""
    open_transactions: Mapping[str, int]
    """Transactions by register that no Z-report of the file closes."""
