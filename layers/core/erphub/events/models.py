"""Events: what happened, and how much it matters."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from erphub import capabilities
from erphub.platform.capability import EventType, Level
from erphub.platform.wire import Declared, Model

DeclaredType = Annotated[
    EventType,
    Declared(
        "EventType",
        "Everything the hub tells of. A word that was published once is never used for something else.",
        capabilities.event_types,
    ),
]


class Event(Model):
    """Something that happened, once. `data` holds references and figures, never a secret."""

    id: str
    type: DeclaredType
    client_id: str
    connection_id: str | None = None
    occurred_at: datetime
    detail: str
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How much it matters."""
        return self.type.level


class StoredEvent(Model):
    """An event as it is kept, and who sees to it."""

    event: Event
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
