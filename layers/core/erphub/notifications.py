"""Telling people and programs: every event is kept once, listed for the client's people, and published on the bus.

This is the one place that publishes. An event is kept before it is published, with a mark that it is still to be told;
the mark goes when the bus has it. Whoever dies between the two leaves the mark, and the courier's clock tells it again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import HubError
from .ids import derived_id, derived_id_at
from .models.identity import Member
from .models.licence import Holder
from .models.notification import Event, EventType, Notification, NotificationPage, NotificationQuery
from .ports.notifications import Bus, Notifications
from .ports.world import Clock

_OF_SYNCS = {
    "document_rejected": EventType.EXPORT_REJECTED,
    "nothing_sent": EventType.EXPORT_SILENT,
    "reports_missing": EventType.EXPORT_GAPS,
}
PATIENCE = timedelta(seconds=30)
"""How long whoever keeps an event may take to publish it before somebody else does."""


@dataclass(frozen=True)
class Announcer:
    """Keeps and publishes events."""

    store: Notifications
    bus: Bus
    clock: Clock
    report: Callable[[Event, Exception], None]
    """Told of an event that could not be published now; it will be."""

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
            self.report(kept, error)
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


@dataclass(frozen=True)
class SyncNotices:
    """Satisfies `ports.sync.Notices`: what a transfer has to tell becomes an event, once per transfer."""

    announcer: Announcer
    clock: Clock

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        """See the port."""
        kind = _OF_SYNCS[code]
        about = f"{code} {facts.get('transfer', '')}"
        self.announcer.announce(event(kind, client_id, connection_id, self.clock(), about, detail, code=code, **facts))


@dataclass(frozen=True)
class AccessRequests:
    """The people of a connection learn that somebody would like to use a company of theirs: of the same once a day."""

    announcer: Announcer
    clock: Clock

    def tell(self, holder: Holder, about: str, detail: str, facts: Mapping[str, Any]) -> None:
        """Tell of a request, unless it has been told of today. `about` says who asks for what."""
        now, kind = self.clock(), EventType.COMPANY_ACCESS_REQUESTED
        told = event(kind, holder.client_id, holder.connection_id, now, about, detail, **facts)
        self.announcer.announce_once(told, derived_id(kind.value, f"{now:%Y-%m-%d}", about))


@dataclass(frozen=True)
class NotificationDesk:
    """Notifications, for the client's people."""

    store: Notifications
    clock: Clock

    def page(self, member: Member, query: NotificationQuery) -> NotificationPage:
        """A page of the client's notifications, the newest first."""
        found, following = self.store.page(member.client_id, query.limit, query.next, open=query.open)
        return NotificationPage(items=list(found), next=following)

    def acknowledge(self, member: Member, notification_id: str) -> Notification:
        """Somebody sees to it. Raises NotFound."""
        return self.store.acknowledge(member.client_id, notification_id, member.user, self.clock())


def event(
    type: EventType, client_id: str, connection_id: str | None, at: datetime, about: str, detail: str, **data: Any
) -> Event:
    """The event of a fact. `about` names the fact: the same fact at the same instant is always the same event."""
    moment = at.astimezone(UTC)
    milliseconds = int(moment.timestamp() * 1000)
    return Event(
        id=derived_id_at(milliseconds, client_id, type.value, connection_id or "", about),
        type=type,
        client_id=client_id,
        connection_id=connection_id,
        at=moment,
        detail=detail,
        data=data,
    )
