"""Surveying and reading a dataset in a company's database: what there is, in which parts, and then its rows.

A plan divides the rows into slices of whole days, or of ranges of a whole-number key, so that every row lies in
exactly one of them: the first slice has no lower end and holds the rows without a date, the last has no upper end.

A slice is read over one connection, in one snapshot where the database allows it: first what the database says it
holds (rows and sum per day), then the rows, in batches bounded by bytes.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

from erphub.erp.datasets import Dataset, FieldType, Publishing
from erphub.erp.reading import Anomaly, ControlTotal, DateRange, ReadPlan, Slice
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days, constant, converter, data_type, nulls
from erphub.erp.transports.sqlserver.driver import Row, Session
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.source import FLOATS, INTEGERS, Bound, Source, bind
from erphub.erp.transports.sqlserver.statements import (
    COUNTS,
    EXTENT,
    ROWS,
    TOTALS,
    Column,
    Span,
    Sql,
    condition,
    day,
    expression,
    listed,
    quote,
)
from erphub.platform.errors import ErpRefused

if TYPE_CHECKING:
    from arro3.core import RecordBatch


BATCH_BYTES = 8 * 1024 * 1024
"""About how much Arrow one batch holds, and so what one batch costs in memory, whatever the table's size."""
MOST_ROWS = 65_536
_LONG_VALUE = 256 * 1024
"""What a value without a declared limit (nvarchar(max)) is taken to need."""

_EARLIEST = {"datetime": date(1753, 1, 1), "smalldatetime": date(1900, 1, 1)}
_SUMS = Context(prec=100)


# --- what there is ---------------------------------------------------------------------------------------------------


def plan_reading(
    server: Server,
    company: FoundCompany,
    dataset: Dataset,
    sources: Sequence[Source],
    window: DateRange,
    slice_rows: int,
) -> ReadPlan:
    """What a company's dataset holds in the window. Raises ErpRefused, Unavailable (see ports/erp.py)."""
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
    counted = session.rows(_counts(one, column, whole))
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
    rows, low, high = session.rows(_extent(one, key, span))[0]
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


def _counts(one: Bound, column: Column, span: Span | None) -> Sql:
    return COUNTS(period=day(column), **_table(one, span))


def _extent(one: Bound, key: Column, span: Span | None) -> Sql:
    return EXTENT(key=quote(key.name), **_table(one, span))


def _table(one: Bound, span: Span | None) -> dict[str, Sql]:
    return {
        "schema": quote(one.source.schema),
        "table": quote(one.source.table),
        "where": condition(span),
    }


# --- and reading it --------------------------------------------------------------------------------------------------


@contextmanager
def read(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], found: ReadPlan, part: Slice
) -> Generator["SliceReading"]:
    """One slice, being read. Raises ErpRefused (also `schema_changed`), Unavailable (see ports/erp.py)."""
    try:
        with _reading(server, company, dataset, sources, found, part, sums=True) as reading:
            yield reading
            return
    except SumTooWide:
        pass  # the rows can be held, only their sum cannot: count them instead, in a transaction of its own
    with _reading(server, company, dataset, sources, found, part, sums=False) as reading:
        yield reading


class SumTooWide(Exception):
    """The server cannot add up a period's amounts in 38 digits."""


@contextmanager
def _reading(
    server: Server,
    company: FoundCompany,
    dataset: Dataset,
    sources: Sequence[Source],
    found: ReadPlan,
    part: Slice,
    *,
    sums: bool,
) -> Generator["SliceReading"]:
    with server.database(company.facts["database"]) as (session, database):
        one = bind(session, dataset, [source for source in sources if source.object == part.where["table"]])[0]
        if not _as_surveyed(dataset, one, found, alone=len(sources) == 1):
            raise ErpRefused(
                "The company's tables were changed after the import was planned. Run the import again.",
                code="schema_changed",
            )
        session.begin(snapshot=database.snapshot)
        span = _span(part)

        def count() -> list[ControlTotal]:
            return totals(session, dataset, one, span, sums=sums)

        reading = SliceReading(session, dataset, one, found, part, span, count, consistent=database.snapshot)
        if not sums:
            reading.seen.add("sum_not_possible", f"{dataset.amount} in {one.source.object}")
        yield reading


def _as_surveyed(dataset: Dataset, one: Bound, found: ReadPlan, *, alone: bool) -> bool:
    """Whether the table still has the columns, of the types, that the plan saw."""
    absent = {
        wanted.name
        for wanted in dataset.fields
        if wanted.name not in one.columns and wanted.name not in one.source.constants
    }
    missing = set(found.missing)
    same_columns = absent == missing if alone else missing <= absent
    return same_columns and all(
        one.arrow_type(wanted) == found.types[wanted.name] for wanted in dataset.fields if wanted.name in one.columns
    )


def _span(part: Slice) -> Span:
    low, high = (
        date.fromisoformat(bound) if isinstance(bound, str) else bound
        for bound in (part.where["low"], part.where["high"])
    )
    return Span(part.where["column"], low, high, part.where["nulls"])


