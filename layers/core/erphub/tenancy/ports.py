"""What the hub must remember about customers, clients, roles and members."""

from collections.abc import Collection, Sequence
from typing import Protocol

from erphub.platform.capability import Permission
from erphub.platform.pages import Page
from erphub.tenancy.models import Affiliations, Client, Customer, Membership, Role, User


class CustomerStore(Protocol):
    """Customers and who administers them."""

    def add(self, customer: Customer, administrator: User) -> None:
        """A customer with its first administrator and the built-in roles, all or nothing."""
        ...

    def get(self, customer_id: str) -> Customer | None:
        """The customer."""
        ...

    def get_administrators(self, customer_id: str) -> Sequence[User]:
        """Who administers the customer, with their addresses as they were when they were added."""
        ...

    def get_administrator_page(self, customer_id: str, limit: int, cursor: str | None) -> Page[User]:
        """A page of them."""
        ...

    def is_administrator(self, customer_id: str, user: str) -> bool:
        """Whether the user administers the customer."""
        ...

    def add_administrator(self, customer_id: str, user: User) -> None:
        """Let the user administer the customer; again is fine. Raises NotFound when there is no such customer."""
        ...

    def remove_administrator(self, customer_id: str, user: str, remaining: str) -> None:
        """The user administers it no longer, as long as `remaining` still does. Raises Conflict."""
        ...


class ClientStore(Protocol):
    """Clients of customers."""

    def add(self, client: Client, first: Membership) -> None:
        """A client with its first member, all or nothing. Raises NotFound when the role is gone."""
        ...

    def get(self, client_id: str) -> Client | None:
        """The client."""
        ...

    def get_page(self, customer_id: str, limit: int, cursor: str | None) -> Page[Client]:
        """A page of the customer's clients, oldest first."""
        ...


class RoleStore(Protocol):
    """Roles of customers."""

    def get(self, customer_id: str, name: str) -> Role | None:
        """A role of the customer."""
        ...

    def get_all(self, customer_id: str) -> Sequence[Role]:
        """All roles of the customer."""
        ...

    def save(self, role: Role, version: int | None) -> Role:
        """Write the role over that version, or anew when it is None. Raises Conflict when it is no longer the one."""
        ...

    def delete(self, role: Role) -> None:
        """Remove a role as it was read; one that is not there is fine.

        Raises Conflict: `role_in_use` while a member has it, `version_conflict` when it has changed.
        """
        ...


class MemberStore(Protocol):
    """Memberships of clients. Changes raise Conflict when what they were made from is no longer the newest."""

    def get(self, client_id: str, user: str) -> Membership | None:
        """The user's membership of the client."""
        ...

    def get_many(self, client_id: str, users: Collection[str]) -> Sequence[Membership]:
        """The memberships of those of the users who have one in the client, read together."""
        ...

    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[Membership]:
        """A page of the client's members."""
        ...

    def save(self, member: Membership, before: Membership | None, remaining: Membership | None) -> Membership:
        """Write a membership over `before`, as long as `remaining` stays as it is. Raises Conflict."""
        ...

    def delete(self, member: Membership, remaining: Membership | None) -> None:
        """Remove a membership as it was read, as long as `remaining` stays as it is. Raises Conflict."""
        ...

    def find_affiliations(self, user: str) -> Affiliations:
        """Where a user belongs; a change of a second ago may be missing."""
        ...


class PlatformAdministrators(Protocol):
    """Who administers the platform."""

    def contains(self, user: str) -> bool:
        """Whether the user administers the platform."""
        ...

    def add(self, user: str) -> None:
        """Remember it; again is fine."""
        ...

    def remove(self, user: str) -> None:
        """Forget it; again is fine."""
        ...


class UserDirectory(Protocol):
    """Finds and invites people."""

    def find(self, who: str) -> User | None:
        """The user with this id or e-mail address.

        Raises Conflict (`email_unconfirmed`) when whoever says that the address is theirs has not shown it.
        """
        ...

    def invite(self, email: str) -> User:
        """Make a user who gets an invitation by e-mail; one who is there already is given back as they are.

        Raises Conflict (`email_unconfirmed`), Unavailable (`invitation_not_sent`).
        """
        ...


class MemberPermissions(Protocol):
    """What members may do, for whoever must know it of somebody else than the caller."""

    def permissions_of(self, client_id: str, user: str) -> frozenset[Permission]:
        """What the user may do in the client; nothing when they are no member of it."""
        ...


class TenantDirectory(MemberPermissions, Protocol):
    """What other capabilities ask about customers and clients."""

    def client(self, client_id: str) -> Client | None:
        """The client."""
        ...

    def customer(self, customer_id: str) -> Customer | None:
        """The customer."""
        ...
