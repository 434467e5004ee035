"""A run whose machine ended unheard is ended by its age: nobody waits for it, and what it held is free."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from erphub import app
from erphub.connections.health import Outcome
from erphub.imports.runs.abandoned import AbandonedRuns
from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
from erphub.imports.runs.models import RunRef, RunStatus
from erphub.imports.tasks import ImportTasks
from erphub.platform.errors import NotFound, Unavailable
from tests.imports.test_functions import handler_of
from tests.support import services
from tests.support.imports import CLIENT, CONNECTION, Imports, Killed

BROKEN_CODE = "machine_failed"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, aws_request_id="r")


class Machine:
    """Which executions go on."""

    def __init__(self) -> None:
        self.running: set[str] = set()

    def execution(self, name: str) -> str:
        return name

    def is_running(self, execution: str) -> bool:
        return execution in self.running


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def reported(imports: Imports, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> list[RunRef]:
    """The task function's services, and the runs whose end was reported."""
    reported: list[RunRef] = []

    def report(outcome: Outcome) -> None:
        assert outcome.event is not None
        reported.append(RunRef(outcome.client_id, outcome.event.data["job_id"], outcome.event.data["run_id"]))

    health, calls = SimpleNamespace(report=report), SimpleNamespace(aws_call_counts=dict)
    tasks = ImportTasks(imports.planner, imports.execution, imports.runs, imports.runs, health, calls)  # type: ignore[arg-type]
    abandoned = AbandonedRuns(OpenRunTable(imports.table), machine, tasks, imports.clock)  # type: ignore[arg-type]
    services.use(monkeypatch, {ImportTasks: tasks, AbandonedRuns: abandoned})
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "erphub-test")
    return reported


def sweep() -> int:
    """The clock's event, as EventBridge sends a rule's constant input: nothing but that."""
    return int(handler_of("tasks").handler({"task": "sweep"}, CONTEXT)["swept"])


def begun(imports: Imports, machine: Machine) -> RunRef:
    """A run that has planned and holds its leases."""
    ref = imports.queue(imports.job())
    machine.running.add(ref.run_id)
    assert imports.planner.plan(ref, lambda: 900.0)["outcome"] == "ready"
    return ref


def test_a_run_whose_machine_ended_unheard_is_ended_told_and_its_data_free(
    imports: Imports, machine: Machine, reported: list[RunRef]
):
    ref = begun(imports, machine)
    machine.running.clear()
    assert sweep() == 0, "not before an hour: the event may be on its way"
    imports.now += timedelta(hours=1)
    assert sweep() == 1
    run = imports.runs.get(ref)
    assert (run.status, (run.problem or {}).get("code")) == (RunStatus.FAILED, BROKEN_CODE)
    assert reported == [ref]
    assert imports.planner.plan(imports.queue(imports.job()), lambda: 900.0)["outcome"] == "ready"
    imports.now += timedelta(minutes=5)
    assert (sweep(), reported) == (0, [ref])


def test_a_run_that_goes_on_is_looked_at_again_an_hour_later(
    imports: Imports, machine: Machine, reported: list[RunRef]
):
    ref = begun(imports, machine)
    for _ in range(3):
        imports.now += timedelta(hours=1)
        assert sweep() == 0
    assert list(OpenRunTable(imports.table).overdue(imports.now)) == []
    assert imports.runs.get(ref).status is RunStatus.RUNNING
    machine.running.clear()
    imports.now += timedelta(hours=1)
    assert sweep() == 1


def test_a_run_that_ended_by_itself_is_nobodys_business(imports: Imports, machine: Machine, reported: list[RunRef]):
    imports.run(imports.job())
    imports.now += timedelta(days=1)
    assert list(OpenRunTable(imports.table).overdue(imports.now)) == []
    assert sweep() == 0


def test_a_run_whose_end_could_not_be_written_down_stays_to_be_looked_at(
    imports: Imports, machine: Machine, reported: list[RunRef], monkeypatch: pytest.MonkeyPatch
):
    ref = begun(imports, machine)

    def busy(*_: object, **__: object) -> None:
        raise Unavailable("The table is busy.", code="table_busy")

    with monkeypatch.context() as patch:
        patch.setattr(type(imports.table), "update", busy)
        with pytest.raises(Unavailable):
            imports.runs.end(ref, imports.now, {"status": "failed"})
    assert list(OpenRunTable(imports.table).of_connection(CLIENT, CONNECTION)) == [ref]


def test_one_that_was_to_be_added_by_somebody_who_died_is_dropped(imports: Imports, reported: list[RunRef]):
    ref = imports.queue(imports.job())
    imports.table.delete({"pk": f"CLIENT#{CLIENT}", "sk": f"RUN#{ref.job_id}#{ref.run_id}"})
    with pytest.raises(NotFound):
        imports.runs.get(ref)
    imports.now += timedelta(hours=2)
    sweep()
    assert list(OpenRunTable(imports.table).overdue(imports.now)) == []


@pytest.mark.parametrize("dies_at", ["finish.freed", "finish.ended"])
def test_a_sweeper_that_dies_is_made_good_by_the_next(
    dies_at: str, imports: Imports, machine: Machine, reported: list[RunRef]
):
    ref = begun(imports, machine)
    machine.running.clear()
    imports.now += timedelta(hours=2)
    imports.dies_at = dies_at
    with pytest.raises(Killed):
        sweep()
    imports.now += timedelta(minutes=15)
    sweep()
    assert imports.runs.get(ref).status is RunStatus.FAILED
    assert list(OpenRunTable(imports.table).overdue(imports.now)) == []


def test_the_event_and_the_sweeper_at_once_end_it_once(imports: Imports, machine: Machine, reported: list[RunRef]):
    ref = begun(imports, machine)
    machine.running.clear()
    imports.now += timedelta(hours=2)
    behind = list(OpenRunTable(imports.table).overdue(imports.now))
    detail = {"input": json.dumps(ref.as_json()), "status": "ABORTED"}
    heard = {"source": "aws.states", "detail-type": "Step Functions Execution RunStatus Change", "detail": detail}
    handler_of("tasks").handler(heard, CONTEXT)
    late = SimpleNamespace(break_off=lambda one: imports.execution.finish(one, {"code": "late"}))
    abandoned = replace(app.services().get(AbandonedRuns), tasks=late)
    for one in behind:
        abandoned._end(one)
    assert (imports.runs.get(ref).problem or {})["code"] == BROKEN_CODE


def test_one_that_cannot_be_ended_keeps_no_other_waiting(
    imports: Imports, machine: Machine, reported: list[RunRef], monkeypatch: pytest.MonkeyPatch
):
    refs = [begun(imports, machine)]
    machine.running.clear()
    imports.now += timedelta(minutes=1)
    refs.append(imports.queue(imports.job()))
    imports.now += timedelta(hours=2)
    original = imports.execution.finish

    def finish(ref, problem=None):  # type: ignore[no-untyped-def]
        if ref == refs[0]:
            raise Unavailable("The lake does not answer.", code="lake_unavailable")
        return original(ref, problem)

    monkeypatch.setattr(type(imports.execution), "finish", lambda _, ref, problem=None: finish(ref, problem))
    with pytest.raises(Unavailable):
        sweep()
    assert [imports.runs.get(ref).status for ref in refs] == [RunStatus.RUNNING, RunStatus.FAILED]
