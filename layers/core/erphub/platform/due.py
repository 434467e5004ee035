"""What is due: found by the clock, worked through many at a time, and a bad one stops nobody."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Protocol

from erphub.platform.writes import Key


class DueItem[T](Protocol):
    """Something that is due, still unread."""

    @property
    def key(self) -> Key:
        """The item it is kept in."""
        ...

    def read(self) -> T:
        """What it is. Raises ValueError when what is kept cannot be understood."""
        ...


class FailureReport[T](Protocol):
    """Hears of what could not be done."""

    def __call__(self, failed: T, error: Exception) -> None:
        """`failed` raised `error`; it stays due."""
        ...


@dataclass(frozen=True)
class Worked:
    """What came of what was due."""

    done: int
    failed: int


def by_turns[T](due: Iterable[DueItem[T]]) -> list[DueItem[T]]:
    """What is due, one of each client by turns, each client's longest due first.

    So whoever has a thousand due at once comes between two of another client's no more often than that one has.
    """
    queues: dict[str, list[DueItem[T]]] = {}
    for one in due:
        queues.setdefault(one.key["pk"], []).append(one)
    rows = zip_longest(*queues.values())
    return [one for row in rows for one in row if one is not None]


def work_through[T](due: Iterable[T], do: Callable[[T], bool], report: FailureReport[T], *, workers: int = 8) -> Worked:
    """Do each of what is due, so many at once. `do` says whether there was something to do; what it raises is reported.

    All of them are found before the first is done: doing one moves it in the index that they are read from.
    """
    found = list(due)
    if not found:
        return Worked(0, 0)
    with ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(partial(_attempt, do, report), found))
    return Worked(outcomes.count(True), outcomes.count(None))


def _attempt[T](do: Callable[[T], bool], report: FailureReport[T], one: T) -> bool | None:
    try:
        return do(one)
    except Exception as error:  # noqa: BLE001  one's trouble must not keep the others waiting
        report(one, error)
        return None
