"""One run, from the plan to what readers see: plan, read, publish, finish.

    plan      which companies and datasets, who else is writing there, what there is to read
    read      each part from the ERP to storage, put aside; rows and sums compared with the source's
    publish   each company and dataset in one step, once all that was put aside agrees
    finish    what came of it; leases freed, leftovers removed

Every step may be repeated, by one worker or by two, after dying anywhere: what is done is found done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.datasets import BY_ID, Publishing
from erphub.erp.reading import ReadPlan, ReadsDatasets, Slice
from erphub.imports.jobs.ports import JobStore
from erphub.imports.runs import packages
from erphub.imports.runs import reconciliation as reconcile
from erphub.imports.runs.models import Part, Run, RunRef, Unit, UnitStatus
from erphub.imports.runs.planning import ENOUGH_TIME, PART_ROWS, RunPlanner
from erphub.imports.runs.ports import Outcome, RunStore, Source, Sources, TimeLeft
from erphub.imports.runs.service import problem_of
from erphub.imports.runs.units import (
    RunLog,
    company_of,
    first_problem,
    staging_of,
    status_of,
    summary,
    totals_of,
    windows_of,
)
from erphub.lake.ports import Checkpoint, Lake, Published, PublishTarget, Staged, no_checkpoint
from erphub.platform.clock import Clock
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, ServiceBusy, Stopped, Unavailable
from erphub.platform.ids import new_id

READ_TIME = 240.0
"""Seconds that must be left to begin another part."""
TROUBLES = 2
"""When so many companies' data cannot be read or published now, ERP or lake are away: the others need not be tried."""
DIED = {"code": "worker_lost", "detail": "Its worker died again and again. Start the import anew."}


class NotReconciled(ErpRefused):
    """What arrived is not what the source said it would send."""

    code = "reconciliation_failed"


class ChangedWhileReading(Unavailable):
    """Somebody worked in the source between its counting and the last of its rows: that is no lie, and will pass."""

    code = "changed_while_reading"

    def __init__(self) -> None:
        super().__init__(
            "The source changed while it was read. At a quieter hour it can be read in peace; a database that allows "
            "snapshot isolation can at any hour."
        )


@dataclass
class _Shift:
    """What a worker remembers while it works on a package."""

    ref: RunRef
    units: dict[int, Unit]
    types: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    trouble: dict[int, Unavailable] = field(default_factory=dict[int, Unavailable])
    begun: set[int] = field(default_factory=set[int])

    def turn(self, number: int) -> tuple[int, int]:
        """When it is a unit's turn: what gave trouble or cost a worker its life comes last, and holds up no other."""
        return self.units[number].tries, number

    def seems_away(self) -> bool:
        """Whether so much went wrong that the other side must be away; an ERP that is being worked in is not."""
        return sum(not isinstance(error, ChangedWhileReading) for error in self.trouble.values()) >= TROUBLES

    def tell(self) -> None:
        """Raise what is worth another try, if anything is."""
        for error in self.trouble.values():
            raise error


