"""An API key as its client sees it; nothing of its secret is here."""

from dataclasses import dataclass
from datetime import datetime

from erphub.platform.wire import Model


class ApiKey(Model):
    """A key with what it is bound to."""

    id: str
    client_id: str
    customer_id: str
    name: str
    role: str
    networks: tuple[str, ...] = ()
    expires_at: datetime | None = None
    created_by: str
    created_at: datetime
    rotated_at: datetime | None = None
    old_key_expires_at: datetime | None = None
    """When the last of the secrets before the newest ends."""
    version: int = 1


@dataclass(frozen=True)
class KeyUse:
    """When a key was last used, and from which address."""

    at: datetime
    source: str | None
