"""An API key as its client sees it; nothing of its secret is here."""

from datetime import datetime

from erphub.platform.wire import Model


class ApiKey(Model):
    """A key with what it is bound to, and when it was last used."""

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
    last_used_at: datetime | None = None
    last_used_from: str | None = None
    version: int = 1
