"""Who may go on with a wizard."""

from dataclasses import dataclass

from erphub.connections.access import ConnectionAccess
from erphub.platform.errors import NotFound
from erphub.platform.identity import Member
from erphub.wizards import problems
from erphub.wizards.ending import require_open
from erphub.wizards.models import Wizard
from erphub.wizards.ports import WizardStore


@dataclass(frozen=True)
class WizardAccess:
    """Its owner alone; once it edits a connection, whoever may edit that."""

    store: WizardStore
    connections: ConnectionAccess

    def find(self, member: Member, wizard_id: str) -> Wizard:
        """A wizard that the member may go on with. Raises NotFound, Forbidden."""
        wizard = self.store.get(member.client_id, wizard_id)
        if wizard is None:
            raise _wizard_not_found()
        if wizard.edit:
            try:
                self.connections.connection(member, wizard.connection_id)
            except NotFound:
                if wizard.status.is_open and wizard.owner != member.user:
                    raise
        elif wizard.owner != member.user:
            # What it shows of an ERP is for others only once its connection has been shared.
            raise _wizard_not_found()
        return wizard

    def find_open(self, member: Member, wizard_id: str) -> Wizard:
        """The same, while it goes on. Raises NotFound, Forbidden, Gone, Conflict (`wizard_finished`)."""
        wizard = self.find(member, wizard_id)
        require_open(wizard)
        return wizard


def _wizard_not_found() -> NotFound:
    return problems.WIZARD_NOT_FOUND()
