"""What the hub must remember about customers, clients, roles and members."""

from collections.abc import Collection, Sequence
from typing import Protocol

from erphub.tenancy.models import Client, Customer, Membership, Role, User


class Memberships(Protocol):
    """What deciding about a request needs: look-ups by key."""

    def membership(self, client_id: str, user: str) -> Membership | None:
        """The user's membership of the client."""
        ...

    def role(self, customer_id: str, name: str) -> Role | None:
        """A role of the customer."""
        ...

    def is_customer_administrator(self, customer_id: str, user: str) -> bool:
        """Whether the user administers the customer."""
        ...

    def belongs_to_customer(self, customer_id: str, user: str) -> bool:
        """Whether the user is a member of any client of the customer."""
        ...

    def is_platform_administrator(self, user: str) -> bool:
        """Whether the user administers the platform."""
        ...


class MemberStore(Protocol):
    """Memberships of clients."""

    def get_many(self, client_id: str, users: Collection[str]) -> Sequence[Membership]:
        """The memberships of those of the users who have one in the client, read together."""
        ...


class TenancyStore(Memberships, MemberStore, Protocol):
    """All of it. Changes name the version they were made from, and raise Conflict when it is no longer the one."""

    def make_platform_administrator(self, user: str) -> None:
        """Remember it; again is fine."""
        ...

    def end_platform_administrator(self, user: str) -> None:
        """Forget it; again is fine."""
        ...

    def add_customer(self, customer: Customer, administrator: str, email: str | None = None) -> None:
        """A customer with its first administrator (id, and address) and the built-in roles, all or nothing."""
        ...

    def customer(self, customer_id: str) -> Customer | None:
        """The customer."""
        ...

    def administrators(self, customer_id: str) -> Sequence[str]:
        """Ids of the users who administer the customer."""
        ...

    def administrators_page(self, customer_id: str, limit: int, next: str | None) -> tuple[Sequence[User], str | None]:
        """A page of them, with their addresses as they were when they were added."""
        ...

    def put_administrator(self, customer_id: str, user: User) -> None:
        """Let the user administer the customer; again is fine. Raises NotFound when there is no such customer."""
        ...

    def delete_administrator(self, customer_id: str, user: str, keeping: str) -> None:
        """The user administers it no longer, as long as `keeping` still does. Raises Conflict."""
        ...

    def roles(self, customer_id: str) -> Sequence[Role]:
        """All roles of the customer."""
        ...

    def put_role(self, role: Role, replaces: int | None) -> Role:
        """Write the role over version `replaces`, or anew when that is None. Raises Conflict."""
        ...

    def delete_role(self, customer_id: str, name: str) -> None:
        """Raises Conflict (`role_in_use`) while a member has it; one that is not there is fine."""
        ...

    def add_client(self, client: Client, first: Membership) -> None:
        """A client with its first member, all or nothing."""
        ...

    def client(self, client_id: str) -> Client | None:
        """The client."""
        ...

    def clients(self, customer_id: str, limit: int, next: str | None) -> tuple[Sequence[Client], str | None]:
        """A page of the customer's clients, oldest first."""
        ...

    def members(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Membership], str | None]:
        """A page of the client's members."""
        ...

    def put_member(self, member: Membership, before: Membership | None, keeping: Membership | None) -> Membership:
        """Write a membership over `before`, as long as `keeping` stays as it is. Raises Conflict."""
        ...

    def delete_member(self, member: Membership, keeping: Membership | None) -> None:
        """Remove a membership as it was read, as long as `keeping` stays as it is. Raises Conflict."""
        ...

    def of_user(self, user: str) -> tuple[Sequence[str], Sequence[Membership]]:
        """The customers a user administers and their memberships; a change of a second ago may be missing."""
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
