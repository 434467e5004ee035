"""A run, its units, its log and its cost, as the API shows them."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field

from erphub.imports.runs.models import LogLine, RunStatus, RunTrigger, Unit, UnitStatus
from erphub.platform.actors import ActorView
from erphub.platform.wire import InstantText, JsonObject, Model


class RunQuery(Model):
    """Which of a run's units: a hundred at a time."""

    next: Annotated[
        str | None, Field(json_schema_extra={"maxLength": 4000}, description="The `units.next` of the answer before")
    ] = None


class UnitView(Model):
    """One dataset of one company: how far it is, and what came of it.

    `rows_planned` is null where the ERP does not say beforehand how many there are; `parts_done` always tells.
    """

    dataset_id: str
    connection_id: str
    company_key: str
    company_name: str
    status: UnitStatus
    from_date: Annotated[date | None, Field(description="The first day it is about; null is open")]
    rows_planned: int | None
    part_count: int
    parts_done: int
    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    rows_removed: int
    size_bytes: int
    duration_ms: int
    rows_by_reader: Annotated[
        dict[str, int],
        Field(
            description="Rows written so far by the driver that read them, such as `pymssql` or `mssql-odbc`. Empty for"
            " a system that is read in one way alone"
        ),
    ]
    missing_columns: list[str]
    problem: JsonObject | None

    @classmethod
    def of(cls, unit: Unit) -> Self:
        """The unit for its users."""
        return cls(
            dataset_id=unit.dataset,
            company_key=unit.company,
            from_date=date.fromisoformat(unit.from_date) if unit.from_date else None,
            part_count=unit.end_part - unit.first_part,
            missing_columns=unit.missing,
            **{name: getattr(unit, name) for name in _SAME_IN_UNITS},
        )


_SAME_IN_UNITS = UnitView.model_fields.keys() & Unit.__dataclass_fields__.keys() - {"from_date"}


class UnitPage(Model):
    """A page of a run's units."""

    items: list[UnitView]
    next: str | None


class RunProgress(Model):
    """How far a run is; `part_count` is null until it is planned."""

    rows_read: int
    size_bytes: int
    part_count: int | None
    parts_done: int


class RunTotals(Model):
    """What came of all units together; `rows_planned` is null where the ERP does not state counts beforehand."""

    rows_planned: int | None = None
    rows_read: int
    rows_written: int
    rows_rejected: int
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    rows_removed: int
    size_bytes: int


class RunCost(Model):
    """AWS calls by `service.Operation`, Lambda time, and an estimate in US dollars at list prices."""

    aws_calls: dict[str, int]
    task_count: int
    lambda_duration_ms: int
    estimated_usd: str


class RunView(Model):
    """A run. `from_date` and `to_date` bound the days it is about, both included; null is open.

    `totals` are there once it has ended.
    """

    id: str
    job_id: str
    connection_id: str
    trigger: RunTrigger
    status: RunStatus
    started_by: ActorView
    due_at: InstantText | None
    created_at: InstantText
    started_at: InstantText | None
    finished_at: InstantText | None
    cancel_requested: bool
    blocked_by_run_id: str | None
    problem: JsonObject | None
    from_date: date | None
    to_date: date | None
    progress: RunProgress
    totals: RunTotals | None
    cost: RunCost
    units: UnitPage | None = None


class RunPage(Model):
    """A page of runs, newest first."""

    items: list[RunView]
    next: str | None


class LogLineView(Model):
    """A line of a run's log."""

    logged_at: InstantText
    level: str
    code: str
    detail: str
    unit_title: Annotated[str | None, Field(description="`dataset of company`, when the line is about one unit")]

    @classmethod
    def of(cls, line: LogLine) -> Self:
        """The line for its users."""
        return cls(logged_at=line.logged_at, level=line.level, code=line.code, detail=line.text, unit_title=line.unit)


class LogPage(Model):
    """A page of a run's log, oldest first."""

    items: list[LogLineView]
    next: str | None
