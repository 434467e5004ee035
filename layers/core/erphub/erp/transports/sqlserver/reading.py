"""Reading a slice of a dataset in a company's database, as it was planned.

A slice is read over one connection, in one snapshot where the database allows it: first what the database says it
holds (rows and sum per day), then the rows, in batches bounded by bytes.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, override

from erphub.erp.datasets import Dataset, FieldType, Publishing
from erphub.erp.reading import Anomaly, ControlTotal, Reading, ReadPlan, Slice
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days, constant, converter, data_type, nulls
from erphub.erp.transports.sqlserver.driver import Row, Session
from erphub.erp.transports.sqlserver.planning import counts_of, extent_of, from_table
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.source import FLOATS, Bound, Source, bind
from erphub.erp.transports.sqlserver.statements import (
    ROWS,
    TOTALS,
    Column,
    Span,
    Sql,
    day,
    expression,
    listed,
)
from erphub.platform.errors import ErpRefused

if TYPE_CHECKING:
    from arro3.core import RecordBatch


BATCH_BYTES = 8 * 1024 * 1024
"""About how much Arrow one batch holds, and so what one batch costs in memory, whatever the table's size."""
MAX_BATCH_ROWS = 65_536
_LONG_VALUE = 256 * 1024
"""What a value without a declared limit (nvarchar(max)) is taken to need."""

_SUMS = Context(prec=100)


@contextmanager
def read(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], found: ReadPlan, part: Slice
) -> Generator["SliceReading"]:
    """One slice, being read. Raises ErpRefused (also `schema_changed`), Unavailable."""
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
        if not _as_planned(dataset, one, found, alone=len(sources) == 1):
            raise ErpRefused(
                "The company's tables were changed after the import was planned. Run the import again.",
                code="schema_changed",
            )
        session.begin(snapshot=database.snapshot)
        reading = SliceReading(session, dataset, one, found, part, consistent=database.snapshot, sums=sums)
        if not sums:
            reading.seen.add("sum_not_possible", f"{dataset.amount} in {one.source.object}")
        yield reading


def _as_planned(dataset: Dataset, one: Bound, found: ReadPlan, *, alone: bool) -> bool:
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
        return [ControlTotal(None, session.rows(extent_of(one, column, span))[0][0], None)]
    period = one.columns[dataset.date]
    amount = one.columns.get(dataset.amount or "")
    if amount is None or amount.type in FLOATS or not sums:
        counted: list[Row] = [(*row, None) for row in session.rows(counts_of(one, period, span))]
    else:
        try:
            counted = session.rows(
                TOTALS(period=day(period), total=expression(amount, total=True), **from_table(one, span))
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


class SliceReading(Reading):
    """A slice whose totals are known and whose rows are still to come."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        bound: Bound,
        found: ReadPlan,
        part: Slice,
        *,
        consistent: bool,
        sums: bool,
    ) -> None:
        self._consistent = consistent
        self.seen = Anomalies()
        self._days = Days()
        self._session, self._dataset, self._bound = session, dataset, bound
        self._types: Mapping[str, str] = found.types
        self._span, self._sums = _span(part), sums
        # In a window the lake replaces the rows of its days. A row without a day would be added again by every run, so
        # it is left to an import of everything.
        self._drops_dayless = bool(part.where["windowed"])
        self._totals = self._counted()

    def _counted(self) -> list[ControlTotal]:
        counted = totals(self._session, self._dataset, self._bound, self._span, sums=self._sums)
        return [total for total in counted if total.period is not None or not self._drops_dayless]

    @property
    @override
    def totals(self) -> Sequence[ControlTotal]:
        return self._totals

    @property
    @override
    def consistent(self) -> bool:
        return self._consistent

    @override
    def recount(self) -> Sequence[ControlTotal]:
        try:
            return self._counted()
        except SumTooWide:  # it could be added up before
            return []

    @property
    @override
    def anomalies(self) -> Sequence[Anomaly]:
        return list(self.seen.found.values())

    @override
    def batches(self) -> Iterator["RecordBatch"]:
        # Of about BATCH_BYTES each.
        from arro3.core import Field, RecordBatch, Schema

        plan = self._plan()
        schema = Schema([Field(name, data_type(text)) for name, text in self._types.items()])
        rows_sql = ROWS(columns=listed(plan.select), **from_table(self._bound, self._span))
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
            if (
                sum(part.nbytes for part in ready) >= BATCH_BYTES
                or sum(part.num_rows for part in ready) >= MAX_BATCH_ROWS
            ):
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
