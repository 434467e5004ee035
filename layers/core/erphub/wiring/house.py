"""What every room needs: settings, the table, who may do what, secrets, people, the trail."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from .. import observe
from ..access import Access
from ..aws.table import Table
from ..aws.tenancy import TenancyTable
from ..ids import new_id
from ..settings import Settings, read_settings
from ..web import Hall

if TYPE_CHECKING:
    from ..audit import AuditTrail
    from ..aws.connections import ConnectionTable
    from ..editing import Editors
    from ..ports.once import Once
    from ..ports.world import Clock, Ids, Secrets
    from ..tenancy import Tenants


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
    from ..aws.once import KeptAnswers

    return KeptAnswers(settings().table)


@cache
def origins() -> frozenset[str]:
    """Whose web pages may call."""
    return frozenset(settings().allowed_origins)


hall = Hall(access, once, origins)


@cache
def secrets() -> "Secrets":
    """Passwords; each one that is read or written is kept out of the log from then on."""
    from ..aws.secrets import SecretsManager

    return observe.GuardedSecrets(SecretsManager(settings().secret_prefix))


@cache
def tenants() -> "Tenants":
    """Customers, clients, roles, members."""
    from ..aws.users import UserPool
    from ..tenancy import Tenants

    return Tenants(TenancyTable(table()), UserPool(settings().user_pool), clock, ids)


@cache
def audit() -> "AuditTrail":
    """Who did what to a connection; `record` is for everybody who changes one."""
    from ..audit import AuditTrail
    from ..aws.audit import AuditTable

    return AuditTrail(AuditTable(table()), observe, clock, ids)


@cache
def connection_table() -> "ConnectionTable":
    """Connections, as they are kept."""
    from ..aws.connections import ConnectionTable

    return ConnectionTable(table())


@cache
def editors() -> "Editors":
    """Who may edit a connection."""
    from ..editing import Editors

    return Editors(connection_table(), TenancyTable(table()))
