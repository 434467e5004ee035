"""The lake: one Delta table per client and dataset. Rows are put aside, then take their place in one commit.

A publication moves no rows: the files that were put aside are copied below the table inside S3, and one commit adds
them and removes those they replace. Only files that hold rows on both sides of a window's edge are written again.

    lake/<client>/<dataset>/                    the table, partitioned by `company`
    …/company=<c>/of-<…>/<run>-….parquet        its files; each holds rows of one connection only, and its folder says
                                                whose (`owner_folder`), in the log or not
    staging/<client>/<run>/<unit>/<part>-<try>/ what was put aside: a small Delta table per part

Memory: batches are written in pieces of PIECE bytes, each its own commit of the small table, because the engine's
memory grows with what one write holds (measured: 640 MB for 5 million rows in one write, 174 MB in pieces).
"""

import hashlib
import json
import random
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import localcontext
from itertools import batched
from typing import Any

import arro3.core as ac
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from ..errors import Conflict, HubError, Unavailable
from ..models.dataset import Dataset, Publishing
from ..models.types import complete, scale_of, widest
from ..ports.erp import Oddity, Total, Window
from ..ports.imports import Checkpoint, Published, Staged, Target, no_checkpoint
from . import lake_keys
from . import lake_sql as sql
from .files import Files
from .lake_batches import Pieces, fit, shape
from .lake_files import File, files_of, statistics
from .lake_places import owner_folder
from .lake_schema import arrow_schema, staged_schema, types_of

PIECE = 48 * 1024 * 1024
"""Bytes of Arrow data in one write."""
SMALL_FILE = 8 * 1024 * 1024
MANY_FILES = 24
"""From so many small files of one company on, a publication writes them together anew."""
TRIES = 12
VALUES_AT_ONCE = 2000
"""In one question; a longer one the engine takes long to read."""
DIGITS = 76
"""In which sums are taken: those of 38 digits may have more."""
KEPT_HOURS = 7 * 24
"""How long files stay that a publication replaced: whoever pages through an older state still finds them."""
TIDY_EVERY = 40
"""Commits between two removals of older ones."""
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WRITER = WriterProperties(max_row_group_size=65_536, compression="SNAPPY", statistics_truncate_length=64)

_CONFIGURATION: dict[str, str | None] = {"delta.dataSkippingNumIndexedCols": "-1"}
"""Statistics of every column, not of the first 32 only: publishing goes by those of `connection` and the date."""

type Staging = Sequence[tuple[str, int]]


