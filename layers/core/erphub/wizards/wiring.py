"""How the wizard's services are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.wizards.access import WizardAccess
    from erphub.wizards.answers import AnswerService
    from erphub.wizards.cleanup import WizardCleanup
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import OptionTable, WizardTable
    from erphub.wizards.ending import WizardEnding
    from erphub.wizards.machine import WizardMachine
    from erphub.wizards.options import OptionService, WizardCompanies
    from erphub.wizards.service import WizardService
    from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
    from erphub.wizards.tasks import WizardTasks


def wizard_table(services: "Services") -> "WizardTable":
    """Wizards, as they are kept."""
    from erphub.wizards.dynamodb import WizardTable

    return WizardTable(services.platform.table)


def option_table(services: "Services") -> "OptionTable":
    """What was listed for wizards, as it is kept."""
    from erphub.wizards.dynamodb import OptionTable

    return OptionTable(services.platform.table)


def wizard_access(services: "Services") -> "WizardAccess":
    """Who may go on with a wizard."""
    from erphub.connections.access import ConnectionAccess
    from erphub.wizards.access import WizardAccess
    from erphub.wizards.dynamodb import WizardTable

    return WizardAccess(services.get(WizardTable), services.get(ConnectionAccess))


def wizard_companies(services: "Services") -> "WizardCompanies":
    """The companies of wizards."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.tenancy.limits import TenantLimits
    from erphub.wizards.dynamodb import OptionTable
    from erphub.wizards.options import WizardCompanies

    return WizardCompanies(services.get(OptionTable), services.get(ConnectionTable), services.get(TenantLimits))


def wizard_ending(services: "Services") -> "WizardEnding":
    """How wizards end before their connection is made."""
    from erphub.wizards.dynamodb import OptionTable, WizardTable
    from erphub.wizards.ending import WizardEnding

    return WizardEnding(services.get(WizardTable), services.get(OptionTable), services.platform.secrets)


def wizard_machine(services: "Services") -> "WizardMachine":
    """The state machine of wizards."""
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.ending import WizardEnding
    from erphub.wizards.machine import ANSWER_TIME, WizardMachine

    platform = services.platform
    return WizardMachine(
        platform.machine(platform.settings.connect_machine),
        services.get(WizardTable),
        services.get(WizardEnding),
        platform.clock,
        ANSWER_TIME,
    )


def wizard_service(services: "Services") -> "WizardService":
    """The wizard, for the API."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.wizards.access import WizardAccess
    from erphub.wizards.ending import WizardEnding
    from erphub.wizards.machine import WizardMachine
    from erphub.wizards.service import WizardService

    platform = services.platform
    return WizardService(
        services.get(WizardAccess),
        services.get(ConnectionTable),
        platform.secrets,
        services.get(WizardMachine),
        services.get(WizardEnding),
        platform.clock,
        platform.new_id,
    )


def answer_service(services: "Services") -> "AnswerService":
    """Answers to a wizard's steps, for the API."""
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.attempts import AttemptGuard
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.platform import redaction
    from erphub.tenancy.limits import TenantLimits
    from erphub.wizards.access import WizardAccess
    from erphub.wizards.answer_checks import AnswerChecks
    from erphub.wizards.answers import AnswerService
    from erphub.wizards.dynamodb import OptionTable, WizardTable
    from erphub.wizards.machine import WizardMachine
    from erphub.wizards.options import WizardCompanies

    platform = services.platform
    checks = AnswerChecks(
        services.get(ConnectionTable),
        services.get(WizardCompanies),
        services.get(OptionTable),
        services.get(CompanyRegistry),
        services.get(AttemptGuard),
    )
    return AnswerService(
        services.get(WizardTable),
        services.get(WizardAccess),
        checks,
        platform.secrets,
        services.get(WizardMachine),
        redaction,
        platform.clock,
        services.get(TenantLimits),
    )