def totals(session: Session, dataset: Dataset, one: Bound, span: Span, *, sums: bool) -> list[ControlTotal]:
    """Rows and sums per day as the source counts them; rows without a day, or with a bad one, are one period.

    Raises SumTooWide, which ends the transaction, ErpRefused, Unavailable.
    """
    if dataset.publishing is not Publishing.PERIODS or dataset.date is None:
        column = Column(span.column, "int", 4, 10, 0, True)
        return [ControlTotal(None, session.rows(_extent(one, column, span))[0][0], None)]
    period = one.columns[dataset.date]
    amount = one.columns.get(dataset.amount or "")
    if amount is None or amount.type in FLOATS or not sums:
        counted: list[Row] = [(*row, None) for row in session.rows(_counts(one, period, span))]
    else:
        try:
            counted = session.rows(
                TOTALS(period=day(period), total=expression(amount, total=True), **_table(one, span))
            )
        except ErpRefused as error:
            if error.code == "number_overflow":
                raise SumTooWide from error
            raise
    return _per_day(counted, summed=sums and amount is not None and amount.type not in FLOATS)


def _per_day(counted: Sequence[Row], *, summed: bool) -> list[ControlTotal]:
    days: dict[date | None, tuple[int, Decimal]] = {}
    for value, rows, amount in counted:
        when = Days.day(value)
        before = days.get(when, (0, Decimal(0)))
        added = _SUMS.add(before[1], Decimal(amount)) if amount is not None else before[1]
        days[when] = (before[0] + rows, added)
    return [ControlTotal(when, rows, amount if summed else None) for when, (rows, amount) in days.items()]


@dataclass
class _Plan:
    """How a row becomes a batch: what to select, and per field what makes its column."""

    columns: Sequence[Column]
    select: Sequence[Sql]
    fields: Sequence[tuple[int | None, Any]]
    """For each field of the dataset: its place among the selected columns and its converter, or None and a filler."""


class SliceReading:
    """A slice whose totals are known and whose rows are still to come. Satisfies ports.erp.Reading."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        bound: Bound,
        found: ReadPlan,
        part: Slice,
        span: Span,
        count: Callable[[], list[ControlTotal]],
        *,
        consistent: bool,
    ) -> None:
        self.consistent = consistent
        self.seen = Anomalies()
        self._days = Days()
        self._session, self._dataset, self._bound = session, dataset, bound
        self._types: Mapping[str, str] = found.types
        self._span = span
        # In a window the lake replaces the rows of its days. A row without a day would be added again by every run, so
        # it is left to an import of everything.
        self._drops_dayless = bool(part.where["windowed"])
        self._count = count
        self.totals = self._counted()

    def _counted(self) -> list[ControlTotal]:
        return [total for total in self._count() if total.period is not None or not self._drops_dayless]

    def recount(self) -> Sequence[ControlTotal]:
        """What the slice holds now that its rows were read. Raises Unavailable."""
        try:
            return self._counted()
        except SumTooWide:  # it could be added up before
            return []

    @property
    def anomalies(self) -> Sequence[Anomaly]:
        """What was odd in the rows yielded so far."""
        return list(self.seen.found.values())

    def batches(self) -> Iterator["RecordBatch"]:
        """Arrow batches of about BATCH_BYTES. Raises Unavailable when the connection breaks."""
        from arro3.core import Field, RecordBatch, Schema

        plan = self._plan()
        schema = Schema([Field(name, data_type(text)) for name, text in self._types.items()])
        rows_sql = ROWS(columns=listed(plan.select), **_table(self._bound, self._span))
        stream = self._session.stream(rows_sql)
        at_a_time = _rows_at_a_time(plan.columns)
        ready: list[RecordBatch] = []
        while rows := stream.next(at_a_time):
            kept = self._with_days(plan, rows) if self._drops_dayless else rows
            if kept:
                columns = list(zip(*kept, strict=True))
                arrays = [make(columns[at]) if at is not None else make(len(kept)) for at, make in plan.fields]
                ready.append(RecordBatch.from_arrays(arrays, schema=schema))
                del columns, arrays
            del rows, kept  # while the consumer works on a batch, only the batch is held
            if sum(part.nbytes for part in ready) >= BATCH_BYTES or sum(part.num_rows for part in ready) >= MOST_ROWS:
                batch, ready = _joined(ready), []
                yield batch
        if ready:
            yield _joined(ready)
        self._session.commit()

    def _plan(self) -> _Plan:
        columns: list[Column] = []
        select: list[Sql] = []
        fields: list[tuple[int | None, Any]] = []
        for wanted in self._dataset.fields:
            text = self._types[wanted.name]
            column = self._bound.columns.get(wanted.name)
            if column is not None:
                fields.append((len(select), converter(wanted, column, text, self._days, self.seen)))
                columns.append(column)
                select.append(day(column) if wanted.type is FieldType.DATE else expression(column))
            elif wanted.name in self._bound.source.constants:
                fields.append((None, constant(self._bound.source.constants[wanted.name], text)))
            else:
                fields.append((None, nulls(text)))
        return _Plan(columns, select, fields)

    def _with_days(self, plan: _Plan, rows: list[Row]) -> list[Row]:
        """The rows whose date is a day."""
        names = [wanted.name for wanted in self._dataset.fields]
        at = plan.fields[names.index(self._dataset.date or "")][0]
        if at is None:
            return rows
        days = self._days
        kept = [row for row in rows if days[row[at]] is not None]
        if len(kept) < len(rows):
            left = [row[at] for row in rows if days[row[at]] is None]
            self.seen.add("bad_date_left_out", f"{self._dataset.date}: {left[0]}", len(left))
        return kept


def _rows_at_a_time(columns: Sequence[Column]) -> int:
    """How many rows can be fetched without more than BATCH_BYTES of values, if each were as long as it may be."""
    return max(1, min(MOST_ROWS, BATCH_BYTES // max(1, sum(map(_most_bytes, columns)))))


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
