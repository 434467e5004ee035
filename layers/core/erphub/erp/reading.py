"""What an ERP that has data can be asked: how much there is, its rows, control totals, and what changed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from erphub.erp.datasets import Dataset
from erphub.erp.system import FoundCompany


@dataclass(frozen=True)
class DateRange:
    """The days an import is about: `first <= day < end`, either open. Both open is everything."""

    first: date | None = None
    end: date | None = None

    @property
    def everything(self) -> bool:
        """Whether it has no bounds, so that rows without a date belong to it too."""
        return self.first is None and self.end is None


@dataclass(frozen=True)
class Slice:
    """A part of a dataset that is read in one go; `where` is the system's own business, plain JSON."""

    where: Mapping[str, Any]
    rows: int
    cautiously: bool = False
    """Whether to read it in the way that has proven itself: a try before ended without a word, or its reader failed."""


@dataclass(frozen=True)
class ReadPlan:
    """What a company's dataset looks like before it is read.

    `types` maps every field of the dataset to its Arrow type as text (`string`, `int64`, `date32`, `bool`,
    `timestamp[us]`, `decimal(38,20)`); `missing` names fields this installation has no column for (they are null).
    `rows` is None, and a slice's 0, where the source states no counts beforehand.
    """

    types: Mapping[str, str]
    missing: Sequence[str]
    slices: Sequence[Slice]
    rows: int | None


@dataclass(frozen=True)
class ChangeReport:
    """What was changed in a company's dataset since an instant: which days hold it now, and how to know it again.

    `known_by` has, by column, the values of rows that were read earlier and are of what changed: where it was before.
    `too_much` says that it is no use to go day by day; then nothing else is told.
    """

    days: Collection[date] = ()
    known_by: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    too_much: bool = False


@dataclass(frozen=True)
class ControlTotal:
    """What the source says a period holds; `period` is None for rows without a date, `amount` None without a sum."""

    period: date | None
    rows: int
    amount: Decimal | None


@dataclass
class Anomaly:
    """Something odd in the source's rows: its code, how often, and up to a few examples to look at."""

    code: str
    count: int
    examples: list[str]


class Reading(Protocol):
    """One slice being read: its control totals and its rows come from the same snapshot where the source has one."""

    read_by: str | None = None
    """The name of the driver that reads it, where there are several."""

    @property
    def totals(self) -> Sequence[ControlTotal]:
        """What the source says the slice holds, per period; in a window, of the rows that have a day."""
        ...

    @property
    def consistent(self) -> bool:
        """Whether totals and rows are of one snapshot; otherwise the source may have changed between them."""
        ...

    def recount(self) -> Sequence[ControlTotal]:
        """The totals once more, after the last batch: when they are no longer the same, the source has changed.

        Raises Unavailable.
        """
        ...

    def batches(self) -> Iterator[Any]:
        """Arrow record batches with exactly the fields of the plan's `types`, in that order, bounded in bytes."""
        ...

    @property
    def anomalies(self) -> Sequence[Anomaly]:
        """What was odd in the rows yielded so far."""
        ...


@runtime_checkable
class ReportsChanges(Protocol):
    """A system that can be asked what was changed, whatever its date."""

    def report_changes(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        """What was made or changed at that instant or later; None for a dataset it cannot say it of.

        What was deleted is not told. Raises ErpRefused, Unavailable.
        """
        ...


@runtime_checkable
class CountsByDay(Protocol):
    """A system that can count what it holds on each day without giving it away row by row."""

    def daily_totals_before(self, dataset: Dataset, company: FoundCompany, before: date) -> Sequence[ControlTotal]:
        """Rows and sum per day of all that is dated before a day; a day may come in several parts.

        Raises ErpRefused, Unavailable.
        """
        ...


@runtime_checkable
class ReadsDatasets(Protocol):
    """A system whose data can be imported."""

    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        """What there is to read. Raises ErpRefused (`company_gone`, `table_missing`, `permission_denied`, …)."""
        ...

    def read(
        self, dataset: Dataset, company: FoundCompany, plan: ReadPlan, part: Slice
    ) -> AbstractContextManager[Reading]:
        """Read one slice. Raises ErpRefused, Unavailable (cut, time-out, deadlock: try again)."""
        ...
