"""Where the house is put together: the only place where a use-case meets AWS.

Everything is made once, on first use, and imported then: a function starts with what all its requests need.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from . import observe
from .access import Access
from .aws.table import Table
from .aws.tenancy import TenancyTable
from .ids import new_id
from .settings import Settings, read_settings
from .web import Hall, as_problem

if TYPE_CHECKING:
    from .connecting import Connecting
    from .connections import ConnectionDesk
    from .ports.erp import System
    from .ports.once import Once
    from .ports.world import Clock, Ids, Secrets
    from .tenancy import Tenants
    from .wizards import WizardDesk


@cache
def settings() -> Settings:
    """What the deployment told this function."""
    return read_settings()


@cache
def table() -> Table:
    """The tenant table."""
    return Table(settings().table)


def now() -> datetime:
    """Now in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


clock: "Clock" = now
ids: "Ids" = new_id


@cache
def access() -> Access:
    """Who may do what."""
    return Access(TenancyTable(table()))


@cache
def once() -> "Once":
    """Requests that come twice."""
    from .aws.once import KeptAnswers

    return KeptAnswers(settings().table)


hall = Hall(access, once)


@cache
def secrets() -> "Secrets":
    """Passwords; each one that is read or written is kept out of the log from then on."""
    from .aws.secrets import SecretsManager

    return observe.GuardedSecrets(SecretsManager(settings().secret_prefix))


@cache
def tenants() -> "Tenants":
    """Customers, clients, roles, members."""
    from .aws.users import UserPool
    from .tenancy import Tenants

    return Tenants(TenancyTable(table()), UserPool(settings().user_pool), clock, ids)


@cache
def wizards() -> "WizardDesk":
    """The wizard, for the API."""
    from .aws.connections import ConnectionTable
    from .aws.machines import StateMachine
    from .aws.wizards import WizardTable
    from .wizards import WizardDesk

    return WizardDesk(
        WizardTable(table()),
        ConnectionTable(table()),
        secrets(),
        StateMachine(settings().connect_machine),
        observe,
        clock,
        ids,
        settings().answer_seconds,
    )


@cache
def connections() -> "ConnectionDesk":
    """Connections, for the API."""
    from .aws.connections import ConnectionTable
    from .aws.machines import StateMachine
    from .connections import ConnectionDesk

    return ConnectionDesk(ConnectionTable(table()), StateMachine(settings().connect_machine), clock, ids)


@cache
def connecting() -> "Connecting":
    """The tasks of connect.asl.json."""
    from .aws.connections import ConnectionTable
    from .aws.wizards import WizardTable
    from .connecting import Connecting

    return Connecting(
        WizardTable(table()),
        ConnectionTable(table()),
        secrets(),
        observe,
        clock,
        open_system,
        new_connection,
        as_problem,
    )


def open_system(erp_system: str, settings_of: Mapping[str, Any], secret: Mapping[str, str]) -> "System":
    """A connected ERP; nothing is dialled until it is asked something."""
    from . import erp

    networks = [str(network) for network in settings().allowed_erp_networks]
    return erp.open_system(erp_system, settings_of, secret, networks=networks)


def new_connection(client_id: str, connection_id: str, owner: str) -> None:
    """A connection was made: it gets its first import jobs, and the first of them runs."""
    raise NotImplementedError
