"""One run, from the plan to what readers see: plan, read, publish, finish.

    plan      which companies and datasets, who else is writing there, what there is to read
    read      each part from the ERP to storage, put aside; rows and sums compared with the source's
    publish   each company and dataset in one step, once all that was put aside agrees
    finish    what came of it; leases freed, leftovers removed

Every step may be repeated, by one worker or by two, after dying anywhere: what is done is found done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from . import reconcile
from .errors import CredentialsRefused, ErpRefused, HubError, NotFound, Stopped, Unavailable
from .ids import new_id
from .models.dataset import BY_ID, DATASETS, Publishing
from .models.job import Job
from .models.run import LogLine, Part, Run, RunRef, Status, Trigger, Unit, UnitStatus
from .models.types import complete, widest
from .models.wire import instant
from .ports.erp import FoundCompany, HasDatasets, Slice, Survey, Window
from .ports.imports import Checkpoint, Jobs, Lake, Published, Runs, Source, Sources, Target, no_checkpoint
from .ports.world import Clock
from .runs import problem_of
from .schedule import window

PART_ROWS = 500_000
PACKAGE_PARTS, MOST_PACKAGES = 32, 400
TROUBLES = 2
"""When so many companies' data cannot be read now, the ERP itself is away: the others need not be tried."""
UNITS_TOGETHER = 25
SILENCE = timedelta(minutes=20)
"""A run that has shown no sign of life for so long is dead: no worker lives longer than 15 minutes."""
ENOUGH_TIME = 60.0
READ_TIME = 240.0
"""Seconds that must be left to begin another step, or another part."""

type TimeLeft = Callable[[], float]
type Outcome = dict[str, Any]


class NotReconciled(ErpRefused):
    """What arrived is not what the source said it would send."""

    code = "reconciliation_failed"


@dataclass
class _Shift:
    """What a worker remembers while it reads a package."""

    ref: RunRef
    units: dict[int, Unit]
    types: dict[str, Mapping[str, str]]
    trouble: dict[int, Unavailable]


