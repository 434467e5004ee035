"""Where events are kept, and the bus that carries them on."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from erphub.events.models import Event, StoredEvent
from erphub.platform.due import DueItem
from erphub.platform.pages import Page


class EventStore(Protocol):
    """Events of clients. Each is kept before it is published, so that none is lost on the way."""

    def add(self, event: Event) -> bool:
        """Keep it, unless it is kept already; whether it is still to be published."""
        ...

    def add_once(self, event: Event, event_key: str) -> bool:
        """Keep it, unless one of its connection was kept under the same key already; whether it was kept."""
        ...

    def is_kept(self, event: Event) -> bool:
        """Whether it is still there; it goes with its connection."""
        ...

    def mark_published(self, event: Event) -> None:
        """The bus has it."""
        ...

    def find_unpublished(self, before: datetime) -> Iterator[DueItem[Event]]:
        """Events kept before that instant that the bus has not got."""
        ...

    def get_page(
        self, client_id: str, limit: int, cursor: str | None, *, only_unacknowledged: bool
    ) -> Page[StoredEvent]:
        """A page of them, the newest first."""
        ...

    def acknowledge(self, client_id: str, event_id: str, user: str, acknowledged_at: datetime) -> StoredEvent:
        """Somebody sees to it; who was first stays. Raises NotFound."""
        ...


class EventBus(Protocol):
    """The event bus of this deployment."""

    def put(self, event: Event) -> None:
        """Publish an event. Raises Unavailable."""
        ...
