"""The wizard as people use it: started, looked at, cancelled. `answers` takes what they answer, `tasks` works on it.

An answer is safe once it is kept, and the machine is only woken: it reads what to do from the wizard itself. So nothing
secret passes through it, and being woken twice, late or never loses nothing.
"""

from dataclasses import dataclass

from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import UsedCompanies
from erphub.connections.problems import CONNECTION_DELETING
from erphub.erp.catalogue import describe
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Invalid, NotFound
from erphub.platform.identity import Member
from erphub.platform.secrets import Secrets
from erphub.platform.versions import require_version
from erphub.wizards import choices as choosing
from erphub.wizards import problems
from erphub.wizards.access import WizardAccess
from erphub.wizards.drafts import abbreviated, answers_of
from erphub.wizards.ending import WizardEnding
from erphub.wizards.machine import WizardMachine
from erphub.wizards.models import AnsweredBy, Edit, Wizard, WizardStatus
from erphub.wizards.schemas import StartWizard, WizardView
from erphub.wizards.views import find_step, wizard_view


@dataclass(frozen=True)
class WizardService:
    """The use-cases behind the wizard's routes."""

    access: WizardAccess
    companies: UsedCompanies
    secrets: Secrets
    machine: WizardMachine
    ending: WizardEnding
    clock: Clock
    new_id: IdGenerator

    def start(self, member: Member, body: StartWizard) -> WizardView:
        """Start a wizard and give it back when a step can be answered. Raises Invalid, and as `_edit` does."""
        if body.connection_id is not None:
            if body.erp_system is not None:
                raise Invalid.of(problems.SYSTEM_FIXED("/erp_system"))
            return self._edit(member, body.connection_id, body.step_id)
        if body.erp_system is None:
            raise Invalid.of(problems.SYSTEM_REQUIRED("/erp_system"))
        if body.step_id is not None:
            raise Invalid.of(problems.STEP_ONLY_FOR_EDITS("/step"))
        try:
            description = describe(body.erp_system)
        except NotFound as error:
            raise Invalid.of(error.at("/erp_system")) from error
        wizard = self._new(member, description.id, description.steps[0].id, self.new_id())
        return self._begin(wizard, list_companies=False)

    def _new(self, member: Member, erp_system: str, step_id: str, connection_id: str) -> Wizard:
        wizard_id = self.new_id()
        return Wizard(
            id=wizard_id,
            client_id=member.client_id,
            customer_id=member.customer_id,
            erp_system=erp_system,
            owner=member.user,
            answered_by=AnsweredBy.of(member),
            status=WizardStatus.WORKING,
            step=step_id,
            connection_id=connection_id,
            execution=self.machine.execution(wizard_id),
            created_at=self.clock(),
            expires_at=self.machine.expires_at(),
        )

    def _begin(self, wizard: Wizard, *, list_companies: bool) -> WizardView:
        self.access.store.create(wizard)
        return wizard_view(self.machine.start(wizard, list_companies=list_companies))

    def _edit(self, member: Member, connection_id: str, step_id: str | None) -> WizardView:
        """Start a draft of a connection. Raises NotFound, Forbidden, Invalid, Conflict (`connection_deleting`)."""
        connection = self.access.connections.connection(member, connection_id)
        if connection.is_being_deleted:
            raise CONNECTION_DELETING()
        description = describe(connection.erp_system)
        try:
            step = find_step(description, step_id) if step_id else description.steps[0]
        except NotFound as error:
            raise Invalid.of(error.at("/step")) from error
        keys = [company.key for company in self.companies.companies(member.client_id, connection_id)]
        given = answers_of(connection, keys, description)
        draft = Edit(
            version=connection.version, secret_name=connection.secret_name, original_answers=abbreviated(given)
        )
        # Companies are listed anew with the live password, unless the ERP is known to refuse it: a user there who
        # gives a wrong one too often is locked out.
        known = connection.status is not ConnectionStatus.REAUTH_REQUIRED
        wizard = self._new(member, description.id, step.id, connection_id)
        changes = {"answers": given, "edit": draft, "secrets": self._secrets_of(connection)}
        return self._begin(
            wizard.model_copy(update=changes),
            list_companies=known and step.id in choosing.steps_listed_by_server(description),
        )

    def _secrets_of(self, connection: Connection) -> list[str]:
        """The names of the passwords that are kept; none when somebody removed them."""
        try:
            return sorted(self.secrets.get(connection.secret_name))
        except NotFound:
            return []

    def get(self, member: Member, wizard_id: str) -> WizardView:
        """Where the wizard stands. Raises NotFound."""
        return wizard_view(self.access.find(member, wizard_id))

    def cancel(self, member: Member, wizard_id: str, version: int | None = None) -> None:
        """End the wizard at once and remove its password. Again is fine. Raises NotFound, Conflict when finished."""
        wizard = self.access.find(member, wizard_id)
        if wizard.status is WizardStatus.FINISHED:
            raise problems.CONNECTION_CREATED()
        require_version(version, wizard.version)
        self.ending.end(wizard, WizardStatus.CANCELLED, as_read=version is not None)
        self.machine.stop(wizard, "cancelled")
