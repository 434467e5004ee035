"""One execution of an import job: how far it is, what came of each company and dataset, what it cost."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RunStatus(StrEnum):
    """How a run stands; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class RunTrigger(StrEnum):
    """Why a run started: by hand, by its schedule, because its connection is new, or because it works again."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    FIRST = "first"
    CATCH_UP = "catch_up"


class UnitStatus(StrEnum):
    """How one dataset of one company stands; the last three are final."""

    WAITING = "waiting"
    READING = "reading"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class RunRef:
    """Which run: its client, its job, its id."""

    client_id: str
    job_id: str
    run_id: str

    def as_json(self) -> dict[str, str]:
        """The reference as the state machine carries it."""
        return {"client_id": self.client_id, "job_id": self.job_id, "run_id": self.run_id}


@dataclass(frozen=True)
class Run:
    """A run. Instants are text in UTC with `Z`; `publication_token` (microseconds, 0 before its leases) orders
    publications."""

    ref: RunRef
    connection_id: str
    trigger: RunTrigger
    status: RunStatus
    started_by: str
    created_at: str
    due_at: str | None = None
    catch_up_since: str | None = None
    """When its connection stopped working: a run that catches up on what was missed goes back to that day."""
    started_at: str | None = None
    finished_at: str | None = None
    active_at: str | None = None
    publication_token: int = 0
    cancel_requested: bool = False
    blocked_by: str | None = None
    problem: dict[str, Any] | None = None
    last_problem: dict[str, Any] | None = None
    """Why it cannot be planned at the moment; it is tried again, and is the run's problem when that did not help."""
    period: str | None = None
    """The job's period when the run was planned, as text: whether the next run of the job is about the same."""
    from_date: str | None = None
    end_date: str | None = None
    """The day after the last; None is open, as `from_date` is."""
    units_planned: bool = False
    parts: int | None = None
    """How many parts there are to read; None until planned."""
    parts_done: int = 0
    rows_read: int = 0
    bytes_read: int = 0
    totals: dict[str, int] = field(default_factory=dict[str, int])
    calls: dict[str, int] = field(default_factory=dict[str, int])
    lambda_ms: int = 0
    tasks: int = 0


@dataclass
class Unit:
    """One dataset of one company in a run: what is published in one step, and what is counted."""

    number: int
    dataset: str
    connection_id: str
    company: str
    company_name: str
    attributes: dict[str, Any]
    """What the ERP's module knows of the company."""
    status: UnitStatus = UnitStatus.WAITING
    from_date: str | None = None
    """Where its dates begin: earlier than others' when the run before did not publish it."""
    reads_history: bool = False
    """Whether it is new to the job: then it is read from `from_date` on, or from the beginning."""
    types: dict[str, str] | None = None
    missing: list[str] = field(default_factory=list[str])
    first_part: int = 0
    end_part: int = 0
    parts_done: int = 0
    late_ranges: list[list[str | None]] = field(default_factory=list[list[str | None]])
    """Ranges before the run's own (first day or None, end day) that are replaced too: something in them changed."""
    up_to_date: bool = False
    """Whether with this the lake has all that was changed until the run began, whatever its date."""
    rows_planned: int | None = None
    """None while, or as, nobody knows."""
    rows_read: int = 0
    rows_written: int = 0
    rows_rejected: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_removed: int = 0
    size_bytes: int = 0
    rows_by_reader: dict[str, int] = field(default_factory=dict[str, int])
    """Rows by the name of the driver that read them, of a source that has several."""
    duration_ms: int = 0
    problem: dict[str, Any] | None = None
    last_problem: dict[str, Any] | None = None
    """The last problem that was worth another attempt, and how many `attempts` there were."""

    @property
    def attempts(self) -> int:
        """How often work on it was begun and, as far as is known, not finished."""
        return int((self.last_problem or {}).get("attempts", 0))

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in (UnitStatus.PUBLISHED, UnitStatus.FAILED, UnitStatus.CANCELLED)


@dataclass
class Part:
    """A range of a unit that is read in one go: a worker that comes back starts after the last one that is read."""

    number: int
    unit: int
    where: dict[str, Any]
    rows: int
    is_read: bool = False
    staging_path: str = ""
    manifest: str = ""
    """Which files in staging are its rows; see `lake.ports.Staged`."""
    rows_read: int = 0
    totals: list[tuple[str | None, int, str | None]] = field(default_factory=list[tuple[str | None, int, str | None]])
    """Per month (`2026-01`, None without a date): rows and the sum as text, as the source counted them."""
    is_in_work: bool = False
    """Whether a try to read it began of which no end is known: unless it goes on right now, its worker died of it."""
    held_ms: int = 0
    """How long tries to read it that came to nothing have held a worker."""


@dataclass(frozen=True)
class LogLine:
    """A line of a run's log. `unit` is `dataset of company` when it is about one."""

    logged_at: str
    level: str
    code: str
    text: str
    unit: str | None = None
