"""What most kinds of things that refer to a connection have in common, as items of a table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, key_of
from erphub.platform.removal import ConnectionRef, Found
from erphub.platform.tasks import TimeLeft
from erphub.platform.writes import Key

ENOUGH_TIME = 20.0
_PART = 500
MOST = 10_000
"""So many of a kind are counted for those who are shown what goes; of more they are told "at least"."""

type Belongs = Callable[[Item, ConnectionRef], bool]
type Under = Callable[[ConnectionRef], tuple[str, str]]


@dataclass(frozen=True)
class Quiet(ABC):
    """What most kinds have in common: nothing goes on in them."""

    id: str
    title: str
    holds: Sequence[str]
    shown: bool = True

    @abstractmethod
    def find(self, of: ConnectionRef) -> Found:
        """See the port."""

    def stop(self, of: ConnectionRef, *, force: bool) -> bool:  # noqa: ARG002
        """See the port."""
        return True


@dataclass(frozen=True)
class Items(Quiet):
    """Items of one partition of a table, told apart by the beginning of their sort key and by what is in them."""

    table: Table = field(kw_only=True)
    under: Under = field(kw_only=True)
    belongs: Belongs = field(default=lambda _item, _of: True, kw_only=True)

    def items(self, of: ConnectionRef) -> Iterator[Item]:
        """Those of the connection."""
        pk, prefix = self.under(of)
        return (item for item in self.table.all(pk, prefix) if self.belongs(item, of))

    def find(self, of: ConnectionRef) -> Found:
        """See the port."""
        found = list(self.items(of))
        return Found(len(found), mark=mark_of(sorted(item["sk"] for item in found)))

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        """See the port."""
        return remove_items(self.table, self.items(of), time_left)


def remove_items(table: Table, items: Iterator[Item], time_left: TimeLeft) -> bool:
    """Remove items some at a time, as long as there is time; they are read while they go."""
    while True:
        part = [key_of(item) for _, item in zip(range(_PART), items, strict=False)]
        table.delete_many(part)
        if len(part) < _PART:
            return True
        if time_left() < ENOUGH_TIME:
            return False


def keys_of(table: Table, of: ConnectionRef, prefix: str) -> list[Key]:
    """The keys of what hangs on a connection, of one kind: about MOST of them at most, without reading others'."""
    found = table.keys_in_index("connection", ("connection_id", "sk"), of.id, prefix, most=MOST)
    return [key for key in found if key["pk"] == client_partition(of.client_id)][:MOST]


def at_least(more: bool) -> dict[str, bool]:
    """The fact that there may be more than was counted."""
    return {"at_least": True} if more else {}


def mark_of(words: Sequence[str]) -> str:
    """A word that differs when the words do."""
    return sha256("\n".join(words).encode()).hexdigest()[:16]
