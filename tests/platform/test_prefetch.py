"""What is made ahead comes in order and whole, waits when nobody takes it, and leaves nothing at work."""

import threading
from collections.abc import Generator

import pytest

from erphub.platform.outbound import deadlines
from erphub.platform.prefetch import Prefetch

SECONDS = 5


class Source:
    """A generator of numbers that tells how far it is."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.made, self.closed = 0, threading.Event()
        self.reached = {number: threading.Event() for number in range(1, count + 1)}
        self._count, self._fails_at = count, fails_at

    def items(self) -> Generator[int]:
        try:
            for number in range(1, self._count + 1):
                if number == self._fails_at:
                    raise ConnectionResetError(number)
                self.made = number
                self.reached[number].set()
                yield number
        finally:
            self.closed.set()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def test_items_come_in_order_and_then_no_more() -> None:
    ahead = Prefetch(Source(1000).items(), 3)
    assert list(ahead) == list(range(1, 1001))
    assert list(ahead) == []
    ahead.end()
    assert threads() == []


def test_the_next_items_are_made_while_one_is_used_and_no_more_than_so_many() -> None:
    source = Source(100)
    ahead = Prefetch(source.items(), 3)
    assert next(ahead) == 1
    assert source.reached[5].wait(SECONDS), "one in its hand, three that lie ready"
    assert not source.reached[6].wait(0.05)
    assert next(ahead) == 2
    assert source.reached[6].wait(SECONDS)
    ahead.end()


def test_a_failure_comes_where_the_next_item_would_have() -> None:
    ahead = Prefetch(Source(10, fails_at=4).items(), 8)
    assert [next(ahead) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ConnectionResetError):
        next(ahead)
    with pytest.raises(StopIteration):
        next(ahead)


@pytest.mark.parametrize("taken", [0, 1, 50])
def test_whoever_stops_early_leaves_nothing_at_work(taken: int) -> None:
    source = Source(100)
    ahead = Prefetch(source.items(), 2)
    for _ in range(taken):
        next(ahead)
    ahead.end()
    assert source.closed.is_set()
    assert source.made <= taken + 3
    assert threads() == []
    assert ahead.is_over


def test_a_deadline_of_the_caller_holds_for_what_is_made_ahead() -> None:
    def left() -> Generator[float]:
        yield deadlines.current().left

    with deadlines.at_most(7):
        ahead = Prefetch(left(), 1)
    assert 0 < next(ahead) <= 7
    ahead.end()
