"""Where API keys are kept."""

from datetime import datetime
from typing import Protocol

from erphub.api_keys.credentials.models import Credential
from erphub.api_keys.models import ApiKey
from erphub.events.models import Event
from erphub.platform.pages import Page


class ApiKeyStore(Protocol):
    """Keys of clients, each with its membership and its credential. All of it raises Unavailable."""

    def get(self, client_id: str, key_id: str) -> ApiKey | None:
        """The key."""
        ...

    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        """A page of a client's keys, the oldest first."""
        ...

    def add(self, key: ApiKey, credential: Credential, event: Event) -> None:
        """A key with its membership, credential and event: all or nothing. Raises Conflict (the role is gone)."""
        ...

    def rotate(self, key: ApiKey, credential: Credential, event: Event | None) -> None:
        """Write what a rotation changes. Raises Conflict when the versions given are no longer those before."""
        ...

    def revoke(self, key: ApiKey, event: Event) -> None:
        """Remove a key with its membership and its credential, all or nothing. Raises Conflict."""
        ...

    def record_use(self, client_id: str, key_id: str, at: datetime, source: str | None, unless_since: datetime) -> None:
        """That it was used, unless that is known of a time since then; without effect on one that was revoked."""
        ...

    def record_refusal(self, client_id: str, key_id: str, at: datetime, unless_since: datetime) -> bool:
        """That it was used from elsewhere; False when that is known of a time since then, or it was revoked."""
        ...
