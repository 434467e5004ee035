"""A wizard: the dialogue that makes a connection, and where it stands."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .wire import Identifier, JsonObject, Model, SearchQuery


class WizardStatus(StrEnum):
    """Where a wizard stands. The machine alone turns WORKING into WAITING, when it can be answered again."""

    WORKING = "working"
    WAITING = "waiting"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        """Whether the dialogue still goes on."""
        return self in (WizardStatus.WORKING, WizardStatus.WAITING)


class Claim(Model):
    """That an answer is being taken: its secret is on its way, so no other answer may come between."""

    step: str
    at: datetime


class Asker(Model):
    """Who gave an answer, and from where."""

    user: str
    email: str | None = None
    source: str | None = None


class Edit(Model):
    """What a wizard that edits a connection remembers of it; the connection itself stays as it is until the end."""

    version: int
    """The connection's version the draft was made from; when it has moved on, the draft is stale."""
    secret_name: str
    """Where the connection's passwords were then."""
    opened: dict[str, JsonObject]
    """The answers as they were then."""
    listed: bool = False
    """Whether the companies were listed anew, so that they can be chosen from."""
    own_secret: bool = False
    """Whether a password was entered: kept for the draft alone until the end."""
    before: JsonObject | None = None
    """The connection (without its settings) as it was before the end, for what has to be tidied up after it."""


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
    answered_by: Asker | None = None
    listed: list[str] = Field(default_factory=list)
    """The fields whose choices have been listed for the companies that are in use now."""
    claim: Claim | None = None
    probes: list[JsonObject] = Field(default_factory=list)
    problem: JsonObject | None = None
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
        return self.edit.secret_name if self.edit and not self.edit.own_secret else self.secret_name

    @property
    def settings(self) -> dict[str, Any]:
        """The answers of all steps, flat."""
        return {name: value for answer in self.answers.values() for name, value in answer.items()}


def secret_name(client_id: str, connection_id: str, edit: str | None) -> str:
    """The name of a connection's secret, below the deployment's prefix: the first one, or that of an edit."""
    return f"{client_id}/{connection_id}" + (f"/{edit}" if edit else "")


class StartWizard(Model):
    """Which ERP system to connect; or which connection to edit, beginning at which step."""

    erp_system: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    connection_id: Annotated[Identifier | None, Field(description="The connection to edit")] = None
    step: Annotated[str | None, Field(max_length=50, description="The step to begin an edit at; else the first")] = None


class StepState(StrEnum):
    """Whether a step was answered, waits for its answer, or comes later."""

    DONE = "done"
    WAITING = "waiting"
    LATER = "later"


class StepView(Model):
    """One step: its form as JSON Schema, and what was answered, without secrets."""

    id: str
    title: str
    help: str
    form: Annotated[JsonObject, Field(serialization_alias="schema")]
    answer: JsonObject | None
    state: StepState


class ProbeView(Model):
    """One stage of a connection test."""

    stage: str
    outcome: str
    milliseconds: int
    detail: str
    code: str | None = None


class WizardView(Model):
    """Where a wizard stands: the step that waits, all steps, and what the last test or answer met."""

    id: str
    erp_system: str
    status: WizardStatus
    step: str | None
    steps: list[StepView]
    probes: list[ProbeView]
    problem: JsonObject | None
    connection_id: str | None
    expires_at: datetime
    version: int


class ConnectedElsewhere(Model):
    """Where a company is connected already, as far as the caller may know, and what can be done about it."""

    client_id: str | None = None
    client: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    owner: str | None = None
    offers: list[str]
    """`use_existing`: it is in a client of yours; `ask_owner`: ask to be let in; `go_on`: the customer allows twice."""


class FoundCompanyView(Model):
    """A company the login can see; `problem` says why it cannot be chosen."""

    key: str
    name: str
    problem: str | None
    elsewhere: ConnectedElsewhere | None = None


class AskOwner(Model):
    """The company whose owner is to be asked for access."""

    company: Annotated[str, Field(min_length=1, max_length=128, description="The company's key, as it was listed")]


class FoundCompanyPage(Model):
    """A page of the companies that were found."""

    items: list[FoundCompanyView]
    next: str | None


class CompanySearch(SearchQuery):
    """Words that stand in a company's name or key, whatever their case and accents."""


class ChoiceSearch(SearchQuery):
    """Words that stand in a choice's name or key, or its company's name, whatever their case and accents."""


class FoundChoiceView(Model):
    """Something the ERP offers to choose in one of the companies; `key` is what the answer names."""

    key: str
    name: str
    company: str
    company_name: str


class FoundChoicePage(Model):
    """A page of what there is to choose from."""

    items: list[FoundChoiceView]
    next: str | None
