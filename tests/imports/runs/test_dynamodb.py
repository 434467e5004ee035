"""Runs are kept the same in memory and on DynamoDB."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import LogLine, Part, Run, RunRef, RunStatus, RunTrigger, Unit, UnitStatus
from erphub.imports.runs.ports import RunStores
from erphub.platform.aws.table import Table
from erphub.platform.errors import NotFound
from erphub.platform.ids import new_id
from tests.support.aws import AWS, TENANTS, make_table
from tests.support.imports import run_stores

CLIENT = "01HZZZZZZZZZZZZZZZZZZZZZZC"
NOW = datetime(2026, 1, 24, 8, tzinfo=UTC)


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Generator[Table]:
    with AWS[request.param]():
        yield make_table(TENANTS)


@pytest.fixture
def stores(table: Table) -> RunStores:
    return run_stores(table)


@pytest.fixture
def runs(table: Table) -> RunTable:
    return RunTable(table)


def a_run(runs: RunTable, job_id: str | None = None) -> RunRef:
    ref = RunRef(CLIENT, job_id or new_id(), new_id())
    runs.add(Run(ref, new_id(), RunTrigger.MANUAL, RunStatus.QUEUED, "u", "2026-01-24T08:00:00Z"))
    return ref


def unit(number: int = 0) -> Unit:
    return Unit(number, "accounts", "C1", "F0001", "Company", {"database": "F0001", "ratio": 0.5})


def test_a_run_is_kept_once_and_listed_newest_first(runs: RunTable) -> None:
    ref = a_run(runs)
    other = a_run(runs, ref.job_id)
    assert not runs.add(runs.get(ref))
    assert [run.ref for run in runs.page(CLIENT, ref.job_id, 9, None).items] == sorted(
        [ref, other], key=lambda each: each.run_id, reverse=True
    )
    with pytest.raises(NotFound):
        runs.get(replace(ref, run_id=new_id()))


def test_work_that_starts_again_keeps_its_first_instant(runs: RunTable) -> None:
    ref = a_run(runs)
    first = runs.mark_running(ref, NOW)
    again = runs.mark_running(ref, NOW + timedelta(minutes=5))
    assert (again.status, again.started_at) == (RunStatus.RUNNING, first.started_at)
    assert again.active_at == "2026-01-24T08:05:00Z"


def test_the_place_among_those_that_publish_is_taken_once(runs: RunTable) -> None:
    early, late = a_run(runs), a_run(runs)
    assert runs.mark_running(early, NOW).publication_token == 0
    first = runs.assign_publication_token(late, NOW + timedelta(minutes=1))
    assert runs.assign_publication_token(late, NOW + timedelta(minutes=9)).publication_token == first.publication_token
    assert runs.assign_publication_token(early, NOW + timedelta(minutes=2)).publication_token > first.publication_token


def test_progress_adds_up_and_tells_of_a_wish_to_stop(runs: RunTable) -> None:
    ref = a_run(runs)
    runs.add_progress(ref, NOW, rows=10, size_bytes=1000)
    runs.update(ref, cancel_requested=True)
    run = runs.add_progress(ref, NOW, rows=5, size_bytes=500)
    assert (run.rows_read, run.bytes_read, run.cancel_requested) == (15, 1500, True)


def test_a_run_ends_once(runs: RunTable) -> None:
    ref = a_run(runs)
    problem = {"code": "x", "detail": "y"}
    assert runs.end(ref, NOW, {"status": "failed", "problem": problem, "totals": {"read": 1}})
    assert not runs.end(ref, NOW, {"status": "succeeded", "problem": None, "totals": {}})
    run = runs.mark_running(ref, NOW)
    assert (run.status, run.problem, run.totals) == (RunStatus.FAILED, problem, {"read": 1})


def test_what_a_run_costs_adds_up(runs: RunTable) -> None:
    ref = a_run(runs)
    runs.add_cost(ref, {"dynamodb.PutItem": 2, "s3.CopyObject": 0}, 100)
    runs.add_cost(ref, {"dynamodb.PutItem": 3}, 50)
    run = runs.get(ref)
    assert (run.calls, run.lambda_ms, run.tasks) == ({"dynamodb.PutItem": 5}, 150, 2)


def test_units_come_back_in_order_and_as_they_were(runs: RunTable, stores: RunStores) -> None:
    ref = a_run(runs)
    units = [unit(number) for number in range(30)]
    stores.units.add(ref, units)
    assert list(stores.units.of_run(ref)) == units
    page = stores.units.page(ref, 20, None)
    assert [each.number for each in stores.units.page(ref, 20, page.next).items] == list(range(20, 30))
    stores.units.add_counts(ref, 3, rows_read=5, size_bytes=7)
    stores.units.add_counts(ref, 3, rows_read=5, size_bytes=7)
    found = stores.units.get(ref, 3)
    assert (found.rows_read, found.size_bytes, found.status) == (10, 14, UnitStatus.READING)


def test_a_unit_that_has_ended_stays_as_it_ended(runs: RunTable, stores: RunStores) -> None:
    ref = a_run(runs)
    stores.units.add(ref, [unit()])
    stores.units.save(ref, replace(unit(), status=UnitStatus.PUBLISHED))
    stores.units.fail(ref, 0, "failed", {"code": "x", "detail": "y"})
    stores.units.add_counts(ref, 0, rows_read=1)
    assert stores.units.get(ref, 0).status is UnitStatus.PUBLISHED
    stores.units.record_problem(ref, 0, {"code": "cut", "detail": "z"})
    assert stores.units.get(ref, 0).last_problem == {"code": "cut", "detail": "z"}


def test_a_part_remembers_where_and_what(runs: RunTable, stores: RunStores) -> None:
    ref = a_run(runs)
    part = Part(7, 0, {"from": 1, "day": None}, 500, True, "p", 2, 499, [("2026-01", 3, "1.10"), (None, 1, None)])
    stores.parts.add(ref, [part])
    assert stores.parts.get(ref, 7) == part


def test_the_log_is_read_in_the_order_it_was_written(runs: RunTable, stores: RunStores) -> None:
    ref = a_run(runs)
    lines = [LogLine(f"2026-01-24T08:00:0{n}Z", "info", "code", f"line {n}", None) for n in range(5)]
    for line in lines:
        stores.log.add(ref, line)
    page = stores.log.page(ref, 3, None)
    assert [*page.items, *stores.log.page(ref, 3, page.next).items] == lines


def test_a_lease_belongs_to_one_run(runs: RunTable, stores: RunStores) -> None:
    one, other = a_run(runs), a_run(runs)
    assert stores.leases.acquire(one, unit(), NOW) is None
    assert stores.leases.acquire(one, unit(), NOW) is None, "again is fine"
    assert stores.leases.acquire(other, unit(), NOW) == one
    assert stores.leases.acquire(other, unit(), NOW, in_place_of=other) == one
    stores.leases.release(other, unit(), NOW)
    assert stores.leases.acquire(other, unit(), NOW) == one
    assert stores.leases.acquire(other, unit(), NOW, in_place_of=one) is None
    stores.leases.release(one, unit(), NOW)
    assert stores.leases.acquire(one, unit(), NOW) == other
    stores.leases.release(other, unit(), NOW)
    assert stores.leases.acquire(one, unit(), NOW) is None


def test_of_a_connections_runs_one_at_a_time_has_its_turn_to_sign_in(runs: RunTable, stores: RunStores) -> None:
    connection = new_id()
    one, other = RunRef(CLIENT, new_id(), new_id()), RunRef(CLIENT, new_id(), new_id())
    assert stores.leases.acquire_sign_in_slot(one, connection, NOW)
    assert stores.leases.acquire_sign_in_slot(one, connection, NOW), "again is fine"
    assert not stores.leases.acquire_sign_in_slot(other, connection, NOW)
    assert stores.leases.acquire_sign_in_slot(other, new_id(), NOW), "another connection is nobody's business"
    stores.leases.release_sign_in_slot(other, connection, NOW)
    assert not stores.leases.acquire_sign_in_slot(other, connection, NOW)
    stores.leases.release_sign_in_slot(one, connection, NOW)
    assert stores.leases.acquire_sign_in_slot(other, connection, NOW)
    assert stores.leases.acquire_sign_in_slot(one, connection, NOW + timedelta(minutes=2)), "it runs out by itself"
