"""Who is calling, customers, clients, roles and members."""

from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel, Caller, Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.tenancy.schemas import (
    AdministratorPage,
    AdministratorView,
    ChangedMember,
    ChangedRole,
    ClientPage,
    ClientView,
    CustomerView,
    Me,
    MemberPage,
    MemberView,
    NewClient,
    NewCustomer,
    RoleView,
)
from erphub.tenancy.service import TenancyService

router = Router("Me and tenancy")


@router.get("/me", needs=AccessLevel.SIGNED_IN)
def show_me(service: TenancyService, caller: Caller) -> Me:
    """Show the caller's customers and clients, and what may be done in each."""
    return service.me(caller)


@router.post("/customers", needs=AccessLevel.PLATFORM_ADMINISTRATOR)
def create_customer(service: TenancyService, body: NewCustomer) -> CustomerView:
    """Make a customer, with its first administrator and roles."""
    return service.create_customer(body)


@router.get("/customers/{customer_id}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_customer(service: TenancyService, customer_id: str) -> CustomerView:
    """Show a customer with its administrators and roles."""
    return service.customer(customer_id)


@router.get("/customers/{customer_id}/administrators", needs=AccessLevel.ANY_ADMINISTRATOR)
def list_administrators(service: TenancyService, customer_id: str, query: PageQuery) -> AdministratorPage:
    """List who administers a customer."""
    return service.administrators(customer_id, query)


@router.put("/customers/{customer_id}/administrators/{user}", needs=AccessLevel.ANY_ADMINISTRATOR)
def put_administrator(service: TenancyService, customer_id: str, user: str) -> AdministratorView:
    """Let somebody administer a customer, by user id or e-mail address; an address nobody has is invited."""
    return service.put_administrator(customer_id, user)


@router.delete("/customers/{customer_id}/administrators/{user}", needs=AccessLevel.ANY_ADMINISTRATOR)
def remove_administrator(service: TenancyService, customer_id: str, user: str) -> None:
    """Let somebody administer a customer no longer; the last one stays."""
    service.remove_administrator(customer_id, user)


@router.get("/customers/{customer_id}/clients", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def list_clients(service: TenancyService, customer_id: str, query: PageQuery) -> ClientPage:
    """List the clients of a customer."""
    return service.clients(customer_id, query)


@router.post("/customers/{customer_id}/clients", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def create_client(service: TenancyService, customer_id: str, caller: Caller, body: NewClient) -> ClientView:
    """Make a client; the caller becomes its first member, as administrator."""
    return service.create_client(customer_id, caller, body)


@router.get("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_role(service: TenancyService, customer_id: str, role: str) -> RoleView:
    """Show a role and what it allows."""
    return service.role(customer_id, role)


@router.put("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def put_role(service: TenancyService, customer_id: str, role: str, body: ChangedRole) -> RoleView:
    """Make a role, or change what it allows."""
    return service.put_role(customer_id, role, body)


@router.delete("/customers/{customer_id}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def delete_role(service: TenancyService, customer_id: str, role: str) -> None:
    """Delete a role that nobody has."""
    service.delete_role(customer_id, role)


@router.get("/clients/{client_id}/members", needs=MEMBERS_MANAGE)
def list_members(service: TenancyService, member: Member, query: PageQuery) -> MemberPage:
    """List the members of a client."""
    return service.members(member, query)


@router.put("/clients/{client_id}/members/{user}", needs=MEMBERS_MANAGE)
def put_member(service: TenancyService, member: Member, user: str, body: ChangedMember) -> MemberView:
    """Give a user a role in the client; an e-mail address nobody has yet is invited."""
    return service.put_member(member, user, body)


@router.delete("/clients/{client_id}/members/{user}", needs=MEMBERS_MANAGE)
def remove_member(service: TenancyService, member: Member, user: str) -> None:
    """Take a user out of the client."""
    service.remove_member(member, user)
