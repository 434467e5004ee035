"""How webhooks are registered and events delivered to them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.dynamodb import WebhookTable
    from erphub.webhooks.service import WebhookService


def webhook_table(services: "Services") -> "WebhookTable":
    """Webhooks, as they are kept."""
    from erphub.webhooks.dynamodb import WebhookTable

    return WebhookTable(services.platform.table)


def webhook_service(services: "Services") -> "WebhookService":
    """Webhooks, for the API."""
    from erphub.platform.outbound.addresses import AddressGuard
    from erphub.tenancy.actors import MemberDirectory
    from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable
    from erphub.webhooks.service import WebhookService

    platform = services.platform
    return WebhookService(
        services.get(WebhookTable),
        DeliveryTable(platform.table),
        platform.secrets,
        AddressGuard(platform.settings.allowed_erp_networks),
        services.get(MemberDirectory),
        platform.clock,
        platform.new_id,
    )


def webhook_delivery(services: "Services") -> "WebhookDelivery":
    """Delivers events to webhooks."""
    from erphub.events.publisher import EventPublisher
    from erphub.platform.outbound.https import HttpsPost
    from erphub.webhooks.delivery import WebhookDelivery
    from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable

    platform = services.platform
    return WebhookDelivery(
        services.get(WebhookTable),
        DeliveryTable(platform.table),
        platform.secrets,
        HttpsPost(platform.settings.allowed_erp_networks, platform.settings.webhook_ca_bundle),
        services.get(EventPublisher),
        platform.clock,
    )


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the webhooks of a client."""
    from erphub.platform.aws.limits import StoredCount
    from erphub.webhooks.capability import WEBHOOKS
    from erphub.webhooks.dynamodb import webhook_key

    table = services.platform.table
    return (StoredCount(WEBHOOKS, table, lambda client: webhook_key(client, "")),)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of webhooks hangs on a connection."""
    from erphub.webhooks.dependents import webhook_dependents

    platform = services.platform
    return webhook_dependents(platform.table)


PROVIDES = (webhook_table, webhook_service, webhook_delivery)
TAKES_PART = (dependents, stock_counts)
