"""The plan of a run: which companies and datasets, who else is writing there, what there is to read.

A company that is gone, closed or not permitted fails alone; the others go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from erphub.connections.health import LOGIN_DOUBTED
from erphub.erp.datasets import BY_ID, DATASETS, complete, widest
from erphub.erp.reading import DateRange, ReadsDatasets
from erphub.imports import problems
from erphub.imports.jobs.models import Choice, Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import date_range
from erphub.imports.runs import packages
from erphub.imports.runs.carry_over import CarryOverFinder, about_instant, period_text
from erphub.imports.runs.histories import Histories
from erphub.imports.runs.late_changes import LateChangeFinder, LateChanges
from erphub.imports.runs.models import Part, Run, RunRef, RunTrigger, Unit, UnitStatus
from erphub.imports.runs.ports import RunStores, Source, Sources, TaskResult
from erphub.imports.runs.units import LogWriter, company_of, date_ranges_of, fail, planned_rows, problem_of
from erphub.lake.ports import Lake
from erphub.platform.clock import Clock
from erphub.platform.errors import (
    CredentialsDoubted,
    CredentialsRefused,
    ErpRefused,
    HubError,
    NotFound,
    ServiceBusy,
    Stopped,
    Unavailable,
)
from erphub.platform.outbound import deadlines
from erphub.platform.problem_types import Reason
from erphub.platform.tasks import Checkpoint, TimeLeft, no_checkpoint

PART_ROWS = 250_000
MAX_READ_PLAN_ATTEMPTS = 3
"""The machine calls five times in all: three passes in which a company may be away, and two in which the ERP may."""
MAX_CONSECUTIVE_FAILURES = 5
"""When so many in a row cannot be looked at, and none of them ever could, the ERP itself is away: the others wait."""
DEAD_AFTER = timedelta(minutes=20)
"""A run that has shown no sign of life for so long is dead: no worker lives longer than 15 minutes."""
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 15, 300
MAX_WAIT_FOR_LOGIN = timedelta(hours=1)
"""How old a run may be that still waits for the second try of a login that was refused once."""
MIN_SECONDS_FOR_STEP = 60.0
PLAN_SECONDS = 180.0
"""The longest that planning one dataset of one company may take; it is tried `MAX_READ_PLAN_ATTEMPTS` times."""
LIST_SECONDS = 60.0
"""The longest that listing a connection's companies may take."""
"""What must be left to begin another step."""

_NOT_USED = {
    "paused": problems.SOURCE_PAUSED,
    "deleting": problems.SOURCE_DELETING,
    "deleted": problems.SOURCE_DELETED,
}
"""Why nothing is read of a connection, by its status."""


