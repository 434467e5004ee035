"""What happens, for people, for the bus, for webhooks; and how connections are doing."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from erphub.platform import logging
from erphub.wiring import connect, house, imports, sync

if TYPE_CHECKING:
    from erphub.connections.health import HealthService, PauseService
    from erphub.connections.models import Connection
    from erphub.events.dynamodb import EventTable
    from erphub.events.models import Event
    from erphub.events.notifications import NotificationService
    from erphub.events.publisher import EventPublisher
    from erphub.imports.runs.models import RunRef
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.models import Delivery
    from erphub.webhooks.service import WebhookService


@cache
def _notices() -> "EventTable":
    from erphub.events.dynamodb import EventTable

    return EventTable(house.table())


@cache
def announcer() -> "EventPublisher":
    """The one place that publishes."""
    from erphub.events.eventbridge import EventBridgeBus
    from erphub.events.publisher import EventPublisher

    def report(event: "Event", error: Exception) -> None:
        about = {"event_id": event.id, "client_id": event.client_id}
        logging.logger().warning("an event waits to be published", exc_info=error, extra=about)

    return EventPublisher(_notices(), EventBridgeBus(house.settings().event_bus), house.clock, report)


@cache
def health() -> "HealthService":
    """How connections are doing."""
    from erphub.connections.health import HealthService
    from erphub.imports.hooks import ImportCatchUp

    def catch_up(connection: "Connection", since: datetime) -> None:
        sync.desk().reconnected(connection.client_id, connection.id)
        ImportCatchUp(imports.job_table(), imports.run_table(), imports.runs(), house.clock)(
            connection.client_id, connection.id, since
        )

    return HealthService(house.connection_table(), announcer(), catch_up, house.clock)


@cache
def pausing() -> "PauseService":
    """Pausing by hand, for the API."""
    from erphub.connections.health import PauseService

    return PauseService(connect.connections().editors, health(), house.audit())


def run_met(ref: "RunRef") -> None:
    """A run has met something: refused credentials concern everybody who uses the connection, at once."""
    from erphub.imports.runs import outcome

    health().report(outcome.met(imports.run_table().get(ref)))


def run_ended(ref: "RunRef") -> None:
    """An import has ended: people, programs and the connection's status learn of it. Again is fine."""
    from erphub.imports.runs import outcome

    health().report(outcome.ended(imports.run_table().get(ref)))


@cache
def notifications() -> "NotificationService":
    """Notifications, for the API."""
    from erphub.events.notifications import NotificationService

    return NotificationService(_notices(), house.clock)


@cache
def webhooks() -> "WebhookService":
    """Webhooks, for the API."""
    from erphub.platform.outbound import addresses as network
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.webhooks.service import WebhookService

    allowed = house.settings().allowed_erp_networks
    return WebhookService(
        WebhookTable(house.table()),
        house.secrets(),
        lambda host: network.addresses(host, allowed),
        house.clock,
        house.ids,
    )


@cache
def courier() -> "WebhookDelivery":
    """Delivers events to webhooks."""
    from erphub.platform.outbound.https import HttpsPost
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.dynamodb import WebhookTable

    def report(delivery: "Delivery", error: Exception) -> None:
        about = {"delivery_id": delivery.id, "client_id": delivery.client_id}
        logging.logger().error("a delivery met something unforeseen", exc_info=error, extra=about)

    post = HttpsPost(house.settings().allowed_erp_networks, house.settings().webhook_authority)
    return WebhookDelivery(WebhookTable(house.table()), house.secrets(), post, announcer(), house.clock, report)
