"""What a client is told without asking: that a connection needs its people, that an import has ended, and the like."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .wire import JsonObject, Model, PageQuery


class EventType(StrEnum):
    """Everything the hub tells of. A word that was published once is never used for something else."""

    CONNECTION_REAUTH_REQUIRED = "connection.reauth_required"
    CONNECTION_DEGRADED = "connection.degraded"
    CONNECTION_HEALED = "connection.healed"
    CONNECTION_PAUSED = "connection.paused"
    CONNECTION_RESUMED = "connection.resumed"
    CONNECTION_DELETING = "connection.deleting"
    CONNECTION_RESTORED = "connection.restored"
    COMPANY_ACCESS_REQUESTED = "company.access_requested"
    IMPORT_FINISHED = "import.finished"
    IMPORT_FAILED = "import.failed"
    TRANSFER_FINISHED = "transfer.finished"
    TRANSFER_FAILED = "transfer.failed"
    EXPORT_REJECTED = "export.rejected"
    EXPORT_SILENT = "export.silent"
    EXPORT_GAPS = "export.gaps"
    WEBHOOK_FAILING = "webhook.failing"


class Level(StrEnum):
    """How much it matters: good to know, worth a look, or somebody must do something."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


LEVELS: dict[EventType, Level] = {
    EventType.CONNECTION_REAUTH_REQUIRED: Level.ERROR,
    EventType.CONNECTION_DEGRADED: Level.WARNING,
    EventType.CONNECTION_DELETING: Level.WARNING,
    EventType.COMPANY_ACCESS_REQUESTED: Level.WARNING,
    EventType.IMPORT_FAILED: Level.ERROR,
    EventType.TRANSFER_FAILED: Level.ERROR,
    EventType.EXPORT_REJECTED: Level.ERROR,
    EventType.EXPORT_SILENT: Level.WARNING,
    EventType.EXPORT_GAPS: Level.WARNING,
    EventType.WEBHOOK_FAILING: Level.WARNING,
}
"""Whatever is not named here is good to know."""


class Event(Model):
    """Something that happened, once. `data` holds references and figures, never a secret."""

    id: str
    type: EventType
    client_id: str
    connection_id: str | None = None
    at: datetime
    detail: str
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def level(self) -> Level:
        """How much it matters."""
        return LEVELS.get(self.type, Level.INFO)


class Notification(Model):
    """An event as the people of a client read it."""

    id: str
    type: EventType
    level: Level
    at: datetime
    connection_id: str | None
    detail: str
    data: JsonObject
    acknowledged_by: str | None
    acknowledged_at: datetime | None


class NotificationPage(Model):
    """A page of notifications, the newest first."""

    items: list[Notification]
    next: str | None


class NotificationQuery(PageQuery):
    """Which notifications to list."""

    open: Annotated[bool, Field(description="Only those that nobody has acknowledged")] = False
