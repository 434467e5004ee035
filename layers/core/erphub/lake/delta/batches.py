"""Arrow batches on their way into the lake: brought into the table's shape, and cut into pieces of bounded size."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import arro3.core as ac


def shaped(batch: ac.RecordBatch, schema: ac.Schema, connection_id: str) -> ac.RecordBatch:
    """A source's batch as the table wants it: in the table's types, with the connection it came through."""
    through = ac.Array([connection_id], type=ac.DataType.utf8()).take(_zeros(batch.num_rows))
    columns = [
        through if field.name == "connection" else _cast(batch.column(field.name), field.type) for field in schema
    ]
    return ac.RecordBatch.from_arrays(columns, schema=schema)


def _zeros(count: int) -> ac.Array:
    return ac.Array(memoryview(bytes(4 * count)).cast("i"))


def fitted(rows: Iterable[Any], schema: ac.Schema) -> Iterator[ac.RecordBatch]:
    """The engine's own batches in exactly this schema (it likes to answer in its own text types)."""
    return (_fit(ac.RecordBatch.from_arrow(batch), schema) for batch in rows)


def _fit(batch: ac.RecordBatch, schema: ac.Schema) -> ac.RecordBatch:
    columns = [_cast(batch.column(field.name), field.type) for field in schema]
    return ac.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: Any, wanted: ac.DataType) -> Any:
    return column if column.type == wanted else column.cast(wanted)


def distinct_share(column: Any) -> float:
    """How many distinct values there are for each that is not null; 0 where nobody would look (truth values)."""
    if column.type == ac.DataType.bool() or column.null_count == len(column):
        return 0.0
    encoded = column.cast(ac.DataType.dictionary(ac.DataType.int32(), column.type))
    distinct = cast(ac.Array, ac.dictionary_dictionary(encoded))
    return len(distinct) / (len(column) - column.null_count)


class Pieces:
    """A stream of batches cut into pieces of about so many bytes, remembering what it raised."""

    def __init__(self, batches: Iterator[ac.RecordBatch], max_bytes: int) -> None:
        self._batches = batches
        self._max_bytes = max_bytes
        self._next: ac.RecordBatch | None = None
        self.rows = 0
        self.size_bytes = 0
        self.error: BaseException | None = None

    def more(self) -> bool:
        """Whether there is another piece; fetches its first batch."""
        if self._next is None:
            self._next = next(self._batches, None)
        return self._next is not None

    @property
    def first(self) -> ac.RecordBatch:
        """The first batch of the next piece, which there is."""
        return cast(ac.RecordBatch, self._next)

    def piece(self) -> Iterator[ac.RecordBatch]:
        """The batches of one piece."""
        piece_bytes = 0
        try:
            while self.more() and piece_bytes < self._max_bytes:
                batch = cast(ac.RecordBatch, self._next)
                self._next = None
                piece_bytes += batch.nbytes
                self.rows += batch.num_rows
                self.size_bytes += batch.nbytes
                yield batch
        except BaseException as error:
            self.error = error
            raise
