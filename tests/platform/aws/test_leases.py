"""One at a time: a lease is held by one, runs out with whoever died, and its numbers only grow."""

from datetime import UTC, datetime, timedelta

import pytest

from erphub.platform.aws.leases import IS_HOLDER, LeaseTable, as_values
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from tests.support.aws import TENANTS, make_table, on_both

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(minutes=30)
KEY = make_key("CLIENT#c", "LEASE", "ledger")


@pytest.fixture
def table(aws: None) -> Table:
    return make_table(TENANTS)


@pytest.fixture
def leases(table: Table) -> LeaseTable:
    return LeaseTable(table, kept=timedelta(days=1))


@on_both
def test_who_is_first_has_it_and_nobody_else(leases: LeaseTable):
    mine = leases.acquire(KEY, "me", now=NOW, until=SOON)
    assert mine is not None
    assert (mine.holder, mine.until) == ("me", SOON)
    assert leases.acquire(KEY, "you", now=NOW, until=SOON) is None
    assert leases.held(KEY, now=NOW) == mine
    assert leases.acquire(make_key("CLIENT#c", "LEASE", "other"), "you", now=NOW, until=SOON) is not None


@on_both
def test_whoever_asks_again_gets_it_again(leases: LeaseTable):
    first = leases.acquire(KEY, "me", now=NOW, until=SOON)
    again = leases.acquire(KEY, "me", now=NOW, until=LATER)
    assert first is not None
    assert again is not None
    assert again.until == LATER
    assert again.number > first.number


@on_both
def test_what_has_run_out_is_nobodys_and_passes_on_with_a_greater_number(leases: LeaseTable):
    dead = leases.acquire(KEY, "dead", now=NOW, until=SOON)
    assert dead is not None
    assert leases.held(KEY, now=SOON) is None
    mine = leases.acquire(KEY, "me", now=SOON, until=LATER)
    assert mine is not None
    assert mine.number > dead.number
    assert leases.renew(dead, until=LATER) is None
    leases.release(dead)
    assert leases.held(KEY, now=SOON) == mine, "who has lost it ends nothing"


@on_both
def test_who_acquires_it_learns_who_let_it_run_out(leases: LeaseTable):
    first = leases.acquire(KEY, "one", now=NOW, until=SOON)
    second = leases.acquire(KEY, "two", now=SOON, until=LATER)
    assert first is not None
    assert second is not None
    assert (first.previous_holder, second.previous_holder) == ("", "one")
    leases.release(second)
    third = leases.acquire(KEY, "three", now=SOON, until=LATER)
    assert third is not None
    assert third.previous_holder == "", "that one was released"


@on_both
def test_somebody_known_to_be_dead_is_replaced_before_it_runs_out(leases: LeaseTable):
    leases.acquire(KEY, "dead", now=NOW, until=LATER)
    assert leases.acquire(KEY, "me", now=NOW, until=LATER, in_place_of="another") is None
    mine = leases.acquire(KEY, "me", now=NOW, until=LATER, in_place_of="dead")
    assert mine is not None
    assert leases.acquire(KEY, "you", now=NOW, until=LATER, in_place_of="dead") is None, "one replaces the dead"


@on_both
def test_what_is_renewed_lasts_longer_and_what_is_released_is_free(leases: LeaseTable):
    mine = leases.acquire(KEY, "me", now=NOW, until=SOON)
    assert mine is not None
    renewed = leases.renew(mine, until=LATER)
    assert renewed is not None
    assert (renewed.number, renewed.until) == (mine.number, LATER)
    assert leases.acquire(KEY, "you", now=SOON, until=LATER) is None
    leases.release(mine)
    yours = leases.acquire(KEY, "you", now=NOW, until=SOON)
    assert yours is not None
    assert yours.number > mine.number


@on_both
def test_numbers_grow_even_when_the_item_was_removed(table: Table, leases: LeaseTable):
    before = leases.acquire(KEY, "me", now=NOW, until=SOON)
    table.delete(KEY)
    after = leases.acquire(KEY, "you", now=NOW + timedelta(milliseconds=1), until=SOON)
    assert before is not None
    assert after is not None
    assert after.number > before.number


@on_both
def test_an_item_of_its_own_goes_a_while_after_its_lease_and_another_lives_as_it_would(
    table: Table, leases: LeaseTable
):
    mine = leases.acquire(KEY, "me", now=NOW, until=SOON)
    assert mine is not None
    leases.renew(mine, until=LATER)
    assert (table.get(KEY) or {})["expires_at"] == int((LATER + timedelta(days=1)).timestamp())
    token = make_key("CLIENT#c", "TOKEN", "one")
    table.put({**token, "value": "kept", "expires_at": 7})
    LeaseTable(table).acquire(token, "me", now=NOW, until=SOON)
    kept = table.get(token) or {}
    assert (kept["value"], kept["expires_at"]) == ("kept", 7)


@on_both
def test_a_write_that_only_the_holder_may_make_is_refused_to_whoever_lost_it(table: Table, leases: LeaseTable):
    lost = leases.acquire(KEY, "me", now=NOW, until=SOON)
    mine = leases.acquire(KEY, "you", now=SOON, until=LATER)
    assert lost is not None
    assert mine is not None
    with pytest.raises(VersionConflict):
        table.update(KEY, "SET written_by = :by_whom", condition=IS_HOLDER, by_whom="old", **as_values(lost))
    table.update(KEY, "SET written_by = :by_whom", condition=IS_HOLDER, by_whom="new", **as_values(mine))
    assert (table.get(KEY) or {})["written_by"] == "new"
