"""Slices cover a table: every row lies in exactly one of them, also rows that come later."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.reading import DateRange, Slice
from erphub.erp.transports.sqlserver import planning, reading
from erphub.erp.transports.sqlserver.source import Bound, Source
from erphub.erp.transports.sqlserver.statements import Column, Span, condition


class Answering:
    """A session that answers one question with these rows."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        assert statement.startswith("SELECT")
        return self._rows


def holds(part: Slice, value: Any) -> bool:
    """Whether the database would count a row with this value in the slice's column to it."""
    span = reading._span(part)
    assert condition(span) is not None
    if value is None:
        return span.with_nulls
    if span.low is None and span.high is None:
        return True
    return (span.low is None or value >= span.low) and (span.high is None or value < span.high)


def bound(column: Column, *, lowest: int | None = None) -> Bound:
    return Bound(Source("T", {}, key=column.name, lowest=lowest), {"date": column}, column)


INT = Column("N", "int", 4, 10, 0, True)
DAY = Column("D", "datetime", 8, 23, 3, True)
_days = st.dates(date(2019, 12, 25), date(2024, 3, 5))
_numbers = st.one_of(st.none(), st.just(0), st.integers(20191225, 20240305), st.integers(-50, 99999999))


@given(st.dictionaries(_numbers, st.integers(1, 50), max_size=60), st.integers(1, 100), _numbers)
def test_days_as_numbers(counted: dict[int | None, int], slice_rows: int, later: int | None) -> None:
    rows = sorted(counted.items(), key=lambda item: (item[0] is not None, item[0] or 0))
    slices = planning._by_day(Answering(rows), bound(INT), INT, DateRange(), slice_rows)  # type: ignore[arg-type]
    check(slices, dict(rows), later)


@given(st.dictionaries(st.none() | _days, st.integers(1, 50), max_size=60), st.integers(1, 100), st.none() | _days)
def test_days_as_dates(counted: dict[date | None, int], slice_rows: int, later: date | None) -> None:
    rows = sorted(counted.items(), key=lambda item: (item[0] is not None, item[0] or date.min))
    told = [(None if day is None else day.isoformat(), count) for day, count in rows]
    slices = planning._by_day(Answering(told), bound(DAY), DAY, DateRange(), slice_rows)  # type: ignore[arg-type]
    check(slices, dict(rows), later)


@given(
    st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=60),
    st.integers(1, 100),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.just(1),
)
def test_keys(keys: list[int | None], slice_rows: int, later: int | None, lowest: int | None) -> None:
    there = [key for key in keys if lowest is None or (key is not None and key >= lowest)]
    known = [key for key in there if key is not None]
    extent = (len(there), min(known, default=None), max(known, default=None))
    slices = planning._by_key(Answering([extent]), bound(INT, lowest=lowest), slice_rows)  # type: ignore[arg-type]
    assert sum(part.rows for part in slices) == len(there)
    for key in [*keys, later]:
        expected = 1 if lowest is None or (key is not None and key >= lowest) else 0
        assert sum(holds(part, key) for part in slices) == expected
    assert [Slice(**one) for one in json.loads(json.dumps([vars(part) for part in slices]))] == slices


def check(slices: Sequence[Slice], counted: dict[Any, int], later: Any) -> None:
    assert slices
    assert sum(part.rows for part in slices) == sum(counted.values())
    for value, count in counted.items():
        assert [part for part in slices if holds(part, value)] != []
        assert sum(holds(part, value) for part in slices) == 1
        assert count <= next(part.rows for part in slices if holds(part, value))
    assert sum(holds(part, later) for part in slices) == 1
    assert [Slice(**one) for one in json.loads(json.dumps([vars(part) for part in slices]))] == slices


@given(st.dictionaries(_days, st.integers(1, 50), max_size=40), _days, st.integers(1, 400), st.integers(1, 100))
def test_a_window_ends_where_it_says(counted: dict[date, int], first: date, length: int, slice_rows: int) -> None:
    window = DateRange(first, first + timedelta(days=length))
    inside = sorted((day, count) for day, count in counted.items() if first <= day < first + timedelta(days=length))
    told = [(day.isoformat(), count) for day, count in inside]
    slices = planning._by_day(Answering(told), bound(DAY), DAY, window, slice_rows)  # type: ignore[arg-type]
    for day in [*counted, first, first - timedelta(days=1), first + timedelta(days=length)]:
        expected = 1 if first <= day < first + timedelta(days=length) else 0
        assert sum(holds(part, day) for part in slices) == expected
    assert not any(holds(part, None) for part in slices)


def test_a_day_that_is_larger_than_a_slice_is_one_slice() -> None:
    told = [(20240101, 10), (20240102, 1000), (20240103, 10)]
    slices = planning._by_day(Answering(told), bound(INT), INT, DateRange(), 100)  # type: ignore[arg-type]
    assert [part.rows for part in slices] == [10, 1000, 10]


@pytest.mark.parametrize(
    ("span", "sql"),
    [
        (None, ""),
        (Span("N", with_nulls=True), ""),
        (Span("N"), " WHERE [N] IS NOT NULL"),
        (Span("N", 1), " WHERE [N] >= 1"),
        (Span("N", 1, 5), " WHERE [N] >= 1 AND [N] < 5"),
        (Span("N", None, 5, with_nulls=True), " WHERE ([N] < 5) OR [N] IS NULL"),
        (Span("D]x", date(2024, 1, 31)), " WHERE [D]]x] >= '20240131'"),
        (Span("T", "a'b"), " WHERE [T] >= N'a''b'"),
    ],
)
def test_a_span_as_the_server_is_asked_for_it(span: Span | None, sql: str) -> None:
    assert condition(span) == sql
