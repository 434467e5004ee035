"""Who is calling, customers, clients, roles and members."""

from erphub.platform.actors import ActorView
from erphub.platform.capability import OneOf
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
    INVITATION_ACCEPTED,
    INVITATION_CREATED,
    INVITATION_DECLINED,
    INVITATION_REVOKED,
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
from erphub.tenancy.invitations.service import InvitationService
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
    OwnClient,
    RoleView,
)

router = Router("Me and tenancy")


@router.get("/me", needs=AccessLevel.SIGNED_IN)
def get_me(service: CurrentUserService, caller: Caller) -> CurrentUser:
    """Get the caller's customers and clients, what may be done in each, and the invitations to answer."""
    return service.get(caller)


@router.post(
    "/me/invitations/{invitation_id}/accept",
    needs=AccessLevel.SIGNED_IN,
    audit=INVITATION_ACCEPTED,
    status=200,
)
def accept_invitation(
    service: InvitationService, current: CurrentUserService, caller: Caller, invitation_id: str
) -> OwnClient:
    """Accept an invitation: the caller is a member of the client from now on, in the role that was offered."""
    return current.require_client(service.accept(caller, invitation_id))


@router.post(
    "/me/invitations/{invitation_id}/decline",
    needs=AccessLevel.SIGNED_IN,
    audit=INVITATION_DECLINED,
    status=204,
)
def decline_invitation(service: InvitationService, caller: Caller, invitation_id: str) -> None:
    """Decline an invitation; it is gone from the client's members."""
    service.decline(caller, invitation_id)


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
    "/customers/{customer_id}/administrators/{user_id}",
    needs=AccessLevel.ANY_ADMINISTRATOR,
    audit=ADMINISTRATOR_ADDED,
)
def add_administrator(service: CustomerService, caller: Caller, customer_id: str, user_id: str) -> ActorView:
    """Let somebody administer a customer, by e-mail address or as one of its people; a new address is invited."""
    return service.add_administrator(customer_id, caller, user_id)


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
def delete_role(service: RoleService, customer_id: str, role: str, version: int | None) -> None:
    """Delete a role that nobody has."""
    service.delete(customer_id, role, version)


@router.get("/clients/{client_id}/members", needs=MEMBERS_MANAGE)
def list_members(service: MemberService, member: Member, query: PageQuery) -> MemberPage:
    """List the members of a client, then who is invited."""
    return service.list_members(member, query)


@router.put(
    "/clients/{client_id}/members/{user_id}", needs=MEMBERS_MANAGE, audit=OneOf((MEMBER_SAVED, INVITATION_CREATED))
)
def add_or_update_member(service: MemberService, member: Member, user_id: str, body: ChangedMember) -> MemberView:
    """Give a member another role, or invite somebody by e-mail address: they are a member once they accept."""
    return service.add_or_update(member, user_id, body)


@router.delete(
    "/clients/{client_id}/members/{user_id}", needs=MEMBERS_MANAGE, audit=OneOf((MEMBER_REMOVED, INVITATION_REVOKED))
)
def remove_member(service: MemberService, member: Member, user_id: str, version: int | None) -> None:
    """Take a user out of the client, or take an invitation back."""
    service.remove(member, user_id, version)


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
