"""One write of a transaction, so that a store can take part in another's."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from erphub.platform.aws.items import Item

type Key = dict[str, str]


@dataclass(frozen=True)
class ChainedEntry:
    """One more entry of a chain (`platform.chains`), which gets its number and digest when it is written."""

    chain: str
    """The partition of its entries, which have the sort keys `ENTRY#000000000001` …"""
    head: Key
    """The item that says which entry is the last."""
    place: Key
    """An item of the entry's own, with its number: who writes the same entry again finds it."""
    body: Mapping[str, Any]
    table: str
    """The table of all three, which need not be the one that the transaction is about."""


@dataclass(frozen=True)
class Write:
    """One write of a transaction: an item to put, a key to delete, update or only check, or an entry of a chain."""

    put: Item | None = None
    delete: Key | None = None
    update: Key | None = None
    check: Key | None = None
    chained: ChainedEntry | None = None
    expression: str | None = None
    condition: str | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


class WriteMaker(Protocol):
    """Makes writes when they are needed."""

    def __call__(self) -> Sequence[Write]:
        """The writes; asked for once."""
        ...


@dataclass
class Accompaniment:
    """Writes that wait for the next write to a table, to be made together with it: all or none."""

    make: WriteMaker
    is_made: bool = False
    _writes: Sequence[Write] | None = None

    @property
    def writes(self) -> Sequence[Write]:
        """The writes, the same ones at every try."""
        if self._writes is None:
            self._writes = self.make()
        return self._writes


_accompaniment: ContextVar[Accompaniment | None] = ContextVar("accompaniment", default=None)


@contextmanager
def accompanied(make: WriteMaker) -> Generator[Accompaniment]:
    """The first write to a table meanwhile takes these along; where nothing is written, they are not made either.

    What cannot take them along (a batch, another service) has them made before it.
    """
    waiting = Accompaniment(make)
    before = _accompaniment.set(waiting)
    try:
        yield waiting
    finally:
        _accompaniment.reset(before)


@contextmanager
def unaccompanied() -> Generator[None]:
    """What is written meanwhile is not the change that others wait for: it takes nothing along."""
    before = _accompaniment.set(None)
    try:
        yield
    finally:
        _accompaniment.reset(before)


def waiting_writes() -> Accompaniment | None:
    """What the write at hand has to take along."""
    waiting = _accompaniment.get()
    return None if waiting is None or waiting.is_made else waiting
