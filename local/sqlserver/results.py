"""What a statement answers: columns with their declared types, and batches of values that come as they are read."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from local.sqlserver import errors
from local.sqlserver.types import ResultColumn, SqlType

# Rows per batch: large enough for vectors to pay, small enough that the first rows arrive at once.
BATCH_ROWS = 20_000


@dataclass
class Answer:
    """One result set (`columns` empty: none), what changed in the session, and how many rows were affected."""

    columns: Sequence[ResultColumn] = ()
    batches: Iterator[Any] = field(default_factory=lambda: iter(()))
    close: Callable[[], None] = lambda: None
    affected: int | None = None
    changes: bytes = b""
    command: int = 0xC1


def small(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> Answer:
    """An answer of few rows made here: `columns` as (name, declaration)."""
    described = [ResultColumn(name, SqlType.parse(declaration)) for name, declaration in columns]
    arrays = [
        pa.array([row[place] for row in rows], _ARROW[column.type.name]) for place, column in enumerate(described)
    ]
    names = [str(place) for place in range(len(arrays))]
    return Answer(described, iter(pa.table(arrays, names=names).to_batches() if rows else []))


def streamed(cursor: duckdb.DuckDBPyConnection, sql: str, columns: Sequence[ResultColumn]) -> Answer:
    """The rows of a DuckDB query, read as they are sent. Faults of DuckDB become SQL Server's."""
    batches = _batches(cursor, sql)
    return Answer(columns, batches, batches.close)


def _batches(cursor: duckdb.DuckDBPyConnection, sql: str) -> Generator[Any]:
    """Record batches of at most BATCH_ROWS rows. Closing it frees the cursor for the next statement."""
    try:
        with cursor.sql(sql).to_arrow_reader(BATCH_ROWS) as reader:
            for batch in reader:
                # one text column of a batch must stay below 2 GB when it doubles to UTF-16
                pieces = 1 + batch.nbytes // 200_000_000
                step = -(-batch.num_rows // pieces)
                for start in range(0, batch.num_rows, step or 1):
                    yield batch.slice(start, step)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise fault(error) from error


def fault(error: Exception) -> Exception:
    """DuckDB's complaint in SQL Server's words."""
    text = str(error)
    if "INTERRUPT" in text.upper():
        return errors.Cancelled()
    if errors.DIVIDED_BY_ZERO in text:
        return errors.divided_by_zero()
    if isinstance(error, duckdb.OutOfRangeException) or "out of range" in text.lower():
        return errors.overflow("numeric")
    if isinstance(error, duckdb.ConversionException) or "Conversion Error" in text:
        return errors.conversion(text.splitlines()[0])
    return errors.SqlError(50000, f"The stand-in server could not run this: {text.splitlines()[0]}")


_ARROW = {
    "bigint": pa.int64(),
    "int": pa.int32(),
    "smallint": pa.int16(),
    "tinyint": pa.uint8(),
    "bit": pa.bool_(),
    "nvarchar": pa.string(),
    "varchar": pa.string(),
}
