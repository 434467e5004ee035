"""What is sent and shown about API keys."""

from datetime import datetime
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, Field

from erphub.api_keys import problems
from erphub.api_keys.credentials.models import PATTERN
from erphub.platform.actors import ActorView
from erphub.platform.lexical import Whole
from erphub.platform.wire import Model, Name
from erphub.tenancy.schemas import RoleName

MAX_NETWORKS = 20
MAX_OVERLAP_SECONDS = 30 * 86400
DEFAULT_OVERLAP_SECONDS = 86400


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise problems.NETWORK_FORM.in_model() from error


Network = Annotated[
    str, Field(max_length=49), AfterValidator(_network), Field(description="CIDR, IPv4 or IPv6; one address is its own")
]
ExpiresAt = Annotated[AwareDatetime | None, Field(description="From when on the key counts no more; null: never")]


class KeyStatus(StrEnum):
    """Whether a key still works; one that was revoked is there no more."""

    ACTIVE = "active"
    EXPIRED = "expired"


class NewApiKey(Model):
    """A key for a program."""

    name: Name
    role: RoleName
    expires_at: ExpiresAt = None
    networks: Annotated[
        tuple[Network, ...], Field(max_length=MAX_NETWORKS, description="Where the program calls from; none: anywhere")
    ] = ()


class KeyRotation(Model):
    """How an API key gets a new secret."""

    overlap_seconds: Annotated[
        Whole, Field(ge=0, le=MAX_OVERLAP_SECONDS, description="How long the old secrets still count; 0: no longer")
    ] = DEFAULT_OVERLAP_SECONDS
    expires_at: Annotated[
        AwareDatetime | None, Field(description="When the key with its new secret expires; null: as it was")
    ] = None


class ApiKeyView(Model):
    """An API key as its client's people see it. `key` is there once: when it was made or rotated."""

    SHOWN_ONCE: ClassVar[tuple[str, ...]] = ("key",)

    id: str
    name: str
    prefix: Annotated[str, Field(description="How the key begins: what to look for in lists, logs and code")]
    key: Annotated[
        str | None,
        Field(
            description="The key itself, in this answer alone; null in every other, also when this request came before"
            f" with the same Idempotency-Key. Form: {PATTERN}"
        ),
    ] = None
    role: str
    networks: list[str]
    status: KeyStatus
    expires_at: datetime | None
    old_key_expires_at: Annotated[
        datetime | None, Field(description="Until when secrets of before the last rotation count; null: none does")
    ]
    created_by: ActorView
    created_at: datetime
    rotated_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="Up to five minutes old; null: never used")]
    last_used_from: str | None
    version: int


class ApiKeyPage(Model):
    """A page of API keys, the oldest first."""

    items: list[ApiKeyView]
    next: str | None
