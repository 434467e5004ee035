"""A wizard: the dialogue that makes a connection, and where it stands."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .wire import JsonObject, Model, SearchQuery


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
        """Where the passwords are: the same place before and after the connection is made."""
        return secret_name(self.client_id, self.connection_id)

    @property
    def settings(self) -> dict[str, Any]:
        """The answers of all steps, flat."""
        return {name: value for answer in self.answers.values() for name, value in answer.items()}


def secret_name(client_id: str, connection_id: str) -> str:
    """The name of a connection's secret, below the deployment's prefix."""
    return f"{client_id}/{connection_id}"


class StartWizard(Model):
    """Which ERP system to connect."""

    erp_system: Annotated[str, Field(min_length=1, max_length=100)]


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


class FoundCompanyView(Model):
    """A company the login can see; `problem` says why it cannot be chosen."""

    key: str
    name: str
    problem: str | None


class FoundCompanyPage(Model):
    """A page of the companies that were found."""

    items: list[FoundCompanyView]
    next: str | None


class CompanySearch(SearchQuery):
    """Words that stand in a company's name or key, whatever their case and accents."""
