"""Who calls, and what a caller may be asked to be."""

from dataclasses import dataclass
from datetime import datetime
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


class SignInMethod(StrEnum):
    """What a caller showed to say who they are."""

    ID_TOKEN = "id_token"  # noqa: S105 — a word, no token
    ACCESS_TOKEN = "access_token"  # noqa: S105 — a word, no token
    API_KEY = "api_key"


@dataclass(frozen=True)
class Program:
    """A program that signed in with an API key, and what the key is bound to."""

    client_id: str
    name: str
    networks: tuple[str, ...] = ()
    """The networks (CIDR, IPv4 and IPv6) that it may call from; none: from anywhere."""


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the authorizer found; it says nothing about what they may do."""

    user: str
    """A person's id in the user pool, or a program's: that of its key."""
    email: str | None = None
    source: str | None = None
    """The address the request came from, as the gateway saw it."""
    method: SignInMethod = SignInMethod.ID_TOKEN
    valid_until: datetime | None = None
    """When what they showed ends."""
    program: Program | None = None

    @property
    def name(self) -> str | None:
        """What people know them by: an e-mail address, or the name of a program's key."""
        return self.program.name if self.program else self.email


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
    program_name: str | None = None
    """The name of a program's key; None of people."""

    @property
    def is_program(self) -> bool:
        """Whether a program is calling."""
        return self.program_name is not None

    @property
    def name(self) -> str | None:
        """What people know the member by: an e-mail address, or the name of a program's key."""
        return self.program_name or self.email
