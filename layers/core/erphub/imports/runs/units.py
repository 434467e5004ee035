"""What a run knows of one company's dataset: its window, where its rows are put aside, how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from erphub.erp.datasets import BY_ID, Publishing
from erphub.erp.reading import DateRange
from erphub.erp.system import FoundCompany
from erphub.imports.runs.models import LogLine, Run, RunRef, Status, Unit, UnitStatus
from erphub.imports.runs.ports import RunStore
from erphub.platform.clock import Clock
from erphub.platform.wire import instant

SUMMED = ("read", "written", "rejected", "inserted", "updated", "unchanged", "removed", "bytes")
LONGEST_LINE = 2000


@dataclass(frozen=True)
class RunLog:
    """Writes a run's log."""

    runs: RunStore
    clock: Clock

    def __call__(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        """Add a line, about one unit or about all."""
        about = f"{unit.dataset} of {unit.company_name}" if unit else None
        self.runs.log(ref, LogLine(instant(self.clock()), level, code, text[:LONGEST_LINE], about))


def fail(unit: Unit, code: str, detail: str) -> None:
    """Mark a unit as failed before it began."""
    unit.status = UnitStatus.FAILED
    unit.problem = {"code": code, "detail": detail}


def company_of(unit: Unit) -> FoundCompany:
    """The company as the ERP's module knows it."""
    return FoundCompany(unit.company, unit.company_name, None, unit.facts)


def window_of(run: Run, unit: Unit) -> DateRange:
    """The unit's window; data that is matched by key is always read whole."""
    if BY_ID[unit.dataset].publishing is Publishing.KEYS:
        return DateRange()
    return as_window(unit.first_day or run.first_day, run.end_day)


def windows_of(run: Run, unit: Unit) -> list[DateRange]:
    """All that the unit replaces: the run's window, and older days in which something changed."""
    return [window_of(run, unit), *(as_window(*older) for older in unit.older)]


def as_window(first: str | None, end: str | None) -> DateRange:
    """A window from its days as text."""
    return DateRange(date.fromisoformat(first) if first else None, date.fromisoformat(end) if end else None)


def totals_of(units: Sequence[Unit]) -> dict[str, int]:
    """The units' counts added up; `planned` is among them only when everything that was looked at could be counted."""
    totals: dict[str, int] = {name: sum(getattr(unit, name) for unit in units) for name in SUMMED}
    planned = planned_rows(units)
    return totals if planned is None else {"planned": planned} | totals


def planned_rows(units: Sequence[Unit]) -> int | None:
    """How many rows there are to read in the units that were looked at; None when one of them could not say."""
    counts = [unit.planned for unit in units if unit.types]
    return None if None in counts else sum(count or 0 for count in counts)


def staging_of(ref: RunRef, unit: Unit) -> str:
    """Where the unit's rows are put aside."""
    return f"staging/{ref.client_id}/{ref.run_id}/{unit.number:06}"


def status_of(run: Run, units: Sequence[Unit], problem: Mapping[str, Any] | None) -> Status:
    """How a run ends, from how its units ended."""
    published = sum(unit.status is UnitStatus.PUBLISHED for unit in units)
    if run.cancel_requested and (published < len(units) or not units):
        return Status.CANCELLED
    if (problem or {}).get("code") == "overlapping_run":
        return Status.CANCELLED
    if not units or not published:
        return Status.FAILED
    if published < len(units) or any(unit.rejected for unit in units):
        return Status.PARTIALLY_SUCCEEDED
    return Status.SUCCEEDED


def first_problem(units: Sequence[Unit]) -> dict[str, Any] | None:
    """The problem that explains the others: a part that was held back for another's sake does not."""
    problems = [unit.problem for unit in units if unit.problem]
    return next((found for found in problems if found.get("code") != "not_published"), None)


def summary(status: Status, totals: Mapping[str, int]) -> str:
    """The run\'s last words in its log."""
    words = {
        Status.SUCCEEDED: "All of it is published",
        Status.PARTIALLY_SUCCEEDED: "Some of it is published",
        Status.FAILED: "Nothing was published",
        Status.CANCELLED: "It was cancelled",
    }[status]
    return f"{words}: {totals['read']} rows read, {totals['written']} written, {totals['rejected']} rejected."
