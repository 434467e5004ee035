"""What only the hub knows about an answer: which companies were found and are whose, which names are taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erphub.companies.service import CompanyRegistry
from erphub.connections.attempts import AttemptGuard
from erphub.connections.ports import ConnectionStore
from erphub.connections.problems import CONNECTION_DELETING, NAME_TAKEN
from erphub.erp.description import Description, Step
from erphub.platform.identity import Member
from erphub.platform.text import clean_name
from erphub.wizards import choices as choosing
from erphub.wizards.drafts import connection_changed
from erphub.wizards.models import Wizard
from erphub.wizards.options import WizardCompanies
from erphub.wizards.ports import ListedOptions


@dataclass(frozen=True)
class AnswerChecks:
    """Checks answers before they are kept."""

    connections: ConnectionStore
    companies: WizardCompanies
    options: ListedOptions
    registry: CompanyRegistry
    attempts: AttemptGuard

    def require_current(self, wizard: Wizard, description: Description) -> None:
        """Refuse what was made from a connection that is no longer so. Raises Gone, Conflict (`connection_changed`)."""
        live = self.connections.get(wizard.client_id, wizard.connection_id)
        if live is None or live.is_being_deleted:
            raise CONNECTION_DELETING()
        if wizard.edit and live.version != wizard.edit.version:
            raise connection_changed(wizard, live, self.companies.connected(wizard), description)

    def check(self, member: Member, wizard: Wizard, step: Step, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as it is kept. Raises Invalid, Conflict (`name_taken`, `company_connected`, …)."""
        settings = dict(answer)
        if step.id == "companies" and wizard.lists_companies:
            found = self.options.companies(wizard)
            choosing.check_companies(found, settings["companies"])
            self.registry.require_free(
                member,
                wizard.erp_system,
                choosing.selected_companies(found, settings["companies"]),
                wizard.connection_id,
                by_name=isinstance(settings["companies"], list),
                allow_duplicates=bool(settings.get("confirm_duplicates")),
            )
        for field in step.listed:
            if field.name in wizard.loaded_lists:
                choices = self.options.choices(wizard, field.name)
                settings[field.name] = choosing.check_choice(field, settings[field.name], choices)
        if step.id == "name":
            settings["name"] = clean_name(settings["name"], "/name")
            if self.connections.is_taken(wizard.client_id, settings["name"], wizard.connection_id):
                raise NAME_TAKEN()
        return settings
