"""Late changes: earlier days than a rolling import is about, in which something changed since the last import.

A voucher keeps its day when it is changed later, and a rolling period does not reach so far back; or it is moved to
another day, and would be there twice or not at all. So the source is asked what was changed, whatever its date, and
how much it holds on each earlier day. Each day that has such a row now, or had it when it was imported, or that differs
from what was imported, is read anew and replaced whole, in the same step as the period.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from erphub.erp.datasets import BY_ID, Publishing
from erphub.erp.reading import ChangeReport, ControlTotal, CountsByDay, DateRange, ReadsDatasets, ReportsChanges
from erphub.imports.runs import reconciliation
from erphub.imports.runs.models import Run, Unit
from erphub.imports.runs.units import company_of, date_range_of
from erphub.lake.ports import PublishedDays

MAX_LATE_RANGES = 30
"""Each costs some calls of its own: when there would be more, those nearest to each other become one."""
OVERLAP = timedelta(hours=1)
"""Asked for once more: the source's clock is not ours, and what it is writing now it may show a moment later."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LateChanges:
    """Ranges of days before the run's own, why they are read, and whether that leaves nothing out."""

    date_ranges: Sequence[DateRange] = ()
    reason: str = ""
    up_to_date: bool = False

    def as_text(self) -> list[list[str | None]]:
        """The ranges as they are kept."""
        return [[day.isoformat() if day else None for day in (each.first, each.end)] for each in self.date_ranges]


@dataclass(frozen=True)
class LateChangeFinder:
    """Looks for them, for one unit of a run."""

    published: PublishedDays
    run: Run
    unit: Unit

    def find(self, system: ReadsDatasets) -> LateChanges:
        """What has to be read beside the unit's own days. Raises what the system raises.

        Only a period without an end has anything beside it: a fixed one means its days and no others. An import of
        everything leaves nothing out by itself.
        """
        dataset, own = BY_ID[self.unit.dataset], date_range_of(self.run, self.unit)
        if dataset.publishing is not Publishing.PERIODS or own.end:
            return LateChanges()
        if own.first is None:
            return LateChanges(up_to_date=isinstance(system, ReportsChanges))
        since = self._since(own.first)
        changed = (
            system.report_changes(dataset, company_of(self.unit), since) if isinstance(system, ReportsChanges) else None
        )
        if changed and changed.too_much:
            reason = f"So much was changed since {_at(since)} that all days before {own.first} are read anew."
            return LateChanges([DateRange(None, own.first)], reason, up_to_date=True)
        days = self._days_changed(changed, own.first) if changed else set[date]()
        differing = self._days_that_differ(system, own.first) if isinstance(system, CountsByDay) else set[date]()
        date_ranges = merged(days | differing, MAX_LATE_RANGES)
        reason = _reason(date_ranges, since if days else None, differing)
        return LateChanges(date_ranges, reason, up_to_date=changed is not None)

    def _since(self, first: date) -> datetime:
        """When the last import that asked for changes began; without one, since the unit's first day."""
        unit = self.unit
        dataset = BY_ID[unit.dataset]
        last = self.published.up_to_date_until(self.run.ref.client_id, dataset, unit.connection_id, unit.company)
        return last - OVERLAP if last else datetime.combine(first, time(), UTC)

    def _days_changed(self, changed: ChangeReport, first: date) -> set[date]:
        unit = self.unit
        dataset, client = BY_ID[unit.dataset], self.run.ref.client_id
        earlier = self.published.days_with(client, dataset, unit.connection_id, unit.company, changed.known_by, first)
        return {day for day in changed.days if day < first} | set(earlier)

    def _days_that_differ(self, system: CountsByDay, first: date) -> set[date]:
        """Days on which the source no longer has as many rows, or the sum, that were imported.

        Months that only one side has are left out: of those not imported nobody has asked for any, and what an ERP no
        longer holds at all was put into its archive, not taken back.
        """
        unit = self.unit
        dataset, client = BY_ID[unit.dataset], self.run.ref.client_id
        here = self.published.daily_totals_before(client, dataset, unit.connection_id, unit.company, first)
        if not here:
            return set()
        there = system.daily_totals_before(dataset, company_of(unit), first)
        both = {_month(total) for total in here} & {_month(total) for total in there}
        found = reconciliation.differences(_within(both, there), _within(both, here))
        return {date.fromisoformat(each.period) for each in found}


def _within(months: Collection[date | None], totals: Iterable[ControlTotal]) -> list[ControlTotal]:
    return [total for total in totals if total.period and _month(total) in months]


def _month(total: ControlTotal) -> date | None:
    return total.period.replace(day=1) if total.period else None


def _at(since: datetime) -> str:
    return f"{since:%Y-%m-%d %H:%M} UTC"


def _reason(date_ranges: Sequence[DateRange], since: datetime | None, differing: Collection[date]) -> str:
    """What is read beside the unit's own days and why, for the run's log; nothing when nothing is."""
    if not date_ranges:
        return ""
    shown = ", ".join(f"{each.first}" for each in date_ranges[:3]) + (", …" if len(date_ranges) > 3 else "")
    days = sum((each.end - each.first).days for each in date_ranges if each.first and each.end)
    reasons = [f"because of changes since {_at(since)}"] if since else []
    reasons += [f"because {len(differing)} of them do not hold what the ERP counts there"] if differing else []
    return f"{days} earlier days are read anew, {' and '.join(reasons)}: {shown}."


def merged(days: Iterable[date], most: int) -> list[DateRange]:
    """The days as ranges, in order: neighbours as one, and the nearest ones too while there are more than `most`."""
    ordered = sorted(days)
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    # So many gaps must close that no more than `most` ranges are left; those of a day are none.
    closed = max(_DAY, gaps[-most] if len(gaps) >= most else _DAY)
    date_ranges: list[DateRange] = []
    for day in ordered:
        last = date_ranges[-1] if date_ranges else None
        if last and last.end and day - (last.end - _DAY) <= closed:
            date_ranges[-1] = DateRange(last.first, day + _DAY)
        else:
            date_ranges.append(DateRange(day, day + _DAY))
    return date_ranges
