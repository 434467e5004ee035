"""What a connection's jobs missed while it did not work: noticed, caught up on once, over the days it did not work."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from erphub.connections.health import LOGIN_DOUBTED
from erphub.connections.models import Connection, ConnectionStatus
from erphub.erp.reading import DateRange
from erphub.imports.hooks import ImportHooks
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Everything, Job, Schedule
from erphub.imports.jobs.schedule import date_range
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.runs.planning import MAX_WAIT_FOR_LOGIN
from erphub.imports.runs.sources import ConnectedSources
from erphub.imports.scheduler import Scheduler
from erphub.platform.aws.table import Table
from erphub.platform.errors import CredentialsDoubted, CredentialsRefused, Unavailable
from erphub.platform.ids import new_id
from erphub.platform.wire import instant
from tests.support.imports import CLIENT, CONNECTION, Connections, Imports, run_limits, run_service

NIGHT = Schedule(run_time="02:30", time_zone="UTC")
STOPPED = datetime(2026, 1, 10, 3, tzinfo=UTC)


class Machine:
    """Remembers what was started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, name: str, input: Any) -> str:
        if name not in self.started:
            self.started.append(name)
        return name


class Office:
    """Jobs and runs of one client, at an instant."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.jobs, self.runs, self.machine = JobTable(table), RunTable(table), Machine()
        self.now = STOPPED
        self.imports = run_service(table, self.machine, lambda: self.now)

    def job(self, **values: Any) -> Job:
        known: dict[str, Any] = {"period": Days(kind="days", days=40), "schedule": NIGHT, "connection_id": CONNECTION}
        base = {"client_id": CLIENT, "name": "Nightly", "created_by": "u"}
        job = Job(id=new_id(), created_at=self.now, updated_at=self.now, **base | known | values)
        self.jobs.add(job)
        return job

    def ended(self, job: Job, status: RunStatus) -> None:
        ref, now = RunRef(CLIENT, job.id, new_id()), instant(self.now)
        self.runs.add(Run(ref, job.connection_id, RunTrigger.SCHEDULE, RunStatus.QUEUED, "schedule", now))
        self.runs.end(ref, self.now, {"status": status.value})

    def reconnect(self) -> None:
        connection: Any = SimpleNamespace(client_id=CLIENT, id=CONNECTION)
        ImportHooks(self.jobs, self.runs, self.imports, lambda: self.now).reconnected(connection, STOPPED)

    def caught_up(self, job: Job) -> list[Run]:
        found = self.runs.page(CLIENT, job.id, 50, None).items
        return [run for run in found if run.trigger is RunTrigger.CATCH_UP]


@pytest.fixture
def office(table: Table) -> Office:
    return Office(table)


def test_a_job_whose_hour_passed_meanwhile_runs_once_however_often_it_is_asked(office: Office) -> None:
    job = office.job()
    office.now = STOPPED + timedelta(days=3)
    office.reconnect()
    office.reconnect()
    (run,) = office.caught_up(job)
    assert (run.catch_up_since, run.connection_id) == (instant(STOPPED), CONNECTION)
    assert office.machine.started == [run.ref.run_id]


def test_a_job_that_missed_nothing_is_left_alone(office: Office) -> None:
    job = office.job()
    office.ended(job, RunStatus.SUCCEEDED)
    office.now = STOPPED + timedelta(hours=1)
    office.reconnect()
    assert office.caught_up(job) == []


def test_the_run_that_met_the_refusal_is_caught_up_on_too(office: Office) -> None:
    job = office.job()
    office.ended(job, RunStatus.FAILED)
    office.now = STOPPED + timedelta(hours=1)
    office.reconnect()
    assert len(office.caught_up(job)) == 1


def test_jobs_without_a_schedule_and_of_other_connections_are_nobodys_business(office: Office) -> None:
    by_hand = office.job(schedule=None, period=Everything(kind="everything"))
    other = office.job(connection_id=new_id())
    office.now = STOPPED + timedelta(days=3)
    office.reconnect()
    assert office.caught_up(by_hand) == office.caught_up(other) == []


def test_what_is_caught_up_on_goes_back_from_the_day_the_connection_stopped(office: Office) -> None:
    job = office.job(period=Days(kind="days", days=2))
    now = STOPPED + timedelta(days=30)
    assert date_range(job, now) == DateRange((now - timedelta(days=2)).date(), None)
    assert date_range(job, now, STOPPED) == DateRange((STOPPED - timedelta(days=2)).date(), None)
    assert date_range(job, STOPPED, now) == date_range(job, STOPPED), "it never begins later than it would have"


def test_a_schedule_of_a_connection_that_does_not_work_moves_on_without_a_run(office: Office) -> None:
    connections: Any = Connections(ConnectionStatus.REAUTH_REQUIRED)
    job = office.job(due_at=STOPPED)
    limits = run_limits(office.table, lambda: office.now)
    scheduler = Scheduler(office.jobs, office.imports, connections, limits, lambda: office.now)
    assert scheduler.start_due_jobs() == 1
    assert office.machine.started == []
    assert office.jobs.get(CLIENT, job.id).due_at == datetime(2026, 1, 11, 2, 30, tzinfo=UTC)
    connections.status = ConnectionStatus.ACTIVE
    office.now = STOPPED + timedelta(days=1)
    scheduler.start_due_jobs()
    assert len(office.machine.started) == 1


def test_nobody_signs_in_with_a_login_that_was_refused() -> None:
    class Erp:
        """Opens connected ERP systems, and writes down which."""

        def __init__(self) -> None:
            self.opened: list[str] = []

        def connected(self, connection: Connection) -> None:
            self.opened.append(connection.id)

    connections: Any = Connections(ConnectionStatus.REAUTH_REQUIRED)
    erp: Any = Erp()
    companies: Any = None
    sources = ConnectedSources(connections, connections, erp, companies)
    source = sources.get(CLIENT, CONNECTION)
    with pytest.raises(CredentialsRefused) as refused:
        sources.companies(source)
    with pytest.raises(CredentialsRefused), sources.open(source):
        pass
    assert refused.value.code == "reauth_required"
    assert erp.opened == []


def test_of_jobs_that_are_due_at_once_one_signs_in_and_the_others_learn_of_the_refusal(imports: Imports) -> None:
    jobs = [imports.job(Days(kind="days", days=9), dataset_ids=("accounts",)) for _ in range(5)]
    tried: list[str] = []

    def refuses(*_: Any) -> None:
        tried.append("signed in")
        raise CredentialsRefused("The login is not accepted.")

    imports.erp.plan_reading = refuses  # type: ignore[method-assign]
    refs = [imports.queue(job, RunTrigger.SCHEDULE) for job in jobs]
    outcomes = [imports.planner.plan(ref, lambda: 900.0)["outcome"] for ref in refs]
    assert outcomes == ["done", "wait", "wait", "wait", "wait"]
    imports.sources.status = "reauth_required"  # what the task did after the first
    for ref in refs[1:]:
        assert imports.planner.plan(ref, lambda: 900.0) == {"outcome": "done"}
    codes = [(imports.runs.get(ref).problem or {})["code"] for ref in refs]
    assert codes == ["credentials_refused", *["reauth_required"] * 4]
    assert tried == ["signed in"]


def test_a_run_whose_login_is_refused_in_a_way_that_may_pass_is_put_off_and_then_done(imports: Imports) -> None:
    job = imports.job(Days(kind="days", days=9), dataset_ids=("accounts",))
    ref, right = imports.queue(job, RunTrigger.SCHEDULE), imports.erp.plan_reading

    def refuses(*_: Any) -> None:
        raise CredentialsDoubted("The login is not accepted.")

    def not_yet(*_: Any) -> None:
        raise Unavailable("Not before ten o'clock.", code=LOGIN_DOUBTED)

    imports.erp.plan_reading = refuses  # type: ignore[method-assign]
    put_off = imports.planner.plan(ref, lambda: 900.0)
    assert put_off["outcome"] == "wait"
    assert put_off["refused"]["refused"] == "credentials"
    imports.sources.open = not_yet
    assert imports.planner.plan(ref, lambda: 900.0)["outcome"] == "wait"
    assert imports.runs.get(ref).problem is None, "it is put off, and has not failed"
    del imports.sources.open
    imports.erp.plan_reading = right  # type: ignore[method-assign]
    imports.drive(ref)
    assert imports.runs.get(ref).status is RunStatus.SUCCEEDED


def test_a_run_does_not_wait_for_ever_for_a_login_that_is_in_doubt(imports: Imports) -> None:
    job = imports.job(Days(kind="days", days=9), dataset_ids=("accounts",))
    ref = imports.queue(job, RunTrigger.MANUAL)

    def refuses(*_: Any) -> None:
        raise CredentialsDoubted("The login is not accepted.")

    imports.erp.plan_reading = refuses  # type: ignore[method-assign]
    imports.now += MAX_WAIT_FOR_LOGIN
    assert imports.planner.plan(ref, lambda: 900.0) == {"outcome": "done"}
    assert (imports.runs.get(ref).problem or {})["code"] == "credentials_refused"


def test_a_turn_is_given_back_by_whoever_got_in(imports: Imports) -> None:
    jobs = [imports.job(Days(kind="days", days=9), dataset_ids=("accounts",)) for _ in range(2)]
    for job in jobs:
        assert imports.run(job, RunTrigger.SCHEDULE).status is RunStatus.SUCCEEDED