def option_service(services: "Services") -> "OptionService":
    """What can be chosen from, for the API."""
    from erphub.companies.service import CompanyRegistry
    from erphub.wizards.access import WizardAccess
    from erphub.wizards.dynamodb import OptionTable
    from erphub.wizards.options import OptionService, WizardCompanies

    return OptionService(
        services.get(WizardAccess),
        services.get(OptionTable),
        services.get(WizardCompanies),
        services.get(CompanyRegistry),
    )


def wizard_tasks(services: "Services") -> "WizardTasks":
    """The tasks of connect.asl.json."""
    from erphub.connections.attempts import AttemptGuard
    from erphub.connections.erp_access import ErpAccess
    from erphub.connections.testing import ConnectionTester
    from erphub.platform import redaction
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.options import WizardCompanies
    from erphub.wizards.tasks import WizardTasks

    return WizardTasks(
        services.get(WizardTable),
        services.get(AttemptGuard),
        services.get(WizardCompanies),
        services.platform.secrets,
        services.get(ErpAccess),
        redaction,
        services.get(WizardCompletion),
        services.get(ConnectionTester),
    )


def overdue_wizards(services: "Services") -> "OverdueWizards":
    """Wizards whose machine's end nobody heard of."""
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OverdueWizards
    from erphub.wizards.tasks import WizardTasks

    platform = services.platform
    machine = platform.machine(platform.settings.connect_machine)
    return OverdueWizards(services.get(WizardTable), machine, services.get(WizardTasks), platform.clock, _not_swept)


def orphaned_secrets(services: "Services") -> "OrphanedSecrets":
    """Passwords that belong to nothing."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OrphanedSecrets

    platform = services.platform
    return OrphanedSecrets(
        platform.stored_secrets,
        services.get(ConnectionTable),
        services.get(WizardTable),
        services.get(WebhookTable),
        platform.clock,
        _not_swept,
    )


def _not_swept(what: str, error: Exception) -> None:
    from erphub.platform import logging

    logging.logger().error("could not be swept", exc_info=error, extra={"what": what})


def wizard_cleanup(services: "Services") -> "WizardCleanup":
    """What follows a wizard's end."""
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.health import HealthService
    from erphub.connections.hooks import AllConnectionHooks
    from erphub.wizards.cleanup import WizardCleanup
    from erphub.wizards.dynamodb import OptionTable, WizardTable

    connections = services.get(ConnectionTable)
    return WizardCleanup(
        services.get(WizardTable),
        services.get(OptionTable),
        connections,
        connections,
        services.platform.secrets,
        services.get(CompanyRegistry),
        services.get(AllConnectionHooks),
        services.get(HealthService),
    )


def wizard_completion(services: "Services") -> "WizardCompletion":
    """The end of a wizard that makes or changes a connection."""
    from erphub.audit.service import AuditLog
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.tenancy.limits import TenantLimits
    from erphub.wizards.cleanup import WizardCleanup
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.options import WizardCompanies

    return WizardCompletion(
        services.get(WizardTable),
        services.get(ConnectionTable),
        services.get(WizardCompanies),
        services.get(CompanyRegistry),
        services.get(AuditLog),
        services.platform.clock,
        services.get(WizardCleanup),
        services.get(TenantLimits),
    )


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the open wizards of a client."""
    from erphub.wizards.dynamodb import OpenWizardCount

    return (OpenWizardCount(services.platform.table),)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """Wizards that make or edit a connection."""
    from erphub.wizards.dependents import wizard_dependents

    platform = services.platform
    return wizard_dependents(platform.table, platform.machine(platform.settings.connect_machine), platform.secrets)


PROVIDES = (
    wizard_table,
    option_table,
    wizard_access,
    wizard_companies,
    wizard_ending,
    wizard_machine,
    wizard_service,
    answer_service,
    option_service,
    wizard_tasks,
    wizard_cleanup,
    wizard_completion,
    overdue_wizards,
    orphaned_secrets,
)
TAKES_PART = (dependents, stock_counts)
