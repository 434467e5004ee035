"""Rows of pymssql into Arrow batches of bounded size."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, override

from erphub.erp.datasets import DatasetField, FieldType
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.arrow import Values, converter
from erphub.erp.transports.sqlserver.driver import Stream
from erphub.erp.transports.sqlserver.drivers.connection import Row
from erphub.erp.transports.sqlserver.selecting import Conversion
from erphub.erp.transports.sqlserver.statements import Column, Sql, day, expression

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch

BATCH_BYTES = 8 * 1024 * 1024
"""About how much Arrow one batch holds, and so what one batch costs in memory, whatever the table's size."""
MAX_BATCH_ROWS = 65_536
_LONG_VALUE = 256 * 1024
"""What a value without a declared limit (nvarchar(max)) is taken to need."""


class RowConversion(Conversion[Values]):
    """Of rows: exact types travel as text, which Arrow parses."""

    @override
    def expression(self, wanted: DatasetField, column: Column) -> Sql:
        return day(column) if wanted.type is FieldType.DATE else expression(column)

    @override
    def converter(self, wanted: DatasetField, column: Column, text: str) -> "Callable[[Values], Array]":
        return converter(wanted, column, text, self._days, self._anomalies)

    @override
    def batches(self, stream: Stream, *, drops_dayless: bool) -> "Iterator[RecordBatch]":
        from arro3.core import RecordBatch

        at_a_time = _rows_at_a_time(self._selection.columns)
        ready: list[RecordBatch] = []
        while rows := stream.rows(at_a_time):
            kept = self._with_days(rows) if drops_dayless else rows
            if kept:
                arrays = self._selection.arrays(list(zip(*kept, strict=True)), len(kept))
                ready.append(RecordBatch.from_arrays(arrays, schema=self._schema))
                del arrays
            del rows, kept  # while the consumer works on a batch, only the batch is held
            if (
                sum(part.nbytes for part in ready) >= BATCH_BYTES
                or sum(part.num_rows for part in ready) >= MAX_BATCH_ROWS
            ):
                batch, ready = _joined(ready), []
                yield batch
        if ready:
            yield _joined(ready)

    def _with_days(self, rows: list[Row]) -> list[Row]:
        """The rows whose date is a day."""
        at = self._selection.place_of(self._dataset, self._dataset.date)
        if at is None:
            return rows
        days = self._days
        kept = [row for row in rows if days[row[at]] is not None]
        if len(kept) < len(rows):
            left: list[Any] = [row[at] for row in rows if days[row[at]] is None]
            self._anomalies.add(problems.BAD_DATE_LEFT_OUT.code, f"{self._dataset.date}: {left[0]}", len(left))
        return kept


def _rows_at_a_time(columns: Sequence[Column]) -> int:
    """How many rows can be fetched without more than BATCH_BYTES of values, if each were as long as it may be."""
    return max(1, min(MAX_BATCH_ROWS, BATCH_BYTES // max(1, sum(map(_most_bytes, columns)))))


def _most_bytes(column: Column) -> int:
    """The most that a value can take in Arrow (text in UTF-8 may need half as much again as in UTF-16)."""
    if column.max_length == -1 or column.type in ("text", "ntext"):
        return _LONG_VALUE
    return max(16, column.max_length * 3 // 2) + 8


def _joined(batches: "Sequence[RecordBatch]") -> "RecordBatch":
    from arro3.core import Table

    if len(batches) == 1:
        return batches[0]
    return Table.from_batches(batches).combine_chunks().to_batches()[0]
