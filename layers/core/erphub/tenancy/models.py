"""Customers, clients, roles and memberships as they are kept."""

from dataclasses import dataclass
from datetime import datetime

from erphub.platform.capability import Permission


@dataclass(frozen=True)
class Membership:
    """That a user belongs to a client, in a role of the client's customer."""

    client_id: str
    customer_id: str
    user: str
    role: str
    email: str | None = None
    version: int = 1


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
