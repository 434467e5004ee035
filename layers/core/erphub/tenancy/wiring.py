"""How the services of customers, clients, roles and members are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.tenancy.access import Authorizer
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.clients import ClientService
    from erphub.tenancy.current_user import CurrentUserService
    from erphub.tenancy.customers import CustomerService
    from erphub.tenancy.directory import StoredTenants
    from erphub.tenancy.first_administrator import FirstAdministrator
    from erphub.tenancy.invitations.service import InvitationService
    from erphub.tenancy.invitations.tasks import ExpiredInvitations
    from erphub.tenancy.limits import LimitService, TenantLimits, TenantRequestLimits
    from erphub.tenancy.members import MemberService
    from erphub.tenancy.people import PersonLookup
    from erphub.tenancy.roles import RoleService


def authorizer(services: "Services") -> "Authorizer":
    """Who may do what."""
    from erphub.tenancy.access import Authorizer
    from erphub.tenancy.dynamodb import CustomerTable, MemberTable, PlatformAdministratorTable, RoleTable

    table = services.platform.table
    return Authorizer(MemberTable(table), RoleTable(table), CustomerTable(table), PlatformAdministratorTable(table))


def member_directory(services: "Services") -> "MemberDirectory":
    """Names of those who did something in a client."""
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.dynamodb import MemberTable

    return MemberDirectory(MemberTable(services.platform.table))


def stored_tenants(services: "Services") -> "StoredTenants":
    """What other capabilities ask about customers and clients."""
    from erphub.tenancy.directory import StoredTenants
    from erphub.tenancy.dynamodb import ClientTable, CustomerTable, MemberTable, RoleTable

    table = services.platform.table
    return StoredTenants(CustomerTable(table), ClientTable(table), RoleTable(table), MemberTable(table))


def person_lookup(services: "Services") -> "PersonLookup":
    """People by id or address."""
    from erphub.tenancy.cognito import CognitoUsers
    from erphub.tenancy.people import PersonLookup

    return PersonLookup(CognitoUsers(services.platform.settings.user_pool))


def current_user_service(services: "Services") -> "CurrentUserService":
    """Who is calling."""
    from erphub.tenancy.current_user import CurrentUserService
    from erphub.tenancy.dynamodb import ClientTable, CustomerTable, MemberTable, PlatformAdministratorTable, RoleTable
    from erphub.tenancy.invitations.dynamodb import InvitationTable

    table = services.platform.table
    return CurrentUserService(
        CustomerTable(table),
        ClientTable(table),
        RoleTable(table),
        MemberTable(table),
        PlatformAdministratorTable(table),
        InvitationTable(table),
        services.platform.clock,
    )


def invitation_service(services: "Services") -> "InvitationService":
    """Who is asked into a client, and their answers."""
    from erphub.tenancy.dynamodb import MemberTable, RoleTable
    from erphub.tenancy.invitations.dynamodb import InvitationTable
    from erphub.tenancy.invitations.service import InvitationService
    from erphub.tenancy.limits import TenantLimits

    platform, table = services.platform, services.platform.table
    return InvitationService(
        InvitationTable(table),
        MemberTable(table),
        RoleTable(table),
        services.get(TenantLimits),
        platform.clock,
        platform.new_id,
    )


def expired_invitations(services: "Services") -> "ExpiredInvitations":
    """Invitations that nobody answered in time."""
    from erphub.platform.acts import ActLog
    from erphub.tenancy.invitations.dynamodb import InvitationTable
    from erphub.tenancy.invitations.tasks import ExpiredInvitations

    platform = services.platform
    (log,) = services.all(ActLog)
    return ExpiredInvitations(InvitationTable(platform.table), log, platform.clock)


def customer_service(services: "Services") -> "CustomerService":
    """Customers and their administrators."""
    from erphub.tenancy.customers import CustomerService
    from erphub.tenancy.dynamodb import CustomerTable, MemberTable, RoleTable
    from erphub.tenancy.invitations.service import InvitationService
    from erphub.tenancy.people import PersonLookup

    platform, table = services.platform, services.platform.table
    return CustomerService(
        CustomerTable(table),
        RoleTable(table),
        services.get(PersonLookup),
        MemberTable(table),
        services.get(InvitationService),
        platform.clock,
        platform.new_id,
    )


def client_service(services: "Services") -> "ClientService":
    """Clients of a customer."""
    from erphub.tenancy.clients import ClientService
    from erphub.tenancy.dynamodb import ClientTable

    platform = services.platform
    return ClientService(ClientTable(platform.table), platform.clock, platform.new_id)


def role_service(services: "Services") -> "RoleService":
    """Roles of a customer."""
    from erphub.tenancy.dynamodb import RoleTable
    from erphub.tenancy.roles import RoleService

    return RoleService(RoleTable(services.platform.table))


def member_service(services: "Services") -> "MemberService":
    """Members of a client."""
    from erphub.tenancy.dynamodb import MemberTable, RoleTable
    from erphub.tenancy.invitations.service import InvitationService
    from erphub.tenancy.members import MemberService
    from erphub.tenancy.people import PersonLookup

    table, people = services.platform.table, services.get(PersonLookup)
    return MemberService(MemberTable(table), RoleTable(table), people, services.get(InvitationService))


def first_administrator(services: "Services") -> "FirstAdministrator":
    """Whoever administers the platform from its deployment on."""
    from erphub.tenancy.dynamodb import PlatformAdministratorTable
    from erphub.tenancy.first_administrator import FirstAdministrator
    from erphub.tenancy.people import PersonLookup

    return FirstAdministrator(PlatformAdministratorTable(services.platform.table), services.get(PersonLookup))


def tenant_limits(services: "Services") -> "TenantLimits":
    """How much there may be."""
    from erphub.platform.limits import StockCount
    from erphub.tenancy.limits import TenantLimits

    platform = services.platform
    return TenantLimits(
        platform.limit_store, lambda: services.all(StockCount), platform.settings.limits, platform.clock
    )


def tenant_request_limits(services: "Services") -> "TenantRequestLimits":
    """How many requests there may be."""
    from erphub.tenancy.capability import CALLER_REQUESTS, REQUESTS, WAITS
    from erphub.tenancy.limits import TenantLimits, TenantRequestLimits

    return TenantRequestLimits(services.get(TenantLimits), CALLER_REQUESTS, REQUESTS, WAITS)


def limit_service(services: "Services") -> "LimitService":
    """Limits, for the API."""
    from erphub.tenancy.dynamodb import ClientTable, CustomerTable
    from erphub.tenancy.limits import LimitService, TenantLimits

    table = services.platform.table
    return LimitService(services.get(TenantLimits), ClientTable(table), CustomerTable(table))


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the clients of a customer."""
    from erphub.platform.aws.limits import StoredCount
    from erphub.tenancy.capability import CLIENTS
    from erphub.tenancy.dynamodb import customer_client_key

    return (StoredCount(CLIENTS, services.platform.table, lambda customer: customer_client_key(customer, "")),)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of answered requests hangs on a connection."""
    from erphub.tenancy.dependents import tenancy_dependents

    return tenancy_dependents(services.platform.table)


PROVIDES = (
    authorizer,
    member_directory,
    stored_tenants,
    person_lookup,
    current_user_service,
    customer_service,
    client_service,
    role_service,
    member_service,
    invitation_service,
    expired_invitations,
    first_administrator,
    tenant_limits,
    tenant_request_limits,
    limit_service,
)
TAKES_PART = (dependents, stock_counts)
