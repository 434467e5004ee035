"""Limits in the tenant table: what operators set, what was counted in windows of time, and places reserved.

LIMITS                   the maxima that an operator set for this owner
LIMIT#<name>#<window>    how many were counted in a window; forgotten some time after it has ended
LIMIT#<name>             the places reserved of a stock
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, override

from erphub.platform.aws.due import sortable
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.capability import Limit, LimitScope
from erphub.platform.limits import RESERVED_FOR, LimitStore, Owner, Reservations, StockCount
from erphub.platform.writes import Key, unaccompanied

_PARTITIONS = {LimitScope.CLIENT: "CLIENT", LimitScope.CUSTOMER: "CUSTOMER", LimitScope.CALLER: "CALLER"}
_MAXIMUM, _PLACE = "maximum_", "place_"
"""How the attributes begin that hold a limit's maximum, and a reservation."""
_KEPT = timedelta(days=1)
"""How long a window is kept after its end."""


class KeyOf(Protocol):
    """Makes the key of an owner's items."""

    def __call__(self, owner_id: str, /) -> Key:
        """The part that all of them have."""
        ...


@dataclass(frozen=True)
class StoredCount(StockCount):
    """Counts items of an owner by how their keys begin."""

    counted: Limit
    table: Table
    first_key: KeyOf
    """The key of an owner's items, as far as it is the same for all of them."""

    @property
    @override
    def limit(self) -> Limit:
        return self.counted

    @override
    def count(self, owner_id: str, most: int) -> int:
        key = self.first_key(owner_id)
        return self.table.count(key["pk"], key["sk"], max(most, 1), consistent=True)


class LimitTable(LimitStore):
    """Limits beside what they limit."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def maxima(self, owner: Owner) -> Mapping[str, int]:
        item = self._table.get(limits_key(owner), consistent=False) or {}
        return {name.removeprefix(_MAXIMUM): int(item[name]) for name in item if name.startswith(_MAXIMUM)}

    @override
    def set_maximum(self, owner: Owner, name: str, maximum: int | None) -> None:
        names = {"#maximum": _MAXIMUM + name}
        if maximum is None:
            self._table.update(limits_key(owner), "REMOVE #maximum", names=names)
        else:
            self._table.update(limits_key(owner), "SET #maximum = :maximum", names=names, maximum=maximum)

    @override
    def add(self, owner: Owner, window: str, count: int, maximum: int, until: datetime) -> int | None:
        try:
            # An attempt is counted whatever comes of it: what waits for the change does not go with it.
            with unaccompanied():
                counted = self._table.update(
                    limit_key(owner, window),
                    "SET used = if_not_exists(used, :none) + :count, expires_at = :gone",
                    condition="attribute_not_exists(used) OR used <= :room",
                    none=0,
                    count=count,
                    room=maximum - count,
                    gone=int((until + _KEPT).timestamp()),
                )
        except VersionConflict:
            return None
        return int(counted["used"])

    @override
    def used(self, owner: Owner, window: str) -> int:
        item = self._table.get(limit_key(owner, window)) or {}
        return int(item.get("used", 0))

    @override
    def reservations(self, owner: Owner, name: str) -> Reservations:
        item = self._table.get(limit_key(owner, name)) or {}
        places = [one for one in item if one.startswith(_PLACE)]
        until = {one.removeprefix(_PLACE): datetime.fromisoformat(item[one]) for one in places}
        return Reservations(int(item.get("version", 0)), until)

    @override
    def reserve(self, owner: Owner, name: str, before: Reservations, after: Mapping[str, datetime]) -> bool:
        new, over = sorted(set(after) - set(before.until)), sorted(set(before.until) - set(after))
        names = {f"#{one}": _PLACE + one for one in (*new, *over)}
        changes = ", ".join(["version = :next", "expires_at = :gone", *(f"#{one} = :until_{one}" for one in new)])
        removed = f" REMOVE {', '.join(f'#{one}' for one in over)}" if over else ""
        first = "attribute_not_exists(version)"
        try:
            self._table.update(
                limit_key(owner, name),
                f"SET {changes}{removed}",
                condition="version = :before" if before.version else first,
                names=names,
                next=before.version + 1,
                gone=int((max(after.values()) + RESERVED_FOR).timestamp()),
                **({"before": before.version} if before.version else {}),
                **{f"until_{one}": sortable(after[one]) for one in new},
            )
        except VersionConflict:
            return False
        return True

    @override
    def release(self, owner: Owner, name: str, reservation: str) -> None:
        names = {"#place": _PLACE + reservation}
        try:
            self._table.update(
                limit_key(owner, name),
                "SET version = version + :next REMOVE #place",
                condition="attribute_exists(#place)",
                names=names,
                next=1,
            )
        except VersionConflict:  # it had run out, and another has cleared it away
            return


def limits_key(owner: Owner) -> Key:
    """The key of the maxima that an operator set for an owner."""
    return make_key(_partition(owner), "LIMITS")


def limit_key(owner: Owner, name_or_window: str) -> Key:
    """The key of a limit's reservations, or of one of its windows."""
    return make_key(_partition(owner), "LIMIT", name_or_window)


def _partition(owner: Owner) -> str:
    """A partition of its own: a function that counts requests need not be allowed to write anything else."""
    return f"LIMIT#{_PARTITIONS[owner.scope]}#{owner.id}"
