"""Reading a slice of a dataset in a company's database, as it was planned.

A slice is read over one connection, in one snapshot where the database allows it: first what the database says it
holds (rows and sum per day), then the rows, in batches bounded by bytes.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, override

from erphub.erp.datasets import Dataset, Publishing
from erphub.erp.reading import Anomaly, ControlTotal, Reading, ReadPlan, Slice
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import problems, readers
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days
from erphub.erp.transports.sqlserver.columns import ColumnConversion
from erphub.erp.transports.sqlserver.driver import Session
from erphub.erp.transports.sqlserver.drivers.connection import Reader, Row
from erphub.erp.transports.sqlserver.planning import counts_of, extent_of, from_table
from erphub.erp.transports.sqlserver.rows import RowConversion
from erphub.erp.transports.sqlserver.server import Database, Server
from erphub.erp.transports.sqlserver.source import FLOATS, Bound, Source, bind
from erphub.erp.transports.sqlserver.statements import ROWS, TOTALS, Column, Span, day, expression, listed
from erphub.platform.errors import ErpRefused
from erphub.platform.prefetch import Prefetch

if TYPE_CHECKING:
    from arro3.core import RecordBatch


_SUMS = Context(prec=100)
BATCHES_PREFETCHED = 2
"""Read by native code while what came before is written: each holds a few megabytes, at most `columns.FETCH_BYTES`."""


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
    wanted = [source for source in sources if source.object == part.where["table"]]
    with _bound(server, company, dataset, wanted, part) as (session, database, one):
        if not _as_planned(dataset, one, found, alone=len(sources) == 1):
            raise problems.SCHEMA_CHANGED()
        session.begin(snapshot=database.snapshot)
        reading = SliceReading(session, dataset, one, found, part, consistent=database.snapshot, sums=sums)
        if not sums:
            reading.seen.add(problems.SUM_NOT_POSSIBLE.code, f"{dataset.amount} in {one.source.object}")
        try:
            yield reading
        finally:
            reading.end()


@contextmanager
def _bound(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], part: Slice
) -> Generator[tuple[Session, Database, Bound]]:
    """A session by the reader that serves this table, and the table's columns."""
    reader = Reader.PYMSSQL if part.cautiously else server.reader
    with server.database(company.attributes["database"], reader) as (session, database):
        (one,) = bind(session, dataset, sources)
        if readers.reads(session.reader, one.columns.values()):
            yield session, database, one
            return
    with server.database(company.attributes["database"]) as (session, database):
        (one,) = bind(session, dataset, sources)
        yield session, database, one


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
        self.read_by = session.reader.value
        self.seen = Anomalies()
        self._days = Days()
        self._session, self._dataset, self._bound = session, dataset, bound
        self._types: Mapping[str, str] = found.types
        self._span, self._sums = _span(part), sums
        # In a window the lake replaces the rows of its days. A row without a day would be added again by every run, so
        # it is left to an import of everything.
        self._drops_dayless = bool(part.where["windowed"])
        self._totals = self._counted()
        self._prefetch: Prefetch[RecordBatch] | None = None

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
        # Of about BATCH_BYTES each, or less. pymssql holds the interpreter's lock, and would gain nothing by a thread.
        if self._session.reader is Reader.PYMSSQL:
            return self._read(RowConversion)
        self._prefetch = Prefetch(self._read(ColumnConversion), BATCHES_PREFETCHED)
        return self._prefetch

    def end(self) -> None:
        """Leave nothing at work, also where not all was read."""
        if self._prefetch is not None:
            if not self._prefetch.is_over:
                self._session.cancel()
            self._prefetch.end()

    def _read(self, kind: "type[RowConversion | ColumnConversion]") -> Generator["RecordBatch"]:
        conversion = kind(self._dataset, self._bound, self._types, self._days, self.seen)
        rows_sql = ROWS(columns=listed(conversion.select), **from_table(self._bound, self._span))
        stream = self._session.stream(rows_sql)
        yield from conversion.batches(stream, drops_dayless=self._drops_dayless)
        self._session.confirm(stream.received)
        self._session.commit()
