"""The table's index of what is due: one order by instant for each kind, spread over shards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, key_of
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.writes import Key

INDEX = "due"
_SHARD, _AT = "due_shard", "due_at"


class Reader[T](Protocol):
    """What turns an item of a store into what it holds."""

    def __call__(self, item: Item, /) -> T:
        """Raises ValueError, KeyError when the item holds something else."""
        ...


@dataclass(frozen=True)
class KeptItem[T]:
    """A due item as it is kept. Satisfies `DueItem`."""

    item: Item
    reader: Reader[T]

    @property
    def key(self) -> Key:
        """The key of the item."""
        return key_of(self.item)

    def read(self) -> T:
        """What the item holds. Raises ValueError, KeyError."""
        return self.reader(self.item)


@dataclass(frozen=True)
class DueIndex[T]:
    """What is due of one kind."""

    table: Table
    kind: str
    """Its name in the index."""
    reader: Reader[T]
    shards: int = 1
    """One shard takes 1,000 changes a second; asking costs a request for each."""

    def attributes(self, key: Key, at: datetime | None) -> Item:
        """What an item of this key carries to be due then; nothing when it is not to be due."""
        return due_attributes(self.kind, key, at, self.shards)

    def due(self, now: datetime) -> Iterator[KeptItem[T]]:
        """Everything whose instant has come, unread, the longest due of a shard first. The index lags behind a little.

        Raises Unavailable.
        """
        for shard in range(self.shards):
            for item in self.table.by_index(INDEX, _SHARD, f"{self.kind}#{shard}", at_most=(_AT, sortable(now))):
                yield KeptItem(item, self.reader)

    def move(self, key: Key, was: datetime, at: datetime | None) -> bool:
        """Make it due at another instant, or not any more; False when it was moved, changed or removed meanwhile."""
        expression = f"REMOVE {_SHARD}, {_AT}" if at is None else f"SET {_AT} = :at, {_SHARD} = :shard"
        values: dict[str, Any] = {} if at is None else {"at": sortable(at), "shard": self._shard(key)}
        try:
            self.table.update(key, expression, condition=f"{_AT} = :was", was=sortable(was), **values)
        except VersionConflict:
            return False
        return True

    def _shard(self, key: Key) -> str:
        return _shard(self.kind, key, self.shards)


def due_attributes(kind: str, key: Key, at: datetime | None, shards: int = 1) -> Item:
    """As `DueIndex.attributes`, for whoever writes an item in a transaction of another store."""
    return {} if at is None else {_SHARD: _shard(kind, key, shards), _AT: sortable(at)}


def _shard(kind: str, key: Key, shards: int) -> str:
    digest = sha256(f"{key['pk']} {key['sk']}".encode()).digest()
    return f"{kind}#{digest[0] % shards}"


def due_at(item: Item) -> datetime | None:
    """When an item is due."""
    return datetime.fromisoformat(item[_AT]) if _AT in item else None


def sortable(instant: datetime) -> str:
    """An instant as text that sorts like it: UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
