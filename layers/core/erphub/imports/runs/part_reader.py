"""Reads one part of a company's dataset into staging, and compares what arrived with what the source counted.

A reader of native code may end its worker without a word. So a part is noted as in work before anything is asked of
its source: whoever finds it so reads it in the way that has proven itself (`Slice.cautiously`), and says that it did.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.datasets import BY_ID, Publishing
from erphub.erp.problems import ReaderFailed
from erphub.erp.reading import ReadPlan, ReadsDatasets, Slice
from erphub.imports import problems
from erphub.imports.problems import ChangedWhileReading
from erphub.imports.runs import reconciliation
from erphub.imports.runs.models import Part, RunRef, Unit
from erphub.imports.runs.ports import RunStores
from erphub.imports.runs.units import LogWriter, company_of, staging_path
from erphub.imports.runs.work import WorkContext
from erphub.lake.ports import LakeWriter
from erphub.platform.clock import Clock
from erphub.platform.errors import ServiceBusy, Unavailable
from erphub.platform.ids import new_id
from erphub.platform.outbound import deadlines
from erphub.platform.tasks import Checkpoint

PART_SECONDS = 600.0
"""The longest that one part may hold a worker, all tries together; a part has at most `PART_ROWS` rows."""
SECONDS_OF_USE = 5.0
"""With less left of that, another try is not worth it."""
PROGRESS_BYTES = 32 * 1024 * 1024
"""How much is read between two looks at the run: each is a call."""
SMALL_BATCH_BYTES = 256 * 1024
"""After a batch of less the run is looked at all the same: it is a source's last, or one that comes slowly."""
PROGRESS_EVERY = timedelta(seconds=2)
"""So long at most goes by, as rows come, before the run is looked at again and a unit's counts are kept."""
READER_LOST = "A worker ended while it read this part, without a word: what reads it may have ended it."


