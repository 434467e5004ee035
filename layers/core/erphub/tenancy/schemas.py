"""What is sent and shown about customers, clients, roles and members."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from erphub import capabilities
from erphub.platform.actors import ActorKind, ActorView, kind_of
from erphub.platform.capability import LimitKind, LimitScope, Permission
from erphub.platform.identity import SignInMethod
from erphub.platform.wire import Declared, Identifier, Model, Name
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.models import Membership, Role, User

MAX_PERMISSIONS = 100
DeclaredPermission = Annotated[
    Permission,
    Declared("Permission", "What a role can allow a member to do in a client.", capabilities.permissions),
]
RoleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$", description="Small letters, digits and hyphens")]
Who = Annotated[str, Field(min_length=1, max_length=254, description="A user's id, or an e-mail address")]
Version = Annotated[int | None, Field(ge=1, description="What is changed; refused when it has changed since")]


class NewCustomer(Model):
    """A customer to be made, and who administers it first."""

    name: Name
    administrator: Who


class RoleView(Model):
    """A role and what it allows."""

    name: str
    permissions: list[DeclaredPermission]
    version: int


class CustomerView(Model):
    """A customer with its administrators and roles."""

    id: str
    name: str
    administrators: list[ActorView]
    roles: list[RoleView]
    created_at: datetime
    version: int


class AdministratorPage(Model):
    """A page of administrators."""

    items: list[ActorView]
    next: str | None


class NewClient(Model):
    """A client to be made."""

    name: Name


class ClientView(Model):
    """A client of a customer."""

    id: str
    customer_id: str
    name: str
    created_at: datetime
    version: int


class ClientPage(Model):
    """A page of clients."""

    items: list[ClientView]
    next: str | None


class ChangedRole(Model):
    """What a role is to allow."""

    permissions: Annotated[set[DeclaredPermission], Field(max_length=MAX_PERMISSIONS)]
    version: Version = None


class MemberStatus(StrEnum):
    """Whether somebody belongs to the client, or was only asked to."""

    ACTIVE = "active"
    INVITED = "invited"
    EXPIRED = "expired"
    """Was asked and did not answer in time; invite again, or remove."""


class MemberView(Model):
    """A member, the role and what it allows; or somebody invited, who may do nothing of it until they accept."""

    member: ActorView
    role: str
    permissions: list[DeclaredPermission]
    version: int
    status: MemberStatus = MemberStatus.ACTIVE
    invited_by: Annotated[ActorView | None, Field(description="Of somebody invited: who invites")] = None
    invitation_ends_at: Annotated[
        datetime | None, Field(description="Of somebody invited: until when they can accept")
    ] = None


class MemberPage(Model):
    """A page of members."""

    items: list[MemberView]
    next: str | None


class ChangedMember(Model):
    """The role a member is to have."""

    role: RoleName
    version: Version = None


class OwnCustomer(Model):
    """A customer the caller administers or is a member in."""

    id: str
    name: str
    is_administrator: bool


class OwnClient(Model):
    """A client the caller is a member of, and what may be done there."""

    id: str
    name: str
    customer_id: str
    role: str
    permissions: list[DeclaredPermission]


class OwnInvitation(Model):
    """That the caller is asked to belong to a client. `POST /me/invitations/{id}/accept` or `…/decline` answers it."""

    id: Annotated[str, Field(description="Another one when what is offered changes")]
    client_id: str
    client_name: str
    role: str
    permissions: list[DeclaredPermission]
    invited_by: Annotated[ActorView, Field(description="Who invites")]
    invited_at: datetime
    ends_at: Annotated[datetime, Field(description="Until when it can be accepted")]


class OwnKey(Model):
    """The API key that a program calls with."""

    name: str
    prefix: Annotated[str, Field(description="How the key begins; the rest is its program's alone")]
    client_id: str
    role: str
    expires_at: Annotated[datetime | None, Field(description="Null when it does not expire")]


class CurrentUser(Model):
    """Who is calling, how they signed in, where they belong, and where they are invited to."""

    id: Annotated[str, Field(description="A person's user id, or the id of a program's API key")]
    kind: ActorKind
    signed_in_with: SignInMethod
    valid_until: Annotated[datetime | None, Field(description="When the token, or the key as it is, ends; null: never")]
    email: Annotated[str | None, Field(description="Null of programs, and of an address that was not confirmed")]
    api_key: Annotated[OwnKey | None, Field(description="Null of people")]
    is_platform_administrator: bool
    customers: list[OwnCustomer]
    clients: list[OwnClient]
    invitations: list[OwnInvitation]


def person_view(user: User) -> ActorView:
    """Somebody by their e-mail address."""
    return ActorView(id=user.id, name=user.email, kind=ActorKind.PERSON)


def role_view(role: Role) -> RoleView:
    """A role for its users."""
    return RoleView(name=role.name, permissions=sorted(role.permissions), version=role.version)


def member_view(member: Membership, role: Role | None) -> MemberView:
    """A member with what the role allows; a role that is gone allows nothing."""
    return MemberView(
        member=ActorView(id=member.user, name=member.name, kind=kind_of(member.user)),
        role=member.role,
        permissions=sorted(role.permissions) if role else [],
        version=member.version,
    )


def inviter_view(invitation: Invitation) -> ActorView:
    """Who invites."""
    return ActorView(id=invitation.inviter.id, name=invitation.inviter.email, kind=kind_of(invitation.inviter.id))


def invited_view(invitation: Invitation, role: Role | None, now: datetime) -> MemberView:
    """Somebody invited, among the members."""
    return MemberView(
        member=person_view(invitation.invited),
        role=invitation.role,
        permissions=sorted(role.permissions) if role else [],
        version=invitation.version,
        status=MemberStatus.EXPIRED if invitation.is_over(now) else MemberStatus.INVITED,
        invited_by=inviter_view(invitation),
        invitation_ends_at=invitation.ends_at,
    )


class LimitView(Model):
    """A limit, and where its owner stands."""

    name: str
    summary: str
    kind: LimitKind
    scope: LimitScope
    maximum: int
    used: Annotated[int | None, Field(description="Null of a size, of which every list has its own, and of refusals")]
    window_seconds: Annotated[int | None, Field(description="Of a rate: the length of its window")]
    resets_at: Annotated[datetime | None, Field(description="Of a rate: when its window ends")]


class LimitPage(Model):
    """Every limit there is; all of them are on the first page."""

    items: list[LimitView]
    next: str | None


class ChangedLimit(Model):
    """Another maximum for one client or customer."""

    client_id: Annotated[Identifier | None, Field(description="The client whose limit it is; else the customer's")] = (
        None
    )
    maximum: Annotated[
        int | None, Field(ge=0, le=1_000_000_000, description="Null: what holds for everybody, as by default")
    ] = None