@dataclass(frozen=True)
class RunExecution:
    """The tasks of the import machine."""

    jobs: JobStore
    runs: RunStore
    sources: Sources
    lake: Lake
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint
    part_rows: int = PART_ROWS

    def plan(self, ref: RunRef, time_left: TimeLeft) -> Outcome:
        """Find out what is to be done; see Planning.plan."""
        plan = RunPlanner(self.jobs, self.runs, self.sources, self.lake, self.clock, self.checkpoint, self.part_rows)
        return plan.plan(ref, time_left)

    # --- read --------------------------------------------------------------------------------------------------------

    def read(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> Outcome:
        """Read parts that are not read yet. `outcome`: `done` or `more`.

        Raises Unavailable, after having read what can be read: then try again. ServiceBusy comes at once and is held
        against no part: it is the hub's own services that are away.
        """
        parts = [part for number in range(first, end) if not (part := self.runs.part(ref, number)).done]
        shift = self._shift(ref, {part.unit for part in parts})
        with ExitStack() as opened:
            system: ReadsDatasets | None = None
            for part in sorted(parts, key=lambda part: (shift.turn(part.unit), part.number)):
                unit = shift.units[part.unit]
                if unit.ended or unit.number in shift.trouble:
                    continue
                run = self.runs.get(ref)
                if run.cancel_requested or run.status.ended:
                    return {"outcome": "done"}
                if time_left() < READ_TIME:
                    return {"outcome": "more"}
                try:
                    system = system or opened.enter_context(self.sources.open(self._source_of(run)))
                    self._begin(shift, unit)
                    self._read_part(shift, system, unit, part)
                except Stopped:
                    return {"outcome": "done"}
                except CredentialsRefused as error:
                    self._fail_all(ref, error)
                    return {"outcome": "done"}
                except ServiceBusy:
                    raise
                except Unavailable as error:
                    self._note_trouble(shift, unit, error)
                    if shift.seems_away():
                        raise
                except HubError as error:
                    self._fail_unit(ref, unit, error)
        shift.tell()
        return {"outcome": "done"}

    def _shift(self, ref: RunRef, numbers: Iterable[int]) -> _Shift:
        return _Shift(ref, {number: self.runs.unit(ref, number) for number in sorted(numbers)})

    def _begin(self, shift: _Shift, unit: Unit) -> None:
        """Note what is in work, once: should the worker die of it, the next one does the others first."""
        if unit.number not in shift.begun:
            shift.begun.add(unit.number)
            unit.trouble = DIED | {"tries": unit.tries + 1}
            self.runs.note_trouble(shift.ref, unit.number, unit.trouble)

    def _note_trouble(self, shift: _Shift, unit: Unit, error: Unavailable) -> None:
        shift.trouble[unit.number] = error
        self._log(shift.ref, "warning", error.code, f"{error.detail} Trying again.", unit)
        unit.trouble = problem_of(error) | {"tries": unit.tries}
        self.runs.note_trouble(shift.ref, unit.number, unit.trouble)

    def _fail_unit(self, ref: RunRef, unit: Unit, error: HubError) -> None:
        unit.status = UnitStatus.FAILED
        self.runs.fail_unit(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))
        self._log(ref, "error", error.code, error.detail, unit)

    def _source_of(self, run: Run) -> Source:
        return self.sources.get(run.ref.client_id, run.connection_id)

    def _read_part(self, shift: "_Shift", system: ReadsDatasets, unit: Unit, part: Part) -> None:
        ref = shift.ref
        began = self.clock()
        try:
            self._read_once(shift, system, unit, part, again=False)
        except ChangedWhileReading as change:
            self._log(ref, "info", change.code, "The source changed while it was read; reading again.", unit)
            self._read_once(shift, system, unit, part, again=True)
        self.checkpoint("read.staged")
        part.done = True
        self.runs.save_part(ref, part)
        self.checkpoint("read.saved")
        milliseconds = int((self.clock() - began).total_seconds() * 1000)
        self.runs.add_to_unit(ref, unit.number, written=part.rows_read, milliseconds=milliseconds, parts_done=1)
        self.runs.progress(ref, self.clock(), 0, 0, parts=1)

    def _read_once(self, shift: "_Shift", system: ReadsDatasets, unit: Unit, part: Part, *, again: bool) -> None:
        """Put one part aside and compare. Raises NotReconciled, ChangedWhileReading.

        The second time only a source that says itself that it has changed is taken to have.
        """
        ref = shift.ref
        dataset = BY_ID[unit.dataset]
        survey = ReadPlan(unit.types or {}, unit.missing, (), unit.planned)
        part.path = f"{staging_of(ref, unit)}/{part.number:06}-{new_id()}"
        types = shift.types.get(dataset.id) or self.lake.types(ref.client_id, dataset)
        shift.types[dataset.id] = types
        with system.read(dataset, company_of(unit), survey, Slice(part.where, part.rows)) as reading:
            batches = self._watched(ref, unit, reading.batches())
            staged = self.lake.stage(part.path, dataset, types, unit.connection_id, batches)
            totals, oddities = list(reading.totals), list(reading.anomalies)
            arrived = self.lake.staged_totals(staged, dataset)
            if found := reconcile.differences(totals, arrived):
                if not reading.consistent and (not again or list(reading.recount()) != totals):
                    raise ChangedWhileReading
                words = reconcile.in_words(found)
                raise NotReconciled(f"What arrived differs from what the ERP counted: {words}. Nothing was published.")
        part.manifest, part.rows_read, part.totals = staged.manifest, staged.rows, reconcile.months(totals)
        if dataset.publishing is Publishing.PERIODS:
            oddities += self.lake.staged_oddities(staged, dataset)
        for oddity in oddities:
            self._log(ref, "warning", oddity.code, f"{oddity.count} rows, such as {'; '.join(oddity.examples)}", unit)

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
            if unit.ended:
                continue
            problem = {name: fact for name, fact in (unit.trouble or DIED).items() if name != "tries"}
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
        ranges = [ref.as_json() | {"from": at, "to": end} for at, end in packages.of_units(units)]
        return {"outcome": "ready", "packages": ranges}

    def publish(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> Outcome:
        """Publish units that are not published yet. `outcome`: `done` or `more`.

        Raises Unavailable, after having published what can be published: then try again.
        """
        shift = self._shift(ref, range(first, end))
        for number in sorted(shift.units, key=shift.turn):
            unit = shift.units[number]
            if unit.ended:
                continue
            run = self.runs.get(ref)
            if run.cancel_requested or run.status.ended:
                return {"outcome": "done"}
            if time_left() < ENOUGH_TIME:
                return {"outcome": "more"}
            try:
                self._begin(shift, unit)
                self._publish_unit(run, unit)
            except ServiceBusy:
                raise
            except Unavailable as error:
                self._note_trouble(shift, unit, error)
                if shift.seems_away():
                    raise
            except HubError as error:
                self._fail_unit(ref, unit, error)
        shift.tell()
        return {"outcome": "done"}

    def _publish_unit(self, run: Run, unit: Unit) -> None:
        began = self.clock()
        parts = [self.runs.part(run.ref, number) for number in range(unit.first_part, unit.end_part)]
        if not all(part.done for part in parts):
            raise NotReconciled("Not all of it was read.", code="not_read")
        staged = [self._reconciled(unit, part) for part in parts]
        published = self.lake.publish(self._target(run, unit), staged)
        self.checkpoint("publish.done")
        self._mark_published(run, unit, parts, published, began)

    def _reconciled(self, unit: Unit, part: Part) -> Staged:
        """A part as it is in storage, with its control total. Raises NotReconciled."""
        staged = Staged(part.path, part.manifest, part.rows_read)
        arrived = self.lake.staged_totals(staged, BY_ID[unit.dataset])
        if found := reconcile.monthly_differences(part.totals, arrived):
            raise NotReconciled(f"What was put aside has changed since it was counted: {reconcile.in_words(found)}.")
        return replace(staged, amount=reconcile.control_total(arrived) if BY_ID[unit.dataset].amount else None)

    def _target(self, run: Run, unit: Unit) -> PublishTarget:
        dataset = BY_ID[unit.dataset]
        return PublishTarget(
            client_id=run.ref.client_id,
            dataset=dataset,
            connection_id=unit.connection_id,
            company=unit.company,
            windows=windows_of(run, unit),
            token=run.token,
            run_id=run.ref.run_id,
            staging=staging_of(run.ref, unit),
            up_to_date=unit.up_to_date,
        )

    def _mark_published(self, run: Run, unit: Unit, parts: Sequence[Part], done: Published, began: datetime) -> None:
        unit = self.runs.unit(run.ref, unit.number)
        unit.status = UnitStatus.PUBLISHED
        unit.read, unit.parts_done = sum(part.rows_read for part in parts), len(parts)
        unit.rejected, unit.written = done.rejected, done.inserted + done.updated + done.unchanged
        unit.inserted, unit.updated = done.inserted, done.updated
        unit.unchanged, unit.removed = done.unchanged, done.removed
        unit.milliseconds += int((self.clock() - began).total_seconds() * 1000)
        unit.trouble = None
        for oddity in done.oddities:
            text = f"{oddity.count} rows were rejected, such as {'; '.join(oddity.examples)}"
            self._log(run.ref, "warning", oddity.code, text, unit)
        self.runs.save_unit(run.ref, unit)
        self.checkpoint("publish.saved")
        self._log(run.ref, "info", "published", f"{unit.written} rows, {_compared(unit, parts)}.", unit)

    # --- finish ------------------------------------------------------------------------------------------------------

    def finish(self, ref: RunRef, problem: Mapping[str, Any] | None = None) -> Outcome:
        """End the run with what came of it, free its leases, remove its leftovers. Again is fine."""
        run = self.runs.get(ref)
        if not run.status.ended:
            problem = run.problem or (problem and run.trouble) or problem
            for unit in self.runs.units(ref):
                self._end_unit(run, unit, problem)
        units = list(self.runs.units(ref))
        self.lake.clean(f"staging/{ref.client_id}/{ref.run_id}/")
        for unit in units:
            self.runs.free_lease(ref, unit)
        self.checkpoint("finish.freed")
        status = status_of(run, units, problem)
        totals = totals_of(units)
        # Progress was counted as it went, also what a worker that died had read; now it is what the parts come to.
        done = {"parts_done": sum(unit.parts_done for unit in units), "rows_read": totals["read"]}
        values = {"status": status.value, "problem": problem or first_problem(units), "totals": totals, **done}
        ended = self.runs.end(ref, self.clock(), values)
        if ended:
            self._log(ref, "info", status.value, summary(status, totals))
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
        RunLog(self.runs, self.clock)(ref, level, code, text, unit)


def _compared(unit: Unit, parts: Sequence[Part]) -> str:
    """What was compared with the ERP, for the log."""
    if not BY_ID[unit.dataset].amount or all(amount is not None for part in parts for _, _, amount in part.totals):
        return "reconciled with the ERP"
    return "counted alike by the ERP, which cannot add up all of their amounts"
