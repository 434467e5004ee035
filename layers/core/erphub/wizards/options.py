"""What a wizard's user can choose from: companies, and the choices of fields that the ERP lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.companies.schemas import CompanySearch
from erphub.companies.service import CompanyRegistry
from erphub.connections.models import Company
from erphub.connections.ports import UsedCompanies
from erphub.erp.catalogue import describe
from erphub.erp.description import Field
from erphub.erp.system import FoundChoice, FoundCompany
from erphub.platform.capability import LimitScope
from erphub.platform.errors import Invalid
from erphub.platform.identity import Member
from erphub.platform.limits import Limits, Owner
from erphub.platform.text import searchable
from erphub.wizards import choices as choosing
from erphub.wizards import problems
from erphub.wizards.access import WizardAccess
from erphub.wizards.capability import CHOICES_FOUND, COMPANIES_FOUND
from erphub.wizards.models import Wizard
from erphub.wizards.ports import ListedOptions
from erphub.wizards.schemas import (
    AccessRequestView,
    ChoiceSearch,
    CreateAccessRequest,
    FoundChoicePage,
    FoundChoiceView,
    FoundCompanyPage,
    FoundCompanyView,
)


@dataclass(frozen=True)
class WizardCompanies:
    """The companies of a wizard: those that were listed; in an edit that has not listed them yet, those in use."""

    options: ListedOptions
    used: UsedCompanies
    limits: Limits

    def keep(self, wizard: Wizard, found: Sequence[FoundCompany]) -> Wizard:
        """Keep what the ERP listed, as far as it was looked for, and no more than there may be; the rest is counted."""
        words = searchable(wizard.company_search)
        fitting = [one for one in found if words in searchable(f"{one.name}\n{one.key}")]
        most = self.limits.maximum(COMPANIES_FOUND, Owner(LimitScope.CLIENT, wizard.client_id))
        self.options.put_companies(wizard, fitting[:most])
        return wizard.model_copy(update={"companies_omitted": max(0, len(fitting) - most)})

    def keep_choices(self, wizard: Wizard, field: Field, found: Sequence[FoundChoice]) -> Wizard:
        """Keep what a field can be chosen from, no more than there may be; the rest is counted."""
        most = self.limits.maximum(CHOICES_FOUND, Owner(LimitScope.CLIENT, wizard.client_id))
        self.options.put_choices(wizard, field.name, found[:most])
        omitted = {**wizard.choices_omitted, field.name: max(0, len(found) - most)}
        return wizard.model_copy(update={"choices_omitted": omitted})

    def search(self, wizard: Wizard, query: CompanySearch) -> tuple[Sequence[FoundCompany], str | None]:
        """A page of them."""
        what = query.search or "", query.limit, query.next
        if wizard.lists_companies:
            return self.options.search_companies(wizard, *what)
        found, following = self.used.search_companies(wizard.client_id, wizard.connection_id, *what)
        return _as_found(found), following

    def in_use(self, wizard: Wizard) -> Sequence[FoundCompany]:
        """Those that were chosen, or that the connection uses."""
        return self.selected(wizard) if wizard.lists_companies else _as_found(self.connected(wizard))

    def selected(self, wizard: Wizard) -> list[FoundCompany]:
        """Those listed that the answer names."""
        return choosing.selected_companies(self.options.companies(wizard), wizard.settings.get("companies"))

    def connected(self, wizard: Wizard) -> Sequence[Company]:
        """Those that the wizard's connection uses now."""
        return self.used.companies(wizard.client_id, wizard.connection_id)


def _as_found(companies: Sequence[Company]) -> list[FoundCompany]:
    return [FoundCompany(one.key, one.name, None, one.attributes) for one in companies]


@dataclass(frozen=True)
class OptionService:
    """The use-cases behind the lists of a wizard."""

    access: WizardAccess
    options: ListedOptions
    companies: WizardCompanies
    registry: CompanyRegistry

    def list_companies(self, member: Member, wizard_id: str, query: CompanySearch) -> FoundCompanyPage:
        """A page of the companies the login can see. Raises NotFound, Gone."""
        wizard = self.access.find_open(member, wizard_id)
        found, following = self.companies.search(wizard, query)
        elsewhere = self.registry.find_elsewhere(member, wizard.erp_system, found, wizard.connection_id)
        items = [
            FoundCompanyView(
                key=one.key, name=one.name, unavailable_reason=one.problem, connected_elsewhere=elsewhere.get(one.key)
            )
            for one in found
        ]
        return FoundCompanyPage(items=items, next=following)

    def list_choices(self, member: Member, wizard_id: str, field: str, query: ChoiceSearch) -> FoundChoicePage:
        """A page of what a field can be chosen from. Raises NotFound (`choices_not_found`), Gone."""
        wizard = self.access.find_open(member, wizard_id)
        steps = choosing.listed_steps(describe(wizard.erp_system))
        if not any(field == one.name for step in steps for one in step.listed):
            raise problems.CHOICES_NOT_FOUND()
        found, following = self.options.search_choices(wizard, field, query.search or "", query.limit, query.next)
        items = [
            FoundChoiceView(key=one.key, name=one.name, company_key=one.company, company_name=one.company_name)
            for one in found
        ]
        return FoundChoicePage(items=items, next=following)

    def request_access(self, member: Member, wizard_id: str, body: CreateAccessRequest) -> AccessRequestView:
        """Ask whoever has a company in a connection already for access. Raises NotFound, Gone, Invalid, Conflict."""
        wizard = self.access.find_open(member, wizard_id)
        found = next((one for one in self.options.companies(wizard) if one.key == body.company_key), None)
        if found is None:
            raise Invalid.of(problems.COMPANY_UNKNOWN("/company_key"))
        self.registry.request_access(member, wizard.erp_system, found, wizard.connection_id)
        return AccessRequestView(company_key=found.key, company_name=found.name)