class DeltaLake:
    """Tables below `root` (`s3://bucket` or a folder); `files` reaches the same place."""

    def __init__(
        self,
        root: str,
        files: Files,
        options: Mapping[str, str],
        *,
        checkpoint: Checkpoint = no_checkpoint,
        piece: int = PIECE,
    ) -> None:
        self._root = root
        self._files = files
        self._options = dict(options)
        self._checkpoint = checkpoint
        self._piece = piece

    # --- the table ---------------------------------------------------------------------------------------------------

    def types(self, client_id: str, dataset: Dataset) -> Mapping[str, str]:
        """The types of the table's fields; empty when there is no table."""
        with _translated():
            table = self._existing(table_key(client_id, dataset))
            return types_of(table) if table else {}

    def prepare(self, client_id: str, dataset: Dataset, types: Mapping[str, str]) -> Mapping[str, str]:
        """See ports.imports.Lake."""
        with _translated():
            key = table_key(client_id, dataset)
            for attempt in range(TRIES):
                table = self._existing(key)
                wanted = complete(dataset, widest(types_of(table) if table else {}, types))
                try:
                    if table is None:
                        self._create(key, dataset, wanted)
                        return wanted
                    _add_columns(table, dataset, wanted)
                    if wanted != complete(dataset, types_of(table)):
                        self._widen(key, table, dataset, wanted)
                except CommitFailedError:
                    _pause(attempt)
                    continue
                return wanted
        raise _busy()

    def _create(self, key: str, dataset: Dataset, types: Mapping[str, str]) -> None:
        DeltaTable.create(
            f"{self._root}/{key}",
            schema=arrow_schema(dataset, types),
            partition_by=["company"],
            mode="error",
            configuration=_CONFIGURATION,
            storage_options=self._options,
        )

    def _widen(self, key: str, table: DeltaTable, dataset: Dataset, types: Mapping[str, str]) -> None:
        """Write all rows anew with the wider types, in one commit: old files cannot be read as another decimal."""
        schema = staged_schema(dataset, types)
        place = f"staging/{key.removeprefix('lake/')}/widened-{random.getrandbits(48):012x}"
        actions: list[AddAction | RemoveAction] = []
        for number, (company, connection) in enumerate(
            sorted({(file.company, file.connection) for file in files_of(table, dataset)})
        ):
            rows = sql.query({"t": table}, sql.part_as(dataset, types, company, connection))
            batches = (fit(ac.RecordBatch.from_arrow(batch), schema) for batch in rows)
            staged = self._stage(f"{place}/{number}", schema, batches)
            adds = self._adds([(f"{place}/{number}", staged.commits)])
            actions += self._taken_over(adds, key, dataset, (company, connection), "widened")
        # No retry inside the engine: it would let in a file of the old types that was added in the meantime.
        properties = CommitProperties(
            custom_metadata={"erphub": json.dumps({"widened": dict(types)})}, max_commit_retries=0
        )
        table.create_write_transaction(
            actions,
            "overwrite",
            Schema.from_arrow(arrow_schema(dataset, types)),
            partition_by=["company"],
            commit_properties=properties,
        )
        self.clean(place)

    def _existing(self, key: str) -> DeltaTable | None:
        try:
            return DeltaTable(f"{self._root}/{key}", storage_options=self._options)
        except TableNotFoundError:
            return None

    def up_to_date_until(self, client_id: str, dataset: Dataset, connection_id: str, company: str) -> datetime | None:
        """See ports.imports.Lake."""
        with _translated():
            table = self._existing(table_key(client_id, dataset))
            token = table.transaction_version(_changes_of(connection_id, company)) if table else None
        return None if token is None else datetime.fromtimestamp(token / 1_000_000, UTC)

    def days_of(
        self,
        client_id: str,
        dataset: Dataset,
        connection_id: str,
        company: str,
        known_by: Mapping[str, Collection[str]],
        before: date,
    ) -> Collection[date]:
        """See ports.imports.Lake."""
        found: set[date] = set()
        with _translated():
            table = self._existing(table_key(client_id, dataset))
            if table is None:
                return found
            for column, values in known_by.items():
                for some in batched(sorted(values), VALUES_AT_ONCE, strict=False):
                    asked = sql.days_with(dataset, column, some, (company, connection_id), before)
                    found |= {row["day"] for row in sql.rows(sql.query({"t": table}, asked))}
        return found

    # --- putting aside -----------------------------------------------------------------------------------------------

    def stage(
        self, path: str, dataset: Dataset, types: Mapping[str, str], connection_id: str, batches: Iterable[Any]
    ) -> Staged:
        """See ports.imports.Lake."""
        schema = staged_schema(dataset, types)
        shaped = (shape(ac.RecordBatch.from_arrow(batch), schema, connection_id) for batch in batches)
        return self._stage(path, schema, shaped)

    def _stage(self, path: str, schema: ac.Schema, batches: Iterator[ac.RecordBatch]) -> Staged:
        pieces = Pieces(batches, self._piece)
        commits = 0
        with _translated():
            while pieces.more():
                reader = ac.RecordBatchReader.from_batches(schema, pieces.piece())
                try:
                    write_deltalake(
                        f"{self._root}/{path}",
                        reader,
                        mode="append",
                        configuration=_CONFIGURATION,
                        storage_options=self._options,
                        writer_properties=_WRITER,
                        target_file_size=1024 * 1024 * 1024,
                    )
                except Exception:
                    if pieces.error:  # the engine reports it as its own; what was really wrong is the source's
                        raise pieces.error from None
                    raise
                commits += 1
                self._checkpoint("stage.piece")
        return Staged(commits, pieces.rows, pieces.bytes)

    def staged_totals(self, staged: Staging, dataset: Dataset) -> Sequence[Total]:
        """See ports.imports.Lake."""
        # One part after the other, and added up here: all at once, the engine's memory grows with their number.
        found: dict[Any, Total] = {}
        with _translated(), localcontext(prec=DIGITS):
            for part in staged:
                for total in self._totals(self._staged_tables([part]), dataset):
                    before = found.get(total.period)
                    found[total.period] = _added(before, total) if before else total
        return list(found.values())

    def days_before(
        self, client_id: str, dataset: Dataset, connection_id: str, company: str, before: date
    ) -> Sequence[Total]:
        """See ports.imports.Lake."""
        with _translated():
            table = self._existing(table_key(client_id, dataset))
            whose = (company, connection_id)
            return self._totals({"t": table}, dataset, sql.before(dataset, before, whose)) if table else []

    def _totals(self, tables: Mapping[str, DeltaTable], dataset: Dataset, where: str = "TRUE") -> list[Total]:
        if not tables:
            return []
        scale = scale_of(types_of(next(iter(tables.values())))[dataset.amount]) if dataset.amount else 0
        rows = sql.rows(sql.query(tables, sql.totals(dataset, tables, scale, where)))
        return [Total(row["period"], row["rows"], row["amount"] if dataset.amount else None) for row in rows]

    def staged_oddities(self, staged: tuple[str, int], dataset: Dataset) -> Sequence[Oddity]:
        """See ports.imports.Lake."""
        with _translated():
            return lake_keys.oddities(dataset, self._staged_tables([staged]))

    def _staged_tables(self, staged: Staging) -> dict[str, DeltaTable]:
        paths = [path for path, commits in staged if commits]
        return {
            f"s{number}": DeltaTable(f"{self._root}/{path}", storage_options=self._options)
            for number, path in enumerate(paths)
        }

    def clean(self, prefix: str) -> None:
        """See ports.imports.Lake."""
        if not prefix.startswith("staging/"):
            raise ValueError("only what was put aside may be removed")
        self._files.delete_all(prefix)

    # --- taking its place --------------------------------------------------------------------------------------------

    def publish(self, target: Target, staged: Staging) -> Published:
        """See ports.imports.Lake."""
        with _translated():
            found: list[Oddity] = []
            if target.dataset.publishing is Publishing.KEYS:
                found = lake_keys.oddities(target.dataset, self._staged_tables(staged))
                if found:
                    staged = self._without_rejects(target, staged)
            rejected = sum(oddity.count for oddity in found)
            for attempt in range(TRIES):
                table = DeltaTable(
                    f"{self._root}/{table_key(target.client_id, target.dataset)}", storage_options=self._options
                )
                if before := _published_before(table, target):
                    return before
                staged = self._in_the_tables_types(table, target, staged)
                try:
                    done = self._replace(table, target, staged)
                except CommitFailedError:
                    _pause(attempt)
                    continue
                self._tidy(table)
                return replace(done, rejected=rejected, oddities=found)
        raise _busy()

    def _tidy(self, table: DeltaTable) -> None:
        """Now and then remove files that have not been part of the table for a week, published once or never."""
        before = table.version()
        table.update_incremental()
        if table.version() // TIDY_EVERY > before // TIDY_EVERY:
            table.vacuum(retention_hours=KEPT_HOURS, dry_run=False, full=True)

    def _replace(self, table: DeltaTable, target: Target, staged: Staging) -> Published:
        unit = (target.company, target.connection_id)
        mine = [file for file in files_of(table, target.dataset) if (file.company, file.connection) == unit]
        windows = target.windows if target.dataset.publishing is Publishing.PERIODS else (Window(),)
        replaced = [file for file in mine if file.overlaps_any(windows)]
        rewritten = [file for file in replaced if not file.within_one(windows)]
        small = [file for file in mine if file not in replaced and file.size < SMALL_FILE]
        if len(small) >= MANY_FILES:
            rewritten += small
            replaced += small
        adds = self._adds(staged)
        counts = self._counts(table, target, staged, adds, replaced)
        if target.dataset.publishing is Publishing.KEYS and counts.inserted == counts.updated == counts.removed == 0:
            return counts
        kept_rows = 0
        if rewritten:
            kept = self._kept(table, target, rewritten, windows)
            adds += self._adds([(kept[0], kept[1].commits)])
            kept_rows = kept[1].rows
        if target.dataset.publishing is Publishing.PERIODS:
            counts = replace(counts, removed=counts.removed - kept_rows)
        if adds or replaced or target.up_to_date:  # that nothing has changed until now is worth knowing too
            self._commit(table, target, adds, replaced, counts)
        return counts

    def _counts(
        self,
        table: DeltaTable,
        target: Target,
        staged: Staging,
        adds: Sequence[Mapping[str, Any]],
        replaced: Sequence[File],
    ) -> Published:
        if target.dataset.publishing is Publishing.PERIODS:
            rows = sum(json.loads(add["stats"])["numRecords"] for add in adds)
            return Published(inserted=rows, updated=0, unchanged=0, removed=sum(file.rows for file in replaced))
        rows_there = sum(file.rows for file in replaced)
        tables = self._staged_tables(staged)
        return lake_keys.difference(target.dataset, tables, table, target.connection_id, target.company, rows_there)

    def _kept(
        self, table: DeltaTable, target: Target, files: Sequence[File], windows: Sequence[Window]
    ) -> tuple[str, Staged]:
        """The rows of these files that no window holds, put aside; read through a table of these files."""
        place = f"{target.staging}/kept-{random.getrandbits(48):012x}"
        actions: list[AddAction] = []
        for number, file in enumerate(files):
            self._files.copy(
                f"{table_key(target.client_id, target.dataset)}/{file.path}", f"{place}/from/{number}.parquet"
            )
            actions.append(AddAction(f"{number}.parquet", file.size, {"company": target.company}, 0, True, "{}"))
        types = types_of(table)
        create_table_with_add_actions(
            f"{self._root}/{place}/from",
            Schema.from_arrow(arrow_schema(target.dataset, types)),
            actions,
            partition_by=["company"],
            storage_options=self._options,
        )
        origin = DeltaTable(f"{self._root}/{place}/from", storage_options=self._options)
        schema = staged_schema(target.dataset, types)
        rows = sql.query({"t": origin}, sql.outside(target.dataset, windows))
        batches = (fit(ac.RecordBatch.from_arrow(batch), schema) for batch in rows)
        return f"{place}/rows", self._stage(f"{place}/rows", schema, batches)

    def _without_rejects(self, target: Target, staged: Staging) -> Staging:
        """Staged rows again, without those that have no key or share one."""
        tables = self._staged_tables(staged)
        schema = staged_schema(target.dataset, types_of(next(iter(tables.values()))))
        place = f"{target.staging}/sound-{random.getrandbits(48):012x}"
        commits = 0
        for rows in lake_keys.sound(target.dataset, tables):
            batches = (fit(ac.RecordBatch.from_arrow(batch), schema) for batch in rows)
            commits += self._stage(place, schema, batches).commits
        return [(place, commits)]

    def _in_the_tables_types(self, table: DeltaTable, target: Target, staged: Staging) -> Staging:
        """Staged rows again with the table's decimals, when another run has widened them since."""
        now = types_of(table)
        tables = self._staged_tables(staged)
        if all(types_of(each) == now for each in tables.values()):
            return staged
        schema = staged_schema(target.dataset, now)
        rows = sql.query(tables, sql.staged_as(target.dataset, tables, now))
        place = f"{target.staging}/wider-{random.getrandbits(48):012x}"
        done = self._stage(place, schema, (fit(ac.RecordBatch.from_arrow(batch), schema) for batch in rows))
        return [(place, done.commits)]

    def _adds(self, staged: Staging) -> list[dict[str, Any]]:
        """The files of what was put aside, as its own log names them, with where they are."""
        found: list[dict[str, Any]] = []
        for path, commits in staged:
            for number in range(commits):
                log = self._files.read(f"{path}/_delta_log/{number:020}.json").decode()
                actions = (json.loads(line) for line in log.splitlines() if line)
                found += [
                    action["add"] | {"at": f"{path}/{action['add']['path']}"} for action in actions if "add" in action
                ]
        return found

    def _commit(
        self,
        table: DeltaTable,
        target: Target,
        adds: Sequence[Mapping[str, Any]],
        removed: Sequence[File],
        counts: Published,
    ) -> None:
        key = table_key(target.client_id, target.dataset)
        actions = self._taken_over(adds, key, target.dataset, (target.company, target.connection_id), target.run_id)
        self._checkpoint("publish.copied")
        now = int(time.time() * 1000)
        for file in removed:
            partition: dict[str, str | None] = {"company": target.company}
            actions.append(RemoveAction(file.path, True, now, size=file.size, partition_values=partition))
        note = {"run": target.run_id, "unit": _unit(target), "token": target.token, "counts": _numbers(counts)}
        marks = [_unit(target), *([_changes_of(target.connection_id, target.company)] if target.up_to_date else [])]
        properties = CommitProperties(
            custom_metadata={"erphub": json.dumps(note)},
            app_transactions=[Transaction(mark, target.token) for mark in marks],
        )
        table.create_write_transaction(
            actions, "append", table.schema(), partition_by=["company"], commit_properties=properties
        )
        self._checkpoint("publish.committed")

    def _taken_over(
        self, adds: Sequence[Mapping[str, Any]], key: str, dataset: Dataset, whose: tuple[str, str], run_id: str
    ) -> list[AddAction | RemoveAction]:
        """Copy what was put aside below the table and say so; a repetition copies to the same names."""
        company, connection_id = whose
        folder = f"{_folder(company)}/{owner_folder(connection_id)}"
        actions: list[AddAction | RemoveAction] = []
        for add in adds:
            path = f"{folder}/{run_id}-{hashlib.sha256(add['at'].encode()).hexdigest()[:20]}.parquet"
            self._files.copy(add["at"], f"{key}/{path}")
            stats = statistics(add["stats"], dataset)
            actions.append(AddAction(path, add["size"], {"company": company}, add["modificationTime"], True, stats))
        return actions


