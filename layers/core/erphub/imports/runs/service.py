"""Runs of import jobs: started once, watched, cancelled; what came of them and what they cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.runs.models import Run, RunRef, Status, Trigger
from erphub.imports.runs.ports import RunStore
from erphub.imports.runs.schemas import Cost, LogLineView, LogPage, RunPage, RunView, UnitView
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, HubError, ServiceBusy, Unavailable
from erphub.platform.ids import derived_id_at
from erphub.platform.state_machines import StateMachine
from erphub.platform.wire import PageQuery, instant

UNITS_SHOWN = 100
FORGOTTEN_AFTER = timedelta(minutes=15)
"""The tick tries a start again every minute."""


def problem_of(error: HubError) -> dict[str, Any]:
    """What is kept of an error with a run: its code, its sentence and its facts."""
    return {"code": error.code, "detail": error.detail} | {name: str(fact) for name, fact in error.facts.items()}


def anything_goes(client_id: str, connection_id: str) -> None:
    """No connection is being deleted."""


@dataclass(frozen=True)
class ImportRunService:
    """Starting, watching and cancelling runs."""

    jobs: JobStore
    runs: RunStore
    machine: StateMachine
    clock: Clock
    ids: Ids
    require_alive: Callable[[str, str], None] = anything_goes
    """Raises Conflict when the connection (client, connection) is being deleted."""

    def start(self, client_id: str, job_id: str, by: str) -> RunView:
        """Start a run by hand. Raises NotFound, Unavailable, Conflict (`connection_deleting`)."""
        job = self.jobs.get(client_id, job_id)
        self.require_alive(client_id, job.connection_id)
        return view(self._start(job, self.ids(), Trigger.MANUAL, by))

    def start_first(self, job: Job, run_id: str) -> None:
        """Start the run a new connection begins with; again is fine."""
        self._start(job, run_id, Trigger.FIRST, job.created_by)

    def start_due(self, job: Job, due_at: datetime) -> None:
        """Start the run of a due instant; again is fine."""
        run_id = derived_id_at(int(due_at.timestamp() * 1000), job.client_id, job.id, instant(due_at))
        self._start(job, run_id, Trigger.SCHEDULE, "schedule", due_at)

    def start_catch_up(self, job: Job, since: datetime) -> None:
        """Start the run that makes up for what a job missed since its connection stopped working; again is fine."""
        run_id = derived_id_at(int(since.timestamp() * 1000), job.client_id, job.id, "catch-up", instant(since))
        self._start(job, run_id, Trigger.CATCH_UP, "schedule", since=since)

    def _start(
        self,
        job: Job,
        run_id: str,
        trigger: Trigger,
        by: str,
        due_at: datetime | None = None,
        since: datetime | None = None,
    ) -> Run:
        run = Run(
            ref=RunRef(job.client_id, job.id, run_id),
            connection_id=job.connection_id,
            trigger=trigger,
            status=Status.QUEUED,
            by=by,
            created_at=instant(self.clock()),
            due_at=instant(due_at) if due_at else None,
            since=instant(since) if since else None,
        )
        self.runs.add(run)
        try:
            self.machine.start(run_id, run.ref.as_json())
        except ServiceBusy as error:
            # It may have been started all the same. It waits as queued: repeated with the same Idempotency-Key, the
            # request meets it; otherwise it ends by itself when nobody has begun it.
            raise Unavailable("The import could not be started. Try again in a moment.") from error
        except Exception as error:
            if trigger is Trigger.MANUAL:
                self._give_up(run.ref)
            raise Unavailable("The import could not be started. Try again in a moment.") from error
        return run

    def _not_forgotten(self, run: Run) -> Run:
        """The run; one that is still queued though nobody will ever begin it ends as failed.

        Whoever was to start it died, or its job was changed or deleted before the next tick could try again.
        """
        queued_for = self.clock() - datetime.fromisoformat(run.created_at)
        if run.status is not Status.QUEUED or queued_for < FORGOTTEN_AFTER:
            return run
        if self.machine.is_running(self.machine.execution(run.ref.run_id)):
            return run
        self._give_up(run.ref)
        return self.runs.get(run.ref)

    def _give_up(self, ref: RunRef) -> None:
        problem = {"code": "not_started", "detail": "The import could not be started. Start it again."}
        self.runs.end(ref, self.clock(), {"status": Status.FAILED.value, "problem": problem})

    def list(self, client_id: str, job_id: str, query: PageQuery) -> RunPage:
        """Runs of a job, newest first. Raises NotFound."""
        self.jobs.get(client_id, job_id)
        page = self.runs.list(client_id, job_id, query.limit, query.next)
        return RunPage(items=[view(self._not_forgotten(run)) for run in page.items], next=page.next)

    def get(self, ref: RunRef, units_next: str | None = None) -> RunView:
        """A run with its units, a hundred at a time. Raises NotFound."""
        run = self._not_forgotten(self.runs.get(ref))
        page = self.runs.unit_page(ref, UNITS_SHOWN, units_next)
        return view(run, [UnitView.model_validate(unit.as_json()) for unit in page.items], page.next)

    def cancel(self, ref: RunRef) -> RunView:
        """Ask a run to stop; its workers do within one batch. Raises NotFound, Conflict (`run_ended`)."""
        run = self.runs.get(ref)
        if run.status.ended:
            raise Conflict("The run has ended already.", code="run_ended")
        return view(self.runs.change(ref, cancel_requested=True))

    def log(self, ref: RunRef, query: PageQuery) -> LogPage:
        """The lines of a run's log, oldest first. Raises NotFound."""
        self.runs.get(ref)
        page = self.runs.log_page(ref, query.limit, query.next)
        lines = [
            LogLineView(at=line.at, level=line.level, code=line.code, text=line.text, unit=line.unit)
            for line in page.items
        ]
        return LogPage(items=lines, next=page.next)


