"""The plan of a run: which companies and datasets, who else is writing there, what there is to read.

A company that is gone, closed or not permitted fails alone; the others go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from erphub.erp.datasets import BY_ID, DATASETS, complete, widest
from erphub.erp.reading import DateRange, ReadsDatasets
from erphub.erp.system import FoundCompany
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import window
from erphub.imports.runs import packages
from erphub.imports.runs.carry_over import CarryOver, asked_at, period_of
from erphub.imports.runs.late_changes import LateChanges, Older
from erphub.imports.runs.models import Part, Run, RunRef, Trigger, Unit, UnitStatus
from erphub.imports.runs.ports import Outcome, RunStore, Source, Sources, TimeLeft
from erphub.imports.runs.service import problem_of
from erphub.imports.runs.units import RunLog, company_of, fail, planned_rows, windows_of
from erphub.lake.ports import Checkpoint, Lake, no_checkpoint
from erphub.platform.clock import Clock
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, NotFound, ServiceBusy, Stopped, Unavailable

PART_ROWS = 250_000
SURVEY_TRIES = 3
"""The machine calls five times in all: three passes in which a company may be away, and two in which the ERP may."""
AWAY = 5
"""When so many in a row cannot be looked at, and none of them ever could, the ERP itself is away: the others wait."""
SILENCE = timedelta(minutes=20)
"""A run that has shown no sign of life for so long is dead: no worker lives longer than 15 minutes."""
SHORTEST_WAIT, LONGEST_WAIT = 15, 300
ENOUGH_TIME = 60.0
"""Seconds that must be left to begin another step."""


@dataclass(frozen=True)
class RunPlanner:
    """Plans runs."""

    jobs: JobStore
    runs: RunStore
    sources: Sources
    lake: Lake
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint
    part_rows: int = PART_ROWS

    def _log(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        RunLog(self.runs, self.clock)(ref, level, code, text, unit)

    def plan(self, ref: RunRef, time_left: TimeLeft) -> Outcome:
        """Find out what is to be done.

        `outcome`: `ready` with packages, `wait` with for how many `seconds`, `more` (call again), or `done`.
        """
        run = self.runs.get(ref)
        if run.status.ended or run.cancel_requested:
            return {"outcome": "done"}
        # Of a connection's jobs that are due at once one signs in first, so that not all try a login that is refused.
        in_turn = run.trigger is Trigger.SCHEDULE and run.parts is None
        refused = False
        try:
            if in_turn and not self._has_turn(run):
                return self._wait(run)
            return self._plan(run, time_left)
        except Stopped:
            return {"outcome": "done"}
        except ServiceBusy:
            raise
        except Unavailable as error:
            self._note_trouble(run, error)
            raise
        except HubError as error:
            refused = isinstance(error, CredentialsRefused)
            self._log(ref, "error", error.code, error.detail)
            self.runs.change(ref, problem=problem_of(error))
            return {"outcome": "done"}
        finally:
            # After a refusal the turn runs out by itself, when everybody has had time to learn of it.
            if in_turn and not refused:
                self.runs.free_turn(ref, run.connection_id)

    def _note_trouble(self, run: Run, error: Unavailable) -> None:
        trouble = problem_of(error)
        if run.trouble != trouble:
            self._log(run.ref, "warning", error.code, f"{error.detail} Trying again.")
            self.runs.change(run.ref, trouble=trouble)

    def _has_turn(self, run: Run) -> bool:
        """Whether the run may go on: it is the one that signs in now, or nobody signs in any more."""
        if self.runs.take_turn(run.ref, run.connection_id, self.clock()):
            return True
        return self.sources.get(run.ref.client_id, run.connection_id).status == "reauth_required"

    def _plan(self, run: Run, time_left: TimeLeft) -> Outcome:
        if run.parts is not None:
            return self._ready(run.ref)
        job = self.jobs.get(run.ref.client_id, run.ref.job_id)
        run = self.runs.start_work(run.ref, self.clock())
        source = self._source(run, job)
        if not run.units_planned:
            run = self._plan_units(run, job, source)
        units = list(self.runs.units(run.ref))
        if not units:
            raise ErpRefused(
                "There is nothing to import: no company and dataset fits the job.", code="nothing_to_import"
            )
        if blocker := self._take_leases(run, units):
            return self._blocked(run, blocker)
        run = self.runs.take_token(run.ref, self.clock())
        if not self._survey(run, source, units, time_left):
            return {"outcome": "more"}
        self._prepare_lake(run.ref, units)
        parts = max(unit.end_part for unit in units)
        self.runs.change(run.ref, parts=parts, blocked_by=None, trouble=None)
        planned = planned_rows(units)
        rows = "as many rows as they have" if planned is None else f"{planned} rows"
        self._log(run.ref, "info", "planned", f"{len(units)} datasets of companies with {rows}, in {parts} parts.")
        self.checkpoint("plan.done")
        return self._ready(run.ref)

    def _source(self, run: Run, job: Job) -> Source:
        source = self.sources.get(run.ref.client_id, job.connection_id)
        if source.status in {"paused", "deleting", "deleted"}:
            raise ErpRefused(f"The connection {source.name} is {source.status}.", code=f"connection_{source.status}")
        if source.status == "reauth_required" and run.trigger is Trigger.SCHEDULE:
            raise CredentialsRefused(
                "The ERP no longer accepts the connection's login. Connect again.", code="reauth_required"
            )
        return source

    def _plan_units(self, run: Run, job: Job, source: Source) -> Run:
        own = window(job, self.clock(), asked_at(run))
        backlog = CarryOver(self.runs)(run, job)
        chosen = source.datasets if job.datasets == "all" else job.datasets
        datasets = [dataset.id for dataset in DATASETS if dataset.id in chosen]
        companies = {company.key: company for company in self.sources.companies(source)}
        wanted = list(companies) if job.companies == "all" else list(dict.fromkeys(job.companies))
        units: list[Unit] = []
        for dataset in datasets:
            for key in wanted:
                company = companies.get(key, FoundCompany(key, key, "It is not in the ERP, or not in this connection."))
                unit = Unit(len(units), dataset, source.connection_id, key, company.name, dict(company.facts))
                first = backlog.first_day(unit, own.first)
                unit.first_day = first.isoformat() if first else None
                if dataset not in source.datasets:
                    fail(unit, "dataset_not_offered", f"The connection {source.name} has no {dataset}.")
                elif company.problem:
                    fail(unit, "company_gone", f"The company {company.name} cannot be read: {company.problem}")
                units.append(unit)
        self.runs.add_units(run.ref, units)
        self.checkpoint("plan.units")
        return self._with_days(run, job, own, units)

    def _with_days(self, run: Run, job: Job, own: DateRange, units: Sequence[Unit]) -> Run:
        """The run with the days it is about: those of all units together that it can read."""
        firsts = [unit.first_day for unit in units if unit.first_day and not unit.ended]
        first = min(firsts) if firsts else own.first and own.first.isoformat()
        if own.first and first and first < own.first.isoformat():
            text = f"It reads from {first} on instead of {own.first}: the run before left something unread."
            self._log(run.ref, "info", "reaches_back", text)
        end = own.end.isoformat() if own.end else None
        return self.runs.change(run.ref, units_planned=True, period=period_of(job), first_day=first, end_day=end)

    def _take_leases(self, run: Run, units: Sequence[Unit]) -> RunRef | None:
        """Take every unit's lease, or none: then whose run is in the way."""
        taken: list[Unit] = []
        for unit in (unit for unit in units if not unit.ended):
            holder = self.runs.take_lease(run.ref, unit)
            if holder and self._is_dead(holder) and self.runs.take_over_lease(run.ref, unit, holder):
                holder = None
            if holder:
                for mine in taken:
                    self.runs.free_lease(run.ref, mine)
                return holder
            taken.append(unit)
        self.checkpoint("plan.leases")
        return None

    def _is_dead(self, ref: RunRef) -> bool:
        try:
            run = self.runs.get(ref)
        except NotFound:
            return True
        seen = datetime.fromisoformat(run.active_at or run.created_at)
        return run.status.ended or self.clock() - seen > SILENCE

    def _blocked(self, run: Run, blocker: RunRef) -> Outcome:
        detail = f"Run {blocker.run_id} is still importing some of the same data."
        if run.trigger is Trigger.SCHEDULE:
            problem = {"code": "overlapping_run", "detail": detail + " This one was skipped.", "run_id": blocker.run_id}
            self._log(run.ref, "warning", "overlapping_run", problem["detail"])
            self.runs.change(run.ref, blocked_by=blocker.run_id, problem=problem)
            return {"outcome": "done"}
        if run.blocked_by != blocker.run_id:
            self._log(run.ref, "info", "waiting", detail + " This one waits.")
            self.runs.change(run.ref, blocked_by=blocker.run_id)
        return self._wait(run)

    def _wait(self, run: Run) -> Outcome:
        waited = self.clock() - datetime.fromisoformat(run.created_at)
        return {"outcome": "wait", "seconds": patience(int(waited.total_seconds()))}

    def _survey(self, run: Run, source: Source, units: Sequence[Unit], time_left: TimeLeft) -> bool:
        """Survey the units that have not been, those that gave trouble last; False when time ran out.

        Raises Stopped; Unavailable when the others are done, or when the ERP itself seems to be away: then try again.
        """
        waiting = [unit for unit in units if not unit.ended and not unit.types]
        if not waiting:
            return True
        trouble: Unavailable | None = None
        in_a_row = 0
        with self.sources.open(source) as system:
            for unit in sorted(waiting, key=lambda unit: (unit.tries, unit.number)):
                if time_left() < ENOUGH_TIME:
                    return False
                next_part = max(other.end_part for other in units)
                error = self._survey_or_note(run, system, unit, next_part)
                in_a_row = in_a_row + 1 if error and unit.tries == 1 else 0
                if error and in_a_row == AWAY:
                    raise error
                trouble = error or trouble
        if trouble:
            raise trouble
        return True

    def _survey_or_note(self, run: Run, system: ReadsDatasets, unit: Unit, next_part: int) -> Unavailable | None:
        """Survey a unit, or note why not; gives back what is worth another try. Raises CredentialsRefused, Stopped."""
        again: Unavailable | None = None
        try:
            self._survey_unit(run, system, unit, next_part)
            unit.trouble = None
        except CredentialsRefused:
            raise
        except ErpRefused as error:
            self._fail(run.ref, unit, error)
        except ServiceBusy:
            raise
        except Unavailable as error:
            unit.trouble = problem_of(error) | {"tries": unit.tries + 1}
            if error.code == "company_unavailable" or unit.tries == SURVEY_TRIES:
                self._fail(run.ref, unit, error)
            else:
                self._log(run.ref, "warning", error.code, f"{error.detail} Trying again.", unit)
                again = error
        self.runs.save_unit(run.ref, unit)
        self.checkpoint("plan.surveyed")
        now = self.runs.progress(run.ref, self.clock(), 0, 0)
        if now.cancel_requested or now.status.ended:
            raise Stopped("The run was cancelled.")
        return again

    def _fail(self, ref: RunRef, unit: Unit, error: HubError) -> None:
        fail(unit, error.code, error.detail)
        self._log(ref, "error", error.code, error.detail, unit)

    def _survey_unit(self, run: Run, system: ReadsDatasets, unit: Unit, next_part: int) -> None:
        dataset, company = BY_ID[unit.dataset], company_of(unit)
        older = self._older(run, system, unit)
        unit.older, unit.up_to_date = older.as_text(), older.up_to_date
        surveys = [system.plan_reading(dataset, company, each, self.part_rows) for each in windows_of(run, unit)]
        slices = [part for each in surveys for part in each.slices]
        parts = [Part(next_part + n, unit.number, dict(part.where), part.rows) for n, part in enumerate(slices)]
        self.runs.add_parts(run.ref, parts)
        self.checkpoint("plan.parts")
        found = surveys[0]
        unit.types, unit.missing = dict(found.types), list(found.missing)
        counts = [each.rows for each in surveys]
        unit.planned = None if None in counts else sum(count or 0 for count in counts)
        unit.first_part, unit.end_part = next_part, next_part + len(parts)
        if found.missing:
            text = f"This installation has no column for {', '.join(found.missing)}; they are empty."
            self._log(run.ref, "warning", "columns_missing", text, unit)

    def _older(self, run: Run, system: ReadsDatasets, unit: Unit) -> Older:
        """What is to be read beside the window; nothing at the last try: looking for it must not cost the window."""
        if unit.tries + 1 == SURVEY_TRIES:
            why = str((unit.trouble or {}).get("detail", ""))
            text = f"Older days are not looked at this time, only the days of the period: {why}"
            self._log(run.ref, "warning", "older_days_not_looked_at", text, unit)
            return Older()
        older = LateChanges(self.lake, run, unit).in_need(system)
        if older.reason:
            self._log(run.ref, "info", "older_days_changed", older.reason, unit)
        return older

    def _prepare_lake(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """Make the tables as wide as the widest company needs; one that fits no decimal with the others fails alone."""
        for dataset_id, of_dataset in groupby(units, lambda unit: unit.dataset):
            dataset = BY_ID[dataset_id]
            alive = [unit for unit in of_dataset if not unit.ended]
            if not alive:
                continue
            types = dict(self.lake.types(ref.client_id, dataset))
            for unit in alive:
                known = {name: kind for name, kind in (unit.types or {}).items() if name not in unit.missing}
                try:
                    types = widest(types, known)
                except ErpRefused as error:
                    self.runs.fail_unit(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))
                    self._log(ref, "error", error.code, error.detail, unit)
            types = self.lake.prepare(ref.client_id, dataset, complete(dataset, types))
            self.runs.remember_types(ref.client_id, dataset.id, types)
            self.checkpoint("plan.lake")

    def _ready(self, ref: RunRef) -> Outcome:
        """Ranges of parts, few enough to be handed to the machine, each of them work for some seconds."""
        units = [unit for unit in self.runs.units(ref) if unit.end_part > unit.first_part]
        sizes = [rows for unit in sorted(units, key=lambda unit: unit.first_part) for rows in _spread(unit)]
        ranges = [ref.as_json() | {"from": at, "to": end} for at, end in packages.of_parts(sizes, self.part_rows)]
        return {"outcome": "ready", "packages": ranges}


def patience(waited: int) -> int:
    """For how many seconds a run waits before it asks again: longer, the longer it has waited already.

    An execution may have 25,000 events and a turn is nine of them: in even steps of 15 seconds they end after 12 hours.
    """
    return min(max(SHORTEST_WAIT, waited // 8), LONGEST_WAIT)


def _spread(unit: Unit) -> list[int]:
    """The rows of a unit's parts, as if they were equal."""
    parts = unit.end_part - unit.first_part
    return [(unit.planned or 0) // parts] * parts
