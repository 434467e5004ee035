"""What most kinds of things that refer to a connection have in common, as items of a table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import override

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, key_of
from erphub.platform.removal import ConnectionRef, Found, RemovalStage
from erphub.platform.tasks import TimeLeft
from erphub.platform.writes import Key

MIN_SECONDS_LEFT = 20.0
_BATCH_SIZE = 500
MAX_COUNTED = 10_000
"""So many of a kind are counted for those who are shown what is deleted; of more they are told "at least"."""

type Belongs = Callable[[Item, ConnectionRef], bool]
type Prefix = Callable[[ConnectionRef], tuple[str, str]]
"""The partition key and the beginning of the sort keys under which things of a connection lie."""


@dataclass(frozen=True)
class PassiveDependent(ABC):
    """What most kinds have in common: nothing goes on in them."""

    kind: str
    title: str
    stage: RemovalStage
    holds: Sequence[str] = ()
    shown: bool = True

    @abstractmethod
    def find(self, of: ConnectionRef) -> Found:
        """As `Dependent.find`."""

    def stop(self, of: ConnectionRef, *, force: bool) -> bool:  # noqa: ARG002
        """There is nothing to stop."""
        return True

    @abstractmethod
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        """As `Dependent.remove`."""


@dataclass(frozen=True)
class DependentItems(PassiveDependent):
    """Items of one partition of a table, told apart by the beginning of their sort key and by what is in them."""

    table: Table = field(kw_only=True)
    prefix: Prefix = field(kw_only=True)
    belongs: Belongs = field(default=lambda _item, _of: True, kw_only=True)

    def items(self, of: ConnectionRef) -> Iterator[Item]:
        """Those of the connection."""
        pk, begin = self.prefix(of)
        return (item for item in self.table.read_all(pk, begin) if self.belongs(item, of))

    @override
    def find(self, of: ConnectionRef) -> Found:
        found = list(self.items(of))
        return Found(len(found), fingerprint=fingerprint_of(sorted(item["sk"] for item in found)))

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        return remove_items(self.table, self.items(of), time_left)


def all_of_client(first_word: str) -> Prefix:
    """The client's items whose sort keys begin with this word, of any connection."""
    return lambda of: (client_partition(of.client_id), f"{first_word}#")


def all_of_connection(first_word: str) -> Prefix:
    """Items whose sort keys begin with this word and the connection's identifier."""
    return lambda of: (client_partition(of.client_id), f"{first_word}#{of.id}#")


def remove_items(table: Table, items: Iterator[Item], time_left: TimeLeft) -> bool:
    """Remove items some at a time, as long as there is time; they are read while they go."""
    while True:
        batch = [key_of(item) for _, item in zip(range(_BATCH_SIZE), items, strict=False)]
        table.delete_many(batch)
        if len(batch) < _BATCH_SIZE:
            return True
        if time_left() < MIN_SECONDS_LEFT:
            return False


def keys_of(table: Table, of: ConnectionRef, prefix: str) -> list[Key]:
    """The keys of what hangs on a connection, of one kind: about MAX_COUNTED at most, without reading others'."""
    found = table.keys_in_index("connection", ("connection_id", "sk"), of.id, prefix, most=MAX_COUNTED)
    return [key for key in found if key["pk"] == client_partition(of.client_id)][:MAX_COUNTED]


def at_least(more: bool) -> dict[str, bool]:
    """The detail that there may be more than was counted."""
    return {"has_more": True} if more else {}


def fingerprint_of(words: Sequence[str]) -> str:
    """A word that differs when the words do."""
    return sha256("\n".join(words).encode()).hexdigest()[:16]
