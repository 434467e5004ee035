"""Deleting a connection: what goes with it, shown first; the time in which it can be brought back; what is left."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .wire import JsonObject, Model


class DeletionState(StrEnum):
    """How far a deletion is."""

    ASKED = "asked"
    """Written down, and nothing has been changed yet."""
    WAITING = "waiting"
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


class PlanView(Model):
    """Everything that goes when the connection is deleted, and what stays."""

    plan_token: Annotated[str, Field(description="What DELETE needs, as `plan_token`, to delete exactly this")]
    expires_at: datetime
    grace_seconds: Annotated[int, Field(description="For how long it can be brought back once it is deleted")]
    goes: list[KindView]
    stays: list[StaysView]


class Plan(Model):
    """A plan as it is kept until it expires."""

    token: str
    client_id: str
    connection_id: str
    version: int
    """Of the connection, when it was shown."""
    made_at: datetime
    expires_at: datetime
    goes: list[KindView]
    marks: dict[str, str]
    """By kind: a word that changes when other things are meant, even as many with the same names."""


class Deletion(Model):
    """A deletion that somebody asked for, as it is kept."""

    id: str
    client_id: str
    connection_id: str
    plan_token: str
    version: int
    by: str
    email: str | None = None
    source: str | None = None
    at: datetime
    until: datetime
    """From then on it is removed."""
    status_before: str
    goes: list[KindView]
    state: DeletionState = DeletionState.ASKED


class DeletionQuery(Model):
    """What a DELETE of a connection must show."""

    plan_token: Annotated[
        str, Field(min_length=1, max_length=200, description="The `plan_token` of the last deletion-preview")
    ]


class DeletionView(Model):
    """A deletion as the connection's people see it."""

    id: str
    connection_id: str
    state: DeletionState
    by: str
    at: datetime
    restorable_until: datetime
    goes: list[KindView]
