"""Jobs are kept the same in memory and on DynamoDB."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict
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


def job(**values: Any) -> Job:
    known: dict[str, Any] = {"id": new_id(), "client_id": CLIENT, "name": "Å", "connection_id": new_id()}
    known |= {"period": Days(kind="days", days=40), "created_by": "u", "created_at": NOW, "updated_at": NOW}
    return Job(**known | values)


NIGHTLY = Schedule(run_time="02:30", time_zone="Europe/Oslo")


def test_a_job_comes_back_as_it_was_kept(jobs: JobTable) -> None:
    kept = job(company_keys=("F0001", "F'2"), schedule=NIGHTLY, due_at=NOW)
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
    assert [found.read() for found in jobs.due(NOW)] == [due]
    jobs.move_on(due, NOW + timedelta(days=1))
    jobs.move_on(due, NOW + timedelta(days=9))
    assert jobs.get(CLIENT, due.id).due_at == NOW + timedelta(days=1)
    jobs.move_on(later, None)
    assert list(jobs.due(NOW + timedelta(hours=1))) == []


def test_jobs_are_listed_by_page_and_runs_are_not_among_them(jobs: JobTable, table: Table) -> None:
    for _ in range(5):
        jobs.add(job())
    ref = RunRef(CLIENT, new_id(), new_id())
    RunTable(table).add(Run(ref, new_id(), RunTrigger.MANUAL, RunStatus.QUEUED, "u", "2026-01-24T08:00:00Z"))
    page = jobs.page(CLIENT, 3, None)
    rest = jobs.page(CLIENT, 3, page.next)
    assert (len(page.items), len(rest.items), rest.next) == (3, 2, None)
