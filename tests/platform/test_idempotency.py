"""A request that comes twice is done once, also when the first attempt died in the middle."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.platform.aws.idempotency import LEASE_SECONDS, IdempotencyRecords, answer_key
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict, Invalid, Unavailable
from erphub.platform.ids import new_id, repeatable
from erphub.platform.writes import Write
from tests.support.aws import AWS, make_table

ANSWER = {"status": 201, "text": "{}", "type": "application/json"}


class Died(BaseException):
    """The function's process is gone: nothing of it catches this."""


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 5, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    with AWS[request.param]():
        yield make_table({})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def once(table: Table, clock: Clock) -> IdempotencyRecords:
    return IdempotencyRecords(table, clock)


def things(table: Table) -> list[dict[str, Any]]:
    return list(table.read_all("THINGS"))


def add_thing(table: Table, dies_after: int = 9) -> dict[str, Any]:
    """Two items, a counter, and a transaction: each write may be the last one before the process dies."""
    first, second = new_id(), new_id()
    writes = [
        lambda: table.put_new(make_key("THINGS", first)),
        lambda: table.update(make_key("COUNT", "things"), "ADD things :one", one=1),
        lambda: table.transact([Write(put=make_key("THINGS", second), condition="attribute_not_exists(pk)")]),
        lambda: table.transact(
            [Write(update=make_key("COUNT", "things"), expression="ADD things :one", values={"one": 1})]
        ),
    ]
    for number, write in enumerate(writes):
        if number == dies_after:
            raise Died
        write()
    return ANSWER


def test_the_answer_is_given_again_and_nothing_is_done_again(table: Table, once: IdempotencyRecords):
    for _ in range(3):
        assert once("me", "key", "body", lambda: add_thing(table)) == ANSWER
    assert len(things(table)) == 2


@pytest.mark.parametrize("dies_after", range(5))
def test_whoever_does_it_anew_finds_what_the_one_that_died_had_stored(
    table: Table, once: IdempotencyRecords, clock: Clock, dies_after: int
):
    def dying() -> dict[str, Any]:
        done = add_thing(table, dies_after)
        if dies_after == 4:
            raise Died
        return done

    with pytest.raises(Died):
        once("me", "key", "body", dying)
    with pytest.raises(Conflict) as early:
        once("me", "key", "body", lambda: add_thing(table))
    assert early.value.code == "idempotency_key_in_use"
    clock.wait(LEASE_SECONDS + 1)
    assert once("me", "key", "body", lambda: add_thing(table)) == ANSWER
    assert len(things(table)) == 2
    assert table.get(make_key("COUNT", "things")) == {**make_key("COUNT", "things"), "things": 2}


def test_without_a_key_each_request_makes_a_thing_of_its_own(table: Table):
    add_thing(table)
    add_thing(table)
    assert len(things(table)) == 4


def test_another_key_of_the_same_person_makes_another_thing(table: Table, once: IdempotencyRecords):
    once("me", "one", "body", lambda: add_thing(table))
    once("me", "two", "body", lambda: add_thing(table))
    assert len(things(table)) == 4


def test_what_somebody_else_wrote_meanwhile_is_met_as_such(table: Table):
    place = make_key("THINGS", "shared")
    with repeatable(0, "me", "key"):
        table.put_new(place)
    table.update(place, "SET taken = :yes", yes=True)
    with repeatable(0, "me", "key"), pytest.raises(VersionConflict):
        table.put_new(place)


def test_a_request_that_was_wrong_may_come_mended_with_its_key(table: Table, once: IdempotencyRecords):
    def refused() -> dict[str, Any]:
        raise Invalid("no")

    with pytest.raises(Invalid):
        once("me", "key", "wrong", refused)
    assert once("me", "key", "mended", lambda: add_thing(table)) == ANSWER


def test_after_a_failure_on_our_side_the_same_thing_is_made_at_once(table: Table, once: IdempotencyRecords):
    def half() -> dict[str, Any]:
        try:
            return add_thing(table, 1)
        except Died:
            raise Unavailable("busy") from None

    with pytest.raises(Unavailable):
        once("me", "key", "body", half)
    with pytest.raises(Invalid) as reused:
        once("me", "key", "another body", lambda: add_thing(table))
    assert reused.value.code == "idempotency_key_reused"
    once("me", "key", "body", lambda: add_thing(table))
    assert len(things(table)) == 2


def test_an_answer_is_kept_for_a_day_and_then_forgotten(table: Table, once: IdempotencyRecords, clock: Clock):
    once("me", "key", "body", lambda: add_thing(table))
    item = table.get(answer_key("me", "key"))
    assert item is not None
    assert item["expires_at"] == int((clock.now + timedelta(days=1)).timestamp())
    clock.wait(86_401)
    once("me", "key", "another body", lambda: add_thing(table))
    assert len(things(table)) == 4
