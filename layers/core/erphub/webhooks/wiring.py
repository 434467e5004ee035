"""How webhooks are registered and events delivered to them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.webhooks.models import Delivery
    from erphub.webhooks.service import WebhookService


def webhook_table(services: "Services") -> "WebhookTable":
    """Webhooks and deliveries, as they are kept."""
    from erphub.webhooks.dynamodb import WebhookTable

    return WebhookTable(services.platform.table)


def webhook_service(services: "Services") -> "WebhookService":
    """Webhooks, for the API."""
    from erphub.platform.outbound import addresses
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.webhooks.service import WebhookService

    platform = services.platform
    allowed = platform.settings.allowed_erp_networks
    return WebhookService(
        services.get(WebhookTable),
        platform.secrets,
        lambda host: addresses.addresses(host, allowed),
        platform.clock,
        platform.new_id,
    )


def webhook_delivery(services: "Services") -> "WebhookDelivery":
    """Delivers events to webhooks."""
    from erphub.events.publisher import EventPublisher
    from erphub.platform import logging
    from erphub.platform.outbound.https import HttpsPost
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.dynamodb import WebhookTable

    def report(delivery: "Delivery", error: Exception) -> None:
        about = {"delivery_id": delivery.id, "client_id": delivery.client_id}
        logging.logger().error("a delivery met something unforeseen", exc_info=error, extra=about)

    platform = services.platform
    post = HttpsPost(platform.settings.allowed_erp_networks, platform.settings.webhook_authority)
    publisher = services.get(EventPublisher)
    return WebhookDelivery(services.get(WebhookTable), platform.secrets, post, publisher, platform.clock, report)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of webhooks hangs on a connection."""
    from erphub.webhooks.dependents import webhook_dependents

    platform = services.platform
    return webhook_dependents(platform.table)


PROVIDES = (webhook_table, webhook_service, webhook_delivery)
TAKES_PART = (dependents,)
