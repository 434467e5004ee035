"""A run, its units, its log and its cost, as the API shows them."""

from typing import Annotated, Self

from pydantic import Field

from erphub.imports.runs.models import LogLine, RunStatus, Trigger, Unit, UnitStatus
from erphub.platform.wire import JsonObject, Model


class RunQuery(Model):
    """Which of a run's units: a hundred at a time."""

    next: Annotated[str | None, Field(max_length=4000, description="The `units_next` of the answer before")] = None


class UnitView(Model):
    """One dataset of one company: how far it is, and what came of it.

    `planned` rows are null where the ERP does not say beforehand how many there are; `parts_done` always tells.
    """

    dataset: str
    connection: str
    company: str
    company_name: str
    status: UnitStatus
    first_day: Annotated[str | None, Field(description="Where its window begins; null is open")]
    planned: int | None
    parts: int
    parts_done: int
    read: int
    written: int
    rejected: int
    inserted: int
    updated: int
    unchanged: int
    removed: int
    bytes: int
    seconds: float
    missing_columns: list[str]
    problem: JsonObject | None

    @classmethod
    def of(cls, unit: Unit) -> Self:
        """The unit for its users."""
        return cls(
            dataset=unit.dataset,
            connection=unit.connection_id,
            company=unit.company,
            company_name=unit.company_name,
            status=unit.status,
            first_day=unit.from_date,
            planned=unit.planned,
            parts=unit.end_part - unit.first_part,
            parts_done=unit.parts_done,
            read=unit.read,
            written=unit.written,
            rejected=unit.rejected,
            inserted=unit.inserted,
            updated=unit.updated,
            unchanged=unit.unchanged,
            removed=unit.removed,
            bytes=unit.bytes,
            seconds=round(unit.milliseconds / 1000, 3),
            missing_columns=unit.missing,
            problem=unit.problem,
        )


class Cost(Model):
    """AWS calls by `service.Operation`, Lambda time, and an estimate in US dollars at list prices."""

    calls: dict[str, int]
    tasks: int
    lambda_ms: int
    estimated_usd: str


class RunView(Model):
    """A run. `first_day` and `end_day` bound its window (the end is not included; null is open).

    `progress` has `parts` once it is planned, and `totals` have `planned` where the ERP states counts beforehand.
    """

    id: str
    job_id: str
    connection_id: str
    trigger: Trigger
    status: RunStatus
    by: str
    due_at: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    cancel_requested: bool
    blocked_by: str | None
    problem: JsonObject | None
    first_day: str | None
    end_day: str | None
    progress: dict[str, int]
    totals: dict[str, int]
    cost: Cost
    units: list[UnitView] | None = None
    units_next: str | None = None


class RunPage(Model):
    """A page of runs, newest first."""

    items: list[RunView]
    next: str | None


class LogLineView(Model):
    """A line of a run's log."""

    at: str
    level: str
    code: str
    text: str
    unit: str | None

    @classmethod
    def of(cls, line: LogLine) -> Self:
        """The line for its users."""
        return cls(at=line.logged_at, level=line.level, code=line.code, text=line.text, unit=line.unit)


class LogPage(Model):
    """A page of a run's log, oldest first."""

    items: list[LogLineView]
    next: str | None
