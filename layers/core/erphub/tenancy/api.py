"""Who is calling, customers, clients, roles and members."""

from erphub.platform.actors import ActorView
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel, Caller, Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import (
    ADMINISTRATOR_ADDED,
    ADMINISTRATOR_REMOVED,
    CLIENT_CREATED,
    CLIENTS,
    CONNECTIONS_VIEW,
    CUSTOMER_CREATED,
    LIMIT_CHANGED,
    MEMBER_REMOVED,
    MEMBER_SAVED,
    MEMBERS_MANAGE,
    ROLE_DELETED,
    ROLE_SAVED,
)
from erphub.tenancy.clients import ClientService
from erphub.tenancy.current_user import CurrentUserService
from erphub.tenancy.customers import CustomerService
from erphub.tenancy.limits import LimitService
from erphub.tenancy.members import MemberService
from erphub.tenancy.roles import RoleService
from erphub.tenancy.schemas import (
    AdministratorPage,
    ChangedLimit,
    ChangedMember,
    ChangedRole,
    ClientPage,
    ClientView,
    CurrentUser,
    CustomerView,
    LimitPage,
    LimitView,
    MemberPage,
    MemberView,
    NewClient,
    NewCustomer,
    RoleView,
)

router = Router("Me and tenancy")


@router.get("/me", needs=AccessLevel.SIGNED_IN)
def get_me(service: CurrentUserService, caller: Caller) -> CurrentUser:
    """Get the caller's customers and clients, and what may be done in each."""
    return service.get(caller)


@router.post("/customers", needs=AccessLevel.PLATFORM_ADMINISTRATOR, audit=CUSTOMER_CREATED)
def create_customer(service: CustomerService, body: NewCustomer) -> CustomerView:
    """Make a customer, with its first administrator and roles."""
    return service.create(body)


@router.get("/customers/{customer_id}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def get_customer(service: CustomerService, customer_id: str) -> CustomerView:
    """Get a customer with its administrators and roles."""
    return service.get(customer_id)


@router.get("/customers/{customer_id}/administrators", needs=AccessLevel.ANY_ADMINISTRATOR)
def list_administrators(service: CustomerService, customer_id: str, query: PageQuery) -> AdministratorPage:
    """List who administers a customer."""
    return service.list_administrators(customer_id, query)


@router.put(
    "/customers/{customer_id}/administrators/{user_id}", needs=AccessLevel.ANY_ADMINISTRATOR, audit=ADMINISTRATOR_ADDED
)
def add_administrator(service: CustomerService, customer_id: str, user_id: str) -> ActorView:
    """Let somebody administer a customer, by user id or e-mail address; an address nobody has is invited."""
    return service.add_administrator(customer_id, user_id)


@router.delete(
    "/customers/{customer_id}/administrators/{user_id}",
    needs=AccessLevel.ANY_ADMINISTRATOR,
    audit=ADMINISTRATOR_REMOVED,
)
def remove_administrator(service: CustomerService, customer_id: str, user_id: str) -> None:
    """Let somebody administer a customer no longer; the last one stays."""
    service.remove_administrator(customer_id, user_id)


@router.get("/customers/{customer_id}/clients", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def list_clients(service: ClientService, customer_id: str, query: PageQuery) -> ClientPage:
    """List the clients of a customer."""
    return service.list_clients(customer_id, query)


@router.post(
    "/customers/{customer_id}/clients",
    needs=AccessLevel.CUSTOMER_ADMINISTRATOR,
    audit=CLIENT_CREATED,
    limit=CLIENTS,
)
def create_client(service: ClientService, customer_id: str, caller: Caller, body: NewClient) -> ClientView:
    """Make a client; the caller becomes its first member, as administrator."""
    return service.create(customer_id, caller, body)


@router.get("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def get_role(service: RoleService, customer_id: str, role: str) -> RoleView:
    """Get a role and what it allows."""
    return service.get(customer_id, role)


@router.put("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR, audit=ROLE_SAVED)
def create_or_update_role(service: RoleService, customer_id: str, role: str, body: ChangedRole) -> RoleView:
    """Make a role, or change what it allows."""
    return service.create_or_update(customer_id, role, body)


@router.delete("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR, audit=ROLE_DELETED)
def delete_role(service: RoleService, customer_id: str, role: str) -> None:
    """Delete a role that nobody has."""
    service.delete(customer_id, role)


@router.get("/clients/{client_id}/members", needs=MEMBERS_MANAGE)
def list_members(service: MemberService, member: Member, query: PageQuery) -> MemberPage:
    """List the members of a client."""
    return service.list_members(member, query)


@router.put("/clients/{client_id}/members/{user_id}", needs=MEMBERS_MANAGE, audit=MEMBER_SAVED)
def add_or_update_member(service: MemberService, member: Member, user_id: str, body: ChangedMember) -> MemberView:
    """Give a user a role in the client; an e-mail address nobody has yet is invited."""
    return service.add_or_update(member, user_id, body)


@router.delete("/clients/{client_id}/members/{user_id}", needs=MEMBERS_MANAGE, audit=MEMBER_REMOVED)
def remove_member(service: MemberService, member: Member, user_id: str) -> None:
    """Take a user out of the client."""
    service.remove(member, user_id)


@router.get("/clients/{client_id}/limits", needs=CONNECTIONS_VIEW)
def list_limits(service: LimitService, member: Member) -> LimitPage:
    """List every limit with its maximum, how much of it is used and when it begins anew."""
    return service.list_limits(member)


@router.put(
    "/customers/{customer_id}/limits/{limit_name}", needs=AccessLevel.PLATFORM_ADMINISTRATOR, audit=LIMIT_CHANGED
)
def set_limit(
    service: LimitService, caller: Caller, customer_id: str, limit_name: str, body: ChangedLimit
) -> LimitView:
    """Set a limit of one customer, or of one of its clients; or let what holds for everybody hold again."""
    return service.set_maximum(caller, customer_id, limit_name, body)