@dataclass(frozen=True)
class PartReader:
    """Reads parts."""

    stores: RunStores
    lake: LakeWriter
    clock: Clock
    checkpoint: Checkpoint
    part_seconds: float

    def read(self, work: WorkContext, system: ReadsDatasets, unit: Unit, part: Part, seconds: float) -> None:
        """Read a part into staging within so many seconds, and keep that it is read.

        Raises HubError, and Stopped when the run was cancelled meanwhile.
        """
        ref = work.ref
        began = self.clock()
        held = timedelta(milliseconds=part.held_ms)
        self.stores.parts.begin(ref, part.number)
        try:
            with deadlines.at_most(min(seconds, self.part_seconds - held.total_seconds())):
                read_by = self._read_in_peace(work, system, unit, part)
        except ServiceBusy:
            self.stores.parts.add_held(ref, part.number, 0)
            raise
        except Unavailable as error:
            took = self.clock() - began
            self.stores.parts.add_held(ref, part.number, int(took.total_seconds() * 1000))
            if (held + took).total_seconds() > self.part_seconds - SECONDS_OF_USE:
                raise problems.SOURCE_TOO_SLOW(minutes=self.part_seconds / 60, last=error.detail) from error
            raise
        self.checkpoint("read.staged")
        part.is_read, part.is_in_work = True, False
        self.stores.parts.save(ref, part)
        self.checkpoint("read.saved")
        duration_ms = int((self.clock() - began).total_seconds() * 1000)
        self.stores.units.add_counts(
            ref, unit.number, read_by, rows_written=part.rows_read, duration_ms=duration_ms, parts_done=1
        )
        self.stores.runs.add_progress(ref, self.clock(), parts=1)

    def _read_in_peace(self, work: WorkContext, system: ReadsDatasets, unit: Unit, part: Part) -> str | None:
        """Read a part, and again when its reader failed or somebody worked in the source meanwhile; says what read it.

        One that killed a worker is read with caution from the beginning.
        """
        cautiously, is_second = part.is_in_work, False
        while True:
            try:
                return self._read_once(work, system, unit, part, cautiously=cautiously, is_second=is_second)
            except ReaderFailed as failure:
                if cautiously:
                    raise
                self._log(work.ref, "warning", failure.code, f"{failure.detail} Reading again with another.", unit)
                cautiously = True
            except ChangedWhileReading as change:
                if is_second:
                    raise
                self._log(work.ref, "info", change.code, "The source changed while it was read; reading again.", unit)
                is_second = True

    def _read_once(
        self, work: WorkContext, system: ReadsDatasets, unit: Unit, part: Part, *, cautiously: bool, is_second: bool
    ) -> str | None:
        """Stage one part and compare; says what read it. Raises NotReconciled, ChangedWhileReading.

        The second time only a source that says itself that it has changed is taken to have.
        """
        ref = work.ref
        dataset = BY_ID[unit.dataset]
        plan = ReadPlan(unit.types or {}, unit.missing, (), unit.rows_planned)
        part.staging_path = f"{staging_path(ref, unit)}/{part.number:06}-{new_id()}"
        types = work.types.get(dataset.id) or self.lake.types(ref.client_id, dataset)
        work.types[dataset.id] = types
        with system.read(dataset, company_of(unit), plan, Slice(part.where, part.rows, cautiously)) as reading:
            if part.is_in_work and reading.read_by:
                self._log(
                    ref, "warning", problems.READER_LOST.code, f"{READER_LOST} It is read with {reading.read_by}.", unit
                )
            batches = self._with_progress(ref, unit, reading.batches())
            staged = self.lake.stage(part.staging_path, dataset, types, unit.connection_id, batches)
            totals, anomalies = list(reading.totals), list(reading.anomalies)
            arrived = self.lake.staged_totals(staged, dataset)
            if found := reconciliation.differences(totals, arrived):
                if not reading.consistent and (not is_second or list(reading.recount()) != totals):
                    raise problems.CHANGED_WHILE_READING()
                raise problems.DIFFERS_FROM_COUNT(differences=reconciliation.describe(found))
        part.manifest, part.rows_read, part.totals = staged.manifest, staged.rows, reconciliation.months(totals)
        if dataset.publishing is Publishing.PERIODS:
            anomalies += self.lake.staged_anomalies(staged, dataset)
        for anomaly in anomalies:
            text = f"{anomaly.count} rows, such as {'; '.join(anomaly.examples)}"
            self._log(ref, "warning", anomaly.code, text, unit)
        return reading.read_by

    def _with_progress(self, ref: RunRef, unit: Unit, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches, with progress after some and at the end; stops when somebody asked for it. Raises Stopped."""
        rows = size_bytes = unit_rows = unit_bytes = 0
        reported_at = counted_at = self.clock()
        for batch in batches:
            yield batch
            rows, size_bytes, now = rows + batch.num_rows, size_bytes + batch.nbytes, self.clock()
            is_little = batch.nbytes >= SMALL_BATCH_BYTES and size_bytes < PROGRESS_BYTES
            if is_little and now - reported_at < PROGRESS_EVERY:
                continue
            self._report_progress(ref, now, rows, size_bytes)
            unit_rows, unit_bytes, rows, size_bytes, reported_at = unit_rows + rows, unit_bytes + size_bytes, 0, 0, now
            if now - counted_at > PROGRESS_EVERY:
                self.stores.units.add_counts(ref, unit.number, rows_read=unit_rows, size_bytes=unit_bytes)
                unit_rows, unit_bytes, counted_at = 0, 0, now
            self.checkpoint("read.batch")
        if rows:
            self._report_progress(ref, self.clock(), rows, size_bytes)
        if rows or unit_rows:
            unit_rows, unit_bytes = unit_rows + rows, unit_bytes + size_bytes
            self.stores.units.add_counts(ref, unit.number, rows_read=unit_rows, size_bytes=unit_bytes)

    def _report_progress(self, ref: RunRef, now: datetime, rows: int, size_bytes: int) -> None:
        """Add to the run's progress. Raises Stopped when the run is cancelled or has ended."""
        run = self.stores.runs.add_progress(ref, now, rows=rows, size_bytes=size_bytes)
        if run.cancel_requested or run.status.has_ended:
            raise problems.RUN_CANCELLED()

    def _log(self, ref: RunRef, level: str, code: str, text: str, unit: Unit) -> None:
        LogWriter(self.stores.log, self.clock).write(ref, level, code, text, unit)
