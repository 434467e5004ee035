"""Transfers and what they counted."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.wire import Identifier, Model

LEASE_DURATION = timedelta(minutes=6)
"""Longer than the function can run, so that whoever lets it run out is dead."""


class TransferStatus(StrEnum):
    """How far a transfer has come."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to the transfer."""
        return self not in (TransferStatus.QUEUED, TransferStatus.RUNNING)


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
    approved: int = 0
    """Vouchers of the ERP's inbox that were seen approved."""
    discarded: int = 0
    """Vouchers of the ERP's inbox that were seen discarded."""

    def plus(self, **more: int) -> "Counts":
        """These and some more."""
        return self.model_copy(update={name: getattr(self, name) + count for name, count in more.items()})

    def __add__(self, other: "Counts") -> "Counts":
        return self.plus(**{name: count for name, count in other.model_dump().items() if count})


class Transfer(Model):
    """One attempt to send what is due, by hand or automatic; a dry run only shows what would be posted."""

    id: Identifier
    client_id: Identifier
    connection_id: Identifier
    started_by: str
    is_automatic: bool = False
    dry_run: bool = False
    kind: DocumentKind | None = None
    document_ids: tuple[Identifier, ...] = ()
    status: TransferStatus = TransferStatus.QUEUED
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


def task_of(transfer: Transfer, task: str) -> dict[str, Any]:
    """The event that asks for a task of a transfer: names only, no document and no secret."""
    return {
        "task": task,
        "client_id": transfer.client_id,
        "connection_id": transfer.connection_id,
        "transfer_id": transfer.id,
    }
