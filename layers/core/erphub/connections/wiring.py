"""How the services of connections are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.access import ConnectionAccess
    from erphub.connections.attempts import AttemptGuard
    from erphub.connections.background import BackgroundErpAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.connections.health import HealthService, PauseService
    from erphub.connections.hooks import AllConnectionHooks
    from erphub.connections.service import ConnectionService
    from erphub.connections.test_starting import ConnectionTestStarter
    from erphub.connections.testing import ConnectionTester
    from erphub.erp.resources import AdapterResources
    from erphub.lake.ports import ConnectionCompanies
    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def connection_table(services: "Services") -> "ConnectionTable":
    """Connections, as they are kept."""
    from erphub.connections.dynamodb import ConnectionTable

    return ConnectionTable(services.platform.table)


def connection_access(services: "Services") -> "ConnectionAccess":
    """Who may edit a connection."""
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.tenancy.directory import StoredTenants

    return ConnectionAccess(services.get(ConnectionTable), services.get(StoredTenants))


def connection_service(services: "Services") -> "ConnectionService":
    """Connections, for the API."""
    from erphub.audit.service import AuditLog
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.service import ConnectionService
    from erphub.tenancy.actors import MemberDirectory

    platform, connections = services.platform, services.get(ConnectionTable)
    return ConnectionService(
        connections,
        platform.clock,
        services.get(ConnectionAccess),
        services.get(AuditLog),
        services.get(MemberDirectory),
    )


def connection_hooks(services: "Services") -> "AllConnectionHooks":
    """All that others do when something has happened to a connection, as one."""
    from erphub.connections.hooks import AllConnectionHooks
    from erphub.connections.ports import ConnectionHooks

    return AllConnectionHooks(lambda: services.all(ConnectionHooks))


def health_service(services: "Services") -> "HealthService":
    """How connections are doing."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.health import HealthService
    from erphub.connections.hooks import AllConnectionHooks
    from erphub.events.publisher import EventPublisher

    return HealthService(
        services.get(ConnectionTable),
        services.get(EventPublisher),
        services.get(AllConnectionHooks),
        services.platform.clock,
    )


def connection_test_starter(services: "Services") -> "ConnectionTestStarter":
    """Starts tests by hand, for the API."""
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.attempts import AttemptGuard
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.test_starting import ConnectionTestStarter

    platform = services.platform
    return ConnectionTestStarter(
        services.get(ConnectionTable),
        services.get(ConnectionAccess),
        services.get(AttemptGuard),
        platform.machine(platform.settings.connect_machine),
        platform.clock,
        platform.new_id,
    )


def connection_tester(services: "Services") -> "ConnectionTester":
    """Tests of connections by hand."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.connections.health import HealthService
    from erphub.connections.testing import ConnectionTester
    from erphub.platform import redaction

    platform, connections = services.platform, services.get(ConnectionTable)
    return ConnectionTester(
        connections,
        connections,
        connections,
        platform.secrets,
        services.get(ErpAccess),
        redaction,
        services.get(HealthService),
        platform.clock,
    )


def attempt_guard(services: "Services") -> "AttemptGuard":
    """Makes who guesses wait."""
    from erphub.audit.service import AuditLog
    from erphub.connections.attempts import AttemptGuard
    from erphub.connections.dynamodb import RefusalTable
    from erphub.events.publisher import EventPublisher
    from erphub.tenancy.limits import TenantLimits

    platform = services.platform
    store = RefusalTable(platform.table)
    limits = services.get(TenantLimits)
    return AttemptGuard(store, services.get(AuditLog), services.get(EventPublisher), limits, platform.clock)


def pause_service(services: "Services") -> "PauseService":
    """Pausing by hand, for the API."""
    from erphub.audit.service import AuditLog
    from erphub.connections.access import ConnectionAccess
    from erphub.connections.health import HealthService, PauseService

    return PauseService(services.get(ConnectionAccess), services.get(HealthService), services.get(AuditLog))


def erp_access(services: "Services") -> "ErpAccess":
    """The way to connected ERP systems."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.erp.dynamodb import RateLimitTable, TokenTable
    from erphub.erp.resources import AdapterResources
    from erphub.platform import redaction

    platform = services.platform
    settings = platform.settings

    def resources(client_id: str, connection_id: str) -> "AdapterResources":
        return AdapterResources(
            TokenTable(platform.table, settings.token_key, client_id, connection_id),
            RateLimitTable(platform.table, client_id, connection_id, platform.clock),
            platform.clock,
            settings.erp_addresses,
            settings.erp_applications,
            settings.sql_server_reader,
            redact=lambda value: redaction.redact([value]),
        )

    networks = [str(network) for network in settings.allowed_erp_networks]
    return ErpAccess(services.get(ConnectionTable), platform.secrets, resources, networks)


def background_erp_access(services: "Services") -> "BackgroundErpAccess":
    """The way to connected ERP systems for work in the background."""
    from erphub.connections.background import BackgroundErpAccess
    from erphub.connections.erp_access import ErpAccess
    from erphub.connections.health import HealthService

    return BackgroundErpAccess(services.get(ErpAccess), services.get(HealthService), services.platform.clock)


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the connections of a client."""
    from erphub.connections.capability import CONNECTIONS
    from erphub.connections.dynamodb import connection_key
    from erphub.platform.aws.limits import StoredCount

    table = services.platform.table
    return (StoredCount(CONNECTIONS, table, lambda client: connection_key(client, "")),)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of a connection is removed with it."""
    from erphub.connections.dependents import connection_dependents

    platform = services.platform
    return connection_dependents(platform.table, platform.stored_secrets)


def company_keys(services: "Services") -> "ConnectionCompanies":
    """Which companies of a connection have rows in the lake."""
    from erphub.connections.dependents import CompanyKeys

    return CompanyKeys(services.platform.table)


PROVIDES = (
    connection_table,
    connection_access,
    connection_service,
    health_service,
    pause_service,
    erp_access,
    background_erp_access,
    connection_hooks,
    connection_tester,
    connection_test_starter,
    attempt_guard,
)
TAKES_PART = (dependents, company_keys, stock_counts)
