"""An event bus in memory."""

from dataclasses import dataclass, field
from typing import override

from erphub.events.models import Event
from erphub.events.ports import EventBus
from erphub.platform.errors import Unavailable


@dataclass
class FakeBus(EventBus):
    """Keeps what it is given, unless it is away."""

    published: list[Event] = field(default_factory=list)
    is_away: bool = False

    @override
    def put(self, event: Event) -> None:
        if self.is_away:
            raise Unavailable("The event bus did not take the event.", code="bus_busy")
        self.published.append(event)
