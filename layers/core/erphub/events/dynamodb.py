"""Events in the tenant table, kept for ninety days; index `due` holds those that the bus has not got yet."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json

from erphub.events.models import Event
from erphub.events.schemas import Notification
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import NotFound
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write

KEPT = timedelta(days=90)
_OCCASION = timedelta(days=7)
"""How long it is remembered that an occasion was told of; longer than any lasts."""
_UNTOLD = "notices"
"""The partition of index `due`."""


class EventTable:
    """Satisfies `events.ports.EventStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, event: Event) -> bool:
        """See the port."""
        try:
            self._table.put_new(_item(event))
        except VersionConflict:
            kept = self._table.get(notice_key(event.client_id, event.id))
            return kept is not None and "due_at" in kept
        return True

    def add_once(self, event: Event, occasion: str) -> bool:
        """See the port."""
        once = notice_once_key(event.client_id, event.connection_id or "", occasion)
        first = {**once, "expires_at": int((event.at + _OCCASION).timestamp())}
        try:
            self._table.transact([Write(put=first, condition="attribute_not_exists(pk)"), keeping(event)])
        except VersionConflict:
            return False
        return True

    def mark_told(self, event: Event) -> None:
        """See the port."""
        try:
            self._table.update(
                notice_key(event.client_id, event.id),
                "REMOVE due_shard, due_at",
                condition="attribute_exists(pk)",
            )
        except VersionConflict:  # it has been removed meanwhile, with its connection
            return

    def untold(self, before: datetime) -> Iterator[Event]:
        """See the port."""
        for item in self._table.by_index("due", "due_shard", _UNTOLD, upto=("due_at", instant(before))):
            yield _event(item)

    def page(
        self, client_id: str, limit: int, next: str | None, *, open: bool
    ) -> tuple[Sequence[Notification], str | None]:
        """See the port."""
        key = notice_key(client_id, "")
        found: list[Notification] = []
        while True:
            wanted = limit - len(found)
            page = self._table.page(key["pk"], key["sk"], limit=wanted, next=next, newest_first=True)
            found += [_notification(item) for item in page.items if not (open and "acknowledged_at" in item)]
            if (next := page.next) is None or len(found) == limit:
                return found, next

    def acknowledge(self, client_id: str, notification_id: str, by: str, at: datetime) -> Notification:
        """See the port."""
        try:
            item = self._table.update(
                notice_key(client_id, notification_id),
                "SET acknowledged_by = if_not_exists(acknowledged_by, :by),"
                " acknowledged_at = if_not_exists(acknowledged_at, :at)",
                condition="attribute_exists(pk)",
                by=by,
                at=instant(at),
            )
        except VersionConflict as error:
            raise NotFound("There is no such notification.", code="notification_not_found") from error
        return _notification(item)


def keeping(event: Event) -> Write:
    """The write that keeps an event together with the change it tells of."""
    return Write(put=_item(event), condition="attribute_not_exists(pk)")


def _item(event: Event) -> Item:
    return {
        **notice_key(event.client_id, event.id),
        "client_id": event.client_id,
        "id": event.id,
        "type": event.type,
        "connection_id": event.connection_id,
        "at": instant(event.at),
        "detail": event.detail,
        "data": json.dumps(event.data, ensure_ascii=False, default=str),
        "due_shard": _UNTOLD,
        "due_at": instant(event.at),
        "expires_at": int((event.at + KEPT).timestamp()),
    }


def _event(item: Item) -> Event:
    names = ("id", "type", "client_id", "connection_id", "at", "detail")
    return Event.model_validate({name: item.get(name) for name in names} | {"data": from_json(item["data"])})


def _notification(item: Item) -> Notification:
    event = _event(item)
    facts: dict[str, Any] = {name: item.get(name) for name in ("acknowledged_by", "acknowledged_at")}
    shown = event.model_dump(exclude={"client_id"}) | {"level": event.level}
    return Notification.model_validate(shown | facts)


def notice_key(client_id: str, event_id: str) -> Key:
    """The key of a notice."""
    return make_key(f"CLIENT#{client_id}", "NOTICE", event_id)


def notice_once_key(client_id: str, connection_id: str, occasion: str) -> Key:
    """The key that says a client was told something of a connection on an occasion."""
    return make_key(f"CLIENT#{client_id}", "NOTICE-ONCE", connection_id, occasion)
