"""A sync as it is shown."""

from datetime import datetime

from erphub.platform.wire import JsonObject, Model
from erphub.sync.settings.models import Sync, SyncSettings


class NextView(Model):
    """When the next transfer starts, and why then."""

    at: datetime | None
    why: str


class SyncView(Model):
    """The settings of a sync, and where it stands."""

    settings: SyncSettings
    version: int
    saved_at: datetime
    saved_by: str
    next: NextView
    running: str | None
    """The transfer that is under way."""
    last_transfer_at: datetime | None
    last_sent_at: datetime | None

    @classmethod
    def of(cls, sync: Sync, running: str | None) -> "SyncView":
        """The view of a sync."""
        return cls(
            settings=sync.settings,
            version=sync.version,
            saved_at=sync.saved_at,
            saved_by=sync.saved_by,
            next=NextView(at=sync.next_at, why=sync.next_why),
            running=running,
            last_transfer_at=sync.rhythm.last_at,
            last_sent_at=sync.rhythm.last_sent_at,
        )


class WrongSetting(Model):
    """What is wrong with one setting."""

    pointer: str
    code: str
    detail: str


class CheckView(Model):
    """What a test of settings found, and what the ERP offers to choose from."""

    passed: bool
    errors: list[WrongSetting]
    choices: JsonObject
