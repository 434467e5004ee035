"""One run, from the plan to what readers see: plan, read, publish, finish.

    plan      which companies and datasets, who else is writing there, what there is to read: see planning
    read      each part from the ERP into staging; rows and sums compared with the source's
    publish   each company and dataset in one step, once all that was staged agrees
    finish    what came of it; leases freed, leftovers removed

Every step may be repeated, by one worker or by two, after dying anywhere: what is done is found done.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from erphub.erp.datasets import BY_ID
from erphub.erp.reading import ReadsDatasets
from erphub.imports import problems
from erphub.imports.problems import NotReconciled
from erphub.imports.runs import packages, reconciliation
from erphub.imports.runs.models import Part, Run, RunRef, Unit, UnitStatus
from erphub.imports.runs.part_reader import PART_SECONDS, PartReader
from erphub.imports.runs.planning import MIN_SECONDS_FOR_STEP
from erphub.imports.runs.ports import RunStores, Source, Sources, TaskResult
from erphub.imports.runs.units import (
    LogWriter,
    date_ranges_of,
    first_problem,
    problem_of,
    staging_path,
    status_of,
    summary,
    totals_of,
)
from erphub.imports.runs.work import WorkContext
from erphub.lake.locations import staging_prefix
from erphub.lake.ports import LakeWriter, Published, PublishTarget, Staged
from erphub.platform.clock import Clock
from erphub.platform.errors import CredentialsRefused, HubError, ServiceBusy, Stopped, Unavailable
from erphub.platform.tasks import Checkpoint, TimeLeft, no_checkpoint

MIN_SECONDS_FOR_PART = 240.0
"""What must be left to begin another part."""
SECONDS_TO_REPORT = 30.0
"""What is left of a worker's time when it gives a part up, to say so."""
WORKER_LOST = {"code": "worker_lost", "detail": "Its worker died again and again. Start the import anew."}


