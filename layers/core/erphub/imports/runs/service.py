"""Runs of import jobs: started once, watched, cancelled."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from erphub.connections.access import require_active, require_resumed
from erphub.connections.ports import ConnectionStore
from erphub.imports import problems
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.runs.costs import cost_of
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.runs.ports import RunStores
from erphub.imports.runs.schemas import (
    LogLineView,
    LogPage,
    RunPage,
    RunProgress,
    RunTotals,
    RunView,
    UnitPage,
    UnitView,
)
from erphub.platform.actors import HUB, ActorDirectory, ActorView
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import ServiceBusy
from erphub.platform.ids import derived_id_at
from erphub.platform.state_machines import StateMachine
from erphub.platform.wire import PageQuery, instant

UNITS_PER_PAGE = 100
NOT_STARTED_AFTER = timedelta(minutes=15)
"""The tick tries a start again every minute."""


@dataclass(frozen=True)
class ImportRunService:
    """Starting, watching and cancelling runs."""

    jobs: JobStore
    stores: RunStores
    connections: ConnectionStore
    actors: ActorDirectory
    machine: StateMachine
    clock: Clock
    new_id: IdGenerator

    def start(self, client_id: str, job_id: str, started_by: str) -> RunView:
        """Start a run by hand. Raises NotFound, Unavailable, Conflict (`connection_deleting`, `connection_paused`)."""
        job = self.jobs.get(client_id, job_id)
        connection = self.connections.get(client_id, job.connection_id)
        require_active(connection)
        require_resumed(connection)
        run_id = self.new_id()
        describe_act(new={"run_id": run_id}, connection_id=job.connection_id)
        return self._view(self._start(job, run_id, RunTrigger.MANUAL, started_by))

    def start_first(self, job: Job, run_id: str) -> None:
        """Start the run a new connection begins with; again is fine."""
        self._start(job, run_id, RunTrigger.FIRST, job.created_by)

    def start_due(self, job: Job, due_at: datetime) -> None:
        """Start the run of a due instant; again is fine."""
        run_id = derived_id_at(int(due_at.timestamp() * 1000), job.client_id, job.id, instant(due_at))
        self._start(job, run_id, RunTrigger.SCHEDULE, HUB, due_at)

    def start_catch_up(self, job: Job, since: datetime) -> None:
        """Start the run that catches up on what a job missed since its connection stopped working; again is fine."""
        run_id = derived_id_at(int(since.timestamp() * 1000), job.client_id, job.id, "catch-up", instant(since))
        self._start(job, run_id, RunTrigger.CATCH_UP, HUB, catch_up_since=since)

    def _start(
        self,
        job: Job,
        run_id: str,
        trigger: RunTrigger,
        started_by: str,
        due_at: datetime | None = None,
        catch_up_since: datetime | None = None,
    ) -> Run:
        run = Run(
            ref=RunRef(job.client_id, job.id, run_id),
            connection_id=job.connection_id,
            trigger=trigger,
            status=RunStatus.QUEUED,
            started_by=started_by,
            created_at=instant(self.clock()),
            due_at=instant(due_at) if due_at else None,
            catch_up_since=instant(catch_up_since) if catch_up_since else None,
        )
        self.stores.runs.add(run)
        try:
            self.machine.start(run_id, run.ref.as_json())
        except ServiceBusy as error:
            # It may have been started all the same. It waits as queued: repeated with the same Idempotency-Key, the
            # request meets it; otherwise it ends by itself when nobody has begun it.
            raise problems.IMPORT_NOT_STARTED() from error
        except Exception as error:
            if trigger is RunTrigger.MANUAL:
                self._fail_as_not_started(run.ref)
            raise problems.IMPORT_NOT_STARTED() from error
        return run

    def _unless_forgotten(self, run: Run) -> Run:
        """The run; one that is still queued though nobody will ever begin it ends as failed.

        Whoever was to start it died, or its job was changed or deleted before the next tick could try again.
        """
        queued_for = self.clock() - datetime.fromisoformat(run.created_at)
        if run.status is not RunStatus.QUEUED or queued_for < NOT_STARTED_AFTER:
            return run
        if self.machine.is_running(self.machine.execution(run.ref.run_id)):
            return run
        self._fail_as_not_started(run.ref)
        return self.stores.runs.get(run.ref)

    def _fail_as_not_started(self, ref: RunRef) -> None:
        problem = {"code": "not_started", "detail": "The import could not be started. Start it again."}
        self.stores.runs.end(ref, self.clock(), {"status": RunStatus.FAILED.value, "problem": problem})

    def list_runs(self, client_id: str, job_id: str, query: PageQuery) -> RunPage:
        """Runs of a job, newest first. Raises NotFound."""
        self.jobs.get(client_id, job_id)
        page = self.stores.runs.page(client_id, job_id, query.limit, query.next)
        actors = self.actors.find(client_id, (run.started_by for run in page.items))
        views = [run_view(self._unless_forgotten(run), actors[run.started_by]) for run in page.items]
        return RunPage(items=views, next=page.next)

    def get(self, ref: RunRef, units_cursor: str | None = None) -> RunView:
        """A run with its units, a hundred at a time. Raises NotFound."""
        run = self._unless_forgotten(self.stores.runs.get(ref))
        page = self.stores.units.page(ref, UNITS_PER_PAGE, units_cursor)
        return self._view(run, UnitPage(items=[UnitView.of(unit) for unit in page.items], next=page.next))

    def cancel(self, ref: RunRef) -> RunView:
        """Ask a run to stop; its workers do within one batch. Raises NotFound, Conflict (`run_ended`)."""
        run = self.stores.runs.get(ref)
        if run.status.has_ended:
            raise problems.RUN_ENDED()
        describe_act(connection_id=run.connection_id)
        return self._view(self.stores.runs.update(ref, cancel_requested=True))

    def list_log_lines(self, ref: RunRef, query: PageQuery) -> LogPage:
        """The lines of a run's log, oldest first. Raises NotFound."""
        self.stores.runs.get(ref)
        page = self.stores.log.page(ref, query.limit, query.next)
        return LogPage(items=[LogLineView.of(line) for line in page.items], next=page.next)

    def _view(self, run: Run, units: UnitPage | None = None) -> RunView:
        actors = self.actors.find(run.ref.client_id, [run.started_by])
        return run_view(run, actors[run.started_by], units)


def run_view(run: Run, started_by: ActorView, units: UnitPage | None = None) -> RunView:
    """A run for its users."""
    progress = RunProgress(
        rows_read=run.rows_read, size_bytes=run.bytes_read, part_count=run.parts, parts_done=run.parts_done
    )
    return RunView(
        id=run.ref.run_id,
        job_id=run.ref.job_id,
        connection_id=run.connection_id,
        trigger=run.trigger,
        status=run.status,
        started_by=started_by,
        due_at=run.due_at,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        cancel_requested=run.cancel_requested,
        blocked_by_run_id=run.blocked_by,
        problem=run.problem,
        from_date=date.fromisoformat(run.from_date) if run.from_date else None,
        to_date=date.fromisoformat(run.end_date) - timedelta(days=1) if run.end_date else None,
        progress=progress,
        totals=RunTotals.model_validate(run.totals) if run.totals else None,
        cost=cost_of(run),
        units=units,
    )