@dataclass(frozen=True)
class Importing:
    """The tasks of the import machine."""

    jobs: Jobs
    runs: Runs
    sources: Sources
    lake: Lake
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint
    part_rows: int = PART_ROWS

    # --- plan --------------------------------------------------------------------------------------------------------

    def plan(self, ref: RunRef, time_left: TimeLeft) -> Outcome:
        """Find out what is to be done. `outcome`: `ready` with packages, `wait`, `more` (call again), or `done`."""
        run = self.runs.get(ref)
        if run.status.ended or run.cancel_requested:
            return {"outcome": "done"}
        try:
            return self._plan(run, time_left)
        except Unavailable:
            raise
        except HubError as error:
            self._log(ref, "error", error.code, error.detail)
            self.runs.change(ref, problem=problem_of(error))
            return {"outcome": "done"}

    def _plan(self, run: Run, time_left: TimeLeft) -> Outcome:
        if run.parts is not None:
            return self._ready(run.ref, run.parts)
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
        if not self._survey(run, source, units, time_left):
            return {"outcome": "more"}
        self._prepare_lake(run.ref, units)
        parts = max(unit.end_part for unit in units)
        self.runs.change(run.ref, parts=parts, blocked_by=None)
        planned = sum(unit.planned for unit in units)
        self._log(
            run.ref, "info", "planned", f"{len(units)} datasets of companies with {planned} rows, in {parts} parts."
        )
        self.checkpoint("plan.done")
        return self._ready(run.ref, parts)

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
        period = window(job, self.clock())
        chosen = source.datasets if job.datasets == "all" else job.datasets
        datasets = [dataset.id for dataset in DATASETS if dataset.id in chosen]
        companies = {company.key: company for company in self.sources.companies(source)}
        wanted = list(companies) if job.companies == "all" else list(dict.fromkeys(job.companies))
        units: list[Unit] = []
        for dataset in datasets:
            for key in wanted:
                company = companies.get(key, FoundCompany(key, key, "It is not in the ERP, or not in this connection."))
                unit = Unit(len(units), dataset, source.connection_id, key, company.name, dict(company.facts))
                if dataset not in source.datasets:
                    _fail(unit, "dataset_not_offered", f"The connection {source.name} has no {dataset}.")
                elif company.problem:
                    _fail(unit, "company_gone", f"The company {company.name} cannot be read: {company.problem}")
                units.append(unit)
        self.runs.add_units(run.ref, units)
        self.checkpoint("plan.units")
        first, end = (day.isoformat() if day else None for day in (period.first, period.end))
        return self.runs.change(run.ref, units_planned=True, first_day=first, end_day=end)

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
        return {"outcome": "wait"}

    def _survey(self, run: Run, source: Source, units: Sequence[Unit], time_left: TimeLeft) -> bool:
        """Survey the units that have not been; False when time ran out."""
        if all(unit.ended or unit.types for unit in units):
            return True
        with self.sources.open(source) as system:
            for unit in units:
                if unit.ended or unit.types:
                    continue
                if time_left() < ENOUGH_TIME:
                    return False
                next_part = max(other.end_part for other in units)
                try:
                    self._survey_unit(run, system, unit, next_part)
                except CredentialsRefused:
                    raise
                except ErpRefused as error:
                    _fail(unit, error.code, error.detail)
                    self._log(run.ref, "error", error.code, error.detail, unit)
                self.runs.save_unit(run.ref, unit)
                self.checkpoint("plan.surveyed")
                self.runs.progress(run.ref, self.clock(), 0, 0)
        return True

    def _survey_unit(self, run: Run, system: HasDatasets, unit: Unit, next_part: int) -> None:
        found = system.survey(BY_ID[unit.dataset], _company(unit), _window(run, unit), self.part_rows)
        parts = [Part(next_part + n, unit.number, dict(part.where), part.rows) for n, part in enumerate(found.slices)]
        self.runs.add_parts(run.ref, parts)
        self.checkpoint("plan.parts")
        unit.types, unit.missing, unit.planned = dict(found.types), list(found.missing), found.rows
        unit.first_part, unit.end_part = next_part, next_part + len(parts)
        if found.missing:
            text = f"This installation has no column for {', '.join(found.missing)}; they are empty."
            self._log(run.ref, "warning", "columns_missing", text, unit)

    def _prepare_lake(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """Make the tables as wide as the widest company needs; one that no decimal can hold with the others fails alone."""
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
                    self._fail_unit(ref, unit, error)
            types = self.lake.prepare(ref.client_id, dataset, complete(dataset, types))
            self.runs.remember_types(ref.client_id, dataset.id, types)
            self.checkpoint("plan.lake")

    def _ready(self, ref: RunRef, parts: int) -> Outcome:
        """Ranges of parts, few enough to be handed to the machine, each of them work for some seconds."""
        units = [unit for unit in self.runs.units(ref) if unit.end_part > unit.first_part]
        sizes = [rows for unit in units for rows in _spread(unit)]
        packages = [ref.as_json() | {"from": at, "to": end} for at, end in _packages(sizes, self.part_rows, parts)]
        return {"outcome": "ready", "packages": packages}

    # --- read --------------------------------------------------------------------------------------------------------

    def read(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> Outcome:
        """Read parts that are not read yet. `outcome`: `done` or `more`.

        Raises Unavailable, after having read what can be read: then try again.
        """
        shift = _Shift(ref, {}, {}, {})
        with ExitStack() as opened:
            system: HasDatasets | None = None
            for number in range(first, end):
                part = self.runs.part(ref, number)
                unit = shift.units.get(part.unit) or self.runs.unit(ref, part.unit)
                shift.units[part.unit] = unit
                if part.done or unit.ended or unit.number in shift.trouble:
                    continue
                run = self.runs.get(ref)
                if run.cancel_requested or run.status.ended:
                    return {"outcome": "done"}
                if time_left() < READ_TIME:
                    return {"outcome": "more"}
                try:
                    system = system or opened.enter_context(self.sources.open(self._source_of(run)))
                    self._read_part(shift, system, unit, part)
                except Stopped:
                    return {"outcome": "done"}
                except CredentialsRefused as error:
                    self._fail_all(ref, error)
                    return {"outcome": "done"}
                except Unavailable as error:
                    self._note_trouble(ref, unit, error)
                    shift.trouble[unit.number] = error
                    if len(shift.trouble) == TROUBLES:
                        raise
                except HubError as error:
                    self._fail_unit(ref, unit, error)
        for error in shift.trouble.values():
            raise error
        return {"outcome": "done"}

    def _fail_unit(self, ref: RunRef, unit: Unit, error: HubError) -> None:
        unit.status = UnitStatus.FAILED
        self.runs.fail_unit(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))
        self._log(ref, "error", error.code, error.detail, unit)

    def _source_of(self, run: Run) -> Source:
        return self.sources.get(run.ref.client_id, run.connection_id)

    def _read_part(self, shift: "_Shift", system: HasDatasets, unit: Unit, part: Part) -> None:
        ref = shift.ref
        began = self.clock()
        if not self._read_once(shift, system, unit, part, last_try=False):
            self._read_once(shift, system, unit, part, last_try=True)
        self.checkpoint("read.staged")
        part.done = True
        self.runs.save_part(ref, part)
        self.checkpoint("read.saved")
        milliseconds = int((self.clock() - began).total_seconds() * 1000)
        self.runs.add_to_unit(ref, unit.number, written=part.rows_read, milliseconds=milliseconds)

    def _read_once(self, shift: "_Shift", system: HasDatasets, unit: Unit, part: Part, *, last_try: bool) -> bool:
        """Put one part aside and compare; False when it is worth another try. Raises NotReconciled."""
        ref = shift.ref
        dataset = BY_ID[unit.dataset]
        survey = Survey(unit.types or {}, unit.missing, (), unit.planned)
        part.path = f"{_staging(ref, unit)}/{part.number:06}-{new_id()}"
        types = shift.types.get(dataset.id) or self.lake.types(ref.client_id, dataset)
        shift.types[dataset.id] = types
        with system.read(dataset, _company(unit), survey, Slice(part.where, part.rows)) as reading:
            batches = self._watched(ref, unit, reading.batches())
            staged = self.lake.stage(part.path, dataset, types, unit.connection_id, batches)
            totals, consistent, oddities = list(reading.totals), reading.consistent, list(reading.oddities)
        arrived = self.lake.staged_totals([(part.path, staged.commits)], dataset)
        if found := reconcile.differences(totals, arrived):
            if not consistent and not last_try:
                self._log(
                    ref, "info", "changed_while_reading", "The source changed while it was read; reading again.", unit
                )
                return False
            raise NotReconciled(
                f"What arrived differs from what the ERP counted: {reconcile.in_words(found)}. Nothing was published."
            )
        part.commits, part.rows_read, part.totals = staged.commits, staged.rows, reconcile.months(totals)
        if dataset.publishing is Publishing.PERIODS:
            oddities += self.lake.staged_oddities((part.path, staged.commits), dataset)
        for oddity in oddities:
            self._log(ref, "warning", oddity.code, f"{oddity.count} rows, such as {'; '.join(oddity.examples)}", unit)
        return True

    def _watched(self, ref: RunRef, unit: Unit, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches, with progress after each; stops as soon as somebody asks for it. Raises Stopped."""
        rows = size = 0
        shown = self.clock()
        for batch in batches:
            yield batch
            rows, size = rows + batch.num_rows, size + batch.nbytes
            now = self.clock()
            run = self.runs.progress(ref, now, batch.num_rows, batch.nbytes)
            if run.cancel_requested or run.status.ended:
                raise Stopped("The run was cancelled.")
            if now - shown > timedelta(seconds=2):
                self.runs.add_to_unit(ref, unit.number, read=rows, bytes=size)
                rows, size, shown = 0, 0, now
            self.checkpoint("read.batch")
        if rows:
            self.runs.add_to_unit(ref, unit.number, read=rows, bytes=size)

    def _note_trouble(self, ref: RunRef, unit: Unit, error: Unavailable) -> None:
        self._log(ref, "warning", error.code, f"{error.detail} Trying again.", unit)
        self.runs.note_trouble(ref, unit.number, problem_of(error))

    def _fail_all(self, ref: RunRef, error: HubError) -> None:
        """Stop at once: each further try with a refused login could lock it."""
        self._log(ref, "error", error.code, error.detail)
        self.runs.change(ref, problem=problem_of(error))
        for unit in self.runs.units(ref):
            self.runs.fail_unit(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))

    def abandon(self, ref: RunRef, first: int, end: int, *, parts: bool) -> Outcome:
        """Give up a package that kept failing: its units fail with the trouble they last had."""
        numbers = {self.runs.part(ref, n).unit for n in range(first, end) if not self.runs.part(ref, n).done}
        for number in sorted(numbers if parts else range(first, end)):
            unit = self.runs.unit(ref, number)
            problem = unit.trouble or {
                "code": "worker_lost",
                "detail": "Its worker died again and again. Start the import anew.",
            }
            self.runs.fail_unit(ref, number, UnitStatus.FAILED.value, problem)
            self._log(ref, "error", str(problem["code"]), f"Given up: {problem['detail']}", unit)
        return {"outcome": "done"}

    # --- publish -----------------------------------------------------------------------------------------------------

    def publishing(self, ref: RunRef) -> Outcome:
        """What can be published: ranges of units of one dataset. Nothing, when a part did not reconcile."""
        run = self.runs.get(ref)
        units = list(self.runs.units(ref))
        if run.cancel_requested or run.status.ended:
            return {"outcome": "ready", "packages": []}
        if any((unit.problem or {}).get("code") == NotReconciled.code for unit in units):
            detail = "Not published, because what arrived of another part of the run differs from the ERP's own count."
            for unit in units:
                self.runs.fail_unit(
                    ref, unit.number, UnitStatus.FAILED.value, {"code": "not_published", "detail": detail}
                )
            return {"outcome": "ready", "packages": []}
        packages: list[dict[str, Any]] = []
        for _, of_dataset in groupby(units, lambda unit: unit.dataset):
            numbers = [unit.number for unit in of_dataset]
            for start in range(numbers[0], numbers[-1] + 1, UNITS_TOGETHER):
                packages.append(ref.as_json() | {"from": start, "to": min(start + UNITS_TOGETHER, numbers[-1] + 1)})
        return {"outcome": "ready", "packages": packages}

    def publish(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> Outcome:
        """Publish units that are not published yet. `outcome`: `done` or `more`. Raises Unavailable: then try again."""
        for number in range(first, end):
            unit = self.runs.unit(ref, number)
            if unit.ended:
                continue
            run = self.runs.get(ref)
            if run.cancel_requested or run.status.ended:
                return {"outcome": "done"}
            if time_left() < ENOUGH_TIME:
                return {"outcome": "more"}
            try:
                self._publish_unit(run, unit)
            except Unavailable as error:
                self._note_trouble(ref, unit, error)
                raise
            except HubError as error:
                self._fail_unit(ref, unit, error)
        return {"outcome": "done"}

    def _publish_unit(self, run: Run, unit: Unit) -> None:
        began = self.clock()
        parts = [self.runs.part(run.ref, number) for number in range(unit.first_part, unit.end_part)]
        if not all(part.done for part in parts):
            raise NotReconciled("Not all of it was read.", code="not_read")
        staged = [(part.path, part.commits) for part in parts]
        self._check_staged(unit, parts, staged)
        published = self.lake.publish(self._target(run, unit), staged)
        self.checkpoint("publish.done")
        self._mark_published(run, unit, parts, published, began)

    def _check_staged(self, unit: Unit, parts: Sequence[Part], staged: Sequence[tuple[str, int]]) -> None:
        arrived = self.lake.staged_totals(staged, BY_ID[unit.dataset])
        counted = [total for part in parts for total in part.totals]
        if found := reconcile.monthly_differences(counted, arrived):
            raise NotReconciled(f"What was put aside has changed since it was counted: {reconcile.in_words(found)}.")

    def _target(self, run: Run, unit: Unit) -> Target:
        dataset = BY_ID[unit.dataset]
        return Target(
            client_id=run.ref.client_id,
            dataset=dataset,
            connection_id=unit.connection_id,
            company=unit.company,
            window=_window(run, unit),
            token=run.token,
            run_id=run.ref.run_id,
            staging=_staging(run.ref, unit),
        )

    def _mark_published(self, run: Run, unit: Unit, parts: Sequence[Part], done: Published, began: datetime) -> None:
        unit = self.runs.unit(run.ref, unit.number)
        unit.status = UnitStatus.PUBLISHED
        unit.read = sum(part.rows_read for part in parts)
        unit.rejected, unit.written = done.rejected, unit.read - done.rejected
        unit.inserted, unit.updated = done.inserted, done.updated
        unit.unchanged, unit.removed = done.unchanged, done.removed
        unit.milliseconds += int((self.clock() - began).total_seconds() * 1000)
        unit.trouble = None
        for oddity in done.oddities:
            text = f"{oddity.count} rows were rejected, such as {'; '.join(oddity.examples)}"
            self._log(run.ref, "warning", oddity.code, text, unit)
        self.runs.save_unit(run.ref, unit)
        self.checkpoint("publish.saved")
        self._log(run.ref, "info", "published", f"{unit.written} rows, reconciled with the ERP.", unit)

    # --- finish ------------------------------------------------------------------------------------------------------

    def finish(self, ref: RunRef, problem: Mapping[str, Any] | None = None) -> Outcome:
        """End the run with what came of it, free its leases, remove its leftovers. Again is fine."""
        run = self.runs.get(ref)
        if not run.status.ended:
            problem = run.problem or problem
            for unit in self.runs.units(ref):
                self._end_unit(run, unit, problem)
        units = list(self.runs.units(ref))
        self.lake.clean(f"staging/{ref.client_id}/{ref.run_id}/")
        for unit in units:
            self.runs.free_lease(ref, unit)
        self.checkpoint("finish.freed")
        status = _status(run, units, problem)
        totals = {name: sum(getattr(unit, name) for unit in units) for name in _SUMMED}
        values = {"status": status.value, "problem": problem or _first_problem(units), "totals": totals}
        ended = self.runs.end(ref, self.clock(), values)
        if ended:
            self._log(ref, "info", status.value, _summary(status, totals))
        self.checkpoint("finish.ended")
        return {"outcome": "done", "status": status.value, "figures": totals, "ended": ended}

    def _end_unit(self, run: Run, unit: Unit, problem: Mapping[str, Any] | None) -> None:
        if unit.ended:
            return
        status = UnitStatus.CANCELLED if run.cancel_requested else UnitStatus.FAILED
        words = problem or {"code": "not_finished", "detail": "The run ended before this was done."}
        if run.cancel_requested:
            words = {"code": "cancelled", "detail": "The run was cancelled; what was there before is unchanged."}
        self.runs.fail_unit(run.ref, unit.number, status.value, words)

    def _log(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        about = f"{unit.dataset} of {unit.company_name}" if unit else None
        self.runs.log(ref, LogLine(instant(self.clock()), level, code, text[:2000], about))


_SUMMED = ("planned", "read", "written", "rejected", "inserted", "updated", "unchanged", "removed", "bytes")


def _fail(unit: Unit, code: str, detail: str) -> None:
    unit.status = UnitStatus.FAILED
    unit.problem = {"code": code, "detail": detail}


def _spread(unit: Unit) -> list[int]:
    """The rows of a unit's parts, as if they were equal."""
    parts = unit.end_part - unit.first_part
    return [unit.planned // parts] * parts


def _packages(sizes: Sequence[int], enough: int, parts: int) -> list[tuple[int, int]]:
    """Neighbouring parts together until they are work enough for one worker: (from, to) each."""
    most = max(PACKAGE_PARTS, -(-parts // MOST_PACKAGES))
    enough = max(enough // 5, -(-sum(sizes) // MOST_PACKAGES))
    packages: list[tuple[int, int]] = []
    start, rows = 0, 0
    for at, size in enumerate(sizes):
        rows += size
        if rows >= enough or at + 1 - start >= most or at + 1 == len(sizes):
            packages.append((start, at + 1))
            start, rows = at + 1, 0
    return packages


def _company(unit: Unit) -> FoundCompany:
    return FoundCompany(unit.company, unit.company_name, None, unit.facts)


def _window(run: Run, unit: Unit) -> Window:
    """The run's window; data that is matched by key is always read whole."""
    if BY_ID[unit.dataset].publishing is Publishing.KEYS:
        return Window()
    first, end = (date.fromisoformat(day) if day else None for day in (run.first_day, run.end_day))
    return Window(first, end)


def _staging(ref: RunRef, unit: Unit) -> str:
    return f"staging/{ref.client_id}/{ref.run_id}/{unit.number:06}"


def _status(run: Run, units: Sequence[Unit], problem: Mapping[str, Any] | None) -> Status:
    published = sum(unit.status is UnitStatus.PUBLISHED for unit in units)
    if run.cancel_requested and (published < len(units) or not units):
        return Status.CANCELLED
    if (problem or {}).get("code") == "overlapping_run":
        return Status.CANCELLED
    if not units or not published:
        return Status.FAILED
    if published < len(units) or any(unit.rejected for unit in units):
        return Status.PARTIALLY_SUCCEEDED
    return Status.SUCCEEDED


def _first_problem(units: Sequence[Unit]) -> dict[str, Any] | None:
    """The problem that explains the others: a part that was held back for another's sake does not."""
    problems = [unit.problem for unit in units if unit.problem]
    return next((found for found in problems if found.get("code") != "not_published"), None)


def _summary(status: Status, totals: Mapping[str, int]) -> str:
    words = {
        Status.SUCCEEDED: "All of it is published",
        Status.PARTIALLY_SUCCEEDED: "Some of it is published",
        Status.FAILED: "Nothing was published",
        Status.CANCELLED: "It was cancelled",
    }[status]
    return f"{words}: {totals['read']} rows read, {totals['written']} written, {totals['rejected']} rejected."
