"""Who somebody is, and what they may do: callers, permissions, and the roles that bundle them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """What a role can allow a member to do in a client."""

    CONNECTIONS_MANAGE = "connections:manage"
    CONNECTIONS_VIEW = "connections:view"
    IMPORTS_MANAGE = "imports:manage"
    IMPORTS_RUN = "imports:run"
    DATA_VIEW = "data:view"
    SYNC_MANAGE = "sync:manage"
    SYNC_RUN = "sync:run"
    LINKS_MANAGE = "links:manage"
    VOUCHERS_VIEW = "vouchers:view"
    MEMBERS_MANAGE = "members:manage"
    ACCESS_MANAGE = "access:manage"
    ACCESS_APPROVE = "access:approve"


class Standing(StrEnum):
    """What a route outside a client asks of its caller."""

    PUBLIC = "public"
    """Anybody, signed in or not."""
    SIGNED_IN = "signed_in"
    CUSTOMER_ADMINISTRATOR = "customer_administrator"
    ANY_ADMINISTRATOR = "any_administrator"
    """Of the customer, or of the platform: for what must be possible when the customer has none left."""
    PLATFORM_ADMINISTRATOR = "platform_administrator"


@dataclass(frozen=True)
class Caller:
    """Who a token says is calling; it says nothing about what they may do."""

    user: str
    email: str | None = None
    source: str | None = None
    """The address the request came from."""


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


@dataclass(frozen=True)
class Member:
    """A caller whose membership was looked up for this request, and what the role lets them do here."""

    client_id: str
    customer_id: str
    user: str
    role: str
    permissions: frozenset[Permission]
    email: str | None = None
    source: str | None = None
    """The address this request came from."""
