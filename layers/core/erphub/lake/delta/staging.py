"""Staging: rows on their way into the lake, in files whose names follow from whose they are, and a manifest of them.

    staging/<client>/<run>/<unit>/<part>-<try>/piece-00000.parquet …      the rows, in pieces
    staging/<client>/<run>/<unit>/<part>-<try>/_delta_log/000….json       the manifest

No object here is ever changed, and none depends on another's answer: a piece that is stored while its answer gets lost
is met again under its own name. The manifest is stored last, in one put; its SHA-256 goes with the part, so that what
is published is this list or nothing. It is written as the first commit of a Delta table, because then the engine reads
just the listed files; there is never a second commit.

Memory: batches are written in pieces of PIECE_BYTES, because the engine's memory grows with what one write holds
(measured: 640 MB for 5 million rows in one write, 174 MB in pieces).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import arro3.core as ac
from deltalake import ColumnProperties, DeltaTable, Schema, WriterProperties, write_deltalake
from deltalake.transaction import AddAction, create_table_with_add_actions

from erphub.erp.datasets import Dataset
from erphub.lake import problems
from erphub.lake.delta.batches import Pieces, distinct_share
from erphub.lake.delta.files import statistics
from erphub.lake.delta.storage import Storage
from erphub.lake.ports import Staged
from erphub.platform.tasks import Checkpoint, no_checkpoint

PIECE_BYTES = 64 * 1024 * 1024
"""Bytes of Arrow data in one file: a part of a ledger is one, and storing and copying cost by the file."""
CONFIGURATION: dict[str, str | None] = {"delta.dataSkippingNumIndexedCols": "-1"}
"""Statistics of every column, not of the first 32 only: publishing goes by those of `connection` and the date."""
_MANIFEST = "_delta_log/00000000000000000000.json"
ROW_GROUP = 32_768
"""Rows that the engine holds until they are written: 65,536 cost 8 MB more of a worker's memory and gain nothing."""
MOST_DISTINCT = 0.1
"""A column whose first rows have more distinct values than this share of them is written without a dictionary: it would
cost time and make no file smaller (amounts, texts, keys)."""
_MAX_FILE_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class StagedFile:
    """One file: its key in the bucket, bytes, rows, and statistics as a table's log has them."""

    key: str
    size: int
    rows: int
    stats: str
    modified: int


@dataclass(frozen=True)
class StagedFiles:
    """Files that are published together, and what they must hold; `amount` is None where nobody compares it."""

    files: Sequence[StagedFile]
    rows: int
    amount: Decimal | None = None


