"""Webhooks and their deliveries."""

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import CONNECTIONS_MANAGE
from erphub.webhooks.schemas import ChangedWebhook, DeliveryPage, DeliveryView, NewWebhook, WebhookPage, WebhookView
from erphub.webhooks.service import WebhookService

router = Router("Notifications and webhooks")


@router.get("/clients/{client}/webhooks", needs=CONNECTIONS_MANAGE)
def list_webhooks(service: WebhookService, member: Member, query: PageQuery) -> WebhookPage:
    """List where events are sent."""
    return service.page(member, query)


@router.post("/clients/{client}/webhooks", needs=CONNECTIONS_MANAGE)
def create_webhook(service: WebhookService, member: Member, body: NewWebhook) -> WebhookView:
    """Register an address for events; the secret they are signed with is in this answer alone."""
    return service.create(member, body)


@router.get("/clients/{client}/webhooks/{webhook}", needs=CONNECTIONS_MANAGE)
def show_webhook(service: WebhookService, member: Member, webhook: str) -> WebhookView:
    """Show a webhook."""
    return service.get(member, webhook)


@router.patch("/clients/{client}/webhooks/{webhook}", needs=CONNECTIONS_MANAGE)
def change_webhook(service: WebhookService, member: Member, webhook: str, body: ChangedWebhook) -> WebhookView:
    """Change a webhook, switch it on or off, or give it a new secret."""
    return service.change(member, webhook, body)


@router.delete("/clients/{client}/webhooks/{webhook}", needs=CONNECTIONS_MANAGE)
def delete_webhook(service: WebhookService, member: Member, webhook: str) -> None:
    """Delete a webhook with its secret and its log."""
    service.delete(member, webhook)


@router.get("/clients/{client}/webhooks/{webhook}/deliveries", needs=CONNECTIONS_MANAGE)
def list_deliveries(service: WebhookService, member: Member, webhook: str, query: PageQuery) -> DeliveryPage:
    """List what was sent to a webhook, with every try, the newest first."""
    return service.deliveries(member, webhook, query)


@router.post(
    "/clients/{client}/webhooks/{webhook}/deliveries/{delivery}/replay",
    needs=CONNECTIONS_MANAGE,
    status=202,
)
def replay_delivery(service: WebhookService, member: Member, webhook: str, delivery: str) -> DeliveryView:
    """Send a message again, under the same id; it goes within a minute."""
    return service.replay(member, webhook, delivery)
