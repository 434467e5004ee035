"""The dialogue that makes or edits a connection."""

from datetime import datetime
from typing import Annotated, Any

from erphub.companies.schemas import CompanySearch
from erphub.erp.step_answers import answers_by_name
from erphub.platform.capability import ByService, NoAct
from erphub.platform.http.router import AnyOf, Awaited, Router
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_MANAGE
from erphub.wizards.answers import AnswerService
from erphub.wizards.capability import ACCESS_REQUESTED, CONNECTION_CREATED, CONNECTION_EDITED, WIZARDS
from erphub.wizards.models import WizardStatus
from erphub.wizards.options import OptionService
from erphub.wizards.schemas import (
    AccessRequestView,
    ChoiceSearch,
    CreateAccessRequest,
    FoundChoicePage,
    FoundCompanyPage,
    RefreshQuery,
    StartWizard,
    WizardView,
)
from erphub.wizards.service import WizardService

router = Router("Wizard")
_ANSWERED = Awaited("/clients/{client_id}/wizards/{wizard_id}", lambda shown: shown.status is not WizardStatus.WORKING)
_DRAFT = "Nothing of a wizard is in use before its last step, whose entry says what was chosen."


@router.post("/clients/{client_id}/wizards", needs=CONNECTIONS_MANAGE, audit=NoAct(_DRAFT), limit=WIZARDS)
def start_wizard(service: WizardService, member: Member, body: StartWizard) -> WizardView:
    """Start a wizard that connects an ERP system, or that edits a connection from any of its steps."""
    return service.start(member, body)


@router.get("/clients/{client_id}/wizards/{wizard_id}", needs=CONNECTIONS_MANAGE)
def get_wizard(service: WizardService, member: Member, wizard_id: str) -> WizardView:
    """Show where a wizard stands."""
    return service.get(member, wizard_id)


@router.get("/clients/{client_id}/wizards/{wizard_id}/companies", needs=CONNECTIONS_MANAGE)
def list_found_companies(
    service: OptionService, member: Member, wizard_id: str, query: CompanySearch
) -> FoundCompanyPage:
    """List or search the companies the login can see."""
    return service.list_companies(member, wizard_id, query)


@router.get("/clients/{client_id}/wizards/{wizard_id}/choices/{field_name}", needs=CONNECTIONS_MANAGE)
def list_choices(
    service: OptionService, member: Member, wizard_id: str, field_name: str, query: ChoiceSearch
) -> FoundChoicePage:
    """List or search what a field can be chosen from in the chosen companies, as the ERP has it (`departments`)."""
    return service.list_choices(member, wizard_id, field_name, query)


@router.post(
    "/clients/{client_id}/wizards/{wizard_id}/steps/{step_id}/refresh",
    needs=CONNECTIONS_MANAGE,
    audit=NoAct(_DRAFT),
    status=202,
    awaited=_ANSWERED,
)
def refresh_step(
    service: AnswerService, member: Member, wizard_id: str, step_id: str, query: RefreshQuery, received: datetime
) -> WizardView:
    """Have the ERP asked again what a step is chosen from (`companies`, `departments`); the wizard then waits there.

    Where there are more companies than are listed, `search` lists those whose name or key holds the words.
    """
    return service.refresh(member, wizard_id, step_id, query, received)


@router.put(
    "/clients/{client_id}/wizards/{wizard_id}/steps/{step_id}",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((CONNECTION_CREATED, CONNECTION_EDITED)),
    status=202,
    awaited=_ANSWERED,
)
def answer_step(
    service: AnswerService,
    member: Member,
    wizard_id: str,
    step_id: str,
    body: Annotated[dict[str, Any], AnyOf("The fields of the step, by ERP system and step", answers_by_name)],
    received: datetime,
    version: int | None,
) -> WizardView:
    """Answer a step with its fields; look at the wizard until it waits again."""
    return service.answer(member, wizard_id, step_id, body, received, version)


@router.delete("/clients/{client_id}/wizards/{wizard_id}", needs=CONNECTIONS_MANAGE, audit=NoAct(_DRAFT))
def cancel_wizard(service: WizardService, member: Member, wizard_id: str, version: int | None) -> None:
    """Cancel a wizard and forget its password."""
    service.cancel(member, wizard_id, version)


@router.post(
    "/clients/{client_id}/wizards/{wizard_id}/access-requests",
    needs=CONNECTIONS_MANAGE,
    audit=ACCESS_REQUESTED,
    status=202,
)
def request_access(
    service: OptionService, member: Member, wizard_id: str, body: CreateAccessRequest
) -> AccessRequestView:
    """Ask the people of the connection that has a company already to let the caller in; they are told once a day."""
    return service.request_access(member, wizard_id, body)
