"""Leases in a table: attributes of the item that they are about, or of one of their own."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, override

from erphub.platform.aws.due import sortable
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.leases import Lease, Leases
from erphub.platform.writes import Key

IS_HOLDER = "lease_holder = :lease_holder AND lease_number = :lease_number"
"""The condition of another write to the leased item that only its holder may make; its values: `as_values`."""


class LeaseTable(Leases):
    """The leases that are kept in one table."""

    def __init__(self, table: Table, kept: timedelta | None = None) -> None:
        """`kept`: how long an item stays after its lease has run out; without it, items live as long as others say."""
        self._table = table
        self._kept = kept

    @override
    def acquire(
        self, key: Key, holder: str, *, now: datetime, until: datetime, in_place_of: str | None = None
    ) -> Lease | None:
        # After its item is gone a lease still gets greater numbers than before: they begin with the instant.
        first = int(now.timestamp() * 1_000_000)
        condition = "attribute_not_exists(lease_holder) OR lease_holder IN (:holder, :dead) OR lease_until <= :now"
        return self._changed(
            key,
            "SET lease_before = if_not_exists(lease_holder, :nobody), lease_holder = :holder,"
            " lease_number = if_not_exists(lease_number, :first) + :one",
            condition,
            until,
            holder=holder,
            nobody="",
            dead=in_place_of or holder,
            now=sortable(now),
            first=first,
            one=1,
        )

    @override
    def held(self, key: Key, *, now: datetime) -> Lease | None:
        item = self._table.get(key)
        lease = _lease(key, item) if item is not None and "lease_holder" in item else None
        return lease if lease is not None and lease.until > now else None

    @override
    def renew(self, lease: Lease, *, until: datetime) -> Lease | None:
        return self._changed(lease.key, "SET lease_holder = :lease_holder", IS_HOLDER, until, **as_values(lease))

    @override
    def release(self, lease: Lease) -> None:
        # The number stays, so that the next one is greater.
        with suppress(VersionConflict):
            self._table.update(lease.key, "REMOVE lease_holder, lease_until", condition=IS_HOLDER, **as_values(lease))

    def _changed(self, key: Key, expression: str, condition: str, until: datetime, **values: Any) -> Lease | None:
        expression += ", lease_until = :until"
        if self._kept is not None:
            expression += ", expires_at = :gone"
            values["gone"] = int((until + self._kept).timestamp())
        try:
            item = self._table.update(key, expression, condition=condition, until=sortable(until), **values)
        except VersionConflict:
            return None
        return _lease(key, item)


def as_values(lease: Lease) -> dict[str, Any]:
    """The values of `IS_HOLDER`."""
    return {"lease_holder": lease.holder, "lease_number": lease.number}


def _lease(key: Key, item: Item) -> Lease:
    until, number = datetime.fromisoformat(item["lease_until"]), int(item["lease_number"])
    return Lease(key, item["lease_holder"], until, number, item.get("lease_before", ""))
