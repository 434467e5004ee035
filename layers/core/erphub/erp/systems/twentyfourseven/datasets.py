"""Imports from 24SevenOffice: a company's dataset in slices, each read page by page, counted and summed on the way.

The ledger is read by months of its vouchers' dates (by years where a year is small), everything else in one slice. Of
the ledger and of orders the ERP also says what was made or changed since an instant, so that a rolling import knows
which older days it has to bring as well. The ERP states no counts, so what a slice holds
is counted and summed from the very answers its rows come from; where the ERP tells the accounts' balances too, the sums
per account are held against them.
"""

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, override

from erphub.erp.datasets import Dataset, Publishing
from erphub.erp.reading import Anomaly, ChangeReport, ControlTotal, DateRange, Reading, ReadPlan, Slice
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.numbers import plain
from erphub.erp.transports.http.rows import Anomalies, Row, batch, held_decimal, types_of

if TYPE_CHECKING:
    from arro3.core import RecordBatch


IDS = ("accounts", "gl_transactions", "customers", "suppliers", "products", "orders", "dimensions")
"""What both transports have."""
BATCH_ROWS = 10_000
"""About 3 MB of the widest dataset; what one batch costs in memory, whatever the company's size."""
MAX_CHANGED_ROWS = 20_000
"""From so many changed rows on, nobody goes day by day: a closing of the books, or a conversion."""


class Source(Protocol):
    """One company's datasets over one of the transports."""

    def offers(self, dataset: str) -> bool:
        """Whether it has the dataset."""
        ...

    def missing(self, dataset: str) -> Sequence[str]:
        """Fields that this transport never says anything of."""
        ...

    def years(self) -> tuple[date, date] | None:
        """First day of the first and first day after the last accounting year; None when there is none."""
        ...

    def is_small(self, first: date, end: date, rows: int) -> bool:
        """Whether the ledger between the days has so few lines that one slice will do, as far as can be told."""
        ...

    def pages(self, dataset: str, first: date | None, end: date | None) -> Iterator[list[Row]]:
        """The rows, page by page; of the ledger and orders those with `first <= date < end`, either open."""
        ...

    def changed_rows(self, dataset: str, since: datetime) -> Iterator[list[Row]]:
        """The ledger's lines or the orders that were made or changed since, whatever their date; some perhaps twice."""
        ...

    def balances(self, first: date, end: date) -> Iterator[Mapping[str, Decimal]]:
        """How much each account changed between the days, in as many readings as the ERP's words allow; none when
        it cannot be asked."""
        ...

    @property
    def restless(self) -> int:
        """How many lists were another one each time they were read, so that records may be missing."""
        ...


def plan_reading(source: Source, dataset: Dataset, window: DateRange, slice_rows: int) -> ReadPlan:
    """What there is to read. How many rows, the ERP does not say beforehand. Raises ErpRefused, Unavailable."""
    if not source.offers(dataset.id):
        f"24SevenOffice offers no {dataset.title.lower()} over this way of signing in."
        raise problems.DATASET_NOT_OFFERED(title=dataset.title.lower())
    spans = [(window.first, window.end)]
    if dataset.id == "gl_transactions":
        years = None if window.first and window.end else source.years()
        spans = whole_years(months(window, years), lambda first, end: source.is_small(first, end, slice_rows))
    elif dataset.publishing is not Publishing.PERIODS:
        spans = [(None, None)]
    slices = [Slice(_where(*span), 0) for span in spans]
    return ReadPlan(types_of(dataset), source.missing(dataset.id), slices, None)


def report_changes(source: Source, dataset: Dataset, since: datetime) -> ChangeReport | None:
    """What was changed since; each of a row's keys is unique here, so that any of them tells it again."""
    if dataset.publishing is not Publishing.PERIODS or dataset.date is None:
        return None
    days: set[date] = set()
    known_by: dict[str, set[str]] = {key: set() for key in dataset.keys}
    rows = 0
    for page in source.changed_rows(dataset.id, since):
        rows += len(page)
        if rows > MAX_CHANGED_ROWS:
            return ChangeReport(too_much=True)
        for row in page:
            days |= {row[dataset.date]} if row.get(dataset.date) else set()
            for key, values in known_by.items():
                values |= {row[key]} if row.get(key) else set()
    return ChangeReport(days, known_by)


def months(window: DateRange, years: tuple[date, date] | None) -> list[tuple[date | None, date | None]]:
    """The window in months; outside the accounting years the first and the last slice go on for ever."""
    known_first, known_end = years or (None, None)
    first, end = window.first or known_first, window.end or known_end
    if first is None or end is None or first >= end:
        return [(window.first, window.end)]
    edges = [first]
    while (following := _next_month(edges[-1])) < end:
        edges.append(following)
    spans: list[tuple[date | None, date | None]] = list(zip(edges, [*edges[1:], end], strict=True))
    spans[0] = (window.first, spans[0][1])
    spans[-1] = (spans[-1][0], window.end)
    return spans


