"""Webhooks for the client's people: registered, changed, looked into, and messages sent again by hand.

Messages are signed as Standard Webhooks describes: HMAC-SHA256 over `id.timestamp.body`, with a secret that is shown
once. While a secret is being changed the old one signs too for a day.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_bytes
from typing import Any

from pydantic_core import from_json

from erphub.events.models import Event
from erphub.events.publisher import make_event
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import HubError, Invalid, NotFound
from erphub.platform.identity import Member
from erphub.platform.outbound.addresses import AddressGuard
from erphub.platform.outbound.https import address
from erphub.platform.secrets import Secrets
from erphub.platform.versions import require_version
from erphub.platform.wire import PageQuery, instant
from erphub.webhooks import problems
from erphub.webhooks.capability import WEBHOOK_TEST
from erphub.webhooks.models import Delivery, Webhook
from erphub.webhooks.ports import DeliveryStore, WebhookStore
from erphub.webhooks.schemas import ChangedWebhook, DeliveryPage, DeliveryView, NewWebhook, WebhookPage, WebhookView

OLD_SECRET_LIFETIME = timedelta(days=1)
"""How long the secret before the newest still signs too."""


@dataclass(frozen=True)
class WebhookService:
    """The use-cases behind the webhooks' routes."""

    store: WebhookStore
    delivery_store: DeliveryStore
    secrets: Secrets
    guard: AddressGuard
    actors: ActorDirectory
    clock: Clock
    new_id: IdGenerator

    def create(self, member: Member, body: NewWebhook) -> WebhookView:
        """Register an address; its secret is in this answer and in no other. Raises Invalid."""
        self._require_reachable(body.url)
        now = self.clock()
        webhook = Webhook(
            id=self.new_id(),
            client_id=member.client_id,
            url=body.url,
            events=body.events,
            description=body.description,
            created_by=member.user,
            created_at=now,
            updated_at=now,
        )
        # The item first: a secret is never without somebody it belongs to.
        describe_act(new={"webhook_id": webhook.id})
        self.store.add(webhook)
        secret = new_secret()
        self.secrets.put(webhook.secret_name, {"current": secret}, member.client_id)
        return self._view(webhook, secret)

    def list_webhooks(self, member: Member, query: PageQuery) -> WebhookPage:
        """A page of the client's webhooks."""
        page = self.store.get_page(member.client_id, query.limit, query.next)
        actors = self.actors.find(member.client_id, [one.created_by for one in page.items])
        return WebhookPage(items=[_webhook_view(one, actors) for one in page.items], next=page.next)

    def get(self, member: Member, webhook_id: str) -> WebhookView:
        """One webhook. Raises NotFound."""
        return self._view(self._read(member, webhook_id))

    def update(self, member: Member, webhook_id: str, body: ChangedWebhook) -> WebhookView:
        """Change a webhook, or its secret. Raises NotFound, Invalid, Conflict (`version_conflict`)."""
        before = self._read(member, webhook_id)
        require_version(body.version, before.version)
        if body.url is not None:
            self._require_reachable(body.url)
        changes = body.model_dump(include={"url", "events", "description", "is_enabled"}, exclude_none=True)
        if body.is_enabled:
            changes["disabled_reason"] = ""
        now = self.clock()
        if body.rotate_secret:
            changes["old_secret_expires_at"] = now + OLD_SECRET_LIFETIME
        if not changes:
            return self._view(before)
        shown = before.model_dump(mode="json", include={"url", "events", "description", "is_enabled"})
        describe_act(old={name: value for name, value in shown.items() if name in changes})
        after = self.store.update(before.model_copy(update=changes | {"updated_at": now}), before)
        return self._view(after, self._rotate(after) if body.rotate_secret else None)

    def _rotate(self, webhook: Webhook) -> str:
        try:
            old = {"previous": self.secrets.get(webhook.secret_name)["current"]}
        except NotFound:  # whoever registered it was cut off before it had a secret
            old = {}
        secret = new_secret()
        self.secrets.put(webhook.secret_name, {"current": secret} | old, webhook.client_id)
        return secret

    def delete(self, member: Member, webhook_id: str, version: int | None = None) -> None:
        """Remove a webhook, its secret and its deliveries. Raises NotFound, Conflict (`version_conflict`)."""
        webhook = self._read(member, webhook_id)
        require_version(version, webhook.version)
        describe_act(old=webhook.model_dump(mode="json", include={"url", "events", "description", "is_enabled"}))
        if version is not None:
            # Its secret goes first, so the version is claimed before that: whoever changes it now comes too late.
            webhook = self.store.update(webhook.model_copy(update={"is_enabled": False}), webhook)
        self.secrets.delete(webhook.secret_name)
        self.store.delete(webhook)

    def list_deliveries(self, member: Member, webhook_id: str, query: PageQuery) -> DeliveryPage:
        """A page of what was sent to it, the newest first. Raises NotFound."""
        self._read(member, webhook_id)
        page = self.delivery_store.get_page(member.client_id, webhook_id, query.limit, query.next)
        return DeliveryPage(items=[_delivery_view(one) for one in page.items], next=page.next)

    def replay(self, member: Member, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Send a message again, under the same id; it goes within a minute. Raises NotFound, Conflict."""
        webhook = self._read(member, webhook_id)
        delivery = self.delivery_store.get(member.client_id, webhook_id, delivery_id)
        if delivery is None:
            raise problems.DELIVERY_NOT_FOUND()
        if not webhook.is_enabled:
            raise problems.WEBHOOK_OFF()
        return _delivery_view(self.delivery_store.replay(delivery, self.clock()))

    def test(self, member: Member, webhook_id: str) -> DeliveryView:
        """Send a message of the type `webhook.test`, whatever the webhook is subscribed to; it goes within a minute.

        Raises NotFound, Conflict (`webhook_off`).
        """
        webhook, now = self._read(member, webhook_id), self.clock()
        if not webhook.is_enabled:
            raise problems.WEBHOOK_OFF()
        event = make_event(WEBHOOK_TEST, member.client_id, None, now, self.new_id(), "A test, asked for by hand.")
        delivery = new_delivery(webhook, event).model_copy(update={"due_at": now, "created_at": now})
        self.delivery_store.add(delivery)
        return _delivery_view(delivery)

    def _read(self, member: Member, webhook_id: str) -> Webhook:
        webhook = self.store.get(member.client_id, webhook_id)
        if webhook is None:
            raise problems.WEBHOOK_NOT_FOUND()
        return webhook

    def _view(self, webhook: Webhook, secret: str | None = None) -> WebhookView:
        return _webhook_view(webhook, self.actors.find(webhook.client_id, [webhook.created_by]), secret)

    def _require_reachable(self, url: str) -> None:
        host = address(url).hostname or ""
        try:
            self.guard.addresses(host)
        except HubError as error:
            raise Invalid.of(error.at("/url")) from error


def new_delivery(webhook: Webhook, event: Event) -> Delivery:
    """The delivery of an event to a webhook: the same two are always the same delivery."""
    data = {"client_id": event.client_id, "connection_id": event.connection_id, "detail": event.detail} | event.data
    message = make_event(
        event.type, event.client_id, event.connection_id, event.occurred_at, f"{webhook.id} {event.id}", ""
    )
    return Delivery(
        id=message.id,
        client_id=webhook.client_id,
        webhook_id=webhook.id,
        event_id=event.id,
        type=event.type,
        body=json.dumps(
            {"type": event.type, "timestamp": instant(event.occurred_at), "data": data}, ensure_ascii=False, default=str
        ),
        created_at=event.occurred_at,
    )


def new_secret() -> str:
    """A secret to sign with, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(token_bytes(32)).decode()


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1` signature by each of the secrets."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    macs = [hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256") for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def _webhook_view(webhook: Webhook, actors: Mapping[str, ActorView], secret: str | None = None) -> WebhookView:
    shown: dict[str, Any] = webhook.model_dump(exclude={"client_id"})
    return WebhookView.model_validate(shown | {"secret": secret, "created_by": actors[webhook.created_by]})


def _delivery_view(delivery: Delivery) -> DeliveryView:
    names = ("id", "event_id", "type", "status", "attempts", "created_at")
    shown: dict[str, Any] = {name: getattr(delivery, name) for name in names}
    return DeliveryView.model_validate(
        shown
        | {"payload": from_json(delivery.body), "next_attempt_at": delivery.due_at, "attempts": list(delivery.attempts)}
    )
