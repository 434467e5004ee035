"""Webhooks and their deliveries in the tenant table; index `due` holds the deliveries that are still to be tried."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, key_of, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import NotFound
from erphub.platform.wire import instant
from erphub.platform.writes import Key
from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook

KEPT = timedelta(days=30)
ATTEMPTS_KEPT = 50
_DUE = "webhooks"
"""The partition of index `due`."""


class WebhookTable:
    """Satisfies `webhooks.ports.WebhookStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, webhook: Webhook) -> None:
        """See the port."""
        self._table.put_new(_item(webhook))

    def get(self, client_id: str, webhook_id: str) -> Webhook | None:
        """See the port."""
        item = self._table.get(webhook_key(client_id, webhook_id))
        return _webhook(item) if item else None

    def all(self, client_id: str) -> Sequence[Webhook]:
        """See the port."""
        key = webhook_key(client_id, "")
        return [_webhook(item) for item in self._table.all(key["pk"], key["sk"])]

    def page(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Webhook], str | None]:
        """See the port."""
        key = webhook_key(client_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next)
        return [_webhook(item) for item in page.items], page.next

    def replace(self, webhook: Webhook, before: Webhook) -> Webhook:
        """See the port."""
        after = webhook.model_copy(update={"version": before.version + 1})
        self._table.put(_item(after), condition="version = :version", version=before.version)
        return after

    def delete(self, webhook: Webhook) -> None:
        """See the port."""
        self._table.delete(webhook_key(webhook.client_id, webhook.id))
        key = webhook_delivery_key(webhook.client_id, webhook.id, "")
        self._table.delete_many([key_of(item) for item in self._table.all(key["pk"], key["sk"])])

    def add_delivery(self, delivery: Delivery) -> bool:
        """See the port."""
        try:
            self._table.put_new(_delivery_item(delivery))
        except VersionConflict:
            return False
        return True

    def forget(self, delivery: Delivery) -> None:
        """See the port."""
        self._table.delete(_key(delivery))

    def delivery(self, client_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """See the port."""
        item = self._table.get(webhook_delivery_key(client_id, webhook_id, delivery_id))
        return _delivery(item) if item else None

    def deliveries(
        self, client_id: str, webhook_id: str, limit: int, next: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        """See the port."""
        key = webhook_delivery_key(client_id, webhook_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next, newest_first=True)
        return [_delivery(item) for item in page.items], page.next

    def due(self, now: datetime) -> Iterator[Delivery]:
        """See the port."""
        for item in self._table.by_index("due", "due_shard", _DUE, upto=("due_at", instant(now))):
            yield _delivery(item)

    def claim(self, delivery: Delivery, until: datetime) -> bool:
        """See the port."""
        if delivery.due_at is None:
            return False
        try:
            self._table.update(
                _key(delivery),
                "SET due_at = :until",
                condition="due_at = :was",
                until=instant(until),
                was=instant(delivery.due_at),
            )
        except VersionConflict:
            return False
        return True

    def note(
        self, delivery: Delivery, attempt: DeliveryAttempt | None, state: DeliveryState, due_at: datetime | None
    ) -> None:
        """See the port."""
        attempts = (*delivery.attempts, *([attempt] if attempt else []))[-ATTEMPTS_KEPT:]
        changes = {"attempts": attempts, "state": state, "due_at": due_at, "tries": delivery.tries + bool(attempt)}
        try:
            self._table.put(_delivery_item(delivery.model_copy(update=changes)), condition="attribute_exists(pk)")
        except VersionConflict:  # it was removed with its webhook meanwhile
            return

    def replay(self, delivery: Delivery, now: datetime) -> Delivery:
        """See the port."""
        fresh = delivery.model_copy(update={"state": DeliveryState.PENDING, "tries": 0, "due_at": now})
        try:
            self._table.put(_delivery_item(fresh), condition="attribute_exists(pk)")
        except VersionConflict as error:
            raise NotFound("There is no such delivery.", code="delivery_not_found") from error
        return fresh


def _key(delivery: Delivery) -> Key:
    return webhook_delivery_key(delivery.client_id, delivery.webhook_id, delivery.id)


def _item(webhook: Webhook) -> Item:
    key = webhook_key(webhook.client_id, webhook.id)
    return {**key, "version": webhook.version, "body": webhook.model_dump_json(exclude={"version"})}


def _webhook(item: Item) -> Webhook:
    return Webhook.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def _delivery_item(delivery: Delivery) -> Item:
    item: dict[str, Any] = {
        **_key(delivery),
        "data": delivery.model_dump_json(exclude={"due_at"}),
        "expires_at": int((delivery.created_at + KEPT).timestamp()),
    }
    if delivery.due_at is not None:
        item |= {"due_shard": _DUE, "due_at": instant(delivery.due_at)}
    return item


def _delivery(item: Item) -> Delivery:
    kept = Delivery.model_validate_json(item["data"])
    due_at = datetime.fromisoformat(item["due_at"]) if "due_at" in item else None
    return kept.model_copy(update={"due_at": due_at})


def webhook_key(client_id: str, webhook_id: str) -> Key:
    """The key of a webhook."""
    return make_key(f"CLIENT#{client_id}", "WEBHOOK", webhook_id)


def webhook_delivery_key(client_id: str, webhook_id: str, delivery_id: str) -> Key:
    """The key of a webhook delivery."""
    return make_key(f"CLIENT#{client_id}", "WEBHOOK-DELIVERY", webhook_id, delivery_id)
