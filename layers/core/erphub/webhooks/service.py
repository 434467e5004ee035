"""Webhooks for the client's people: registered, changed, looked into, and messages sent again by hand.

Messages are signed as Standard Webhooks describes: HMAC-SHA256 over `id.timestamp.body`, with a secret that is shown
once. While a secret is being changed the old one signs along for a day.
"""

import base64
import hmac
import secrets as chance
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic_core import from_json

from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, HubError, Invalid, NotFound
from erphub.platform.identity import Member
from erphub.platform.outbound.https import address
from erphub.platform.secrets import Secrets
from erphub.platform.wire import PageQuery
from erphub.webhooks.models import Delivery, Webhook
from erphub.webhooks.ports import WebhookStore
from erphub.webhooks.schemas import ChangedWebhook, DeliveryPage, DeliveryView, NewWebhook, WebhookPage, WebhookView

MOST = 20
"""Webhooks of one client."""
OLD_SECRET = timedelta(days=1)
"""How long the secret before the newest still signs along."""


@dataclass(frozen=True)
class WebhookService:
    """The use-cases behind the webhooks' routes."""

    store: WebhookStore
    secrets: Secrets
    may_reach: Callable[[str], object]
    """Looks a host up and raises HubError when the hub may not call it."""
    clock: Clock
    ids: Ids

    def create(self, member: Member, body: NewWebhook) -> WebhookView:
        """Register an address; its secret is in this answer and in no other. Raises Invalid, Conflict."""
        self._check(body.url)
        self._require_no_more_than(MOST - 1, member.client_id)
        now = self.clock()
        webhook = Webhook(
            id=self.ids(),
            client_id=member.client_id,
            url=body.url,
            events=body.events,
            description=body.description,
            created_by=member.user,
            created_at=now,
            updated_at=now,
        )
        # The item first: a secret is never without somebody it belongs to.
        self.store.add(webhook)
        try:
            self._require_no_more_than(MOST, member.client_id)  # others may have registered theirs meanwhile
        except Conflict:
            self.store.delete(webhook)
            raise
        secret = new_secret()
        self.secrets.put(webhook.secret_name, {"current": secret}, member.client_id)
        return view(webhook, secret)

    def page(self, member: Member, query: PageQuery) -> WebhookPage:
        """A page of the client's webhooks."""
        found, following = self.store.page(member.client_id, query.limit, query.next)
        return WebhookPage(items=[view(one) for one in found], next=following)

    def get(self, member: Member, webhook_id: str) -> WebhookView:
        """One webhook. Raises NotFound."""
        return view(self._read(member, webhook_id))

    def change(self, member: Member, webhook_id: str, body: ChangedWebhook) -> WebhookView:
        """Change a webhook, or its secret. Raises NotFound, Invalid, Conflict (`version_conflict`)."""
        before = self._read(member, webhook_id)
        if body.version is not None and body.version != before.version:
            raise Conflict(
                "It was changed by somebody else in the meantime. Read it again, then decide.", code="version_conflict"
            )
        if body.url is not None:
            self._check(body.url)
        changes = body.model_dump(include={"url", "events", "description", "active"}, exclude_none=True)
        if body.active:
            changes["off_because"] = ""
        now = self.clock()
        if body.rotate_secret:
            changes["old_secret_until"] = now + OLD_SECRET
        if not changes:
            return view(before)
        after = self.store.replace(before.model_copy(update=changes | {"updated_at": now}), before)
        return view(after, self._rotate(after) if body.rotate_secret else None)

    def _rotate(self, webhook: Webhook) -> str:
        try:
            old = {"previous": self.secrets.get(webhook.secret_name)["current"]}
        except NotFound:  # whoever registered it was cut off before it had a secret
            old = {}
        secret = new_secret()
        self.secrets.put(webhook.secret_name, {"current": secret} | old, webhook.client_id)
        return secret

    def delete(self, member: Member, webhook_id: str) -> None:
        """Remove a webhook, its secret and its deliveries. Raises NotFound."""
        webhook = self._read(member, webhook_id)
        self.secrets.delete(webhook.secret_name)
        self.store.delete(webhook)

    def deliveries(self, member: Member, webhook_id: str, query: PageQuery) -> DeliveryPage:
        """A page of what was sent to it, the newest first. Raises NotFound."""
        self._read(member, webhook_id)
        found, following = self.store.deliveries(member.client_id, webhook_id, query.limit, query.next)
        return DeliveryPage(items=[delivery_view(one) for one in found], next=following)

    def replay(self, member: Member, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Send a message again, under the same id; it goes within a minute. Raises NotFound, Conflict."""
        webhook = self._read(member, webhook_id)
        delivery = self.store.delivery(member.client_id, webhook_id, delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.", code="delivery_not_found")
        if not webhook.active:
            raise Conflict("The webhook is switched off. Switch it on first.", code="webhook_off")
        return delivery_view(self.store.replay(delivery, self.clock()))

    def _read(self, member: Member, webhook_id: str) -> Webhook:
        webhook = self.store.get(member.client_id, webhook_id)
        if webhook is None:
            raise NotFound("There is no such webhook.", code="webhook_not_found")
        return webhook

    def _require_no_more_than(self, many: int, client_id: str) -> None:
        if len(self.store.all(client_id)) > many:
            raise Conflict(f"A client has at most {MOST} webhooks. Delete one first.", code="too_many_webhooks")

    def _check(self, url: str) -> None:
        host = address(url).hostname or ""
        try:
            self.may_reach(host)
        except HubError as error:
            raise Invalid.field("/url", error.code, error.detail) from error


def new_secret() -> str:
    """A secret to sign with, as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(chance.token_bytes(32)).decode()


def signature(known: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one `v1` signature for each secret that counts."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    macs = [hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256") for secret in known]
    return " ".join(f"v1,{base64.b64encode(mac).decode()}" for mac in macs)


def view(webhook: Webhook, secret: str | None = None) -> WebhookView:
    """The webhook for its users."""
    shown: dict[str, Any] = webhook.model_dump(exclude={"client_id"})
    return WebhookView.model_validate(shown | {"secret": secret})


def delivery_view(delivery: Delivery) -> DeliveryView:
    """The delivery for its users."""
    names = ("id", "event_id", "type", "state", "attempts", "created_at")
    shown: dict[str, Any] = {name: getattr(delivery, name) for name in names}
    return DeliveryView.model_validate(
        shown
        | {"payload": from_json(delivery.body), "next_try_at": delivery.due_at, "attempts": list(delivery.attempts)}
    )
