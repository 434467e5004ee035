"""Noisy neighbours: a client with a thousand due jobs keeps nobody else waiting. The clock is virtual."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import pytest

from erphub.imports.capability import RUNS
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
from erphub.imports.runs.models import RunRef
from erphub.imports.scheduler import Scheduler
from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from tests.support.aws import TENANTS, in_memory, make_table
from tests.support.imports import Connections, run_limits, run_service

pytestmark = pytest.mark.generated

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


def add(jobs: JobTable, client: str, due_at: datetime) -> None:
    known: dict[str, Any] = {"id": new_id(), "client_id": client, "name": "Nightly", "connection_id": new_id()}
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
