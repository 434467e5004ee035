"""Jobs and runs are kept the same in memory and on DynamoDB."""

from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb import RunTable
from erphub.imports.runs.models import LogLine, Part, Run, RunRef, Status, Trigger, Unit, UnitStatus
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, NotFound
from erphub.platform.ids import new_id
from tests.support.aws import AWS, TENANTS, make_table

CLIENT = "01HZZZZZZZZZZZZZZZZZZZZZZC"
NOW = datetime(2026, 1, 24, 8, tzinfo=UTC)


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Generator[Table]:
    with AWS[request.param]():
        yield make_table(TENANTS)


@pytest.fixture
def jobs(table: Table) -> JobTable:
    return JobTable(table)


@pytest.fixture
def runs(table: Table) -> RunTable:
    return RunTable(table)


def job(**values: Any) -> Job:
    known: dict[str, Any] = {"id": new_id(), "client_id": CLIENT, "name": "Å", "connection_id": new_id()}
    known |= {"period": Days(kind="days", days=40), "created_by": "u", "created_at": NOW, "updated_at": NOW}
    return Job(**known | values)


NIGHTLY = Schedule(time="02:30", time_zone="Europe/Oslo")


def test_a_job_comes_back_as_it_was_kept(jobs: JobTable) -> None:
    kept = job(companies=("F0001", "F'2"), schedule=NIGHTLY, due_at=NOW)
    assert jobs.add(kept)
    assert not jobs.add(kept)
    assert jobs.get(CLIENT, kept.id) == kept


def test_a_stale_job_is_not_saved(jobs: JobTable) -> None:
    kept = job()
    jobs.add(kept)
    jobs.save(kept.model_copy(update={"version": 2}), 1)
    with pytest.raises(Conflict):
        jobs.save(kept.model_copy(update={"version": 2}), 1)


def test_only_what_is_due_is_found_and_once_moved_on_it_is_not(jobs: JobTable) -> None:
    due, later, never = job(due_at=NOW), job(due_at=NOW + timedelta(minutes=1)), job()
    for each in (due, later, never):
        jobs.add(each)
    assert [found.job_id for found in jobs.due(NOW)] == [due.id]
    jobs.move_on(due, NOW + timedelta(days=1))
    jobs.move_on(due, NOW + timedelta(days=9))
    assert jobs.get(CLIENT, due.id).due_at == NOW + timedelta(days=1)
    jobs.move_on(later, None)
    assert list(jobs.due(NOW + timedelta(hours=1))) == []


def test_jobs_are_listed_by_page_and_runs_are_not_among_them(jobs: JobTable, runs: RunTable) -> None:
    for _ in range(5):
        jobs.add(job())
    a_run(runs)
    page = jobs.list(CLIENT, 3, None)
    rest = jobs.list(CLIENT, 3, page.next)
    assert (len(page.items), len(rest.items), rest.next) == (3, 2, None)


def a_run(runs: RunTable, job_id: str | None = None) -> RunRef:
    ref = RunRef(CLIENT, job_id or new_id(), new_id())
    runs.add(Run(ref, new_id(), Trigger.MANUAL, Status.QUEUED, "u", "2026-01-24T08:00:00Z"))
    return ref


def unit(number: int = 0) -> Unit:
    return Unit(number, "accounts", "C1", "F0001", "Company", {"database": "F0001", "ratio": 0.5})


def test_a_run_is_kept_once_and_listed_newest_first(runs: RunTable) -> None:
    ref = a_run(runs)
    other = a_run(runs, ref.job_id)
    assert not runs.add(runs.get(ref))
    assert [run.ref for run in runs.list(CLIENT, ref.job_id, 9, None).items] == sorted(
        [ref, other], key=lambda each: each.run_id, reverse=True
    )
    with pytest.raises(NotFound):
        runs.get(replace(ref, run_id=new_id()))


def test_work_that_starts_again_keeps_its_first_instant(runs: RunTable) -> None:
    ref = a_run(runs)
    first = runs.start_work(ref, NOW)
    again = runs.start_work(ref, NOW + timedelta(minutes=5))
    assert (again.status, again.started_at) == (Status.RUNNING, first.started_at)
    assert again.active_at == "2026-01-24T08:05:00Z"


def test_the_place_among_those_that_publish_is_taken_once(runs: RunTable) -> None:
    early, late = a_run(runs), a_run(runs)
    assert runs.start_work(early, NOW).token == 0
    first = runs.take_token(late, NOW + timedelta(minutes=1))
    assert runs.take_token(late, NOW + timedelta(minutes=9)).token == first.token
    assert runs.take_token(early, NOW + timedelta(minutes=2)).token > first.token


def test_progress_adds_up_and_tells_of_a_wish_to_stop(runs: RunTable) -> None:
    ref = a_run(runs)
    runs.progress(ref, NOW, 10, 1000)
    runs.change(ref, cancel_requested=True)
    run = runs.progress(ref, NOW, 5, 500)
    assert (run.rows_read, run.bytes_read, run.cancel_requested) == (15, 1500, True)


