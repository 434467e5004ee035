"""Notifications for the client's people: listed and acknowledged."""

from collections.abc import Mapping
from dataclasses import dataclass

from erphub.events.models import StoredEvent
from erphub.events.ports import EventStore
from erphub.events.schemas import NotificationPage, NotificationQuery, NotificationView
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.clock import Clock
from erphub.platform.identity import Member


@dataclass(frozen=True)
class NotificationService:
    """Notifications, for the client's people."""

    store: EventStore
    actors: ActorDirectory
    clock: Clock

    def list_notifications(self, member: Member, query: NotificationQuery) -> NotificationPage:
        """A page of the client's notifications, the newest first."""
        page = self.store.get_page(
            member.client_id, query.limit, query.next, only_unacknowledged=query.only_unacknowledged
        )
        actors = self.actors.find(member.client_id, [one.acknowledged_by for one in page.items])
        return NotificationPage(items=[_view(one, actors) for one in page.items], next=page.next)

    def acknowledge(self, member: Member, event_id: str) -> NotificationView:
        """Somebody sees to it. Raises NotFound."""
        stored = self.store.acknowledge(member.client_id, event_id, member.user, self.clock())
        return _view(stored, self.actors.find(member.client_id, [stored.acknowledged_by]))


def _view(stored: StoredEvent, actors: Mapping[str, ActorView]) -> NotificationView:
    event = stored.event
    return NotificationView(
        id=event.id,
        type=event.type,
        level=event.level,
        occurred_at=event.occurred_at,
        connection_id=event.connection_id,
        detail=event.detail,
        data=event.data,
        acknowledged_by=actors[stored.acknowledged_by] if stored.acknowledged_by else None,
        acknowledged_at=stored.acknowledged_at,
    )
