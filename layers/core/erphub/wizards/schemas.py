"""What is sent and shown about wizards."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from erphub.companies.schemas import ConnectedElsewhere
from erphub.erp.probes import ProbeView
from erphub.platform.wire import Identifier, JsonObject, Model, SearchQuery
from erphub.wizards.models import WizardStatus


class StartWizard(Model):
    """Which ERP system to connect; or which connection to edit, beginning at which step."""

    erp_system: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    connection_id: Annotated[Identifier | None, Field(description="The connection to edit")] = None
    step_id: Annotated[
        str | None, Field(alias="step", max_length=50, description="The step to begin an edit at; else the first")
    ] = None


class RefreshQuery(Model):
    """What to look for when the ERP is asked again."""

    search: Annotated[
        str | None, Field(max_length=200, description="Companies whose name or key holds these words; else all")
    ] = None


class StepStatus(StrEnum):
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
    status: StepStatus


class WizardView(Model):
    """Where a wizard stands: the step that waits, all steps, and what the last test or answer met."""

    id: str
    erp_system: str
    status: WizardStatus
    step: str | None
    steps: list[StepView]
    probes: list[ProbeView]
    problem: JsonObject | None
    notice: Annotated[str | None, Field(description="What else there is to know of the last answer, in words")]
    connection_id: str | None
    expires_at: datetime
    version: int


class FoundCompanyView(Model):
    """A company the login can see; `unavailable_reason` says why it cannot be chosen."""

    key: str
    name: str
    unavailable_reason: str | None
    connected_elsewhere: ConnectedElsewhere | None = None


class CreateAccessRequest(Model):
    """The company whose owner is to be asked for access."""

    company_key: Annotated[str, Field(min_length=1, max_length=128, description="The company's key, as it was listed")]


class AccessRequestView(Model):
    """A request for access, as it was taken: the people of the connection are told, at most once a day."""

    company_key: str
    company_name: str
    """As the wizard's login sees it."""


class FoundCompanyPage(Model):
    """A page of the companies that were found."""

    items: list[FoundCompanyView]
    next: str | None


class ChoiceSearch(SearchQuery):
    """Words that stand in a choice's name or key, or its company's name, whatever their case and accents."""


class FoundChoiceView(Model):
    """Something the ERP offers to choose in one of the companies; `key` is what the answer names."""

    key: str
    name: str
    company_key: str
    company_name: str


class FoundChoicePage(Model):
    """A page of what there is to choose from."""

    items: list[FoundChoiceView]
    next: str | None
