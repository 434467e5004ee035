"""Wizards and connections, and the companies they hold."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import observe
from ..aws.tenancy import TenancyTable
from ..errors import HubError
from ..web import as_problem
from . import erps, events, house, imports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..connecting import Connecting
    from ..connections import ConnectionDesk
    from ..finishing import Finishing
    from ..identities import Identities
    from ..models.connection import Connection
    from ..models.licence import Holder
    from ..ports.erp import FoundCompany
    from ..sweeping import OrphanedSecrets, OverdueWizards
    from ..wizards import WizardDesk


@cache
def identities() -> "Identities":
    """Companies of customers, each connected once, and their licences."""
    from ..aws.identities import IdentityTable
    from ..identities import Identities

    return Identities(
        IdentityTable(house.table()), house.connection_table(), TenancyTable(house.table()), _access_requested
    )


def _access_requested(holder: "Holder", about: str, detail: str, facts: Mapping[str, Any]) -> None:
    """The people of a connection learn, once a day, that somebody would like to use a company of theirs."""
    from ..notifications import AccessRequests

    AccessRequests(events.announcer(), house.clock).tell(holder, about, detail, facts)


def adopt(connection: "Connection", found: "Sequence[FoundCompany]") -> "list[FoundCompany]":
    """New companies of a connection to all of them; one that is not its to take is written down, once."""
    from ..models.audit import HUB

    def skipped(company: "FoundCompany", why: HubError) -> None:
        new = {"company": company.key, "name": company.name, "code": why.code, "detail": why.detail}
        occasion = f"skipped {company.key} {why.code}"
        house.audit().record(connection.client_id, connection.id, HUB, "company.skipped", new=new, once=occasion)

    return identities().adopt(connection, found, skipped)


@cache
def wizards() -> "WizardDesk":
    """The wizard, for the API."""
    from ..aws.machines import StateMachine
    from ..aws.wizards import WizardTable
    from ..wizards import WizardDesk

    return WizardDesk(
        WizardTable(house.table()),
        house.connection_table(),
        house.secrets(),
        StateMachine(house.settings().connect_machine),
        observe,
        house.clock,
        house.ids,
        house.settings().answer_seconds,
        house.editors(),
        identities(),
    )


@cache
def connections() -> "ConnectionDesk":
    """Connections, for the API."""
    from ..aws.machines import StateMachine
    from ..connections import ConnectionDesk

    return ConnectionDesk(
        house.connection_table(),
        StateMachine(house.settings().connect_machine),
        house.clock,
        house.ids,
        house.editors(),
        house.audit(),
        identities(),
    )


@cache
def connecting() -> "Connecting":
    """The tasks of connect.asl.json."""
    from ..aws.wizards import WizardTable
    from ..connecting import Connecting

    return Connecting(
        WizardTable(house.table()),
        house.connection_table(),
        house.secrets(),
        observe,
        house.clock,
        erps.open_system,
        finishing(),
        as_problem,
        events.health().tested,
    )


@cache
def overdue_wizards() -> "OverdueWizards":
    """Wizards whose machine's end nobody heard of."""
    from ..aws.machines import StateMachine
    from ..aws.wizards import WizardTable
    from ..sweeping import OverdueWizards

    machine = StateMachine(house.settings().connect_machine)
    return OverdueWizards(WizardTable(house.table()), machine, connecting().ended, house.clock, _not_swept)


@cache
def orphaned_secrets() -> "OrphanedSecrets":
    """Passwords that belong to nothing."""
    from ..aws.secrets import SecretsManager
    from ..aws.webhooks import WebhookTable
    from ..aws.wizards import WizardTable
    from ..sweeping import OrphanedSecrets

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
    observe.logger().error("could not be swept", exc_info=error, extra={"what": what})


@cache
def finishing() -> "Finishing":
    """The end of a wizard."""
    from ..aws.wizards import WizardTable
    from ..finishing import Finishing

    return Finishing(
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
