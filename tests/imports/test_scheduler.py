"""Being due starts a job once, and one that cannot be started holds up no other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.imports.jobs.dynamodb import JobTable, job_key
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import RunTrigger
from erphub.imports.scheduler import Scheduler
from erphub.platform.aws.clients import calls
from erphub.platform.aws.table import Table
from erphub.platform.errors import Unavailable
from erphub.platform.ids import new_id
from tests.support.imports import CLIENT, CONNECTION, Connections, RecordingMachine, run_limits, run_service

NIGHT = Schedule(run_time="02:30", time_zone="Europe/Oslo")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def job(**values: Any) -> Job:
    known = {"period": Days(kind="days", days=40), "schedule": NIGHT, "due_at": at("2026-01-11T01:30")}
    now = at("2026-01-10T12:00")
    base = {"client_id": CLIENT, "name": "Nightly", "connection_id": CONNECTION, "created_by": "u"}
    return Job(id=new_id(), created_at=now, updated_at=now, **base | known | values)


class Night:
    """A scheduler with a clock to turn."""

    def __init__(self, table: Table) -> None:
        self.now = at("2026-01-11T01:31")
        self.jobs, self.runs, self.machine = JobTable(table), RunTable(table), RecordingMachine()
        runs = run_service(table, self.machine, lambda: self.now)
        connections: Any = Connections()
        limits = run_limits(table, lambda: self.now, concurrent_runs=5000)
        self.scheduler = Scheduler(self.jobs, runs, connections, limits, lambda: self.now)


def not_started(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The jobs that the log says could not be started."""
    lines = [vars(record) for record in caplog.records]
    return [
        line["item"]["sk"].removeprefix("JOB#") for line in lines if line["msg"] == "a due import could not be started"
    ]


@pytest.fixture
def night(table: Table) -> Night:
    return Night(table)


def test_what_is_due_starts_and_moves_to_the_next_night(night: Night) -> None:
    due, later = job(), job(due_at=at("2026-01-11T01:32"))
    night.jobs.add(due)
    night.jobs.add(later)
    assert night.scheduler.start_due_jobs() == 1
    runs = night.runs.page(CLIENT, due.id, 10, None).items
    assert [(run.trigger, run.due_at) for run in runs] == [(RunTrigger.SCHEDULE, "2026-01-11T01:30:00Z")]
    assert night.jobs.get(CLIENT, due.id).due_at == at("2026-01-12T01:30")
    assert night.jobs.get(CLIENT, later.id).due_at == at("2026-01-11T01:32")


def test_a_tick_that_comes_twice_starts_it_once(night: Night) -> None:
    due = job()
    night.jobs.add(due)
    night.scheduler.start_due_jobs()
    night.jobs.save(due, 1)  # the index showed the second tick what the first had not moved yet
    night.scheduler.start_due_jobs()
    assert len(night.machine.started) == 1
    assert night.machine.asked == 2
    assert len(night.runs.page(CLIENT, due.id, 10, None).items) == 1


def test_a_tick_that_died_between_start_and_moving_on_starts_it_once(
    night: Night, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    due = job()
    night.jobs.add(due)
    with monkeypatch.context() as patched:
        patched.setattr(night.jobs, "move_on", lambda *_: (_ for _ in ()).throw(Unavailable("gone")))
        with pytest.raises(Unavailable):
            night.scheduler.start_due_jobs()
    assert not_started(caplog) == [due.id]
    assert night.scheduler.start_due_jobs() == 1
    assert len(night.machine.started) == 1


def test_a_start_that_fails_is_tried_by_the_next_tick_and_holds_up_nobody(night: Night) -> None:
    for _ in range(3):
        night.jobs.add(job())
    night.machine.refuses = 1
    with pytest.raises(Unavailable):
        night.scheduler.start_due_jobs()
    assert len(night.machine.started) == 2
    assert night.scheduler.start_due_jobs() == 1
    assert len(night.machine.started) == 3


@pytest.mark.parametrize(
    "spoilt", [('"Europe/Oslo"', '"US/Pacific-New"'), ('"02:30"', '"later"'), ('"period"', '"time"'), ("{", "")]
)
def test_a_job_that_can_no_longer_be_read_holds_up_nobody(
    night: Night, table: Table, spoilt: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    oldest, *others = [job(due_at=at("2026-01-11T01:30") - timedelta(minutes=minutes)) for minutes in (5, 3, 0)]
    for each in (oldest, *others):
        night.jobs.add(each)
    item = table.get(job_key(CLIENT, oldest.id)) or {}
    table.put(item | {"body": item["body"].replace(*spoilt, 1)})
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"1 of"):
            night.scheduler.start_due_jobs()
    assert set(not_started(caplog)) == {oldest.id}
    assert all(night.runs.page(CLIENT, each.id, 10, None).items for each in others)


def test_a_tick_that_comes_three_days_late_starts_it_once(night: Night) -> None:
    due = job()
    night.jobs.add(due)
    night.now += timedelta(days=3)
    assert night.scheduler.start_due_jobs() == 1
    assert night.scheduler.start_due_jobs() == 0
    assert night.jobs.get(CLIENT, due.id).due_at == at("2026-01-15T01:30")


def test_a_job_changed_meanwhile_keeps_its_new_time(night: Night) -> None:
    due = job()
    night.jobs.add(due)
    night.jobs.save(due.model_copy(update={"version": 2, "due_at": at("2026-02-01T01:00")}), 1)
    night.jobs.move_on(due, at("2026-01-12T01:30"))
    assert night.jobs.get(CLIENT, due.id).due_at == at("2026-02-01T01:00")


def test_a_tick_costs_what_is_due_not_what_exists(night: Night, table: Table) -> None:
    sleeping = night.jobs._item(job(due_at=at("2026-02-01T01:00")))
    table.put_many([sleeping | {"sk": f"JOB#{number}"} for number in range(9_000)])
    costs: dict[int, int] = {}
    for due in (0, 10, 1000):
        waiting = [job() for _ in range(due)]
        table.put_many([night.jobs._item(each) for each in waiting])
        before = calls.total()
        assert night.scheduler.start_due_jobs() == due
        costs[due] = calls.total() - before
    # A question to the index, another behind a full page; per due job its run, that it is open, the job's next instant,
    # and (not counted here) its execution; per client how many runs it may have, and has.
    assert costs == {0: 1, 10: 1 + 2 + 10 * 3, 1000: 2 + 2 + 1000 * 3}