def view(run: Run, units: list[UnitView] | None = None, units_next: str | None = None) -> RunView:
    """A run for its users."""
    return RunView(
        id=run.ref.run_id,
        job_id=run.ref.job_id,
        connection_id=run.connection_id,
        trigger=run.trigger,
        status=run.status,
        by=run.by,
        due_at=run.due_at,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        cancel_requested=run.cancel_requested,
        blocked_by=run.blocked_by,
        problem=run.problem,
        first_day=run.first_day,
        end_day=run.end_day,
        progress={"rows_read": run.rows_read, "bytes_read": run.bytes_read}
        | ({} if run.parts is None else {"parts": run.parts, "parts_done": run.parts_done}),
        totals=run.totals,
        cost=cost(run),
        units=units,
        units_next=units_next,
    )


_WRITE, _READ = 0.625e-6, 0.125e-6
_PER_CALL = {
    "dynamodb.GetItem": _READ,
    "dynamodb.Query": 4 * _READ,
    "dynamodb.BatchGetItem": 25 * _READ,
    "dynamodb.PutItem": 2 * _WRITE,
    "dynamodb.UpdateItem": 2 * _WRITE,
    "dynamodb.DeleteItem": _WRITE,
    "dynamodb.BatchWriteItem": 25 * _WRITE,
    "s3.GetObject": 0.4e-6,
    "secrets-manager.GetSecretValue": 5e-6,
}
"""US dollars, list prices of us-east-1 in 2026; other S3 requests count as writes."""
_S3_WRITE, _GB_SECOND, _REQUEST, _TRANSITION = 5e-6, 0.0000133334, 0.2e-6, 25e-6
TASK_GB = 1.728
TRANSITIONS_PER_TASK, TRANSITIONS_PER_RUN = 2, 8


def cost(run: Run) -> Cost:
    """What the run has cost so far, from its counted calls; the engine's own S3 requests are an estimate."""
    calls = sum(count * _price(call) for call, count in run.calls.items())
    compute = run.lambda_ms / 1000 * TASK_GB * _GB_SECOND + run.tasks * _REQUEST
    transitions = (run.tasks * TRANSITIONS_PER_TASK + TRANSITIONS_PER_RUN) * _TRANSITION
    return Cost(
        calls=dict(sorted(run.calls.items())),
        tasks=run.tasks,
        lambda_ms=run.lambda_ms,
        estimated_usd=f"{calls + compute + transitions:.6f}",
    )


def _price(call: str) -> float:
    return _PER_CALL.get(call, _S3_WRITE if call.startswith("s3.") else 0.0)


def spent(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """The calls made between two readings of the counter."""
    return {call: count - before.get(call, 0) for call, count in after.items() if count > before.get(call, 0)}
