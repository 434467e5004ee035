"""Events in the tenant table, kept for ninety days; index `due` holds those that the bus has not got yet."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import override

from pydantic_core import from_json

from erphub.events import problems
from erphub.events.models import Event, StoredEvent
from erphub.events.ports import EventStore
from erphub.platform.aws.due import DueIndex, KeptItem, due_at, due_attributes
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write

KEPT_FOR = timedelta(days=90)
EVENT_KEY_KEPT_FOR = timedelta(days=7)
"""How long it is remembered that something was published under a key; longer than what makes the key can last."""
_UNPUBLISHED = "events"
"""Their name in the index of what is due."""


class EventTable(EventStore):
    """Events in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._unpublished = DueIndex(table, _UNPUBLISHED, _event)

    @override
    def add(self, event: Event) -> bool:
        try:
            self._table.put_new(_item(event))
        except VersionConflict:
            kept = self._table.get(event_item_key(event.client_id, event.id))
            return kept is not None and due_at(kept) is not None
        return True

    @override
    def add_once(self, event: Event, event_key: str) -> bool:
        first = {
            **event_key_item_key(event.client_id, event.connection_id or "", event_key),
            "expires_at": int((event.occurred_at + EVENT_KEY_KEPT_FOR).timestamp()),
        }
        try:
            self._table.transact([Write(put=first, condition="attribute_not_exists(pk)"), event_write(event)])
        except VersionConflict:
            return False
        return True

    @override
    def is_kept(self, event: Event) -> bool:
        return self._table.get(event_item_key(event.client_id, event.id)) is not None

    @override
    def mark_published(self, event: Event) -> None:
        self._unpublished.move(event_item_key(event.client_id, event.id), event.occurred_at, None)

    @override
    def find_unpublished(self, before: datetime) -> Iterator[KeptItem[Event]]:
        return self._unpublished.due(before)

    @override
    def get_page(
        self, client_id: str, limit: int, cursor: str | None, *, only_unacknowledged: bool
    ) -> Page[StoredEvent]:
        key = event_item_key(client_id, "")
        found: list[StoredEvent] = []
        while True:
            wanted = limit - len(found)
            page = self._table.page(key["pk"], key["sk"], limit=wanted, cursor=cursor, newest_first=True)
            found += [_stored(item) for item in page.items if not (only_unacknowledged and "acknowledged_at" in item)]
            if (cursor := page.next) is None or len(found) == limit:
                return Page(found, cursor)

    @override
    def acknowledge(self, client_id: str, event_id: str, user: str, acknowledged_at: datetime) -> StoredEvent:
        try:
            item = self._table.update(
                event_item_key(client_id, event_id),
                "SET acknowledged_by = if_not_exists(acknowledged_by, :user),"
                " acknowledged_at = if_not_exists(acknowledged_at, :acknowledged_at)",
                condition="attribute_exists(pk)",
                user=user,
                acknowledged_at=instant(acknowledged_at),
            )
        except VersionConflict as error:
            raise problems.NOTIFICATION_NOT_FOUND() from error
        return _stored(item)


def event_write(event: Event) -> Write:
    """The write that keeps an event, for the transaction that makes the change it tells of."""
    return Write(put=_item(event), condition="attribute_not_exists(pk)")


def _item(event: Event) -> Item:
    key = event_item_key(event.client_id, event.id)
    return {
        **key,
        "client_id": event.client_id,
        "id": event.id,
        "type": event.type,
        "connection_id": event.connection_id,
        "occurred_at": instant(event.occurred_at),
        "detail": event.detail,
        "data": json.dumps(event.data, ensure_ascii=False, default=str),
        "expires_at": int((event.occurred_at + KEPT_FOR).timestamp()),
        **due_attributes(_UNPUBLISHED, key, event.occurred_at),
    }


def _event(item: Item) -> Event:
    names = ("id", "type", "client_id", "connection_id", "occurred_at", "detail")
    return Event.model_validate({name: item.get(name) for name in names} | {"data": from_json(item["data"])})


def _stored(item: Item) -> StoredEvent:
    names = ("acknowledged_by", "acknowledged_at")
    return StoredEvent.model_validate({"event": _event(item)} | {name: item.get(name) for name in names})


def event_item_key(client_id: str, event_id: str) -> Key:
    """The key of an event."""
    return make_key(f"CLIENT#{client_id}", "EVENT", event_id)


def event_key_item_key(client_id: str, connection_id: str, event_key: str) -> Key:
    """The key that says that an event of a connection was published under an event key."""
    return make_key(f"CLIENT#{client_id}", "EVENT-KEY", connection_id, event_key)
