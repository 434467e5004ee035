"""What every room needs: settings, the table, who may do what, secrets, people, the trail."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from erphub.platform import redaction
from erphub.platform.aws.table import Table
from erphub.platform.http.router import Hall
from erphub.platform.ids import new_id
from erphub.platform.settings import Settings, read_settings
from erphub.tenancy.access import Authorizer
from erphub.tenancy.dynamodb import TenancyTable

if TYPE_CHECKING:
    from erphub.audit.service import AuditTrail
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.platform.clock import Clock, Ids
    from erphub.platform.idempotency import IdempotencyStore
    from erphub.platform.secrets import Secrets
    from erphub.tenancy.service import TenancyService


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
def access() -> Authorizer:
    """Who may do what."""
    return Authorizer(TenancyTable(table()))


@cache
def once() -> "IdempotencyStore":
    """Requests that come twice."""
    from erphub.platform.aws.idempotency import IdempotencyRecords

    return IdempotencyRecords(settings().table)


@cache
def origins() -> frozenset[str]:
    """Whose web pages may call."""
    return frozenset(settings().allowed_origins)


hall = Hall(access, once, origins)


@cache
def secrets() -> "Secrets":
    """Passwords; each one that is read or written is kept out of the log from then on."""
    from erphub.platform.aws.secrets import SecretsManager

    return redaction.GuardedSecrets(SecretsManager(settings().secret_prefix))


@cache
def tenants() -> "TenancyService":
    """Customers, clients, roles, members."""
    from erphub.tenancy.cognito import CognitoUsers
    from erphub.tenancy.service import TenancyService

    return TenancyService(TenancyTable(table()), CognitoUsers(settings().user_pool), clock, ids)


@cache
def audit() -> "AuditTrail":
    """Who did what to a connection; `record` is for everybody who changes one."""
    from erphub.audit.dynamodb import AuditTable
    from erphub.audit.service import AuditTrail

    return AuditTrail(AuditTable(table()), redaction, clock, ids)


@cache
def connection_table() -> "ConnectionTable":
    """Connections, as they are kept."""
    from erphub.connections.dynamodb import ConnectionTable

    return ConnectionTable(table())


@cache
def editors() -> "ConnectionAccess":
    """Who may edit a connection."""
    from erphub.connections.access import ConnectionAccess

    return ConnectionAccess(connection_table(), TenancyTable(table()))
