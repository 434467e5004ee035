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
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.ids import derived_id_at

PATIENCE = timedelta(seconds=30)
"""How long whoever keeps an event may take to publish it before somebody else does."""


@dataclass(frozen=True)
class EventPublisher:
    """Keeps and publishes events."""

    store: EventStore
    bus: EventBus
    clock: Clock

    def announce(self, told: Event) -> None:
        """Keep an event and publish it. Again, with the same event, only completes what was cut off."""
        if self.store.add(told):
            self.publish(told)

    def announce_once(self, told: Event, occasion: str) -> None:
        """Keep an event and publish it, unless the connection's people were told on this occasion already."""
        if self.store.add_once(told, occasion):
            self.publish(told)

    def publish(self, kept: Event) -> None:
        """Publish an event that is kept; when the bus is away, the courier's clock does it later."""
        try:
            self.bus.put(kept)
        except HubError as error:
            about = {"event_id": kept.id, "client_id": kept.client_id}
            logging.logger().warning("an event waits to be published", exc_info=error, extra=about)
            return
        self.store.mark_told(kept)

    def catch_up(self, has_time: Callable[[], bool] = lambda: True) -> int:
        """Publish what was kept and never told, as far as there is time; returns how many there were."""
        told = 0
        for kept in self.store.untold(self.clock() - PATIENCE):
            if not has_time():
                break
            self.publish(kept)
            told += 1
        return told


def event(
    type: EventType, client_id: str, connection_id: str | None, at: datetime, about: str, detail: str, **data: Any
) -> Event:
    """The event of a fact. `about` names the fact: the same fact at the same instant is always the same event."""
    moment = at.astimezone(UTC)
    milliseconds = int(moment.timestamp() * 1000)
    return Event(
        id=derived_id_at(milliseconds, client_id, type, connection_id or "", about),
        type=type,
        client_id=client_id,
        connection_id=connection_id,
        at=moment,
        detail=detail,
        data=data,
    )
