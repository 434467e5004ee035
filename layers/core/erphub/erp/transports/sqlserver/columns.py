"""Arrow columns of a native reader into the dataset's fields: the very values that the conversion of rows makes.

Columns are cast whole, with nulls counted before and after. Where a rule is about how something is spelled (dates as
whole numbers, floats, times of day), it is the same function as in the conversion of rows, asked once for each distinct
value of a batch. What a native reader would give in another way than pymssql is converted by the server instead, where
`expression` says so.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, override

from erphub.erp.datasets import DatasetField, FieldType
from erphub.erp.problems import TEXT_NOT_UNICODE
from erphub.erp.transports.sqlserver import problems, statements
from erphub.erp.transports.sqlserver.arrow import (
    Anomalies,
    Values,
    converter,
    data_type,
    same_nulls,
)
from erphub.erp.transports.sqlserver.buffers import holds, values_of
from erphub.erp.transports.sqlserver.driver import Stream
from erphub.erp.transports.sqlserver.selecting import Conversion
from erphub.erp.transports.sqlserver.source import FLOATS, INTEGERS, TEXTS
from erphub.erp.transports.sqlserver.statements import Column, Sql, quote

if TYPE_CHECKING:
    from arro3.core import Array, DataType, RecordBatch

FETCH_ROWS = 16_384
"""At once: more costs memory and gains nothing (measured up to 262,144)."""
FETCH_BYTES = 8 * 1024 * 1024
"""What one fetch may need: the driver makes room for every column at its declared width."""
HALF_A_CHARACTER = "\ufffd"

type Convert = Callable[["Array"], "Array"]


class ColumnConversion(Conversion["Array"]):
    """Of Arrow columns, cast whole."""

    @override
    def expression(self, wanted: DatasetField, column: Column) -> Sql:
        if wanted.type is not FieldType.TEXT or column.type in INTEGERS or column.type in FLOATS:
            return quote(column.name)
        # As text is what the server spells: decimals, dates and ids alike by every reader, offsets of instants kept
        # (a native reader gives the instant alone), bytes without a character in a code page as the server has them.
        # A time of day has no style of its own that spells it as Python does.
        return statements.expression(column)

    @override
    def converter(self, wanted: DatasetField, column: Column, text: str) -> Convert:
        from arro3.core import DataType

        final, int64 = data_type(text), DataType.int64()
        # The seventh digit of a time is cut, as pymssql does.
        first = {"bit": int64, "time": DataType.time64("us")}.get(column.type)
        by_value = column.type in FLOATS or (wanted.type is FieldType.TEXT and column.type == "time")
        if by_value or (wanted.type is FieldType.DATE and column.type in INTEGERS):
            convert = self._by_value(wanted, column, text)
        elif wanted.type is FieldType.TEXT and column.type in TEXTS:
            convert = self._texts(wanted)
        else:
            convert = _cast(wanted, final)
        return convert if first is None else lambda values: convert(values.cast(first))

    def _by_value(self, wanted: DatasetField, column: Column, text: str) -> Convert:
        """By the rule of the conversion of rows, asked once for each distinct value of a batch."""
        from arro3.core import DataType, dictionary_dictionary, dictionary_indices

        odd = Anomalies()
        make = converter(wanted, column, text, self._days, odd)

        def convert(values: "Array") -> "Array":
            encoded = values.cast(DataType.dictionary(DataType.int32(), values.type))
            distinct, places = values_of(dictionary_dictionary(encoded)), dictionary_indices(encoded)
            made = make(distinct)
            if odd.found:
                self._report(make, odd, distinct, values_of(places))
            return made.take(places)

        return convert

    def _report(
        self, make: "Callable[[Values], Array]", odd: Anomalies, distinct: Sequence[Any], places: Sequence[int]
    ) -> None:
        """What was odd about some of the values, once for each row that has one of them."""
        for place, value in enumerate(distinct):
            odd.found.clear()
            make([value])
            for anomaly in odd.found.values():
                self._anomalies.add(anomaly.code, anomaly.examples[0], places.count(place))
        odd.found.clear()

    def _texts(self, wanted: DatasetField) -> Convert:
        """Text as it is; a native reader puts a mark where half a character was, and this tells of it."""
        cast_texts = _cast(wanted, data_type("string"))

        def convert(values: "Array") -> "Array":
            made = cast_texts(values)
            if holds(made, HALF_A_CHARACTER):
                for value in values_of(made):
                    if value is not None and HALF_A_CHARACTER in value:
                        self._anomalies.add(TEXT_NOT_UNICODE.code, f"{wanted.name}: {value[:60]}")
            return made

        return convert

    @override
    def batches(self, stream: Stream, *, drops_dayless: bool) -> "Iterator[RecordBatch]":
        from arro3.core import RecordBatch

        at_a_time = _rows_at_a_time(self._selection.columns)
        more = True
        while more:
            batch = stream.batch(at_a_time)
            more = batch.num_rows == at_a_time
            if drops_dayless:
                batch = self._with_days(batch)
            if batch.num_rows:
                arrays = self._selection.arrays(batch.columns, batch.num_rows)
                del batch
                yield RecordBatch.from_arrays(arrays, schema=self._schema)

    def _with_days(self, batch: "RecordBatch") -> "RecordBatch":
        """The rows whose date is a day; looked at one by one only where some are not."""
        from arro3.core import Array, DataType

        at = self._selection.place_of(self._dataset, self._dataset.date)
        if at is None:
            return batch
        dates = batch.column(at)
        if self._selection.columns[at].type not in INTEGERS and not dates.null_count:
            return batch
        spelled = values_of(dates) if self._bad(dates) else []
        kept = [place for place, value in enumerate(spelled) if self._days[value] is not None]
        if len(kept) == len(spelled):
            return batch
        left = next(value for value in spelled if self._days[value] is None)
        self._anomalies.add(problems.BAD_DATE_LEFT_OUT.code, f"{self._dataset.date}: {left}", len(spelled) - len(kept))
        return batch.take(Array(kept, DataType.int32()))

    def _bad(self, dates: "Array") -> bool:
        """Whether one of them is no day."""
        from arro3.core import DataType, dictionary_dictionary

        if dates.null_count:
            return True
        encoded = dates.cast(DataType.dictionary(DataType.int32(), dates.type))
        return any(self._days[value] is None for value in values_of(dictionary_dictionary(encoded)))


def _cast(wanted: DatasetField, final: "DataType") -> Convert:
    """A cast that loses nothing: what cannot be held is refused. Raises ErpRefused."""

    def convert(values: "Array") -> "Array":
        made = values.cast(final)
        return made if made.null_count == values.null_count else same_nulls(values, made, values_of(values), wanted)

    return convert


def _rows_at_a_time(columns: Sequence[Column]) -> int:
    """How many rows can be fetched without more than FETCH_BYTES, if each were as long as it may be."""
    widest = sum(max(16, column.max_length * 2) + 16 for column in columns)
    return max(1, min(FETCH_ROWS, FETCH_BYTES // max(1, widest)))
