"""What a dataset in a company's database holds, and in which parts it is read.

A plan divides the rows into slices of whole days, or of ranges of a whole-number key, so that every row lies in
exactly one of them: the first slice has no lower end and holds the rows without a date, the last has no upper end.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from erphub.erp.datasets import Dataset, Publishing
from erphub.erp.reading import DateRange, ReadPlan, Slice
from erphub.erp.system import FoundCompany
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
from erphub.platform.errors import ErpRefused

_EARLIEST = {"datetime": date(1753, 1, 1), "smalldatetime": date(1900, 1, 1)}


def plan_reading(
    server: Server,
    company: FoundCompany,
    dataset: Dataset,
    sources: Sequence[Source],
    window: DateRange,
    slice_rows: int,
) -> ReadPlan:
    """What a company's dataset holds in the window. Raises ErpRefused, Unavailable."""
    with server.database(company.facts["database"]) as (session, _):
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
    whole = Span(column.name, as_stored(window.first, column), as_stored(window.end, column), window.everything)
    counted = session.rows(counts_of(one, column, whole))
    starts: list[Any] = []
    sizes: list[int] = []
    for value, rows in counted:
        start = as_stored(Days.day(value), column) if column.type not in INTEGERS else value
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
            raise ErpRefused(f"{one.source.object} has no column {one.source.key}.", code="column_missing")
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


def as_stored(when: date | None, column: Column) -> date | int | None:
    """A day as the column holds it: an ERP may write it as the number 20260131.

    A day before all that its type can hold becomes the first that it can: with others the server refuses to compare.
    """
    if when is None:
        return None
    when = max(when, _EARLIEST.get(column.type, when))
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
