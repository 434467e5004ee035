"""Who calls, and what a caller may be asked to be."""

from dataclasses import dataclass
from enum import StrEnum

from erphub.platform.capability import Permission


class AccessLevel(StrEnum):
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