def _add_columns(table: DeltaTable, dataset: Dataset, types: Mapping[str, str]) -> None:
    """Columns the dataset has got since the table was made: empty in the rows that are there."""
    known = types_of(table)
    schema = Schema.from_arrow(arrow_schema(dataset, types))
    fresh = [field for field in schema.fields if field.name in types and field.name not in known]
    if fresh:
        table.alter.add_columns(fresh)


def _added(one: Total, other: Total) -> Total:
    amounts = [amount for amount in (one.amount, other.amount) if amount is not None]
    return Total(one.period, one.rows + other.rows, sum(amounts[1:], amounts[0]) if amounts else None)


def table_key(client_id: str, dataset: Dataset) -> str:
    """Where a client's table is in the bucket."""
    return f"lake/{client_id}/{dataset.id}"


def _folder(company: str) -> str:
    """The folder of a company's files: its key when that is plain, otherwise a name for it. The log holds the key."""
    if _SAFE.fullmatch(company):
        return f"company={company}"
    return f"company=.{hashlib.sha256(company.encode()).hexdigest()[:24]}"


def _unit(target: Target) -> str:
    """A name for what is replaced at once. It stays in the table's log, also when the connection is deleted."""
    return _name_of(target.connection_id, target.company)


def _name_of(connection_id: str, company: str) -> str:
    return f"{owner_folder(connection_id)}/{hashlib.sha256(company.encode()).hexdigest()[:24]}"


