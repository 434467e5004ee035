"""A wizard: the dialogue that makes a connection, and where it stands."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import Field

from erphub.connections.models import secret_name
from erphub.platform.identity import Member
from erphub.platform.wire import JsonObject, Model


class WizardStatus(StrEnum):
    """Where a wizard stands. The machine alone turns WORKING into WAITING, when it can be answered again."""

    WORKING = "working"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        """Whether the dialogue still goes on."""
        return self in (WizardStatus.WORKING, WizardStatus.WAITING)


class AnswerLease(Model):
    """That an answer is being taken: its secret is on its way, so no other answer may come between."""

    step: str
    at: datetime


class AnsweredBy(Model):
    """Who gave an answer, and from where."""

    user: str
    email: str | None = None
    source: str | None = None

    @classmethod
    def of(cls, member: Member) -> Self:
        """The member who is signed in."""
        return cls(user=member.user, email=member.email, source=member.source)


class Edit(Model):
    """What a wizard that edits a connection remembers of it; the connection itself stays as it is until the end."""

    version: int
    """The connection's version the draft was made from; when it has moved on, the draft is stale."""
    secret_name: str
    """Where the connection's passwords were then."""
    original_answers: dict[str, JsonObject]
    """The answers as they were then."""
    companies_listed: bool = False
    """Whether the companies were listed anew, so that they can be chosen from."""
    has_own_secret: bool = False
    """Whether a password was entered: kept for the draft alone until the end."""
    before: JsonObject | None = None
    """The connection (without its settings) as it was before the end, for what has to be cleaned up after it."""


class Wizard(Model):
    """A wizard as it is kept. `answers` hold no secret; `secrets` names those that are kept under `secret_name`."""

    id: str
    client_id: str
    erp_system: str
    owner: str
    status: WizardStatus
    step: str
    answers: dict[str, JsonObject] = Field(default_factory=dict)
    answered: str | None = None
    """The step whose answer is being worked on, or was last."""
    answered_at: datetime | None = None
    refused: JsonObject | None = None
    """That answer when it was not good enough, to be shown and mended."""
    secrets: list[str] = Field(default_factory=list)
    edit: Edit | None = None
    """When it edits a connection that is there."""
    customer_id: str = ""
    answered_by: AnsweredBy | None = None
    loaded_lists: list[str] = Field(default_factory=list)
    """The fields whose choices have been listed for the companies that are in use now."""
    answer_lease: AnswerLease | None = None
    probes: list[JsonObject] = Field(default_factory=list)
    problem: JsonObject | None = None
    company_search: str = ""
    """Words by which the companies listed were looked for."""
    companies_omitted: int = 0
    """How many companies that fit were not listed, because there are too many."""
    choices_omitted: dict[str, int] = Field(default_factory=dict)
    """How many choices of each field were not listed, for the same reason."""
    connection_id: str
    execution: str | None = None
    created_at: datetime
    expires_at: datetime
    version: int = 1

    @property
    def secret_name(self) -> str:
        """Where passwords entered here are kept: the same place before and after the connection is made or changed."""
        return secret_name(self.client_id, self.connection_id, self.id if self.edit else None)

    @property
    def secret_in_use(self) -> str:
        """Where the passwords to try are: those entered here, or else the edited connection's own."""
        return self.edit.secret_name if self.edit and not self.edit.has_own_secret else self.secret_name

    @property
    def settings(self) -> dict[str, Any]:
        """The answers of all steps, flat."""
        return {name: value for answer in self.answers.values() for name, value in answer.items()}

    @property
    def lists_companies(self) -> bool:
        """Whether companies are chosen from what the ERP listed; an edit may not have asked it yet."""
        return self.edit is None or self.edit.companies_listed
