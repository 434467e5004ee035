"""What is sent and shown about transfers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, model_validator

from erphub.erp.documents import DocumentKind
from erphub.platform.actors import ActorView
from erphub.platform.pages import Page
from erphub.platform.wire import Identifier, JsonObject, Model
from erphub.sync import problems
from erphub.sync.transfers.models import Counts, Transfer, TransferStatus


class NewTransfer(Model):
    """What to transfer: everything due, one kind, or selected documents (export log entries)."""

    kind: DocumentKind | None = None
    document_ids: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> "NewTransfer":
        if self.kind and self.document_ids:
            raise problems.KIND_OR_DOCUMENTS.in_model()
        return self


class TransferView(Model):
    """A transfer."""

    id: str
    started_by: ActorView
    is_automatic: bool
    dry_run: bool
    kind: DocumentKind | None
    status: TransferStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    problem: JsonObject | None

    @classmethod
    def of(cls, transfer: Transfer, actors: Mapping[str, ActorView]) -> "TransferView":
        """The view of a transfer."""
        return cls.model_validate(_shown_fields(transfer, actors))


def _shown_fields(transfer: Transfer, actors: Mapping[str, ActorView]) -> dict[str, Any]:
    shown = {name: getattr(transfer, name) for name in TransferView.model_fields}
    return shown | {"started_by": actors[transfer.started_by]}


class PlannedDocument(Model):
    """What a transfer would do with a document now, and exactly what it would post."""

    entry_id: str
    kind: DocumentKind
    title: str
    action: Annotated[str, Field(description="`post`, `find_then_post`, `attach`, `leave_out`, `wait`, `be_refused`")]
    postings: Annotated[
        list[JsonObject] | None,
        Field(description="Requests as the ERP would get them; null for those who may not send documents"),
    ] = None
    problem: JsonObject | None = None


class TransferDetail(TransferView):
    """A transfer; a dry run with what would be posted."""

    preview: list[PlannedDocument] = Field(default_factory=list[PlannedDocument])

    @classmethod
    def with_preview(
        cls,
        transfer: Transfer,
        preview: Sequence[JsonObject],
        actors: Mapping[str, ActorView],
        *,
        may_send: bool,
    ) -> "TransferDetail":
        """The view of a transfer. What a dry run would post names customers in full: for those who may send it."""
        planned = [PlannedDocument.model_validate(one if may_send else one | {"postings": None}) for one in preview]
        return cls.model_validate(_shown_fields(transfer, actors) | {"preview": planned})


class TransferPage(Model):
    """A page of transfers, the newest first."""

    items: list[TransferView]
    next: str | None

    @classmethod
    def of(cls, page: Page[Transfer], actors: Mapping[str, ActorView]) -> "TransferPage":
        """The view of a page of transfers."""
        return cls(items=[TransferView.of(transfer, actors) for transfer in page.items], next=page.next)
