"""Plans and deletions as they are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from erphub.platform.wire import JsonObject, Model


class DeletionStatus(StrEnum):
    """How far a deletion is."""

    REQUESTED = "requested"
    """Written down, and nothing has been changed yet."""
    SCHEDULED = "scheduled"
    """Nothing of the connection works any more; all of it is still there and can be brought back."""
    REMOVING = "removing"
    """It is being removed; nothing can be brought back."""


class KindView(Model):
    """What goes of one kind."""

    kind: Annotated[str, Field(description="A stable word: `companies`, `import_jobs`, `lake_tables`, …")]
    title: str
    count: int
    names: Annotated[list[str], Field(description="Their names, the first twenty")] = Field(default_factory=list[str])
    facts: Annotated[
        JsonObject,
        Field(
            description="What else is to be known: bytes, states, `at_least` when there may be more than was counted"
        ),
    ] = Field(default_factory=dict[str, Any])


class StaysView(Model):
    """What is left when all is done, and why."""

    kind: str
    title: str
    why: str


class Plan(Model):
    """A plan as it is kept until it expires."""

    token: str
    client_id: str
    connection_id: str
    version: int
    """Of the connection, when it was shown."""
    created_at: datetime
    expires_at: datetime
    goes: list[KindView]
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
    source: str | None = None
    requested_at: datetime
    restorable_until: datetime
    """From then on it is removed."""
    status_before: str
    """Of the connection."""
    goes: list[KindView]
    status: DeletionStatus = DeletionStatus.REQUESTED