def whole_years(
    spans: Sequence[tuple[date | None, date | None]], is_small: Callable[[date, date], bool]
) -> list[tuple[date | None, date | None]]:
    """The months of a small year as one slice: each slice costs some calls, however few rows it has."""
    joined: list[tuple[date | None, date | None]] = []
    for _, group in groupby(
        spans, key=lambda span: ((span[0] or span[1] or date.max) - timedelta(span[0] is None)).year
    ):
        year = list(group)
        inner = [day for span in year for day in span if day is not None]
        if len(year) > 1 and is_small(min(inner), max(inner)):
            joined.append((year[0][0], year[-1][1]))
        else:
            joined += year
    return joined


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _where(first: date | None, end: date | None) -> dict[str, str | None]:
    return {"first": first and first.isoformat(), "end": end and end.isoformat()}


class SliceReading(Reading):
    """A slice being read; `totals` are complete when the last batch has been taken."""

    def __init__(self, source: Source, dataset: Dataset, where: Mapping[str, Any]) -> None:
        self._source = source
        self._dataset = dataset
        self._first = date.fromisoformat(where["first"]) if where.get("first") else None
        self._end = date.fromisoformat(where["end"]) if where.get("end") else None
        self._rows: dict[date | None, int] = defaultdict(int)
        self._sums: dict[date | None, Decimal] = defaultdict(Decimal)
        self._accounts: dict[str, Decimal] = defaultdict(Decimal)
        self._anomalies = Anomalies()

    @property
    @override
    def consistent(self) -> bool:
        return False  # pages are separate answers: the ledger may change between them

    @property
    @override
    def totals(self) -> Sequence[ControlTotal]:
        summed = self._dataset.amount is not None
        return [ControlTotal(day, rows, self._sums[day] if summed else None) for day, rows in self._rows.items()]

    @override
    def recount(self) -> Sequence[ControlTotal]:
        return self.totals  # they are counted from the very answers that the rows came with

    @property
    @override
    def anomalies(self) -> Sequence[Anomaly]:
        return list(self._anomalies.values())

    @override
    def batches(self) -> Iterator["RecordBatch"]:
        waiting: list[Row] = []
        seen: set[tuple[Any, ...]] = set()
        restless = self._source.restless
        for page in self._source.pages(self._dataset.id, self._first, self._end):
            for row in page:
                key = tuple(row.get(name) for name in self._dataset.keys)
                if key in seen:  # the list grew while it was read, and pushed a row onto the next page
                    self._anomalies.add(problems.ROW_CAME_TWICE.code, " ".join(str(part) for part in key))
                    continue
                seen.add(key)
                self._count(row)
                waiting.append(row)
            if len(waiting) >= BATCH_ROWS:
                yield batch(self._dataset, waiting, self._anomalies)
                waiting = []
        if self._source.restless > restless:
            self._anomalies.add(
                problems.LIST_KEPT_CHANGING.code, f"{self._dataset.title}: the list was another one each time"
            )
        self._compare()
        if waiting:
            yield batch(self._dataset, waiting, self._anomalies)

    def _count(self, row: Row) -> None:
        day = row.get(self._dataset.date) if self._dataset.date else None
        self._rows[day] += 1
        if self._dataset.amount:
            amount = row.get(self._dataset.amount)
            if amount is not None:
                held = held_decimal(amount, self._dataset.amount, Anomalies())
                self._sums[day] += held
                self._accounts[str(row.get("account_no"))] += held

    def _compare(self) -> None:
        """Hold the ledger's sums per account against the balances that the ERP states for the same days."""
        if self._dataset.id != "gl_transactions" or self._first is None or self._end is None:
            return
        ours = {account: amount for account, amount in self._accounts.items() if amount}
        first_reading: dict[str, Decimal] | None = None
        for reading in self._source.balances(self._first, self._end):
            theirs = {account: amount for account, amount in reading.items() if amount}
            if theirs == ours:
                return
            first_reading = theirs if first_reading is None else first_reading
        for account in sorted(ours.keys() | first_reading.keys()) if first_reading is not None else ():
            mine, stated = ours.get(account, Decimal(0)), (first_reading or {}).get(account, Decimal(0))
            if mine != stated:
                example = f"account {account}: {plain(mine)} in the lines, {plain(stated)} in the balances"
                self._anomalies.add(problems.BALANCE_DIFFERS.code, example)


@contextmanager
def read(source: Source, dataset: Dataset, part: Slice) -> Generator[SliceReading]:
    """Read one slice. Raises ErpRefused, Unavailable."""
    yield SliceReading(source, dataset, part.where)
