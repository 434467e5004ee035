"""What is sent and shown about transfers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from erphub.erp.documents import DocumentKind
from erphub.platform.pages import Page
from erphub.platform.wire import Identifier, JsonObject, Model
from erphub.sync.transfers.models import Counts, Transfer


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


class TransferView(Model):
    """A transfer."""

    id: str
    by: str
    automatic: bool
    dry_run: bool
    kind: str | None
    state: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    problem: JsonObject | None

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferView":
        """The view of a transfer."""
        return cls.model_validate({name: getattr(transfer, name) for name in cls.model_fields})


class TransferDetail(TransferView):
    """A transfer; a dry run with what would be posted."""

    preview: list[JsonObject] = Field(default_factory=list)

    @classmethod
    def with_preview(cls, transfer: Transfer, preview: list[JsonObject], *, may_send: bool) -> "TransferDetail":
        """The view of a transfer. What a dry run would post names customers in full: for those who may send it."""
        shown = preview if may_send else [{name: one[name] for name in one if name != "postings"} for one in preview]
        return cls(**TransferView.of(transfer).model_dump(), preview=shown)


class TransferPage(Model):
    """A page of transfers, the newest first."""

    items: list[TransferView]
    next: str | None

    @classmethod
    def of(cls, page: Page[Transfer]) -> "TransferPage":
        """The view of a page of transfers."""
        return cls(items=[TransferView.of(transfer) for transfer in page.items], next=page.next)
