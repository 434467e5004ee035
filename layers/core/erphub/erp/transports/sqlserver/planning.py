"""What a dataset in a company's database holds, and in which parts it is read.

A plan divides the rows into slices of whole days, or of ranges of a whole-number key, so that every row lies in
exactly one of them: the first slice has no lower end and holds the rows without a date, the last has no upper end.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from erphub.erp.datasets import Dataset, Publishing
from erphub.erp.reading import DateRange, ReadPlan, Slice
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.arrow import Days
from erphub.erp.transports.sqlserver.driver import Session
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.source import INTEGERS, Bound, Source, bind
from erphub.erp.transports.sqlserver.statements import (
    COUNTS,
    EXTENT,
    Column,
    Span,
    Sql,
    condition,
    day,
    quote,
)

_HELD: Mapping[str, tuple[date, date]] = {
    "datetime": (date(1753, 1, 1), date.max),
    "smalldatetime": (date(1900, 1, 1), date(2079, 6, 6)),
}
"""The first and the last day that a type can hold, where that is not every day. Source: Microsoft, "datetime" and
"smalldatetime (Transact-SQL)"."""
_ANY_DAY = (date.min, date.max)


def plan_reading(
    server: Server,
    company: FoundCompany,
    dataset: Dataset,
    sources: Sequence[Source],
    window: DateRange,
    slice_rows: int,
) -> ReadPlan:
    """What a company's dataset holds in the window. Raises ErpRefused, Unavailable."""
    with server.database(company.attributes["database"]) as (session, _):
        bound = bind(session, dataset, sources)
        slices: list[Slice] = []
        for one in bound:
            if dataset.publishing is Publishing.PERIODS and dataset.date is not None:
                slices += _by_day(session, one, one.columns[dataset.date], window, slice_rows)
            else:
                slices += _by_key(session, one, slice_rows)
    types, missing = _types(dataset, bound)
    return ReadPlan(types, missing, slices, sum(part.rows for part in slices))


def _types(dataset: Dataset, bound: Sequence[Bound]) -> tuple[dict[str, str], list[str]]:
    """Each field's Arrow type, and the fields that no table has a column for."""
    types: dict[str, str] = {}
    missing: list[str] = []
    for wanted in dataset.fields:
        having = [one for one in bound if wanted.name in one.columns]
        types[wanted.name] = (having or bound)[0].arrow_type(wanted)
        if not having and not any(wanted.name in one.source.constants for one in bound):
            missing.append(wanted.name)
    return types, missing


def _by_day(session: Session, one: Bound, column: Column, window: DateRange, slice_rows: int) -> list[Slice]:
    low, high = lower_bound(window.first, column), upper_bound(window.end, column)
    if window.first is not None and window.first > last_day(column):
        high = low  # nothing that the type can hold lies in the window
    whole = Span(column.name, low, high, window.everything)
    counted = session.rows(counts_of(one, column, whole))
    starts: list[Any] = []
    sizes: list[int] = []
    for value, rows in counted:
        start = lower_bound(Days.day(value), column) if column.type not in INTEGERS else value
        # A new slice begins when the last one is full; values that are no day stay with the rows before them.
        if not starts or (sizes[-1] + rows > slice_rows and start is not None and start != starts[-1]):
            starts.append(start)
            sizes.append(0)
        sizes[-1] += rows
    if not starts:
        starts, sizes = [None], [0]
    ends = [*starts[1:], whole.high]
    starts[0] = whole.low
    return [
        Slice(
            {
                "table": one.source.object,
                "column": column.name,
                "low": _plain(low),
                "high": _plain(high),
                "nulls": window.everything and at == 0,
                "windowed": not window.everything,
            },
            rows,
        )
        for at, (low, high, rows) in enumerate(zip(starts, ends, sizes, strict=True))
    ]


def _by_key(session: Session, one: Bound, slice_rows: int) -> list[Slice]:
    key, lowest = one.key, one.source.lowest
    if key is None:
        if lowest is not None:
            raise problems.COLUMN_MISSING(table=one.source.object, column=one.source.key)
        # Any column will do to count by; of these, the server knows no smallest and largest value.
        key = next(column for column in one.columns.values() if column.type not in ("bit", "text", "ntext"))
    span = None if lowest is None else Span(key.name, low=lowest)
    rows, low, high = session.rows(extent_of(one, key, span))[0]
    divisible = one.key is not None and key.type in INTEGERS and key.type != "bit" and low is not None
    parts = -(-rows // slice_rows) if divisible else 1
    bounds = sorted({low + (high - low + 1) * n // parts for n in range(1, parts)} - {low}) if parts > 1 else []
    edges = [lowest, *bounds, None]
    return [
        Slice(
            {
                "table": one.source.object,
                "column": key.name,
                "low": edges[at],
                "high": edges[at + 1],
                "nulls": at == 0 and lowest is None,
                "windowed": False,
            },
            rows // len(edges[1:]) + (rows % len(edges[1:]) if at == 0 else 0),
        )
        for at in range(len(edges) - 1)
    ]


def lower_bound(when: date | None, column: Column) -> date | int | None:
    """The first day of a range (inclusive) as the column holds it: an ERP may write it as the number 20260131.

    A day outside of what its type can hold becomes the nearest that it can: with others the server refuses to compare.
    """
    if when is None:
        return None
    first, last = _HELD.get(column.type, _ANY_DAY)
    return _as_stored(min(max(when, first), last), column)


def upper_bound(when: date | None, column: Column) -> date | int | None:
    """The end of a range (exclusive) as the column holds it; none where everything that its type can hold lies before
    it.
    """
    if when is None:
        return None
    first, last = _HELD.get(column.type, _ANY_DAY)
    return None if when > last else _as_stored(max(when, first), column)


def last_day(column: Column) -> date:
    """The last day that the column's type can hold."""
    return _HELD.get(column.type, _ANY_DAY)[1]


def _as_stored(when: date, column: Column) -> date | int:
    if column.type not in INTEGERS:
        return when
    return when.year * 10000 + when.month * 100 + when.day


def _plain(bound: date | int | str | None) -> str | int | None:
    return bound.isoformat() if isinstance(bound, date) else bound


def counts_of(one: Bound, column: Column, span: Span | None) -> Sql:
    """Asks for the rows per day."""
    return COUNTS(period=day(column), **from_table(one, span))


def extent_of(one: Bound, key: Column, span: Span | None) -> Sql:
    """Asks for the rows, the least and the greatest key."""
    return EXTENT(key=quote(key.name), **from_table(one, span))


def from_table(one: Bound, span: Span | None) -> dict[str, Sql]:
    """What fills a statement's holes for the table and for which of its rows."""
    return {
        "schema": quote(one.source.schema),
        "table": quote(one.source.table),
        "where": condition(span),
    }
