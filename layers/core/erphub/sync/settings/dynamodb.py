"""Settings of syncs, when each is due, and who may send, in the tenant table."""

from collections.abc import Iterator
from datetime import datetime
from typing import override

from erphub.platform.aws.due import DueIndex
from erphub.platform.aws.items import Item
from erphub.platform.aws.leases import LeaseTable
from erphub.platform.aws.table import Table, make_key
from erphub.platform.due import DueItem
from erphub.platform.errors import Conflict
from erphub.platform.leases import Lease, Leases
from erphub.platform.writes import Key
from erphub.sync import problems
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import SyncStore, TransferLeases

_SHARDS = 4
"""Partitions of the due index: enough for thousands of writes a second, few enough to ask each every minute."""


class SyncTable(SyncStore):
    """Syncs in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due = DueIndex(table, "SYNC", _sync, _SHARDS)

    @override
    def get(self, client_id: str, connection_id: str) -> Sync | None:
        item = self._table.get(sync_key(client_id, connection_id))
        return _sync(item) if item else None

    @override
    def save(self, sync: Sync) -> Sync:
        key = sync_key(sync.client_id, sync.connection_id)
        instants = (sync.next_at, sync.silence_alert_at, sync.approvals_due_at)
        at = min((at for at in instants if at is not None), default=None)
        item = _without_empty(sync.model_dump(mode="json")) | self._due.attributes(key, at) | key
        put_rev(self._table, item, sync.rev)
        return sync.model_copy(update={"rev": sync.rev + 1})

    @override
    def due(self, now: datetime) -> Iterator[DueItem[Sync]]:
        return self._due.due(now)


class TransferLeaseTable(TransferLeases):
    """Leases of transfers in the tenant table; the holder of one is a transfer, and of it a worker."""

    def __init__(self, table: Table) -> None:
        self._leases: Leases = LeaseTable(table)

    @override
    def acquire(
        self, client_id: str, connection_id: str, transfer_id: str, worker: str, until: datetime, now: datetime
    ) -> str:
        key = sync_lease_key(client_id, connection_id)
        kept_only = _holder(transfer_id, "")
        held = None if worker else self._leases.held(key, now=now)
        current = held.holder if held is not None and _transfer_of(held) == transfer_id else kept_only
        lease = self._leases.acquire(key, _holder(transfer_id, worker), now=now, until=until, in_place_of=current)
        if lease is None:
            raise self._conflict(key, transfer_id, now)
        before = lease.previous_holder.partition("/")[0]
        return before if before != transfer_id else ""

    def _conflict(self, key: Key, transfer_id: str, now: datetime) -> Conflict:
        held = self._leases.held(key, now=now)
        if held is None:
            return problems.TRANSFER_FIRST()
        running = _transfer_of(held)
        problem = problems.TRANSFER_WORKED_ON if running == transfer_id else problems.TRANSFER_RUNNING
        return problem(transfer_id=running)

    @override
    def release(self, client_id: str, connection_id: str, transfer_id: str, now: datetime) -> None:
        held = self._leases.held(sync_lease_key(client_id, connection_id), now=now)
        if held is not None and _transfer_of(held) == transfer_id:
            self._leases.release(held)

    @override
    def holder(self, client_id: str, connection_id: str, now: datetime) -> str | None:
        held = self._leases.held(sync_lease_key(client_id, connection_id), now=now)
        return _transfer_of(held) if held is not None else None


def _holder(transfer_id: str, worker: str) -> str:
    return f"{transfer_id}/{worker}"


def _transfer_of(lease: Lease) -> str:
    return lease.holder.partition("/")[0]


def put_rev(table: Table, item: Item, rev: int) -> None:
    """Write an item as revision `rev` + 1, if it still is (for 0: is not there yet) revision `rev`. Raises Taken."""
    fresh = item | {"rev": rev + 1}
    if rev:
        table.put(fresh, condition="rev = :rev", rev=rev)
    else:
        table.put(fresh, condition="attribute_not_exists(pk)")


def _without_empty(fields: Item) -> Item:
    """Without what is None or empty: reading gives the defaults again."""
    return {name: value for name, value in fields.items() if value not in (None, "", (), [], {})}


def _sync(item: Item) -> Sync:
    return Sync.model_validate({name: value for name, value in item.items() if name in Sync.model_fields})


def sync_key(client_id: str, connection_id: str) -> Key:
    """The key of a sync."""
    return make_key(f"CLIENT#{client_id}", "SYNC", connection_id)


def sync_lease_key(client_id: str, connection_id: str) -> Key:
    """The key of a sync lease."""
    return make_key(f"CLIENT#{client_id}", "SYNC-LEASE", connection_id)
