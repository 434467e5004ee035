"""What is sent and shown about customers, clients, roles and members."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub import capabilities
from erphub.platform.capability import Permission
from erphub.platform.wire import Declared, Model, Name

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
    """A customer with its administrators (ids) and roles."""

    id: str
    name: str
    administrators: list[str]
    roles: list[RoleView]
    created_at: datetime
    version: int


class AdministratorView(Model):
    """Somebody who administers a customer."""

    user: str
    email: str | None


class AdministratorPage(Model):
    """A page of administrators."""

    items: list[AdministratorView]
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


class MemberView(Model):
    """A member, the role and what it allows."""

    user: str
    email: str | None
    role: str
    permissions: list[DeclaredPermission]
    version: int


class MemberPage(Model):
    """A page of members."""

    items: list[MemberView]
    next: str | None


class ChangedMember(Model):
    """The role a member is to have."""

    role: RoleName
    version: Version = None


class MyCustomer(Model):
    """A customer the caller administers or is a member in."""

    id: str
    name: str
    administrator: bool


class MyClient(Model):
    """A client the caller is a member of, and what may be done there."""

    id: str
    name: str
    customer_id: str
    role: str
    permissions: list[DeclaredPermission]


class Me(Model):
    """Who is calling, and where they belong."""

    user: str
    email: str | None
    platform_administrator: bool
    customers: list[MyCustomer]
    clients: list[MyClient]
