"""Publishing: what was staged takes the place of what a unit had, in one commit.

A publication moves no rows: the files in staging are copied below the table inside S3, read there once more, and one
commit adds them and removes those they replace. Only files that hold rows on both sides of a window's edge are written
again. What is counted are the rows of the files in that commit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import arro3.core as ac
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from erphub.erp.datasets import Dataset, Publishing, scale_of
from erphub.erp.reading import Anomaly, DateRange
from erphub.lake import problems
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta import sql, upkeep
from erphub.lake.delta.batches import fitted
from erphub.lake.delta.commits import commit, copy_into_place, place_of, published_before
from erphub.lake.delta.files import File, files_of
from erphub.lake.delta.schema import staged_schema, types_of
from erphub.lake.delta.staging import StagedFile, StagedFiles, Staging
from erphub.lake.delta.storage import MAX_ATTEMPTS, Storage, busy, pause, translated
from erphub.lake.ports import Published, PublishTarget, Staged
from erphub.platform.ids import new_id
from erphub.platform.tasks import Checkpoint, no_checkpoint

SMALL_FILE_BYTES = 8 * 1024 * 1024
MAX_SMALL_FILES = 24
"""From so many small files of one company on, a publication writes them together anew."""
SUM_DIGITS = 76
"""In which sums are taken: those of 38 digits may have more."""


@dataclass(frozen=True)
class Replacement:
    """What a publication takes away: files, and of them those with rows that stay.

    The rows of `rewritten` are written again; those of `moved` are whole files of the unit that only have to lie
    elsewhere. So a unit's files come out of an earlier layout with its next publication, in the same commit.
    """

    replaced: Sequence[File]
    rewritten: Sequence[File]
    moved: Sequence[File]
    date_ranges: Sequence[DateRange]

    @property
    def rows(self) -> int:
        """Rows of the files that go."""
        return sum(file.rows for file in self.replaced)

    @property
    def misplaced(self) -> bool:
        """Whether something lies where an earlier layout had it."""
        return any(file.misplaced for file in self.replaced)


@dataclass(frozen=True)
class Publisher:
    """Publishes units into the tables of the lake."""

    storage: Storage
    staging: Staging
    checkpoint: Checkpoint = no_checkpoint

    def publish(self, target: PublishTarget, staged: Sequence[Staged]) -> Published:
        """As `LakeWriter.publish`."""
        found: list[Anomaly] | None = None
        for attempt in range(MAX_ATTEMPTS):
            with translated(), suppress(CommitFailedError):
                table = self.storage.table(place_of(target).table)
                if before := published_before(table, target):
                    return before
                if found is None:
                    found = self._anomalies(target, staged)
                    staged = self._without_rejects(target, staged, found)
                staged = self._in_the_tables_types(table, target, staged)
                done = self._replace(table, target, staged, sum(anomaly.count for anomaly in found))
                upkeep.maintain(table)
                return replace(done, anomalies=found)
            pause(attempt)
        raise busy()

    def _anomalies(self, target: PublishTarget, staged: Sequence[Staged]) -> list[Anomaly]:
        if target.dataset.publishing is not Publishing.KEYS:
            return []
        return lake_keys.anomalies(target.dataset, self._tables(staged))

    def _tables(self, staged: Iterable[Staged]) -> dict[str, DeltaTable]:
        tables = [table for each in staged if (table := self.staging.table(each))]
        return {f"s{number}": table for number, table in enumerate(tables)}

    def _replace(self, table: DeltaTable, target: PublishTarget, staged: Sequence[Staged], rejected: int) -> Published:
        replacement = _replacement(table, target)
        staged_files = [self.staging.files_of(each) for each in staged]
        counts = replace(self._counts(table, target, staged, staged_files, replacement), rejected=rejected)
        unchanged = counts.inserted == counts.updated == counts.removed == 0
        if target.dataset.publishing is Publishing.KEYS and unchanged and not replacement.misplaced:
            return counts
        for stays in self._what_stays(table, target, replacement):
            staged_files.append(stays)
            if target.dataset.publishing is Publishing.PERIODS:
                counts = replace(counts, removed=counts.removed - stays.rows)
        files = [file for part_files in staged_files for file in part_files.files]
        if (
            files or replacement.replaced or target.up_to_date
        ):  # that nothing has changed until now is worth knowing too
            place = place_of(target)
            copy_into_place(self.storage, place, files, target.run_id)
            self.checkpoint("publish.copied")
            self._check_in_place(table, target, staged_files)
            added = [place.added(file, target.run_id) for file in files]
            commit(table, target, [*added, *map(place.removed, replacement.replaced)], counts)
            self.checkpoint("publish.committed")
        return counts

    def _counts(
        self,
        table: DeltaTable,
        target: PublishTarget,
        staged: Sequence[Staged],
        staged_files: Sequence[StagedFiles],
        replacement: Replacement,
    ) -> Published:
        rows = sum(file.rows for part_files in staged_files for file in part_files.files)
        if target.dataset.publishing is Publishing.PERIODS:
            return Published(inserted=rows, updated=0, unchanged=0, removed=replacement.rows)
        tables = self._tables(staged)
        counts = lake_keys.difference(
            target.dataset, tables, table, target.connection_id, target.company, replacement.rows
        )
        if (found := counts.inserted + counts.updated + counts.unchanged) != rows:
            raise problems.STAGED_DATA_CHANGED(difference=f"{rows} rows are in staging, {found} were compared")
        return counts

    def _check_in_place(self, table: DeltaTable, target: PublishTarget, staged_files: Sequence[StagedFiles]) -> None:
        """Read what is about to be published where it now is. Raises StagedDataChanged when it is not as counted."""
        place, dataset, types = place_of(target), target.dataset, types_of(table)
        attempt = f"{target.staging_path}/check-{new_id()}"
        for number, part_files in enumerate(staged_files):
            if not part_files.files:
                continue
            keys = [(place.key_of(file, target.run_id), file.size) for file in part_files.files]
            files = self.staging.selection(f"{attempt}/{number}", staged_schema(dataset, types), keys)
            self._check(files, dataset, types, part_files)

    def _check(self, files: DeltaTable, dataset: Dataset, types: Mapping[str, str], part_files: StagedFiles) -> None:
        column = dataset.amount if part_files.amount is not None else None
        text = sql.control_totals("t", column, scale_of(types[column]) if column else 0)
        (found,) = sql.rows(sql.query({"t": files}, text))
        with localcontext(prec=SUM_DIGITS):
            amount = (found["amount"] or 0) if column else None
            if (found["rows"], amount) != (part_files.rows, part_files.amount):
                raise problems.STAGED_DATA_CHANGED(
                    difference=f"{part_files.rows} rows and a sum of {part_files.amount} were counted, "
                    f"{found['rows']} and {amount} would be published"
                )

    def _what_stays(self, table: DeltaTable, target: PublishTarget, replacement: Replacement) -> Iterator[StagedFiles]:
        if replacement.rewritten:
            yield self._kept(table, target, replacement)
        if replacement.moved:
            key = place_of(target).table
            files = [StagedFile(f"{key}/{f.path}", f.size, f.rows, f.stats, f.modified) for f in replacement.moved]
            yield StagedFiles(files, sum(file.rows for file in files))

    def _kept(self, table: DeltaTable, target: PublishTarget, replacement: Replacement) -> StagedFiles:
        """The rows that stay of files that go, written again."""
        attempt, key = f"{target.staging_path}/kept-{new_id()}", place_of(target).table
        schema = staged_schema(target.dataset, types_of(table))
        files = [(f"{key}/{file.path}", file.size) for file in replacement.rewritten]
        origin = self.staging.selection(f"{attempt}/from", schema, files)
        rows = sql.query({"t": origin}, sql.outside(target.dataset, replacement.date_ranges))
        return self.staging.files_of(self._write(f"{attempt}/rows", target.dataset, schema, [rows]))

    def _without_rejects(
        self, target: PublishTarget, staged: Sequence[Staged], found: Sequence[Anomaly]
    ) -> Sequence[Staged]:
        """Staged rows again, without those that have no key or share one."""
        if not found:
            return staged
        tables = self._tables(staged)
        schema = staged_schema(target.dataset, types_of(next(iter(tables.values()))))
        streams = lake_keys.sound(target.dataset, tables)
        sound = self._write(f"{target.staging_path}/sound-{new_id()}", target.dataset, schema, streams)
        return [_conserved(sound, staged, rejected=sum(anomaly.count for anomaly in found))]

    def _in_the_tables_types(
        self, table: DeltaTable, target: PublishTarget, staged: Sequence[Staged]
    ) -> Sequence[Staged]:
        """Staged rows again with the table's decimals, when another run has widened them since."""
        now = types_of(table)
        tables = self._tables(staged)
        if all(types_of(each) == now for each in tables.values()):
            return staged
        schema = staged_schema(target.dataset, now)
        rows = sql.query(tables, sql.staged_as(target.dataset, tables, now))
        wider = self._write(f"{target.staging_path}/wider-{new_id()}", target.dataset, schema, [rows])
        return [_conserved(wider, staged)]

    def _write(self, path: str, dataset: Dataset, schema: ac.Schema, streams: Iterable[Any]) -> Staged:
        return self.staging.write(path, dataset, schema, (fitted(rows, schema) for rows in streams))