@dataclass(frozen=True)
class RunPlanner:
    """Plans runs."""

    jobs: JobStore
    stores: RunStores
    sources: Sources
    lake: Lake
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint
    part_rows: int = PART_ROWS

    def _log(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        LogWriter(self.stores.log, self.clock).write(ref, level, code, text, unit)

    def plan(self, ref: RunRef, time_left: TimeLeft) -> TaskResult:
        """Find out what is to be done.

        `outcome`: `ready` with packages, `wait` with for how many `seconds` (and, when the ERP refused the login in a
        way that may pass, `refused`), `more` (call again), or `done`.
        """
        run = self.stores.runs.get(ref)
        if run.status.has_ended or run.cancel_requested:
            return {"outcome": "done"}
        # Of a connection's jobs that are due at once one signs in first, so that not all try a login that is refused.
        needs_slot = run.trigger is RunTrigger.SCHEDULE and run.parts is None
        refused = False
        try:
            if needs_slot and not self._may_sign_in(run):
                return self._wait(run)
            return self._plan(run, time_left)
        except Stopped:
            return {"outcome": "done"}
        except ServiceBusy:
            raise
        except Unavailable as error:
            self._record_problem(run, error)
            if error.code == LOGIN_DOUBTED and self._may_wait_for_login(run):
                return self._wait(run)
            raise
        except HubError as error:
            refused = isinstance(error, CredentialsRefused)
            if isinstance(error, CredentialsDoubted) and self._may_wait_for_login(run):
                self._log(ref, "warning", error.code, f"{error.detail} It is tried once more.")
                return self._wait(run) | {"refused": problem_of(error)}
            self._log(ref, "error", error.code, error.detail)
            self.stores.runs.update(ref, problem=problem_of(error))
            return {"outcome": "done"}
        finally:
            # After a refusal the slot runs out by itself, when everybody has had time to learn of it.
            if needs_slot and not refused:
                self.stores.leases.release_sign_in_slot(ref, run.connection_id, self.clock())

    def _record_problem(self, run: Run, error: Unavailable) -> None:
        problem = problem_of(error)
        if run.last_problem != problem:
            self._log(run.ref, "warning", error.code, f"{error.detail} Trying again.")
            self.stores.runs.update(run.ref, last_problem=problem)

    def _may_wait_for_login(self, run: Run) -> bool:
        return self.clock() - datetime.fromisoformat(run.created_at) < MAX_WAIT_FOR_LOGIN

    def _may_sign_in(self, run: Run) -> bool:
        """Whether the run may go on: it is the one that signs in now, or nobody signs in any more."""
        if self.stores.leases.acquire_sign_in_slot(run.ref, run.connection_id, self.clock()):
            return True
        return self.sources.get(run.ref.client_id, run.connection_id).status == "reauth_required"

    def _plan(self, run: Run, time_left: TimeLeft) -> TaskResult:
        if run.parts is not None:
            return self._ready(run.ref)
        job = self.jobs.get(run.ref.client_id, run.ref.job_id)
        run = self.stores.runs.mark_running(run.ref, self.clock())
        source = self._source(run, job)
        if not run.units_planned:
            run = self._plan_units(run, job, source)
        units = list(self.stores.units.of_run(run.ref))
        if not units:
            raise problems.NOTHING_TO_IMPORT()
        if blocker := self._acquire_leases(run, units):
            return self._blocked(run, blocker)
        run = self.stores.runs.assign_publication_token(run.ref, self.clock())
        if not self._plan_reading(run, source, units, time_left):
            return {"outcome": "more"}
        self._prepare_lake(run.ref, units)
        parts = max(unit.end_part for unit in units)
        self.stores.runs.update(run.ref, parts=parts, blocked_by=None, last_problem=None)
        planned = planned_rows(units)
        rows = "as many rows as they have" if planned is None else f"{planned} rows"
        self._log(
            run.ref, "info", problems.PLANNED.code, problems.PLANNED.render(units=len(units), rows=rows, parts=parts)
        )
        self.checkpoint("plan.done")
        return self._ready(run.ref)

    def _source(self, run: Run, job: Job) -> Source:
        source = self.sources.get(run.ref.client_id, job.connection_id)
        if source.status in _NOT_USED:
            raise _NOT_USED[source.status](name=source.name)
        if source.status == "reauth_required" and run.trigger is RunTrigger.SCHEDULE:
            raise problems.REAUTH_REQUIRED()
        return source

    def _plan_units(self, run: Run, job: Job, source: Source) -> Run:
        own = date_range(job, self.clock(), about_instant(run))
        histories = Histories.of(self.jobs, job, self.clock())
        carry_over = CarryOverFinder(self.stores.runs, self.stores.units).find(run, job, histories.others)
        chosen = self._of_connection(run, problems.DATASETS_LEFT_OUT, job.dataset_ids, source.datasets)
        datasets = [dataset.id for dataset in DATASETS if dataset.id in chosen]
        with deadlines.at_most(LIST_SECONDS):
            companies = {company.key: company for company in self.sources.companies(source)}
        wanted = self._of_connection(run, problems.COMPANIES_LEFT_OUT, job.company_keys, list(companies))
        units: list[Unit] = []
        for dataset in datasets:
            for key in wanted:
                company = companies[key]
                unit = Unit(len(units), dataset, source.connection_id, key, company.name, dict(company.attributes))
                first = carry_over.from_date(unit, own.first)
                if carry_over.reads_history(unit):
                    earliest = histories.first_day(unit, first)
                    unit.reads_history, first = earliest != first, earliest
                unit.from_date = first.isoformat() if first else None
                if company.problem:
                    fail(unit, problems.COMPANY_NOT_READABLE.record(name=company.name, problem=company.problem))
                units.append(unit)
        self.stores.units.add(run.ref, units)
        self.checkpoint("plan.units")
        return self._with_dates(run, job, own, units)

    def _of_connection(self, run: Run, reason: Reason, named: Choice, there: Sequence[str]) -> list[str]:
        """What a job names, as far as the connection has it: what was taken out of that is left out, and told."""
        if named == "all":
            return list(there)
        if gone := sorted(set(named) - set(there)):
            text = reason.render(names=", ".join(gone))
            self._log(run.ref, "warning", reason.code, text)
        return [one for one in dict.fromkeys(named) if one in there]

    def _with_dates(self, run: Run, job: Job, own: DateRange, units: Sequence[Unit]) -> Run:
        """The run with the days it is about: those of all units together that it can read."""
        new = list(dict.fromkeys(unit.company_name for unit in units if unit.reads_history and not unit.has_ended))
        if new:
            names = f"{', '.join(new[:10])}{' …' if len(new) > 10 else ''}"
            text = problems.HISTORY_READ.render(names=names)
            self._log(run.ref, "info", problems.HISTORY_READ.code, text)
        alive = [unit for unit in units if not unit.has_ended]
        firsts = [unit.from_date for unit in alive if unit.from_date and not unit.reads_history]
        first = min(firsts) if firsts else own.first and own.first.isoformat()
        if own.first and first and first < own.first.isoformat():
            text = problems.REACHES_BACK.render(from_date=first, own_date=own.first)
            self._log(run.ref, "info", problems.REACHES_BACK.code, text)
        end = own.end.isoformat() if own.end else None
        return self.stores.runs.update(
            run.ref, units_planned=True, period=period_text(job), from_date=first, end_date=end
        )

    def _acquire_leases(self, run: Run, units: Sequence[Unit]) -> RunRef | None:
        """Take every unit's lease, or none: then whose run is in the way."""
        leases, now, acquired = self.stores.leases, self.clock(), list[Unit]()
        for unit in (unit for unit in units if not unit.has_ended):
            holder = leases.acquire(run.ref, unit, now)
            if holder and self._is_dead(holder):
                holder = leases.acquire(run.ref, unit, now, in_place_of=holder)
            if holder:
                for mine in acquired:
                    leases.release(run.ref, mine, now)
                return holder
            acquired.append(unit)
        self.checkpoint("plan.leases")
        return None

    def _is_dead(self, ref: RunRef) -> bool:
        try:
            run = self.stores.runs.get(ref)
        except NotFound:
            return True
        last_seen = datetime.fromisoformat(run.active_at or run.created_at)
        return run.status.has_ended or self.clock() - last_seen > DEAD_AFTER

    def _blocked(self, run: Run, blocker: RunRef) -> TaskResult:
        if run.trigger is RunTrigger.SCHEDULE:
            problem = problems.OVERLAPPING_RUN.record(run_id=blocker.run_id)
            self._log(run.ref, "warning", problem["code"], problem["detail"])
            self.stores.runs.update(run.ref, blocked_by=blocker.run_id, problem=problem | {"run_id": blocker.run_id})
            return {"outcome": "done"}
        if run.blocked_by != blocker.run_id:
            self._log(run.ref, "info", problems.WAITING.code, problems.WAITING.render(run_id=blocker.run_id))
            self.stores.runs.update(run.ref, blocked_by=blocker.run_id)
        return self._wait(run)

    def _wait(self, run: Run) -> TaskResult:
        waited = self.clock() - datetime.fromisoformat(run.created_at)
        return {"outcome": "wait", "seconds": wait_seconds(int(waited.total_seconds()))}

    def _plan_reading(self, run: Run, source: Source, units: Sequence[Unit], time_left: TimeLeft) -> bool:
        """Plan the units that have no plan yet, those that had a problem last; False when time ran out.

        Raises Stopped; Unavailable when the others are done, or when the ERP itself seems to be away: then try again.
        """
        waiting = [unit for unit in units if not unit.has_ended and not unit.types]
        if not waiting:
            return True
        last_error: Unavailable | None = None
        in_a_row = 0
        with self.sources.open(source) as system:
            for unit in sorted(waiting, key=lambda unit: (unit.attempts, unit.number)):
                if time_left() < PLAN_SECONDS:
                    return False
                next_part = max(other.end_part for other in units)
                error = self._plan_unit_or_record(run, system, unit, next_part)
                in_a_row = in_a_row + 1 if error and unit.attempts == 1 else 0
                if error and in_a_row == MAX_CONSECUTIVE_FAILURES:
                    raise error
                last_error = error or last_error
        if last_error:
            raise last_error
        return True

    def _plan_unit_or_record(self, run: Run, system: ReadsDatasets, unit: Unit, next_part: int) -> Unavailable | None:
        """Plan a unit, or record why not; returns what is worth another attempt. Raises CredentialsRefused, Stopped."""
        repeatable: Unavailable | None = None
        try:
            with deadlines.at_most(PLAN_SECONDS):
                self._plan_unit(run, system, unit, next_part)
            unit.last_problem = None
        except CredentialsRefused:
            raise
        except ErpRefused as error:
            self._fail(run.ref, unit, error)
        except ServiceBusy:
            raise
        except Unavailable as error:
            unit.last_problem = problem_of(error) | {"attempts": unit.attempts + 1}
            if error.code == "company_unavailable" or unit.attempts == MAX_READ_PLAN_ATTEMPTS:
                self._fail(run.ref, unit, error)
            else:
                self._log(run.ref, "warning", error.code, f"{error.detail} Trying again.", unit)
                repeatable = error
        self.stores.units.save(run.ref, unit)
        self.checkpoint("plan.unit_planned")
        now = self.stores.runs.add_progress(run.ref, self.clock())
        if now.cancel_requested or now.status.has_ended:
            raise problems.RUN_CANCELLED()
        return repeatable

    def _fail(self, ref: RunRef, unit: Unit, error: HubError) -> None:
        fail(unit, {"code": error.code, "detail": error.detail})
        self._log(ref, "error", error.code, error.detail, unit)

    def _plan_unit(self, run: Run, system: ReadsDatasets, unit: Unit, next_part: int) -> None:
        dataset, company = BY_ID[unit.dataset], company_of(unit)
        late = self._late_changes(run, system, unit)
        unit.late_ranges, unit.up_to_date = late.as_text(), late.up_to_date
        plans = [system.plan_reading(dataset, company, each, self.part_rows) for each in date_ranges_of(run, unit)]
        slices = [part for each in plans for part in each.slices]
        parts = [Part(next_part + n, unit.number, dict(part.where), part.rows) for n, part in enumerate(slices)]
        self.stores.parts.add(run.ref, parts)
        self.checkpoint("plan.parts")
        found = plans[0]
        unit.types, unit.missing = dict(found.types), list(found.missing)
        counts = [each.rows for each in plans]
        unit.rows_planned = None if None in counts else sum(count or 0 for count in counts)
        unit.first_part, unit.end_part = next_part, next_part + len(parts)
        if found.missing:
            text = problems.COLUMNS_MISSING.render(columns=", ".join(found.missing))
            self._log(run.ref, "warning", problems.COLUMNS_MISSING.code, text, unit)

    def _late_changes(self, run: Run, system: ReadsDatasets, unit: Unit) -> LateChanges:
        """What is to be read beside the unit's own days; nothing at the last attempt: it must not be lost over it."""
        if unit.attempts + 1 == MAX_READ_PLAN_ATTEMPTS:
            why = str((unit.last_problem or {}).get("detail", ""))
            text = problems.LATE_CHANGES_NOT_LOOKED_FOR.render(reason=why)
            self._log(run.ref, "warning", problems.LATE_CHANGES_NOT_LOOKED_FOR.code, text, unit)
            return LateChanges()
        late = LateChangeFinder(self.lake.published, run, unit).find(system)
        if late.reason:
            self._log(run.ref, "info", problems.LATE_CHANGES_FOUND.code, late.reason, unit)
        return late

    def _prepare_lake(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """Make the tables as wide as the widest company needs; one that fits no decimal with the others fails alone."""
        for dataset_id, of_dataset in groupby(units, lambda unit: unit.dataset):
            dataset = BY_ID[dataset_id]
            alive = [unit for unit in of_dataset if not unit.has_ended]
            if not alive:
                continue
            types = dict(self.lake.writer.types(ref.client_id, dataset))
            for unit in alive:
                known = {name: kind for name, kind in (unit.types or {}).items() if name not in unit.missing}
                try:
                    types = widest(types, known)
                except ErpRefused as error:
                    self.stores.units.fail(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))
                    self._log(ref, "error", error.code, error.detail, unit)
            types = self.lake.writer.prepare(ref.client_id, dataset, complete(dataset, types))
            self.lake.types.save(ref.client_id, dataset.id, types)
            self.checkpoint("plan.lake")

    def _ready(self, ref: RunRef) -> TaskResult:
        """Ranges of parts, few enough to be handed to the machine, each of them work for some seconds."""
        units = [unit for unit in self.stores.units.of_run(ref) if unit.end_part > unit.first_part]
        sizes = [rows for unit in sorted(units, key=lambda unit: unit.first_part) for rows in _rows_per_part(unit)]
        ranges = [ref.as_json() | {"from": at, "to": end} for at, end in packages.of_parts(sizes, self.part_rows)]
        return {"outcome": "ready", "packages": ranges}


def wait_seconds(waited_seconds: int) -> int:
    """For how many seconds a run waits before it asks again: longer, the longer it has waited already.

    An execution may have 25,000 events and a turn is nine of them: in even steps of 15 seconds they end after 12 hours.
    """
    return min(max(MIN_WAIT_SECONDS, waited_seconds // 8), MAX_WAIT_SECONDS)


def _rows_per_part(unit: Unit) -> list[int]:
    """The rows of a unit's parts, as if they were equal."""
    parts = unit.end_part - unit.first_part
    return [(unit.rows_planned or 0) // parts] * parts