@dataclass(frozen=True)
class RunExecution:
    """Carries out runs that are planned."""

    stores: RunStores
    sources: Sources
    lake: LakeWriter
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint
    part_seconds: float = PART_SECONDS

    @property
    def _parts(self) -> PartReader:
        return PartReader(self.stores, self.lake, self.clock, self.checkpoint, self.part_seconds)

    # --- read --------------------------------------------------------------------------------------------------------

    def read(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> TaskResult:
        """Read parts that are not read yet. `outcome`: `done` or `more`.

        Raises Unavailable, after having read what can be read: then try again. ServiceBusy comes at once and is held
        against no part: it is the hub's own services that are away.
        """
        parts = [part for number in range(first, end) if not (part := self.stores.parts.get(ref, number)).is_read]
        work = self._work_on(ref, {part.unit for part in parts})
        with ExitStack() as opened:
            system: ReadsDatasets | None = None
            for part in sorted(parts, key=lambda part: (work.order(part.unit), part.number)):
                unit = work.units[part.unit]
                if unit.has_ended or unit.number in work.problems:
                    continue
                run = self.stores.runs.get(ref)
                if run.cancel_requested or run.status.has_ended:
                    return {"outcome": "done"}
                if time_left() < MIN_SECONDS_FOR_PART:
                    return {"outcome": "more"}
                try:
                    system = system or opened.enter_context(self.sources.open(self._source_of(run)))
                    self._begin(work, unit)
                    self._parts.read(work, system, unit, part, time_left() - SECONDS_TO_REPORT)
                except Stopped:
                    return {"outcome": "done"}
                except CredentialsRefused as error:
                    self._fail_all(ref, error)
                    return {"outcome": "done"}
                except HubError as error:
                    self._hold_against(unit, work, error)
        work.raise_problem()
        return {"outcome": "done"}

    def _work_on(self, ref: RunRef, numbers: Iterable[int]) -> WorkContext:
        return WorkContext(ref, {number: self.stores.units.get(ref, number) for number in sorted(numbers)})

    def _begin(self, work: WorkContext, unit: Unit) -> None:
        """Note what is in work, once: should the worker die of it, the next one does the others first."""
        if unit.number not in work.begun:
            work.begun.add(unit.number)
            unit.last_problem = WORKER_LOST | {"attempts": unit.attempts + 1}
            self.stores.units.record_problem(work.ref, unit.number, unit.last_problem)

    def _record_problem(self, work: WorkContext, unit: Unit, error: Unavailable) -> None:
        work.problems[unit.number] = error
        self._log(work.ref, "warning", error.code, f"{error.detail} Trying again.", unit)
        unit.last_problem = problem_of(error) | {"attempts": unit.attempts}
        self.stores.units.record_problem(work.ref, unit.number, unit.last_problem)

    def _hold_against(self, unit: Unit, work: WorkContext, error: HubError) -> None:
        """Remember what a unit failed with, and go on with the others.

        Raises the error again where it is no unit's: ServiceBusy, and Unavailable once the source seems to be away.
        """
        if isinstance(error, ServiceBusy):
            raise error
        if not isinstance(error, Unavailable):
            self._fail_unit(work.ref, unit, error)
            return
        self._record_problem(work, unit, error)
        if work.source_unavailable():
            raise error

    def _fail_unit(self, ref: RunRef, unit: Unit, error: HubError) -> None:
        unit.status = UnitStatus.FAILED
        self.stores.units.fail(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))
        self._log(ref, "error", error.code, error.detail, unit)

    def _source_of(self, run: Run) -> Source:
        return self.sources.get(run.ref.client_id, run.connection_id)

    def _fail_all(self, ref: RunRef, error: HubError) -> None:
        """Stop at once: each further try with a refused login could lock it."""
        self._log(ref, "error", error.code, error.detail)
        self.stores.runs.update(ref, problem=problem_of(error))
        for unit in self.stores.units.of_run(ref):
            self.stores.units.fail(ref, unit.number, UnitStatus.FAILED.value, problem_of(error))

    def abandon(self, ref: RunRef, first: int, end: int, *, parts: bool) -> TaskResult:
        """Give up a package that kept failing: its units fail with the problem they last had."""
        found = [self.stores.parts.get(ref, number) for number in range(first, end)] if parts else []
        numbers = {part.unit for part in found if not part.is_read}
        for number in sorted(numbers if parts else range(first, end)):
            unit = self.stores.units.get(ref, number)
            if unit.has_ended:
                continue
            problem = {name: value for name, value in (unit.last_problem or WORKER_LOST).items() if name != "attempts"}
            self.stores.units.fail(ref, number, UnitStatus.FAILED.value, problem)
            self._log(ref, "error", str(problem["code"]), f"Given up: {problem['detail']}", unit)
        return {"outcome": "done"}

    # --- publish -----------------------------------------------------------------------------------------------------

    def list_publications(self, ref: RunRef) -> TaskResult:
        """What can be published: ranges of units of one dataset. Nothing, when a part did not reconciliation."""
        run = self.stores.runs.get(ref)
        units = list(self.stores.units.of_run(ref))
        if run.cancel_requested or run.status.has_ended:
            return {"outcome": "ready", "packages": []}
        if any((unit.problem or {}).get("code") == NotReconciled.code for unit in units):
            for unit in units:
                self.stores.units.fail(ref, unit.number, UnitStatus.FAILED.value, problems.NOT_PUBLISHED.record())
            return {"outcome": "ready", "packages": []}
        ranges = [ref.as_json() | {"from": at, "to": end} for at, end in packages.of_units(units)]
        return {"outcome": "ready", "packages": ranges}

    def publish(self, ref: RunRef, first: int, end: int, time_left: TimeLeft) -> TaskResult:
        """Publish units that are not published yet. `outcome`: `done` or `more`.

        Raises Unavailable, after having published what can be published: then try again.
        """
        work = self._work_on(ref, range(first, end))
        for number in sorted(work.units, key=work.order):
            unit = work.units[number]
            if unit.has_ended:
                continue
            run = self.stores.runs.get(ref)
            if run.cancel_requested or run.status.has_ended:
                return {"outcome": "done"}
            if time_left() < MIN_SECONDS_FOR_STEP:
                return {"outcome": "more"}
            try:
                self._begin(work, unit)
                self._publish_unit(run, unit)
            except HubError as error:
                self._hold_against(unit, work, error)
        work.raise_problem()
        return {"outcome": "done"}

    def _publish_unit(self, run: Run, unit: Unit) -> None:
        began = self.clock()
        parts = [self.stores.parts.get(run.ref, number) for number in range(unit.first_part, unit.end_part)]
        if not all(part.is_read for part in parts):
            raise problems.NOT_READ()
        staged = [self._reconciled(unit, part) for part in parts]
        published = self.lake.publish(self._target(run, unit), staged)
        self.checkpoint("publish.done")
        self._mark_published(run, unit, parts, published, began)

    def _reconciled(self, unit: Unit, part: Part) -> Staged:
        """A part as it is in storage, with its control total. Raises NotReconciled."""
        staged = Staged(part.staging_path, part.manifest, part.rows_read)
        arrived = self.lake.staged_totals(staged, BY_ID[unit.dataset])
        if found := reconciliation.monthly_differences(part.totals, arrived):
            raise problems.CHANGED_IN_STAGING(differences=reconciliation.describe(found))
        return replace(staged, amount=reconciliation.control_total(arrived) if BY_ID[unit.dataset].amount else None)

    def _target(self, run: Run, unit: Unit) -> PublishTarget:
        dataset = BY_ID[unit.dataset]
        return PublishTarget(
            client_id=run.ref.client_id,
            dataset=dataset,
            connection_id=unit.connection_id,
            company=unit.company,
            date_ranges=date_ranges_of(run, unit),
            token=run.publication_token,
            run_id=run.ref.run_id,
            staging_path=staging_path(run.ref, unit),
            up_to_date=unit.up_to_date,
        )

    def _mark_published(self, run: Run, unit: Unit, parts: Sequence[Part], done: Published, began: datetime) -> None:
        unit = self.stores.units.get(run.ref, unit.number)
        unit.status = UnitStatus.PUBLISHED
        unit.rows_read, unit.parts_done = sum(part.rows_read for part in parts), len(parts)
        unit.rows_rejected, unit.rows_written = done.rejected, done.inserted + done.updated + done.unchanged
        unit.rows_inserted, unit.rows_updated = done.inserted, done.updated
        unit.rows_unchanged, unit.rows_removed = done.unchanged, done.removed
        unit.duration_ms += int((self.clock() - began).total_seconds() * 1000)
        unit.last_problem = None
        for anomaly in done.anomalies:
            text = f"{anomaly.count} rows were rejected, such as {'; '.join(anomaly.examples)}"
            self._log(run.ref, "warning", anomaly.code, text, unit)
        self.stores.units.save(run.ref, unit)
        self.checkpoint("publish.saved")
        self._log(
            run.ref, "info", problems.PUBLISHED.code, f"{unit.rows_written} rows, {_comparison(unit, parts)}.", unit
        )

    # --- finish ------------------------------------------------------------------------------------------------------

    def finish(self, ref: RunRef, problem: Mapping[str, Any] | None = None) -> TaskResult:
        """End the run with what came of it, free its leases, remove its leftovers. Again is fine."""
        run = self.stores.runs.get(ref)
        if not run.status.has_ended:
            problem = run.problem or (problem and run.last_problem) or problem
            for unit in self.stores.units.of_run(ref):
                self._end_unit(run, unit, problem)
        units = list(self.stores.units.of_run(ref))
        self.lake.clean(staging_prefix(ref.client_id, ref.run_id))
        for unit in units:
            self.stores.leases.release(ref, unit, self.clock())
        self.checkpoint("finish.freed")
        status = status_of(run, units, problem)
        totals = totals_of(units)
        # Progress was counted as it went, also what a worker that died had read; now it is what the parts come to.
        done = {"parts_done": sum(unit.parts_done for unit in units), "rows_read": totals["rows_read"]}
        values = {"status": status.value, "problem": problem or first_problem(units), "totals": totals, **done}
        ended = self.stores.runs.end(ref, self.clock(), values)
        if ended:
            ending = summary(status, totals)
            self._log(ref, "info", ending["code"], ending["detail"])
        self.checkpoint("finish.ended")
        return {"outcome": "done", "status": status.value, "totals": totals, "ended": ended}

    def _end_unit(self, run: Run, unit: Unit, problem: Mapping[str, Any] | None) -> None:
        if unit.has_ended:
            return
        status = UnitStatus.CANCELLED if run.cancel_requested else UnitStatus.FAILED
        reason = problem or problems.NOT_FINISHED.record()
        if run.cancel_requested:
            reason = problems.CANCELLED.record()
        self.stores.units.fail(run.ref, unit.number, status.value, reason)

    def _log(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        LogWriter(self.stores.log, self.clock).write(ref, level, code, text, unit)


def _comparison(unit: Unit, parts: Sequence[Part]) -> str:
    """What was compared with the ERP, for the log."""
    if not BY_ID[unit.dataset].amount or all(amount is not None for part in parts for _, _, amount in part.totals):
        return "reconciled with the ERP"
    return "counted alike by the ERP, which cannot add up all of their amounts"
