"""Webhooks and their deliveries."""

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import CONNECTIONS_MANAGE
from erphub.webhooks.capability import (
    DELIVERY_REPLAYED,
    WEBHOOK_CHANGED,
    WEBHOOK_CREATED,
    WEBHOOK_DELETED,
    WEBHOOK_TESTED,
    WEBHOOKS,
)
from erphub.webhooks.schemas import ChangedWebhook, DeliveryPage, DeliveryView, NewWebhook, WebhookPage, WebhookView
from erphub.webhooks.service import WebhookService

router = Router("Notifications and webhooks")


@router.get("/clients/{client_id}/webhooks", needs=CONNECTIONS_MANAGE)
def list_webhooks(service: WebhookService, member: Member, query: PageQuery) -> WebhookPage:
    """List where events are sent."""
    return service.list_webhooks(member, query)


@router.post("/clients/{client_id}/webhooks", needs=CONNECTIONS_MANAGE, audit=WEBHOOK_CREATED, limit=WEBHOOKS)
def create_webhook(service: WebhookService, member: Member, body: NewWebhook) -> WebhookView:
    """Register an address for events; the secret they are signed with is in this answer alone."""
    return service.create(member, body)


@router.get("/clients/{client_id}/webhooks/{webhook_id}", needs=CONNECTIONS_MANAGE)
def get_webhook(service: WebhookService, member: Member, webhook_id: str) -> WebhookView:
    """Get a webhook."""
    return service.get(member, webhook_id)


@router.patch("/clients/{client_id}/webhooks/{webhook_id}", needs=CONNECTIONS_MANAGE, audit=WEBHOOK_CHANGED)
def update_webhook(service: WebhookService, member: Member, webhook_id: str, body: ChangedWebhook) -> WebhookView:
    """Update a webhook, enable or disable it, or give it a new secret."""
    return service.update(member, webhook_id, body)


@router.delete("/clients/{client_id}/webhooks/{webhook_id}", needs=CONNECTIONS_MANAGE, audit=WEBHOOK_DELETED)
def delete_webhook(service: WebhookService, member: Member, webhook_id: str, version: int | None) -> None:
    """Delete a webhook with its secret and its log."""
    service.delete(member, webhook_id, version)


@router.post(
    "/clients/{client_id}/webhooks/{webhook_id}/test", needs=CONNECTIONS_MANAGE, audit=WEBHOOK_TESTED, status=202
)
def send_test_event(service: WebhookService, member: Member, webhook_id: str) -> DeliveryView:
    """Send a test message to a webhook; its delivery tells how it went."""
    return service.test(member, webhook_id)


@router.get("/clients/{client_id}/webhooks/{webhook_id}/deliveries", needs=CONNECTIONS_MANAGE)
def list_deliveries(service: WebhookService, member: Member, webhook_id: str, query: PageQuery) -> DeliveryPage:
    """List what was sent to a webhook, with every attempt, the newest first."""
    return service.list_deliveries(member, webhook_id, query)


@router.post(
    "/clients/{client_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    needs=CONNECTIONS_MANAGE,
    audit=DELIVERY_REPLAYED,
    status=202,
)
def replay_delivery(service: WebhookService, member: Member, webhook_id: str, delivery_id: str) -> DeliveryView:
    """Send a message again, under the same id; it goes within a minute."""
    return service.replay(member, webhook_id, delivery_id)