def _conserved(rewritten: Staged, staged: Sequence[Staged], rejected: int = 0) -> Staged:
    """Rows that were written again, with what they must hold now. Raises StagedDataChanged when some are missing."""
    rows = sum(each.rows for each in staged) - rejected
    if rewritten.rows != rows:
        raise problems.STAGED_DATA_CHANGED(difference=f"Of {rows} rows {rewritten.rows} were written again")
    amounts = [each.amount for each in staged if each.amount is not None]
    if rejected or len(amounts) < len(staged):
        return rewritten
    with localcontext(prec=SUM_DIGITS):
        return replace(rewritten, amount=sum(amounts, Decimal(0)))


def _replacement(table: DeltaTable, target: PublishTarget) -> Replacement:
    """Which of the unit's files a publication takes away."""
    unit = (target.company, target.connection_id)
    existing = [file for file in files_of(table, target.dataset) if (file.company, file.connection) == unit]
    date_ranges = target.date_ranges if target.dataset.publishing is Publishing.PERIODS else (DateRange(),)
    replaced = [file for file in existing if file.overlaps_any(date_ranges)]
    rewritten = [file for file in replaced if not file.within_one(date_ranges)]
    small = [file for file in existing if file not in replaced and file.size < SMALL_FILE_BYTES]
    if len(small) >= MAX_SMALL_FILES:
        rewritten += small
        replaced += small
    moved = [file for file in existing if file not in replaced and file.misplaced]
    return Replacement([*replaced, *moved], rewritten, moved, date_ranges)
