"""Events: what happened, and how much it matters."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from erphub.platform.wire import Model


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
