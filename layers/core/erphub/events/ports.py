"""What telling people and programs asks of the world: where events are kept, and the bus that carries them on."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from erphub.events.models import Event
from erphub.events.schemas import Notification


class EventStore(Protocol):
    """Events of clients. Each is kept before it is told, so that none is lost on the way."""

    def add(self, event: Event) -> bool:
        """Keep it, unless it is kept already; whether it is still to be told."""
        ...

    def add_once(self, event: Event, occasion: str) -> bool:
        """Keep it, unless something was kept of its connection on the same occasion already; whether it was kept."""
        ...

    def mark_told(self, event: Event) -> None:
        """The bus has it."""
        ...

    def untold(self, before: datetime) -> Iterator[Event]:
        """Events kept before that instant that the bus has not got."""
        ...

    def page(
        self, client_id: str, limit: int, next: str | None, *, open: bool
    ) -> tuple[Sequence[Notification], str | None]:
        """A page of them, the newest first; `open` leaves out what somebody has acknowledged."""
        ...

    def acknowledge(self, client_id: str, notification_id: str, by: str, at: datetime) -> Notification:
        """Somebody has seen to it; who was first stays. Raises NotFound."""
        ...


class EventBus(Protocol):
    """The event bus of this deployment."""

    def put(self, event: Event) -> None:
        """Publish an event. Raises Unavailable."""
        ...
