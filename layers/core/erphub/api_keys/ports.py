"""Where API keys are kept."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from erphub.api_keys.credentials.models import Credential
from erphub.api_keys.models import ApiKey, KeyUse
from erphub.events.models import Event
from erphub.platform.identity import Caller, Program
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

    def rotate(self, key: ApiKey, credential: Credential, event: Event | None) -> ApiKey:
        """Write what a rotation changes; the key, one version further.

        Raises Conflict when the versions given are no longer those before.
        """
        ...

    def revoke(self, key: ApiKey, event: Event) -> None:
        """Remove a key with its membership and its credential, all or nothing. Raises Conflict."""
        ...


class KeyUseStore(Protocol):
    """What is written down while keys are used. All of it raises Unavailable."""

    def find(self, key_ids: Collection[str]) -> Mapping[str, KeyUse]:
        """The last use of those of the keys that were used, read together."""
        ...

    def record_use(self, key_id: str, at: datetime, source: str | None, unless_since: datetime) -> None:
        """That it was used, unless that is known of a time since then."""
        ...

    def record_refusal(self, key_id: str, at: datetime, unless_since: datetime) -> bool:
        """That it was used from elsewhere; False when that is known of a time since then."""
        ...


class RefusalNotices(Protocol):
    """Tells people of keys that are used from elsewhere."""

    def report(self, caller: Caller, program: Program, at: datetime, unless_since: datetime) -> None:
        """A key was used from `caller.source`; told unless it was told since then. Raises Unavailable."""
        ...
