"""Customers, clients, roles and memberships as they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from erphub.platform.capability import Permission


@dataclass(frozen=True)
class ProgramAccess:
    """What is known of a member that is a program: its API key, but for the secret."""

    name: str
    prefix: str
    """How its key begins."""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Membership:
    """That a user belongs to a client, in a role of the client's customer."""

    client_id: str
    customer_id: str
    user: str
    role: str
    email: str | None = None
    version: int = 1
    program: ProgramAccess | None = None
    """None for people."""

    invitation_id: str | None = None
    """The invitation that was accepted; None for a client's first member."""

    @property
    def name(self) -> str | None:
        """What people know the member by: an address, or the name of a program's key."""
        return self.program.name if self.program else self.email


@dataclass(frozen=True)
class Customer:
    """The paying organisation, top level."""

    id: str
    name: str
    created_at: datetime
    version: int = 1


@dataclass(frozen=True)
class Client:
    """A tenant below a customer."""

    id: str
    customer_id: str
    name: str
    created_at: datetime
    version: int = 1


@dataclass(frozen=True)
class Affiliations:
    """Where a user belongs: customers by id, and clients."""

    administered: Sequence[str]
    """Customers the user administers."""
    memberships: Sequence[Membership]

    @property
    def customer_ids(self) -> list[str]:
        """Every customer the user administers or is a member in, once."""
        return list(dict.fromkeys([*self.administered, *(one.customer_id for one in self.memberships)]))


@dataclass(frozen=True)
class User:
    """Somebody who can sign in."""

    id: str
    email: str | None


@dataclass(frozen=True)
class Role:
    """A customer's named set of permissions; `version` grows with every change."""

    customer_id: str
    name: str
    permissions: frozenset[Permission]
    version: int = 1
