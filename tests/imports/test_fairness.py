"""Noisy neighbours: a client with a thousand due jobs keeps nobody else waiting. The clock is virtual."""

from collections import Counter
from collections.abc import Generator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from erphub.imports.capability import RUNS
from erphub.imports.hooks import ImportHooks
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import RunRef
from erphub.imports.scheduler import Scheduler
from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from tests.support.aws import TENANTS, in_memory, make_table
from tests.support.imports import Connections, run_limits, run_service

NOISY, QUIET = new_id(), new_id()
START = datetime.fromisoformat("2026-01-11T01:00+00:00")
A_RUN, TICK = timedelta(minutes=10), timedelta(minutes=1)
MOST_MINUTES = 2
"""How long another client's job may wait, as docs/security.md promises."""


class Machine:
    """Starts runs, and remembers when."""

    def __init__(self) -> None:
        self.started: list[tuple[datetime, RunRef]] = []
        self.now = START

    def execution(self, name: str) -> str:
        return name

    def start(self, name: str, given: Any) -> str:
        self.started.append((self.now, RunRef(given["client_id"], given["job_id"], given["run_id"])))
        return name


@pytest.fixture
def table() -> Generator[Table]:
    with in_memory():
        yield make_table(TENANTS)


def add(jobs: JobTable, client: str, due_at: datetime, connection: str = "") -> None:
    known: dict[str, Any] = {
        "id": new_id(),
        "client_id": client,
        "name": "Nightly",
        "connection_id": connection or new_id(),
    }
    known |= {"period": Days(kind="days", days=2), "created_by": "u", "created_at": START, "updated_at": START}
    schedule = Schedule(run_time="02:00", time_zone="Europe/Oslo")
    jobs.add(Job(**known, schedule=schedule, due_at=due_at))


def test_one_client_with_a_thousand_due_jobs_delays_anothers_by_no_more_than_promised(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, jobs, open_runs = Machine(), JobTable(table), OpenRunTable(table)
    connections: Any = Connections()
    runs = run_service(table, machine, lambda: machine.now)
    limits = run_limits(table, lambda: machine.now)
    scheduler = Scheduler(jobs, runs, connections, limits, lambda: machine.now)
    for _ in range(1000):
        add(jobs, NOISY, START - timedelta(minutes=5))
    due = [START, START + timedelta(minutes=7, seconds=30), START + timedelta(minutes=15)]
    for instant in due:
        add(jobs, QUIET, instant)
    most = 0
    for _ in range(20):
        scheduler.start_due_jobs()
        going_on = [ref for at, ref in machine.started if machine.now - at < A_RUN and ref.client_id == NOISY]
        most = max(most, len(going_on))
        machine.now += TICK
        for at, ref in machine.started:
            if machine.now - at >= A_RUN:
                open_runs.close(ref)
    began = sorted(at for at, ref in machine.started if ref.client_id == QUIET)
    waited = [(at - instant) / TICK for at, instant in zip(began, due, strict=True)]
    noisy = len(machine.started) - len(began)
    with capsys.disabled():
        print(f"\n1,000 due jobs beside 3: these waited {waited} minutes; {noisy} of the 1,000 began in 20 minutes")
    assert max(waited) <= MOST_MINUTES
    assert 1 < most <= RUNS.maximum
    assert noisy > RUNS.maximum, "what ended makes room"


def test_many_who_catch_up_at_once_delay_nobody_else_and_none_of_theirs_is_lost(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that served forty connections of one client works again, and each job of theirs missed something."""
    machine, jobs, open_runs = Machine(), JobTable(table), OpenRunTable(table)
    connections: Any = Connections()
    runs, limits = run_service(table, machine, lambda: machine.now), run_limits(table, lambda: machine.now)
    scheduler = Scheduler(jobs, runs, connections, limits, lambda: machine.now)
    hooks = ImportHooks(jobs, RunTable(table), runs, limits, lambda: machine.now)
    reconnected = [new_id() for _ in range(40)]
    for connection in reconnected:
        add(jobs, NOISY, START + timedelta(days=1), connection)
        hooks.created(NOISY, new_id(), "u")
    for number in range(960):
        add(jobs, NOISY, START - timedelta(minutes=5 + number % 3))
    for connection in reconnected:
        known: Any = SimpleNamespace(client_id=NOISY, id=connection)
        hooks.reconnected(known, START - timedelta(days=2))
    due = [START, START + timedelta(minutes=7, seconds=30), START + timedelta(minutes=15)]
    for instant in due:
        add(jobs, QUIET, instant)
    hooks.created(QUIET, new_id(), "u")
    most, triggers = 0, Counter[str]()
    for _ in range(20):
        scheduler.start_due_jobs()
        going_on = [ref for at, ref in machine.started if machine.now - at < A_RUN and ref.client_id == NOISY]
        most = max(most, len(going_on))
        machine.now += TICK
        for at, ref in machine.started:
            if machine.now - at >= A_RUN:
                open_runs.close(ref)
    began = sorted(at for at, ref in machine.started if ref.client_id == QUIET)[1:]
    waited = [(at - instant) / TICK for at, instant in zip(began, due, strict=True)]
    assert next(at for at, ref in machine.started if ref.client_id == QUIET) == START, "its first run began at once"
    started = {ref for _, ref in machine.started if ref.client_id == NOISY}
    triggers.update(RunTable(table).get(ref).trigger.value for ref in started)
    put_off = sum(1 for job in every_job(jobs, NOISY) if job.put_off)
    with capsys.disabled():
        print(f"\n80 first and missed runs beside 960 due: others waited {waited}; {dict(triggers)}, {put_off} wait")
    assert max(waited) <= MOST_MINUTES
    assert most <= RUNS.maximum
    assert triggers["first"] + triggers["catch_up"] + put_off == 80, "none is lost"


def every_job(jobs: JobTable, client: str) -> list[Job]:
    found, cursor = list[Job](), None
    while True:
        page = jobs.page(client, 200, cursor)
        found += page.items
        if (cursor := page.next) is None:
            return found
