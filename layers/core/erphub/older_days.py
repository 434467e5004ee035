"""What a rolling import brings beside its window: older days in which something changed since the last import.

A voucher keeps its day when it is changed later, and a rolling window does not reach so far back. So the source is
asked what was changed, whatever its date, and each day that has it now, or had it when it was imported, is read anew
and replaced whole, in the same step as the window.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from .models.dataset import BY_ID, Publishing
from .models.run import Run, Unit
from .ports.erp import Changed, HasDatasets, KnowsWhatChanged, Window
from .ports.imports import Lake
from .run_units import company_of, window_of

MOST_WINDOWS = 30
"""Each costs some calls of its own: when there would be more, those nearest to each other become one."""
OVERLAP = timedelta(hours=1)
"""Asked for once more: the source's clock is not ours, and what it is writing now it may show a moment later."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Older:
    """Windows before the run's own, why they are read, and whether that leaves nothing out."""

    windows: Sequence[Window] = ()
    reason: str = ""
    up_to_date: bool = False

    def as_text(self) -> list[list[str | None]]:
        """The windows as they are kept."""
        return [[day.isoformat() if day else None for day in (each.first, each.end)] for each in self.windows]


@dataclass(frozen=True)
class OlderDays:
    """Looks for them, for one unit of a run."""

    lake: Lake
    run: Run
    unit: Unit

    def in_need(self, system: HasDatasets) -> Older:
        """What has to be read beside the window. Raises what the system raises.

        Only a window without an end has anything beside it: a fixed period means its days and no others. An import of
        everything leaves nothing out by itself.
        """
        dataset, window = BY_ID[self.unit.dataset], window_of(self.run, self.unit)
        if dataset.publishing is not Publishing.PERIODS or window.end or not isinstance(system, KnowsWhatChanged):
            return Older()
        if window.first is None:
            return Older(up_to_date=True)
        since = self._since(window.first)
        changed = system.changed(dataset, company_of(self.unit), since)
        return Older() if changed is None else self._beside(changed, window.first, since)

    def _since(self, first: date) -> datetime:
        """When the last import that was told of changes began; without one, since the window's first day."""
        unit = self.unit
        dataset = BY_ID[unit.dataset]
        last = self.lake.up_to_date_until(self.run.ref.client_id, dataset, unit.connection_id, unit.company)
        return last - OVERLAP if last else datetime.combine(first, time(), UTC)

    def _beside(self, changed: Changed, first: date, since: datetime) -> Older:
        unit, at = self.unit, f"{since:%Y-%m-%d %H:%M} UTC"
        if changed.too_much:
            reason = f"So much was changed since {at} that all days before {first} are read anew."
            return Older([Window(None, first)], reason, up_to_date=True)
        dataset, client = BY_ID[unit.dataset], self.run.ref.client_id
        was = self.lake.days_of(client, dataset, unit.connection_id, unit.company, changed.known_by, first)
        windows = together({day for day in changed.days if day < first} | set(was), MOST_WINDOWS)
        shown = ", ".join(f"{each.first}" for each in windows[:3]) + (", …" if len(windows) > 3 else "")
        days = sum((each.end - each.first).days for each in windows if each.first and each.end)
        reason = f"{days} older days are read anew, because of changes since {at}: {shown}." if windows else ""
        return Older(windows, reason, up_to_date=True)


def together(days: Iterable[date], most: int) -> list[Window]:
    """The days as windows, in order: neighbours as one, and the nearest ones too while there are more than `most`."""
    ordered = sorted(days)
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    # So many gaps must close that no more than `most` windows are left; those of a day are none.
    closed = max(_DAY, gaps[-most] if len(gaps) >= most else _DAY)
    windows: list[Window] = []
    for day in ordered:
        last = windows[-1] if windows else None
        if last and last.end and day - (last.end - _DAY) <= closed:
            windows[-1] = Window(last.first, day + _DAY)
        else:
            windows.append(Window(day, day + _DAY))
    return windows
