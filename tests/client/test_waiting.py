"""What goes on in the hub is looked at often while it moves, ever less often while it does not, and not for ever."""

from itertools import chain, repeat

import pytest
from erphub_client.waiting import LONGEST, StillGoing, follow, last


def test_each_change_is_seen_once_and_pauses_grow_while_nothing_moves():
    states, pauses = iter([1, 1, 1, 2, 2, 3]), []
    seen = follow(lambda: next(states), lambda state: state == 3, sleep=pauses.append)
    assert list(seen) == [1, 2, 3]
    assert pauses == [0.25, 0.375, 0.5625, 0.25, 0.375]


def test_the_end_is_what_was_waited_for_and_pauses_have_a_bound():
    states, pauses = chain(repeat("running", 40), ["over"]), []
    assert last(follow(lambda: next(states), lambda state: state == "over", sleep=pauses.append)) == "over"
    assert max(pauses) == LONGEST


def test_who_has_no_more_time_is_told_that_it_goes_on():
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(StillGoing):
        last(follow(lambda: "running", lambda _: False, timeout=10, sleep=sleep, clock=lambda: now[0]))
    assert 10 <= now[0] < 10 + LONGEST