def test_a_run_ends_once(runs: RunTable) -> None:
    ref = a_run(runs)
    problem = {"code": "x", "detail": "y"}
    assert runs.end(ref, NOW, {"status": "failed", "problem": problem, "totals": {"read": 1}})
    assert not runs.end(ref, NOW, {"status": "succeeded", "problem": None, "totals": {}})
    run = runs.start_work(ref, NOW)
    assert (run.status, run.problem, run.totals) == (Status.FAILED, problem, {"read": 1})


def test_what_a_run_costs_adds_up(runs: RunTable) -> None:
    ref = a_run(runs)
    runs.spend(ref, {"dynamodb.PutItem": 2, "s3.CopyObject": 0}, 100)
    runs.spend(ref, {"dynamodb.PutItem": 3}, 50)
    run = runs.get(ref)
    assert (run.calls, run.lambda_ms, run.tasks) == ({"dynamodb.PutItem": 5}, 150, 2)


def test_units_come_back_in_order_and_as_they_were(runs: RunTable) -> None:
    ref = a_run(runs)
    units = [unit(number) for number in range(30)]
    runs.add_units(ref, units)
    assert list(runs.units(ref)) == units
    page = runs.unit_page(ref, 20, None)
    assert [each.number for each in runs.unit_page(ref, 20, page.next).items] == list(range(20, 30))
    runs.add_to_unit(ref, 3, read=5, bytes=7)
    runs.add_to_unit(ref, 3, read=5, bytes=7)
    found = runs.unit(ref, 3)
    assert (found.read, found.bytes, found.status) == (10, 14, UnitStatus.READING)


def test_a_unit_that_has_ended_stays_as_it_ended(runs: RunTable) -> None:
    ref = a_run(runs)
    runs.add_units(ref, [unit()])
    runs.save_unit(ref, replace(unit(), status=UnitStatus.PUBLISHED))
    runs.fail_unit(ref, 0, "failed", {"code": "x", "detail": "y"})
    runs.add_to_unit(ref, 0, read=1)
    assert runs.unit(ref, 0).status is UnitStatus.PUBLISHED
    runs.note_trouble(ref, 0, {"code": "cut", "detail": "z"})
    assert runs.unit(ref, 0).trouble == {"code": "cut", "detail": "z"}


def test_a_part_remembers_where_and_what(runs: RunTable) -> None:
    ref = a_run(runs)
    part = Part(7, 0, {"from": 1, "day": None}, 500, True, "p", 2, 499, [("2026-01", 3, "1.10"), (None, 1, None)])
    runs.add_parts(ref, [part])
    assert runs.part(ref, 7) == part


def test_the_log_is_read_in_the_order_it_was_written(runs: RunTable) -> None:
    ref = a_run(runs)
    lines = [LogLine(f"2026-01-24T08:00:0{n}Z", "info", "code", f"line {n}", None) for n in range(5)]
    for line in lines:
        runs.log(ref, line)
    page = runs.log_page(ref, 3, None)
    assert [*page.items, *runs.log_page(ref, 3, page.next).items] == lines


def test_a_lease_belongs_to_one_run(runs: RunTable) -> None:
    one, other = a_run(runs), a_run(runs)
    assert runs.take_lease(one, unit()) is None
    assert runs.take_lease(one, unit()) is None, "again is fine"
    assert runs.take_lease(other, unit()) == one
    assert not runs.take_over_lease(other, unit(), other)
    runs.free_lease(other, unit())
    assert runs.take_lease(other, unit()) == one
    assert runs.take_over_lease(other, unit(), one)
    runs.free_lease(one, unit())
    assert runs.take_lease(one, unit()) == other
    runs.free_lease(other, unit())
    assert runs.take_lease(one, unit()) is None


def test_types_are_remembered_per_dataset_and_client(runs: RunTable) -> None:
    runs.remember_types(CLIENT, "accounts", {"account_no": "string"})
    runs.remember_types(CLIENT, "accounts", {"account_no": "string", "name": "string"})
    assert runs.known_types(CLIENT) == {"accounts": {"account_no": "string", "name": "string"}}
    assert runs.known_types(new_id()) == {}


def test_of_a_connections_runs_one_at_a_time_has_its_turn_to_sign_in(runs: RunTable) -> None:
    connection = new_id()
    one, other = RunRef(CLIENT, new_id(), new_id()), RunRef(CLIENT, new_id(), new_id())
    assert runs.take_turn(one, connection, NOW)
    assert runs.take_turn(one, connection, NOW), "again is fine"
    assert not runs.take_turn(other, connection, NOW)
    assert runs.take_turn(other, new_id(), NOW), "another connection is nobody's business"
    runs.free_turn(other, connection)
    assert not runs.take_turn(other, connection, NOW)
    runs.free_turn(one, connection)
    assert runs.take_turn(other, connection, NOW)
    assert runs.take_turn(one, connection, NOW + timedelta(minutes=2)), "it runs out by itself"
