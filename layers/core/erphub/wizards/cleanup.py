"""What follows a wizard's end, and may be repeated until it is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.companies.service import CompanyRegistry, company_identity
from erphub.connections.health import HealthService
from erphub.connections.models import Company, Connection
from erphub.connections.ports import ConnectionHooks, ConnectionStore, UsedCompanies
from erphub.platform.secrets import Secrets
from erphub.wizards.models import Wizard
from erphub.wizards.ports import ListedOptions, WizardStore


@dataclass(frozen=True)
class WizardCleanup:
    """Removes what is no longer used, and lets others know of what is new."""

    store: WizardStore
    options: ListedOptions
    connections: ConnectionStore
    used: UsedCompanies
    secrets: Secrets
    registry: CompanyRegistry
    hooks: ConnectionHooks
    health: HealthService

    def after(self, wizard: Wizard) -> None:
        """What follows when it is in use; done again from the start when it was cut off."""
        if wizard.edit and wizard.edit.before:
            before = Connection.model_validate(wizard.edit.before)
            now = self.connections.get(wizard.client_id, wizard.connection_id)
            if now is not None:
                self._remove_replaced(wizard, before, now)
                if wizard.probes:
                    # It passed a test: what stood still because of its login goes on. Again is fine.
                    self.health.reconnected(now.client_id, now.id)
        else:
            self.hooks.created(wizard.client_id, wizard.connection_id, wizard.owner)
        self.options.delete(wizard)
        self.store.mark_cleaned_up(wizard)

    def _remove_replaced(self, wizard: Wizard, before: Connection, now: Connection) -> None:
        """Remove what the edit has replaced: the old password, the companies no longer used."""
        for name in {before.secret_name, wizard.secret_name} - {now.secret_name}:
            self.secrets.delete(name)
        if before.generation != now.generation:
            self.used.delete_companies(wizard.client_id, wizard.connection_id, before.generation, soon=True)
            companies = self.used.companies(wizard.client_id, wizard.connection_id)
            self.release_companies(wizard, companies)

    def undo(self, wizard: Wizard) -> None:
        """A wizard ended without its connection: forget its password, its companies, and what it held."""
        self.secrets.delete(wizard.secret_name)
        live = self.connections.get(wizard.client_id, wizard.connection_id) if wizard.edit else None
        used = self.used.companies(wizard.client_id, wizard.connection_id) if live else ()
        self.release_companies(wizard, used)
        if live is None or live.generation != wizard.id:
            self.used.delete_companies(wizard.client_id, wizard.connection_id, wizard.id, soon=False)

    def release_companies(self, wizard: Wizard, keep: Sequence[Company]) -> None:
        """Release what the connection holds, but these companies."""
        kept_ids = [company_identity(wizard.erp_system, company) for company in keep]
        self.registry.release(wizard.client_id, wizard.connection_id, kept_ids, wizard.customer_id)
