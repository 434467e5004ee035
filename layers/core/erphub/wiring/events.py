"""What happens, for people, for the bus, for webhooks; and how connections are doing."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from .. import observe
from . import connect, house, imports, sync

if TYPE_CHECKING:
    from ..aws.notices import NoticeTable
    from ..courier import Courier
    from ..health import HealthDesk, PauseDesk
    from ..models.connection import Connection
    from ..models.notification import Event
    from ..models.run import RunRef
    from ..models.webhook import Delivery
    from ..notifications import Announcer, NotificationDesk
    from ..webhooks import WebhookDesk


@cache
def _notices() -> "NoticeTable":
    from ..aws.notices import NoticeTable

    return NoticeTable(house.table())


@cache
def announcer() -> "Announcer":
    """The one place that publishes."""
    from ..aws.events import EventBus
    from ..notifications import Announcer

    def report(event: "Event", error: Exception) -> None:
        about = {"event_id": event.id, "client_id": event.client_id}
        observe.logger().warning("an event waits to be published", exc_info=error, extra=about)

    return Announcer(_notices(), EventBus(house.settings().event_bus), house.clock, report)


@cache
def health() -> "HealthDesk":
    """How connections are doing."""
    from ..health import HealthDesk
    from ..making_up import MissedImports

    def catch_up(connection: "Connection", since: datetime) -> None:
        sync.desk().reconnected(connection.client_id, connection.id)
        MissedImports(imports.job_table(), imports.run_table(), imports.runs(), house.clock)(
            connection.client_id, connection.id, since
        )

    return HealthDesk(house.connection_table(), announcer(), catch_up, house.clock)


@cache
def pausing() -> "PauseDesk":
    """Pausing by hand, for the API."""
    from ..health import PauseDesk

    return PauseDesk(connect.connections().editors, health(), house.audit())


def run_met(ref: "RunRef") -> None:
    """A run has met something: refused credentials concern everybody who uses the connection, at once."""
    health().run_met(imports.run_table().get(ref))


def run_ended(ref: "RunRef") -> None:
    """An import has ended: people, programs and the connection's status learn of it. Again is fine."""
    health().run_ended(imports.run_table().get(ref))


@cache
def notifications() -> "NotificationDesk":
    """Notifications, for the API."""
    from ..notifications import NotificationDesk

    return NotificationDesk(_notices(), house.clock)


@cache
def webhooks() -> "WebhookDesk":
    """Webhooks, for the API."""
    from ..aws.webhooks import WebhookTable
    from ..erp import network
    from ..webhooks import WebhookDesk

    allowed = house.settings().allowed_erp_networks
    return WebhookDesk(
        WebhookTable(house.table()),
        house.secrets(),
        lambda host: network.addresses(host, allowed),
        house.clock,
        house.ids,
    )


@cache
def courier() -> "Courier":
    """Delivers events to webhooks."""
    from ..aws.webhooks import WebhookTable
    from ..courier import Courier
    from ..outbound import HttpsPost

    def report(delivery: "Delivery", error: Exception) -> None:
        about = {"delivery_id": delivery.id, "client_id": delivery.client_id}
        observe.logger().error("a delivery met something unforeseen", exc_info=error, extra=about)

    post = HttpsPost(house.settings().allowed_erp_networks, house.settings().webhook_authority)
    return Courier(WebhookTable(house.table()), house.secrets(), post, announcer(), house.clock, report)
