"""Wizards and connections, and the companies they hold."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from erphub.platform import logging, redaction
from erphub.platform.errors import HubError
from erphub.platform.problems import as_problem
from erphub.tenancy.dynamodb import TenancyTable
from erphub.wiring import erps, events, house, imports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.companies.models import CompanyUse
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.models import Connection
    from erphub.connections.service import ConnectionService
    from erphub.erp.system import FoundCompany
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.service import WizardService
    from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
    from erphub.wizards.tasks import WizardTasks


@cache
def identities() -> "CompanyRegistry":
    """Companies of customers, each connected once, and their licences."""
    from erphub.companies.dynamodb import CompanyTable
    from erphub.companies.service import CompanyRegistry

    return CompanyRegistry(
        CompanyTable(house.table()), house.connection_table(), TenancyTable(house.table()), _access_requested
    )


def _access_requested(holder: "CompanyUse", about: str, detail: str, facts: Mapping[str, Any]) -> None:
    """The people of a connection learn, once a day, that somebody would like to use a company of theirs."""
    from erphub.companies.access_requests import AccessRequests

    AccessRequests(events.announcer(), house.clock).tell(holder, about, detail, facts)


def adopt(connection: "Connection", found: "Sequence[FoundCompany]") -> "list[FoundCompany]":
    """New companies of a connection to all of them; one that is not its to take is written down, once."""
    from erphub.audit.models import HUB

    def skipped(company: "FoundCompany", why: HubError) -> None:
        new = {"company": company.key, "name": company.name, "code": why.code, "detail": why.detail}
        occasion = f"skipped {company.key} {why.code}"
        house.audit().record(connection.client_id, connection.id, HUB, "company.skipped", new=new, once=occasion)

    return identities().adopt(connection, found, skipped)


@cache
def wizards() -> "WizardService":
    """The wizard, for the API."""
    from erphub.platform.aws.state_machines import StepFunctionsMachine
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.service import WizardService

    return WizardService(
        WizardTable(house.table()),
        house.connection_table(),
        house.secrets(),
        StepFunctionsMachine(house.settings().connect_machine),
        redaction,
        house.clock,
        house.ids,
        house.settings().answer_seconds,
        house.editors(),
        identities(),
    )


@cache
def connections() -> "ConnectionService":
    """Connections, for the API."""
    from erphub.connections.service import ConnectionService
    from erphub.platform.aws.state_machines import StepFunctionsMachine

    return ConnectionService(
        house.connection_table(),
        StepFunctionsMachine(house.settings().connect_machine),
        house.clock,
        house.ids,
        house.editors(),
        house.audit(),
    )


@cache
def connecting() -> "WizardTasks":
    """The tasks of connect.asl.json."""
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.tasks import WizardTasks

    return WizardTasks(
        WizardTable(house.table()),
        house.connection_table(),
        house.secrets(),
        redaction,
        house.clock,
        erps.open_system,
        finishing(),
        as_problem,
        events.health().tested,
    )


@cache
def overdue_wizards() -> "OverdueWizards":
    """Wizards whose machine's end nobody heard of."""
    from erphub.platform.aws.state_machines import StepFunctionsMachine
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OverdueWizards

    machine = StepFunctionsMachine(house.settings().connect_machine)
    return OverdueWizards(WizardTable(house.table()), machine, connecting().ended, house.clock, _not_swept)


@cache
def orphaned_secrets() -> "OrphanedSecrets":
    """Passwords that belong to nothing."""
    from erphub.platform.aws.secrets import SecretsManager
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.wizards.dynamodb import WizardTable
    from erphub.wizards.sweeper import OrphanedSecrets

    webhooks = WebhookTable(house.table())
    return OrphanedSecrets(
        SecretsManager(house.settings().secret_prefix),
        house.connection_table(),
        WizardTable(house.table()),
        lambda client_id, webhook_id: webhooks.get(client_id, webhook_id) is not None,
        house.clock,
        _not_swept,
    )


def _not_swept(what: str, error: Exception) -> None:
    logging.logger().error("could not be swept", exc_info=error, extra={"what": what})


@cache
def finishing() -> "WizardCompletion":
    """The end of a wizard."""
    from erphub.wizards.completion import WizardCompletion
    from erphub.wizards.dynamodb import WizardTable

    return WizardCompletion(
        WizardTable(house.table()),
        house.connection_table(),
        house.secrets(),
        identities(),
        house.audit(),
        house.clock,
        new_connection,
        connection_edited,
    )


def new_connection(client_id: str, connection_id: str, owner: str) -> None:
    """A connection was made: it gets its first import jobs, and the first of them runs."""
    imports.jobs().create_defaults(client_id, connection_id, owner)


def connection_edited(before: "Connection", after: "Connection") -> None:
    """An edit that passed a test is in use: what stood still because of its login goes on. Again is fine."""
    _ = before
    events.health().reconnected(after.client_id, after.id)
