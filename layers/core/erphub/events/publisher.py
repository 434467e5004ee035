"""Publishing events: each is kept once, listed for the client's people, and put on the bus.

This is the one place that publishes. An event is kept before it is published, with a mark that it is still to be
published; the mark goes when the bus has it. Whoever dies between the two leaves the mark, and the clock of the webhook
deliveries publishes it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from erphub.events.models import Event
from erphub.events.ports import EventBus, EventStore
from erphub.platform import logging
from erphub.platform.capability import EventType
from erphub.platform.characters import shown
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.ids import derived_id_at
from erphub.platform.redaction import clean, clean_text

PUBLISHING_TIME = timedelta(seconds=30)
"""How long whoever keeps an event may take to publish it before somebody else does."""


@dataclass(frozen=True)
class EventPublisher:
    """Keeps and publishes events."""

    store: EventStore
    bus: EventBus
    clock: Clock

    def publish(self, event: Event) -> None:
        """Keep an event and publish it. Again, with the same event, only completes what was cut off."""
        if self.store.add(event):
            self.publish_stored(event)

    def publish_once(self, event: Event, event_key: str) -> None:
        """Keep an event and publish it, unless one of its connection was published under the same key already."""
        if self.store.add_once(event, event_key):
            self.publish_stored(event)

    def is_kept(self, event: Event) -> bool:
        """Whether an event that the bus brings, perhaps late, is still there; it goes with its connection."""
        return self.store.is_kept(event)

    def publish_stored(self, event: Event) -> None:
        """Publish an event that is kept; when the bus is away, the clock of webhook deliveries does it later."""
        try:
            self.bus.put(event)
        except HubError as error:
            about = {"event_id": event.id, "client_id": event.client_id}
            logging.logger().warning("an event waits to be published", exc_info=error, extra=about)
            return
        self.store.mark_published(event)

    def publish_pending(self, has_time: Callable[[], bool] = lambda: True) -> int:
        """Publish what was kept and never published, as far as there is time; returns how many there were."""
        count = 0
        for kept in self.store.find_unpublished(self.clock() - PUBLISHING_TIME):
            if not has_time():
                break
            try:
                event = kept.read()
            except (KeyError, ValueError) as error:
                logging.logger().error("an event cannot be read", exc_info=error, extra={"key": dict(kept.key)})
                continue
            self.publish_stored(event)
            count += 1
        return count


def make_event(
    event_type: EventType,
    client_id: str,
    connection_id: str | None,
    occurred_at: datetime,
    about: str,
    detail: str,
    **data: Any,
) -> Event:
    """The event of a fact. `about` names the fact: the same fact at the same instant is always the same event."""
    occurred_at = occurred_at.astimezone(UTC)
    milliseconds = int(occurred_at.timestamp() * 1000)
    return Event(
        id=derived_id_at(milliseconds, client_id, event_type, connection_id or "", about),
        type=event_type,
        client_id=client_id,
        connection_id=connection_id,
        occurred_at=occurred_at,
        detail=shown(clean_text(detail)),
        data=clean(data),
    )
