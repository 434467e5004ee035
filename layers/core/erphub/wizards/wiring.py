"""How the wizard's services are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.models import Connection
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.service import WizardService
    from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
    from erphub.wizards.tasks import WizardTasks


def wizard_table(services: "Services") -> "WizardTable":
    """Wizards, as they are kept."""
    from erphub.wizards.dynamodb import WizardTable

    return WizardTable(services.platform.table)


def wizard_service(services: "Services") -> "WizardService":
    """The wizard, for the API."""
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.platform import redaction
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.service import WizardService

    platform = services.platform
    return WizardService(
        services.get(WizardTable),
        services.get(ConnectionTable),
        platform.secrets,
        platform.machine(platform.settings.connect_machine),
        redaction,
        platform.clock,
        platform.new_id,
        platform.settings.wizard_timeout_seconds,
        services.get(ConnectionAccess),
        services.get(CompanyRegistry),
    )


def wizard_tasks(services: "Services") -> "WizardTasks":
    """The tasks of connect.asl.json."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.connections.health import HealthService
    from erphub.platform import redaction
    from erphub.platform.problems import as_problem
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.tasks import WizardTasks

    platform = services.platform
    return WizardTasks(
        services.get(WizardTable),
        services.get(ConnectionTable),
        platform.secrets,
        redaction,
        platform.clock,
        services.get(ErpAccess).open,
        services.get(WizardCompletion),
        as_problem,
        services.get(HealthService).tested,
    )


def overdue_wizards(services: "Services") -> "OverdueWizards":
    """Wizards whose machine's end nobody heard of."""
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OverdueWizards
    from erphub.wizards.tasks import WizardTasks

    platform = services.platform
    machine = platform.machine(platform.settings.connect_machine)
    ended = services.get(WizardTasks).finish
    return OverdueWizards(services.get(WizardTable), machine, ended, platform.clock, _not_swept)


def orphaned_secrets(services: "Services") -> "OrphanedSecrets":
    """Passwords that belong to nothing."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OrphanedSecrets

    platform = services.platform
    webhooks = services.get(WebhookTable)
    return OrphanedSecrets(
        platform.stored_secrets,
        services.get(ConnectionTable),
        services.get(WizardTable),
        lambda client_id, webhook_id: webhooks.get(client_id, webhook_id) is not None,
        platform.clock,
        _not_swept,
    )


def _not_swept(what: str, error: Exception) -> None:
    from erphub.platform import logging

    logging.logger().error("could not be swept", exc_info=error, extra={"what": what})


def wizard_completion(services: "Services") -> "WizardCompletion":
    """The end of a wizard."""
    from erphub.audit.service import AuditTrail
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.health import HealthService
    from erphub.connections.ports import ConnectionHooks
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable

    def created(client_id: str, connection_id: str, owner: str) -> None:
        """A connection was made: its first import jobs are, too."""
        for hooks in services.all(ConnectionHooks):
            hooks.created(client_id, connection_id, owner)

    def edited(_: "Connection", after: "Connection") -> None:
        """An edit that passed a test is in use: what stood still because of its login goes on. Again is fine."""
        services.get(HealthService).reconnected(after.client_id, after.id)

    platform = services.platform
    return WizardCompletion(
        services.get(WizardTable),
        services.get(ConnectionTable),
        platform.secrets,
        services.get(CompanyRegistry),
        services.get(AuditTrail),
        platform.clock,
        created,
        edited,
    )


def dependents(services: "Services") -> "Sequence[Dependent]":
    """Wizards that make or edit a connection."""
    from erphub.wizards.dependents import wizard_dependents

    platform = services.platform
    return wizard_dependents(platform.table, platform.machine(platform.settings.connect_machine), platform.secrets)


PROVIDES = (wizard_table, wizard_service, wizard_tasks, wizard_completion, overdue_wizards, orphaned_secrets)
TAKES_PART = (dependents,)
