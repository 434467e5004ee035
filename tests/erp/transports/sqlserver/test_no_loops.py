"""Nothing loops over rows in Python when columns are converted: more rows in a batch are not more calls."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from arro3.core import Array, DataType, Field, RecordBatch, Schema

from erphub.erp.datasets import BY_ID, FieldType
from erphub.erp.transports.sqlserver import columns
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days
from erphub.erp.transports.sqlserver.source import Bound, Source
from erphub.erp.transports.sqlserver.statements import Column
from erphub.lake.delta.batches import shaped
from erphub.lake.delta.schema import staged_schema

LEDGER = BY_ID["gl_transactions"]
DAYS = [20240101, 20240102, 0, None]
ALLOWED_PER_THOUSAND = 2
"""A batch with more rows may make a few calls more (its memory), but none for each of its rows."""
OF_KIND: dict[FieldType, tuple[str, str]] = {
    FieldType.TEXT: ("nvarchar", "string"),
    FieldType.INTEGER: ("int", "int64"),
    FieldType.DECIMAL: ("int", "decimal(10,0)"),
    FieldType.DATE: ("int", "date32"),
    FieldType.TIMESTAMP: ("date", "timestamp[us]"),
    FieldType.BOOLEAN: ("int", "bool"),
}


class OneBatch:
    """A stream of one batch and its end."""

    def __init__(self, batch: RecordBatch) -> None:
        self._batches = [batch, batch.slice(0, 0)]
        self.received = 0

    def batch(self, most: int) -> RecordBatch:
        return self._batches.pop(0)


def bound() -> Bound:
    found = {field.name: Column(field.name, OF_KIND[field.type][0], 8, 10, 0, True) for field in LEDGER.fields}
    return Bound(Source("Ledger", {}), found, None)


def batch(count: int) -> RecordBatch:
    made: list[Array] = []
    for field in LEDGER.fields:
        whole = Array([DAYS[n % 4] for n in range(count)], DataType.int32())
        match field.type:
            case FieldType.TEXT:
                made.append(Array([f"Bilag {n}" for n in range(count)], DataType.large_utf8()))
            case FieldType.TIMESTAMP:
                made.append(whole.cast(DataType.date32()))
            case _:
                made.append(whole)
    named = [Field(field.name, one.type) for field, one in zip(LEDGER.fields, made, strict=True)]
    return RecordBatch.from_arrays(made, schema=Schema(named))


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, of Python and of C."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def made(count: int) -> Callable[[], object]:
    types = {field.name: OF_KIND[field.type][1] for field in LEDGER.fields}
    conversion = columns.ColumnConversion(LEDGER, bound(), types, Days(), Anomalies())
    schema = staged_schema(LEDGER, types)
    source: Any = OneBatch(batch(count))
    return lambda: [shaped(one, schema, "C1") for one in conversion.batches(source, drops_dayless=False)]


def test_a_batch_of_many_rows_makes_no_more_calls_than_one_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = 1_000, 16_000
    took: list[int] = []
    for count in (few, few, many):  # the first fills what is remembered
        monkeypatch.setattr(columns, "FETCH_ROWS", count)
        took.append(calls(made(count)))
    more = (took[2] - took[1]) / ((many - few) / 1000)
    assert more <= ALLOWED_PER_THOUSAND, took
