"""Notifications as they are shown."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.events.models import DeclaredType
from erphub.platform.actors import ActorView
from erphub.platform.capability import Level
from erphub.platform.lexical import QueryFlag
from erphub.platform.wire import JsonObject, Model, PageQuery


class NotificationView(Model):
    """An event as the people of a client read it."""

    id: str
    type: DeclaredType
    level: Level
    occurred_at: datetime
    connection_id: str | None
    detail: str
    data: JsonObject
    acknowledged_by: ActorView | None
    acknowledged_at: datetime | None


class NotificationPage(Model):
    """A page of notifications, the newest first."""

    items: list[NotificationView]
    next: str | None


class NotificationQuery(PageQuery):
    """Which notifications to list."""

    only_unacknowledged: Annotated[QueryFlag, Field(description="Leave out what somebody has acknowledged")] = False
