"""Settings of syncs, when each is due, and who may send, in the tenant table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import override

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict
from erphub.platform.writes import Key
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import DueSync, SyncStore, TransferLeases

SHARDS = 4
"""Partitions of the due index: enough for thousands of writes a second, few enough to ask each every minute."""


class SyncTable(SyncStore):
    """Syncs in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str) -> Sync | None:
        item = self._table.get(sync_key(client_id, connection_id))
        return _sync(item) if item else None

    @override
    def save(self, sync: Sync) -> Sync:
        item = _without_empty(sync.model_dump(mode="json")) | sync_key(sync.client_id, sync.connection_id)
        if due := [at for at in (sync.next_at, sync.silence_alert_at) if at is not None]:
            item |= {"due_shard": _shard(sync.connection_id), "due_at": stamp(min(due))}
        put_rev(self._table, item, sync.rev)
        return sync.model_copy(update={"rev": sync.rev + 1})

    @override
    def due(self, now: datetime) -> Iterator[DueSync]:
        for shard in range(SHARDS):
            for item in self._table.by_index("due", "due_shard", f"SYNC#{shard}", upto=("due_at", stamp(now))):
                yield _DueItem(*whose_sync(item), item)


class TransferLeaseTable(TransferLeases):
    """Leases of transfers in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def acquire(
        self, client_id: str, connection_id: str, transfer_id: str, worker: str, until: datetime, now: datetime
    ) -> str:
        key = sync_lease_key(client_id, connection_id)
        item = self._table.get(key)
        if item and item["until"] > stamp(now):
            if item["holder"] != transfer_id:
                raise Conflict(
                    "Another transfer of this connection is under way.",
                    code="transfer_running",
                    transfer=item["holder"],
                )
            if worker and item["worker"] not in ("", worker):
                raise Conflict(
                    "This transfer is being worked on already.", code="transfer_running", transfer=transfer_id
                )
        held = key | {"holder": transfer_id, "worker": worker, "until": stamp(until)}
        try:
            put_rev(self._table, held, int(item["rev"]) if item else 0)
        except VersionConflict as error:
            raise Conflict("Another transfer of this connection was first.", code="transfer_running") from error
        before = str(item["holder"]) if item else ""
        return before if before != transfer_id else ""

    @override
    def release(self, client_id: str, connection_id: str, transfer_id: str) -> None:
        key = sync_lease_key(client_id, connection_id)
        item = self._table.get(key)
        if item is None or item["holder"] != transfer_id:
            return
        try:
            put_rev(self._table, key | {"holder": "", "worker": "", "until": ""}, int(item["rev"]))
        except VersionConflict:
            # Somebody took it over between the two calls: then it is theirs.
            return

    @override
    def holder(self, client_id: str, connection_id: str, now: datetime) -> str | None:
        item = self._table.get(sync_lease_key(client_id, connection_id))
        return str(item["holder"]) if item and item["until"] > stamp(now) else None


@dataclass(frozen=True)
class _DueItem:
    """Satisfies `DueSync` with what the index holds."""

    client_id: str
    connection_id: str
    item: Item

    def read(self) -> Sync:
        """The sync. Raises ValueError when what is kept is no sync."""
        return _sync(self.item)


def stamp(moment: datetime) -> str:
    """An instant as text that sorts like it: UTC, to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def put_rev(table: Table, item: Item, rev: int) -> None:
    """Write an item as revision `rev` + 1, if it still is (for 0: is not there yet) revision `rev`. Raises Taken."""
    fresh = item | {"rev": rev + 1}
    if rev:
        table.put(fresh, condition="rev = :rev", rev=rev)
    else:
        table.put(fresh, condition="attribute_not_exists(pk)")


def _shard(connection_id: str) -> str:
    return f"SYNC#{sha256(connection_id.encode()).digest()[0] % SHARDS}"


def _without_empty(fields: Item) -> Item:
    """Without what is None or empty: reading gives the defaults again."""
    return {name: value for name, value in fields.items() if value not in (None, "", (), [], {})}


def _sync(item: Item) -> Sync:
    return Sync.model_validate({name: value for name, value in item.items() if name in Sync.model_fields})


def whose_sync(key: Key) -> tuple[str, str]:
    """The client and the connection that the key of a sync is of."""
    return key["pk"].removeprefix("CLIENT#"), key["sk"].removeprefix("SYNC#")


def sync_key(client_id: str, connection_id: str) -> Key:
    """The key of a sync."""
    return make_key(f"CLIENT#{client_id}", "SYNC", connection_id)


def sync_lease_key(client_id: str, connection_id: str) -> Key:
    """The key of a sync lease."""
    return make_key(f"CLIENT#{client_id}", "SYNC-LEASE", connection_id)