@dataclass(frozen=True)
class Staging:
    """Writes and reads what is below `staging/`."""

    storage: Storage
    piece_bytes: int = PIECE_BYTES
    checkpoint: Checkpoint = no_checkpoint

    def write(
        self, path: str, dataset: Dataset, schema: ac.Schema, streams: Iterable[Iterator[ac.RecordBatch]]
    ) -> Staged:
        """Write streams of batches below a path that no other attempt uses. What a stream raises comes out as it is.

        The next stream is asked for when the one before is written: the engine cannot read and write at once.
        """
        files: list[StagedFile] = []
        rows = size_bytes = 0
        for batches in streams:
            pieces = Pieces(batches, self.piece_bytes)
            while pieces.more():
                files += self._write_piece(path, len(files), dataset, schema, pieces)
                self.checkpoint("stage.piece")
            rows, size_bytes = rows + pieces.rows, size_bytes + pieces.size_bytes
        if (written := sum(file.rows for file in files)) != rows:
            raise problems.STAGED_DATA_CHANGED(difference=f"{rows} rows were read and {written} written")
        if not files:
            return Staged(path, "", 0)
        manifest = _first_commit(schema, [_listed(file, file.key.rpartition("/")[2]) for file in files])
        self.storage.files.put_once(f"{path}/{_MANIFEST}", manifest)
        self.checkpoint("stage.manifest")
        return Staged(path, _sha256(manifest), rows, size_bytes)

    def _write_piece(
        self, path: str, first: int, dataset: Dataset, schema: ac.Schema, pieces: Pieces
    ) -> Iterator[StagedFile]:
        """One piece as a file (none, when it has no rows), written on this machine and then put into its place."""
        with TemporaryDirectory(prefix="piece-") as folder:
            writer = _writer(pieces.first)
            reader = ac.RecordBatchReader.from_batches(schema, pieces.piece())
            try:
                write_deltalake(
                    folder,
                    reader,
                    mode="append",
                    configuration=CONFIGURATION,
                    writer_properties=writer,
                    target_file_size=_MAX_FILE_BYTES,
                )
            except Exception:
                if pieces.error:  # the engine reports it as its own; what was really wrong is the source's
                    raise pieces.error from None
                raise
            for number, add in enumerate(_adds_in((Path(folder) / _MANIFEST).read_bytes()), first):
                key = f"{path}/piece-{number:05}.parquet"
                self.storage.files.put_once(key, (Path(folder) / add["path"]).read_bytes())
                yield _staged_file(key, add | {"stats": statistics(add["stats"], dataset)})

    def files_of(self, staged: Staged) -> StagedFiles:
        """The files of a part as its manifest lists them. Raises StagedDataChanged when that is another list."""
        files: list[StagedFile] = []
        if staged.manifest:
            manifest = self.storage.files.read(f"{staged.path}/{_MANIFEST}")
            if _sha256(manifest) != staged.manifest:
                raise problems.STAGED_DATA_CHANGED(difference="The list of files in staging is another one")
            files = [_staged_file(f"{staged.path}/{add['path']}", add) for add in _adds_in(manifest)]
        if (listed := sum(file.rows for file in files)) != staged.rows:
            raise problems.STAGED_DATA_CHANGED(difference=f"{staged.rows} rows were counted, {listed} are in staging")
        return StagedFiles(files, staged.rows, staged.amount)

    def table(self, staged: Staged) -> DeltaTable | None:
        """A part for the engine to read; None when it has no rows."""
        return self.storage.table(staged.path) if staged.manifest else None

    def selection(self, path: str, schema: ac.Schema, files: Sequence[tuple[str, int]]) -> DeltaTable:
        """Some files of the bucket (key and bytes each), wherever they are, for the engine to read.

        Nothing is said of what they hold: the engine reads it in the files' own footers.
        """
        adds = [AddAction(f"{self.storage.root}/{key}", size, {}, 0, True, "{}") for key, size in files]
        self.storage.files.put_once(f"{path}/{_MANIFEST}", _first_commit(schema, adds))
        return self.storage.table(path)

    def clean(self, prefix: str) -> None:
        """Remove everything staged below a prefix."""
        if not prefix.startswith("staging/"):
            raise ValueError("only what was staged may be removed")
        self.storage.files.delete_all(prefix)


def _writer(first: ac.RecordBatch) -> WriterProperties:
    """How a piece that begins with this batch is written.

    Measured on a million ledger rows (`python -m benchmarks.parquet`): ZSTD at level 1 0.34 s and 17 MB, which S3 keeps
    and everybody reads; without dictionaries SNAPPY 0.25 s and 36 MB, LZ4 0.24 s and 32 MB. A dictionary for
    every column: 0.2 s more, and 24 MB.
    """
    columns = {
        name: ColumnProperties(dictionary_enabled=False)
        for name, column in zip(first.column_names, first.columns, strict=True)
        if distinct_share(column) > MOST_DISTINCT
    }
    return WriterProperties(
        max_row_group_size=ROW_GROUP,
        compression="ZSTD",
        compression_level=1,
        statistics_truncate_length=64,
        column_properties=columns or None,
    )


def _first_commit(schema: ac.Schema, adds: list[AddAction]) -> bytes:
    with TemporaryDirectory(prefix="manifest-") as folder:
        create_table_with_add_actions(folder, Schema.from_arrow(schema), adds, configuration=CONFIGURATION)
        return (Path(folder) / _MANIFEST).read_bytes()


def _listed(file: StagedFile, name: str) -> AddAction:
    return AddAction(name, file.size, {}, file.modified, True, file.stats)


def _staged_file(key: str, add: dict[str, Any]) -> StagedFile:
    return StagedFile(key, add["size"], json.loads(add["stats"])["numRecords"], add["stats"], add["modificationTime"])


def _adds_in(log: bytes) -> list[dict[str, Any]]:
    return [action["add"] for action in map(json.loads, log.splitlines()) if "add" in action]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
