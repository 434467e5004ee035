"""An ERP in memory that can be asked like a real one, and that can be told to misbehave."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import arro3.core as ac

from erphub.erp.datasets import Dataset, FieldType, complete
from erphub.erp.reading import Anomaly, ChangeReport, ControlTotal, DateRange, ReadPlan, Slice
from erphub.erp.system import FoundCompany
from erphub.imports.runs.ports import Source
from erphub.lake.delta.schema import arrow_type
from erphub.platform.errors import ErpRefused, Unavailable

EPOCH = date(1970, 1, 1)
type Row = dict[str, Any]


def batch_of(dataset: Dataset, rows: Sequence[Row], types: Mapping[str, str]) -> ac.RecordBatch:
    """Rows as the Arrow batch a real system would give."""
    columns: list[Any] = []
    for each in dataset.fields:
        values = [row.get(each.name) for row in rows]
        wanted = arrow_type(types[each.name])
        if each.type is FieldType.DATE:
            days = [None if value is None else (value - EPOCH).days for value in values]
            columns.append(ac.Array(days, type=ac.DataType.int32()).cast(wanted))
        elif each.type is FieldType.DECIMAL:
            texts = [None if value is None else str(value) for value in values]
            columns.append(ac.Array(texts, type=ac.DataType.utf8()).cast(wanted))
        else:
            columns.append(ac.Array(values, type=wanted))
    schema = ac.Schema([ac.Field(each.name, arrow_type(types[each.name])) for each in dataset.fields])
    return ac.RecordBatch.from_arrays(columns, schema=schema)


@dataclass
class FakeErp:
    """Companies with datasets of rows. Faults are attributes; each says when it strikes."""

    data: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    batch_rows: int = 10
    consistent: bool = True
    cut_after: int | None = None
    cuts_left: int = 0
    adds_up: bool = True
    """Whether it can give sums of amounts; a database cannot add up floats exactly."""
    lies: int = 0
    """So many readings report one row more than they give."""
    busy: dict[str, int] = field(default_factory=dict)
    """In so many readings of a company's ledger somebody posts a line after it was counted."""
    on_batch: Any = None
    readers: tuple[str, str] | None = None
    """What reads it as a rule, and what reads it with caution; None where there is one way alone."""
    on_reader: Callable[[str], None] = lambda _: None
    """What happens to whoever reads by it, after the first batch."""
    counts: bool = True
    """Whether it says beforehand how many rows there are."""
    reports_changes: Callable[[Row, datetime], bool] | None = None
    """Whether a row was changed since; without it the ERP cannot tell."""
    most_changed: int = 1000
    asked_since: list[datetime] = field(default_factory=list)
    reads: list[tuple[str, str, int]] = field(default_factory=list)

    def report_changes(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        """Rows of the ledger that a test says were changed since, by their journal."""
        self.asked_since.append(since)
        if self.reports_changes is None or dataset.date is None:
            return None
        rows = [row for row in self.data[company.key].get(dataset.id, []) if self.reports_changes(row, since)]
        if len(rows) > self.most_changed:
            return ChangeReport(too_much=True)
        return ChangeReport(
            {row[dataset.date] for row in rows}, {dataset.keys[0]: {row[dataset.keys[0]] for row in rows}}
        )

    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        rows = self._rows(dataset, company, window)
        places = range(0, len(rows), slice_rows)
        slices = [Slice({"from": at, "window": _plain(window)}, len(rows[at : at + slice_rows])) for at in places]
        return ReadPlan(self._types(dataset), self.missing, slices, len(rows) if self.counts else None)

    @contextmanager
    def read(self, dataset: Dataset, company: FoundCompany, plan: ReadPlan, part: Slice) -> Iterator["FakeReading"]:
        window = DateRange(*(date.fromisoformat(day) if day else None for day in part.where["window"]))
        at = part.where["from"]
        rows = self._rows(dataset, company, window)[at : at + part.rows]
        self.reads.append((dataset.id, company.key, at))
        lies, self.lies = self.lies > 0, max(self.lies - 1, 0)
        posted: list[Row] = []
        if rows and dataset.id == "gl_transactions" and self.busy.get(company.key):
            self.busy[company.key] -= 1
            posted = [rows[-1] | {"entry_no": "posted"}]
        read_by = self.readers[part.cautiously] if self.readers else None
        yield FakeReading(self, dataset, rows, dict(plan.types), lies, posted, read_by=read_by)

    def _types(self, dataset: Dataset) -> dict[str, str]:
        return complete(dataset, {name: kind for name, kind in self.types.items() if name in _names(dataset)})

    def _rows(self, dataset: Dataset, company: FoundCompany, window: DateRange) -> list[Row]:
        if company.key not in self.data:
            raise ErpRefused(f"The company {company.name} is no longer there.", code="company_gone")
        rows = self.data[company.key].get(dataset.id, [])
        if dataset.date is None or window.everything:
            return rows
        return [row for row in rows if row.get(dataset.date) and _inside(row[dataset.date], window)]


class CountingErp(FakeErp):
    """One that also counts its days, as a database does."""

    def daily_totals_before(self, dataset: Dataset, company: FoundCompany, before: date) -> Sequence[ControlTotal]:
        return FakeReading(self, dataset, self._rows(dataset, company, DateRange(None, before)), {}, False, []).totals


@dataclass
class FakeReading:
    """A slice being read."""

    erp: FakeErp
    dataset: Dataset
    rows: list[Row]
    types: dict[str, str]
    lies: bool
    posted: list[Row]
    anomalies: Sequence[Anomaly] = ()
    read_by: str | None = None

    @property
    def consistent(self) -> bool:
        return self.erp.consistent

    @property
    def totals(self) -> list[ControlTotal]:
        return self._count(self.rows)

    def recount(self) -> list[ControlTotal]:
        return self._count([*self.rows, *self.posted])

    def _count(self, rows: Sequence[Row]) -> list[ControlTotal]:
        found: dict[date | None, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
        for row in rows:
            day = row.get(self.dataset.date) if self.dataset.date else None
            amount = row.get(self.dataset.amount) if self.dataset.amount else None
            found[day] = (found[day][0] + 1, found[day][1] + (amount or Decimal(0)))
        if self.lies:
            found[None] = (found[None][0] + 1, found[None][1])
        summed = self.dataset.amount is not None and self.erp.adds_up
        return [ControlTotal(day, rows, amount if summed else None) for day, (rows, amount) in found.items()]

    def batches(self) -> Iterator[ac.RecordBatch]:
        rows = [*self.rows, *self.posted]
        for at in range(0, len(rows), self.erp.batch_rows):
            if self.erp.on_batch:
                self.erp.on_batch(at)
            if self.erp.cuts_left and self.erp.cut_after is not None and at >= self.erp.cut_after:
                self.erp.cuts_left -= 1
                raise Unavailable("The connection to the ERP was cut.", code="connection_cut")
            yield batch_of(self.dataset, rows[at : at + self.erp.batch_rows], self.types)
            if self.read_by:
                self.erp.on_reader(self.read_by)


@dataclass
class FakeSources:
    """One connection to a fake ERP."""

    erp: FakeErp
    datasets: Sequence[str] = ("accounts", "gl_transactions")
    status: str = "active"
    selected: Sequence[str] | None = None
    problems: dict[str, str] = field(default_factory=dict)
    """Companies that are found and cannot be opened, and why."""

    def get(self, client_id: str, connection_id: str) -> Source:
        return Source(client_id, connection_id, "Books", "fake", self.status, self.datasets)

    def companies(self, source: Source) -> Sequence[FoundCompany]:
        keys = self.selected or list(self.erp.data)
        return [FoundCompany(key, f"Company {key}", self.problems.get(key)) for key in keys]

    @contextmanager
    def open(self, source: Source) -> Iterator[FakeErp]:
        yield self.erp


def _names(dataset: Dataset) -> set[str]:
    return {each.name for each in dataset.fields}


def _inside(day: date, window: DateRange) -> bool:
    return (window.first is None or day >= window.first) and (window.end is None or day < window.end)


def _plain(window: DateRange) -> list[str | None]:
    return [window.first.isoformat() if window.first else None, window.end.isoformat() if window.end else None]
