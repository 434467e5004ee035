"""How events are published, and how the client's people are shown them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.events.notifications import NotificationService
    from erphub.events.publisher import EventPublisher
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def event_publisher(services: "Services") -> "EventPublisher":
    """The one place that publishes."""
    from erphub.events.dynamodb import EventTable
    from erphub.events.eventbridge import EventBridgeBus
    from erphub.events.publisher import EventPublisher

    platform = services.platform
    bus = EventBridgeBus(platform.settings.event_bus)
    return EventPublisher(EventTable(platform.table), bus, platform.clock)


def notification_service(services: "Services") -> "NotificationService":
    """Notifications, for the API."""
    from erphub.events.dynamodb import EventTable
    from erphub.events.notifications import NotificationService
    from erphub.tenancy.actors import MemberDirectory

    platform = services.platform
    return NotificationService(EventTable(platform.table), services.get(MemberDirectory), platform.clock)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of events hangs on a connection."""
    from erphub.events.dependents import event_dependents

    platform = services.platform
    return event_dependents(platform.table)


PROVIDES = (event_publisher, notification_service)
TAKES_PART = (dependents,)
