"""Notifications for the client's people: listed and acknowledged."""

from dataclasses import dataclass

from erphub.events.ports import EventStore
from erphub.events.schemas import Notification, NotificationPage, NotificationQuery
from erphub.platform.clock import Clock
from erphub.platform.identity import Member


@dataclass(frozen=True)
class NotificationService:
    """Notifications, for the client's people."""

    store: EventStore
    clock: Clock

    def page(self, member: Member, query: NotificationQuery) -> NotificationPage:
        """A page of the client's notifications, the newest first."""
        found, following = self.store.page(member.client_id, query.limit, query.next, open=query.open)
        return NotificationPage(items=list(found), next=following)

    def acknowledge(self, member: Member, notification_id: str) -> Notification:
        """Somebody sees to it. Raises NotFound."""
        return self.store.acknowledge(member.client_id, notification_id, member.user, self.clock())
