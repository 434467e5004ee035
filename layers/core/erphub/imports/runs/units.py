"""What a run knows of one company's dataset: its dates, where its rows are staged, how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from erphub.erp.datasets import BY_ID, Publishing
from erphub.erp.reading import DateRange
from erphub.erp.system import FoundCompany
from erphub.imports import problems
from erphub.imports.runs.models import LogLine, Run, RunRef, RunStatus, Unit, UnitStatus
from erphub.imports.runs.ports import RunLog
from erphub.lake.locations import staging_prefix
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.wire import instant

_ROWS = ("read", "written", "rejected", "inserted", "updated", "unchanged", "removed")
SUMMED = (*(f"rows_{name}" for name in _ROWS), "size_bytes")
MAX_LINE_LENGTH = 2000


@dataclass(frozen=True)
class LogWriter:
    """Writes a run's log."""

    log: RunLog
    clock: Clock

    def write(self, ref: RunRef, level: str, code: str, text: str, unit: Unit | None = None) -> None:
        """Add a line, about one unit or about all."""
        about = f"{unit.dataset} of {unit.company_name}" if unit else None
        self.log.add(ref, LogLine(instant(self.clock()), level, code, text[:MAX_LINE_LENGTH], about))


def problem_of(error: HubError) -> dict[str, Any]:
    """What is kept of an error with a run: its code, its sentence and its details."""
    return {"code": error.code, "detail": error.detail} | {name: str(value) for name, value in error.members.items()}


def fail(unit: Unit, problem: Mapping[str, str]) -> None:
    """Mark a unit as failed before it began."""
    unit.status = UnitStatus.FAILED
    unit.problem = dict(problem)


def company_of(unit: Unit) -> FoundCompany:
    """The company as the ERP's module knows it."""
    return FoundCompany(unit.company, unit.company_name, None, unit.attributes)


def date_range_of(run: Run, unit: Unit) -> DateRange:
    """The days the unit is about; data that is matched by key is always read from beginning to end."""
    if BY_ID[unit.dataset].publishing is Publishing.KEYS:
        return DateRange()
    first = unit.from_date if unit.reads_history else unit.from_date or run.from_date
    return as_date_range(first, run.end_date)


def date_ranges_of(run: Run, unit: Unit) -> list[DateRange]:
    """All that the unit replaces: its days, and earlier ones in which something changed."""
    return [date_range_of(run, unit), *(as_date_range(*earlier) for earlier in unit.late_ranges)]


def as_date_range(first: str | None, end: str | None) -> DateRange:
    """A range from its days as text."""
    return DateRange(date.fromisoformat(first) if first else None, date.fromisoformat(end) if end else None)


def totals_of(units: Sequence[Unit]) -> dict[str, int]:
    """The units' counts added up; `rows_planned` is among them only when all that was looked at could be counted."""
    totals: dict[str, int] = {name: sum(getattr(unit, name) for unit in units) for name in SUMMED}
    planned = planned_rows(units)
    return totals if planned is None else {"rows_planned": planned} | totals


def planned_rows(units: Sequence[Unit]) -> int | None:
    """How many rows there are to read in the units that were looked at; None when one of them could not say."""
    counts = [unit.rows_planned for unit in units if unit.types]
    return None if None in counts else sum(count or 0 for count in counts)


def staging_path(ref: RunRef, unit: Unit) -> str:
    """Where the unit's rows are staged."""
    return f"{staging_prefix(ref.client_id, ref.run_id)}{unit.number:06}"


def status_of(run: Run, units: Sequence[Unit], problem: Mapping[str, Any] | None) -> RunStatus:
    """How a run ends, from how its units ended."""
    published = sum(unit.status is UnitStatus.PUBLISHED for unit in units)
    if run.cancel_requested and (published < len(units) or not units):
        return RunStatus.CANCELLED
    if (problem or {}).get("code") == "overlapping_run":
        return RunStatus.CANCELLED
    if not units or not published:
        return RunStatus.FAILED
    if published < len(units) or any(unit.rows_rejected for unit in units):
        return RunStatus.PARTIALLY_SUCCEEDED
    return RunStatus.SUCCEEDED


def first_problem(units: Sequence[Unit]) -> dict[str, Any] | None:
    """The problem that explains the others: a part that was held back for another's sake does not."""
    problems = [unit.problem for unit in units if unit.problem]
    return next((found for found in problems if found.get("code") != "not_published"), None)


def summary(status: RunStatus, totals: Mapping[str, int]) -> Mapping[str, str]:
    """The last line of the run's log."""
    result = {
        RunStatus.SUCCEEDED: problems.SUCCEEDED,
        RunStatus.PARTIALLY_SUCCEEDED: problems.PARTIALLY_SUCCEEDED,
        RunStatus.FAILED: problems.FAILED,
        RunStatus.CANCELLED: problems.STOPPED,
    }[status]
    read, written, rejected = (totals[f"rows_{name}"] for name in ("read", "written", "rejected"))
    return result.record(counts=f"{read} rows read, {written} written, {rejected} rejected")
