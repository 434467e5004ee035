"""Webhooks and their deliveries in the tenant table; index `due` holds the deliveries that are still to be made."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import override

from erphub.platform.aws.due import DueIndex, KeptItem, due_at, due_attributes
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, key_of, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.writes import Key
from erphub.webhooks import problems
from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Webhook
from erphub.webhooks.ports import DeliveryStore, WebhookStore

KEPT_FOR = timedelta(days=30)
MAX_ATTEMPTS_KEPT = 50
_DUE = "deliveries"
"""Their name in the index of what is due."""


class WebhookTable(WebhookStore):
    """Webhooks in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, webhook: Webhook) -> None:
        self._table.put_new(_item(webhook))

    @override
    def get(self, client_id: str, webhook_id: str) -> Webhook | None:
        item = self._table.get(webhook_key(client_id, webhook_id))
        return _webhook(item) if item else None

    @override
    def get_all(self, client_id: str) -> Sequence[Webhook]:
        key = webhook_key(client_id, "")
        return [_webhook(item) for item in self._table.read_all(key["pk"], key["sk"])]

    @override
    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[Webhook]:
        key = webhook_key(client_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor)
        return Page([_webhook(item) for item in page.items], page.next)

    @override
    def update(self, webhook: Webhook, before: Webhook) -> Webhook:
        after = webhook.model_copy(update={"version": before.version + 1})
        self._table.put(_item(after), condition="version = :version", version=before.version)
        return after

    @override
    def delete(self, webhook: Webhook) -> None:
        self._table.delete(webhook_key(webhook.client_id, webhook.id))
        key = webhook_delivery_key(webhook.client_id, webhook.id, "")
        self._table.delete_many([key_of(item) for item in self._table.read_all(key["pk"], key["sk"])])


class DeliveryTable(DeliveryStore):
    """Deliveries in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due = DueIndex(table, _DUE, _delivery)

    @override
    def add(self, delivery: Delivery) -> bool:
        try:
            self._table.put_new(_delivery_item(delivery))
        except VersionConflict:
            return False
        return True

    @override
    def get(self, client_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        item = self._table.get(webhook_delivery_key(client_id, webhook_id, delivery_id))
        return _delivery(item) if item else None

    @override
    def get_page(self, client_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        key = webhook_delivery_key(client_id, webhook_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor, newest_first=True)
        return Page([_delivery(item) for item in page.items], page.next)

    @override
    def delete(self, delivery: Delivery) -> None:
        self._table.delete(_key(delivery))

    @override
    def find_due(self, now: datetime) -> Iterator[KeptItem[Delivery]]:
        return self._due.due(now)

    @override
    def acquire(self, delivery: Delivery, until: datetime) -> bool:
        return delivery.due_at is not None and self._due.move(_key(delivery), delivery.due_at, until)

    @override
    def record(
        self, delivery: Delivery, attempt: DeliveryAttempt | None, status: DeliveryStatus, due_at: datetime | None
    ) -> None:
        attempts = (*delivery.attempts, *([attempt] if attempt else []))[-MAX_ATTEMPTS_KEPT:]
        count = delivery.attempt_count + bool(attempt)
        changes = {"attempts": attempts, "status": status, "due_at": due_at, "attempt_count": count}
        try:
            self._table.put(_delivery_item(delivery.model_copy(update=changes)), condition="attribute_exists(pk)")
        except VersionConflict:  # it was removed with its webhook meanwhile
            return

    @override
    def replay(self, delivery: Delivery, now: datetime) -> Delivery:
        changes = {"status": DeliveryStatus.PENDING, "attempt_count": 0, "due_at": now}
        again = delivery.model_copy(update=changes)
        try:
            self._table.put(_delivery_item(again), condition="attribute_exists(pk)")
        except VersionConflict as error:
            raise problems.DELIVERY_NOT_FOUND() from error
        return again


def _key(delivery: Delivery) -> Key:
    return webhook_delivery_key(delivery.client_id, delivery.webhook_id, delivery.id)


def _item(webhook: Webhook) -> Item:
    key = webhook_key(webhook.client_id, webhook.id)
    return {**key, "version": webhook.version, "body": webhook.model_dump_json(exclude={"version"})}


def _webhook(item: Item) -> Webhook:
    return Webhook.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def _delivery_item(delivery: Delivery) -> Item:
    key = _key(delivery)
    return {
        **key,
        "data": delivery.model_dump_json(exclude={"due_at"}),
        "expires_at": int((delivery.created_at + KEPT_FOR).timestamp()),
        **due_attributes(_DUE, key, delivery.due_at),
    }


def _delivery(item: Item) -> Delivery:
    return Delivery.model_validate_json(item["data"]).model_copy(update={"due_at": due_at(item)})


def webhook_key(client_id: str, webhook_id: str) -> Key:
    """The key of a webhook."""
    return make_key(f"CLIENT#{client_id}", "WEBHOOK", webhook_id)


def webhook_delivery_key(client_id: str, webhook_id: str, delivery_id: str) -> Key:
    """The key of a webhook delivery."""
    return make_key(f"CLIENT#{client_id}", "WEBHOOK-DELIVERY", webhook_id, delivery_id)