def _changes_of(connection_id: str, company: str) -> str:
    """A name under which the table's log keeps until when the unit has all that was changed in its source."""
    return f"{_name_of(connection_id, company)}/changes"


def _numbers(counts: Published) -> list[int]:
    return [counts.inserted, counts.updated, counts.unchanged, counts.removed, counts.rejected]


def _published_before(table: DeltaTable, target: Target) -> Published | None:
    """What this publication did when it was made before. Raises Conflict when a later one was."""
    latest = table.transaction_version(_unit(target))
    if latest is None or latest < target.token:
        return None
    if latest > target.token:
        raise Conflict(
            "A run that began later has published this company's data already; this one is out of date.",
            code="newer_run_published",
        )
    for entry in table.history(200):
        note = json.loads(entry.get("erphub") or "{}")
        if note.get("unit") == _unit(target) and note.get("token") == target.token:
            return Published(*note["counts"], repeated=True)
    return Published(0, 0, 0, 0, repeated=True)


def _pause(attempt: int) -> None:
    """Wait a little before trying a commit again, longer each time, so that two do not meet again."""
    time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311  chance, not a secret


def _busy() -> Unavailable:
    return Unavailable("Other imports kept writing to the same table. Try again in a moment.", code="lake_busy")


class _translated:
    """The engine's errors in the hub's words; a conflict of commits is left for who tries again."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if (
            error is None
            or isinstance(error, (HubError, CommitFailedError))
            or not isinstance(error, (DeltaError, OSError))
        ):
            return
        raise Unavailable("The lake's storage did not answer as it should.", code="lake_unavailable") from error
