"""The dialogue that makes or edits a connection."""

from datetime import datetime
from typing import Any

from erphub.companies.schemas import CompanySearch
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_MANAGE
from erphub.wizards.answers import AnswerService
from erphub.wizards.options import OptionService
from erphub.wizards.schemas import AskOwner, ChoiceSearch, FoundChoicePage, FoundCompanyPage, StartWizard, WizardView
from erphub.wizards.service import WizardService

router = Router("Wizard")


@router.post("/clients/{client_id}/wizards", needs=CONNECTIONS_MANAGE)
def start_wizard(service: WizardService, member: Member, body: StartWizard) -> WizardView:
    """Start a wizard that connects an ERP system, or that edits a connection from any of its steps."""
    return service.start(member, body)


@router.get("/clients/{client_id}/wizards/{wizard}", needs=CONNECTIONS_MANAGE)
def show_wizard(service: WizardService, member: Member, wizard: str) -> WizardView:
    """Show where a wizard stands."""
    return service.get(member, wizard)


@router.get("/clients/{client_id}/wizards/{wizard}/companies", needs=CONNECTIONS_MANAGE)
def list_found_companies(service: OptionService, member: Member, wizard: str, query: CompanySearch) -> FoundCompanyPage:
    """List or search the companies the login can see."""
    return service.list_companies(member, wizard, query)


@router.get("/clients/{client_id}/wizards/{wizard}/choices/{field}", needs=CONNECTIONS_MANAGE)
def list_choices(
    service: OptionService, member: Member, wizard: str, field: str, query: ChoiceSearch
) -> FoundChoicePage:
    """List or search what a field can be chosen from in the chosen companies, as the ERP has it (`departments`)."""
    return service.list_choices(member, wizard, field, query)


@router.post("/clients/{client_id}/wizards/{wizard}/steps/{step}/refresh", needs=CONNECTIONS_MANAGE, status=202)
def refresh_step(service: AnswerService, member: Member, wizard: str, step: str, received: datetime) -> WizardView:
    """Have the ERP asked again what a step is chosen from (`companies`, `departments`); the wizard then waits there."""
    return service.refresh(member, wizard, step, received)


@router.put("/clients/{client_id}/wizards/{wizard}/steps/{step}", needs=CONNECTIONS_MANAGE, status=202)
def answer_step(
    service: AnswerService, member: Member, wizard: str, step: str, body: dict[str, Any], received: datetime
) -> WizardView:
    """Answer a step with its fields; look at the wizard until it waits again."""
    return service.answer(member, wizard, step, body, received)


@router.delete("/clients/{client_id}/wizards/{wizard}", needs=CONNECTIONS_MANAGE)
def cancel_wizard(service: WizardService, member: Member, wizard: str) -> None:
    """Cancel a wizard and forget its password."""
    service.cancel(member, wizard)


@router.post("/clients/{client_id}/wizards/{wizard}/access-requests", needs=CONNECTIONS_MANAGE, status=202)
def ask_owner(service: OptionService, member: Member, wizard: str, body: AskOwner) -> None:
    """Ask the people of the connection that has a company already to let the caller in; they are told once a day."""
    service.request_access(member, wizard, body)
