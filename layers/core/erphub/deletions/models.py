"""Plans and deletions as they are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from erphub.platform.wire import Model


class DeletionStatus(StrEnum):
    """How far a deletion is."""

    REQUESTED = "requested"
    """Written down, and nothing has been changed yet."""
    SCHEDULED = "scheduled"
    """Nothing of the connection works any more; all of it is still there and can be brought back."""
    REMOVING = "removing"
    """It is being removed; nothing can be brought back."""


class TableSize(Model):
    """How much of a table is the connection's."""

    size_bytes: int


class KindDetails(Model):
    """What else is to be known of a kind, as far as it applies to it."""

    has_more: Annotated[bool, Field(description="Whether there may be more than was counted")] = False
    size_bytes: int | None = None
    tables: Annotated[dict[str, TableSize] | None, Field(description="Imported data, by dataset")] = None
    documents_by_status: Annotated[dict[str, int] | None, Field(description="Documents of the export log")] = None
    transfer_count: int | None = None
    scheduled_count: Annotated[int | None, Field(description="Import jobs that have a schedule")] = None
    is_automatic: Annotated[bool | None, Field(description="Whether the sync transfers by itself")] = None


class DeletedKindView(Model):
    """What is deleted of one kind."""

    kind: Annotated[str, Field(description="A stable word: `companies`, `import_jobs`, `lake_tables`, …")]
    title: str
    count: int
    names: Annotated[list[str], Field(description="Their names, the first twenty")] = Field(default_factory=list[str])
    details: KindDetails = KindDetails()


class KeptKindView(Model):
    """What is left when all is done, and why."""

    kind: str
    title: str
    reason: str


class Plan(Model):
    """A plan as it is kept until it expires."""

    token: str
    client_id: str
    connection_id: str
    version: int
    """Of the connection, when it was shown."""
    created_at: datetime
    expires_at: datetime
    deleted: list[DeletedKindView]
    fingerprints: dict[str, str]
    """By kind: a word that changes when other things are meant, even as many with the same names."""


class Deletion(Model):
    """A deletion that somebody asked for, as it is kept."""

    id: str
    client_id: str
    connection_id: str
    plan_token: str
    version: int
    requested_by: str
    email: str | None = None
    name: str | None = None
    """What people know them by: an e-mail address, or the name of a program's key."""
    source: str | None = None
    requested_at: datetime
    restorable_until: datetime
    """From then on it is removed."""
    status_before: str
    """Of the connection."""
    deleted: list[DeletedKindView]
    status: DeletionStatus = DeletionStatus.REQUESTED
