"""What importing asks of the world: where jobs and runs are kept, the lake, and the connections it reads through."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from ..models.dataset import Dataset
from ..models.job import Job
from ..models.run import LogLine, Part, Run, RunRef, Unit
from .erp import FoundCompany, HasDatasets, Oddity, Total, Window

type Checkpoint = Callable[[str], None]
"""Called with a name after each step that could be a worker's last; tests make it raise to kill the worker there."""


def no_checkpoint(_: str) -> None:
    """In production nobody kills the worker on purpose."""


type TimeLeft = Callable[[], float]
"""Seconds until the worker is ended."""
type Outcome = dict[str, Any]
"""What a task tells the machine: `outcome`, and what belongs to it."""


@dataclass(frozen=True)
class Listed[T]:
    """One page of a list, and the word that asks for the next one."""

    items: Sequence[T]
    next: str | None


@dataclass(frozen=True)
class DueJob:
    """A job whose time has come, still unread: one that cannot be read must not keep the others from starting."""

    client_id: str
    job_id: str
    read: Callable[[], Job]
    """Raises ValueError when what is kept is no job."""


class Jobs(Protocol):
    """Import jobs, and which of them are due."""

    def add(self, job: Job) -> bool:
        """Keep a new job; False when there is one with this id already."""
        ...

    def get(self, client_id: str, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def save(self, job: Job, expected_version: int) -> None:
        """Replace the job. Raises Conflict (`version_conflict`) when it is no longer of the expected version."""
        ...

    def delete(self, client_id: str, job_id: str) -> None:
        """Raises NotFound."""
        ...

    def list(self, client_id: str, limit: int, next: str | None) -> Listed[Job]:
        """A page of the client's jobs."""
        ...

    def due(self, now: datetime) -> Iterator[DueJob]:
        """Every scheduled job whose next instant is not after `now`, of all clients."""
        ...

    def move_on(self, job: Job, due_at: datetime | None) -> None:
        """Set the next due instant, unless somebody has changed it or the job since it was read."""
        ...


class OpenRuns(Protocol):
    """Runs that are not known to have ended, and when to look at them."""

    def overdue(self, now: datetime) -> Iterator[RunRef]:
        """Runs that were to be looked at by now because they are not known to have ended; a moment behind."""
        ...

    def look_again(self, ref: RunRef, at: datetime) -> None:
        """The run goes on: it is to be looked at then."""
        ...

    def close(self, ref: RunRef) -> None:
        """Nobody need look at the run any more; again is fine."""
        ...


class Runs(Protocol):
    """Runs, their units and parts, their log, and who may write where."""

    def add(self, run: Run) -> bool:
        """Keep a new run; False when there is one with this id already."""
        ...

    def get(self, ref: RunRef) -> Run:
        """Raises NotFound."""
        ...

    def list(self, client_id: str, job_id: str, limit: int, next: str | None) -> Listed[Run]:
        """Runs of a job, newest first."""
        ...

    def change(self, ref: RunRef, **values: Any) -> Run:
        """Set attributes; None removes one. Returns the run as it is now."""
        ...

    def start_work(self, ref: RunRef, now: datetime) -> Run:
        """Mark as running; the first call's instant stays the start."""
        ...

    def take_token(self, ref: RunRef, now: datetime) -> Run:
        """Give the run its place among those that publish; the first call's instant stays its token.

        Asked for when the run has its leases: one that had to wait comes after those it waited for.
        """
        ...

    def end(self, ref: RunRef, now: datetime, values: Mapping[str, Any]) -> bool:
        """Set the final status and what belongs to it, once; False when the run has ended before."""
        ...

    def progress(self, ref: RunRef, now: datetime, rows: int, bytes: int, parts: int = 0) -> Run:
        """Add what was just read (`parts`: to its end) and show that the run lives.

        The answer says whether somebody asked to stop.
        """
        ...

    def spend(self, ref: RunRef, calls: Mapping[str, int], milliseconds: int) -> None:
        """Add what a task cost."""
        ...

    def add_units(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """Keep the units of a run."""
        ...

    def save_unit(self, ref: RunRef, unit: Unit) -> None:
        """Keep a unit as it is now."""
        ...

    def add_to_unit(self, ref: RunRef, number: int, **amounts: int) -> None:
        """Add to counters of a unit."""
        ...

    def fail_unit(self, ref: RunRef, number: int, status: str, problem: Mapping[str, Any]) -> None:
        """Say that a unit has ended without being published; one that is published stays so."""
        ...

    def note_trouble(self, ref: RunRef, number: int, problem: Mapping[str, Any]) -> None:
        """Remember the last problem that was worth another try."""
        ...

    def remember_types(self, client_id: str, dataset: str, types: Mapping[str, str]) -> None:
        """Keep the types of a client's table where a reader without a table engine finds them."""
        ...

    def known_types(self, client_id: str) -> Mapping[str, Mapping[str, str]]:
        """Those types, by dataset."""
        ...

    def units(self, ref: RunRef) -> Iterator[Unit]:
        """The units of a run, by number."""
        ...

    def unit(self, ref: RunRef, number: int) -> Unit:
        """One unit. Raises NotFound."""
        ...

    def unit_page(self, ref: RunRef, limit: int, next: str | None) -> Listed[Unit]:
        """A page of them."""
        ...

    def add_parts(self, ref: RunRef, parts: Sequence[Part]) -> None:
        """Keep parts that are to be read."""
        ...

    def part(self, ref: RunRef, number: int) -> Part:
        """One part. Raises NotFound."""
        ...

    def save_part(self, ref: RunRef, part: Part) -> None:
        """Keep a part as it is now."""
        ...

    def log(self, ref: RunRef, line: LogLine) -> None:
        """Add a line to the log."""
        ...

    def log_page(self, ref: RunRef, limit: int, next: str | None) -> Listed[LogLine]:
        """A page of the log, oldest first."""
        ...

    def take_lease(self, ref: RunRef, unit: Unit) -> RunRef | None:
        """Take the right to write a unit's part of the lake; otherwise whose it is."""
        ...

    def take_over_lease(self, ref: RunRef, unit: Unit, dead: RunRef) -> bool:
        """Take it from a run that has ended or died, unless another was faster."""
        ...

    def free_lease(self, ref: RunRef, unit: Unit) -> None:
        """Give it back; one that is not held is fine."""
        ...

    def take_turn(self, ref: RunRef, connection_id: str, now: datetime) -> bool:
        """Take the right to be the one that signs in now; it runs out by itself. False while another run has it."""
        ...

    def free_turn(self, ref: RunRef, connection_id: str) -> None:
        """Give it back; one that is not held is fine."""
        ...


@dataclass(frozen=True)
class Staged:
    """One part in staging: immutable files, and the manifest that lists them.

    `manifest` is the SHA-256 of the manifest, in hex; empty when there are no rows. `bytes` are those of Arrow data.
    `amount` is the control total of the dataset's amount, as it was reconciled; None where nobody compares it.
    """

    path: str
    manifest: str
    rows: int
    bytes: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True)
class Target:
    """One unit's part of the lake, and what is to replace it.

    `windows` do not overlap; all of them are replaced at once. `token` orders the publications of a unit: the same one
    again is the same publication, a lower one is too late. `up_to_date` says that with it the unit has all that was
    changed in the source until the token's instant, whatever its date.
    """

    client_id: str
    dataset: Dataset
    connection_id: str
    company: str
    windows: Sequence[Window]
    token: int
    run_id: str
    staging: str
    """Where this unit may put things aside."""
    up_to_date: bool = False


@dataclass(frozen=True)
class Published:
    """What a publication did to the unit's part of the lake, in rows of the files that were committed.

    `repeated` when it had been done before.
    """

    inserted: int
    updated: int
    unchanged: int
    removed: int
    rejected: int = 0
    oddities: Sequence[Oddity] = ()
    repeated: bool = False


class Lake(Protocol):
    """The imported data: one table per client and dataset, written aside first and published in one step."""

    def types(self, client_id: str, dataset: Dataset) -> Mapping[str, str]:
        """The Arrow types the table has; empty when nothing was imported yet."""
        ...

    def prepare(self, client_id: str, dataset: Dataset, types: Mapping[str, str]) -> Mapping[str, str]:
        """Make the table, or widen its decimals, so that it can hold these types; returns the types it has now.

        Raises ErpRefused (`decimal_too_wide`) when no decimal holds both.
        """
        ...

    def stage(
        self, path: str, dataset: Dataset, types: Mapping[str, str], connection_id: str, batches: Iterable[Any]
    ) -> Staged:
        """Write batches into staging; the names there follow from `path`, which no other attempt may use.

        Whatever `batches` raises comes out as it is.
        """
        ...

    def staged_totals(self, staged: Staged, dataset: Dataset) -> Sequence[Total]:
        """Rows and sums per day of one part, read back from staging."""
        ...

    def staged_oddities(self, staged: Staged, dataset: Dataset) -> Sequence[Oddity]:
        """Empty and repeated keys among the rows of one part."""
        ...

    def publish(self, target: Target, staged: Sequence[Staged]) -> Published:
        """Replace the unit's part (its windows, or all of it) by what was staged, in one step; again is fine.

        Just before that step the files to be published are read: each part's rows and `amount` must be those given.
        Raises Conflict (`staged_data_changed` when they are not, `newer_run_published`), Unavailable; then nothing
        has changed, or all of it has and saying it again finds that out.
        """
        ...

    def up_to_date_until(self, client_id: str, dataset: Dataset, connection_id: str, company: str) -> datetime | None:
        """Until when a unit has all that was changed in its source; None when no publication has said so."""
        ...

    def days_of(
        self,
        client_id: str,
        dataset: Dataset,
        connection_id: str,
        company: str,
        known_by: Mapping[str, Collection[str]],
        before: date,
    ) -> Collection[date]:
        """On which days before one a unit has rows with one of these values in one of these columns."""
        ...

    def days_before(
        self, client_id: str, dataset: Dataset, connection_id: str, company: str, before: date
    ) -> Sequence[Total]:
        """Rows and sum per day of what a unit has that is dated before a day."""
        ...

    def clean(self, prefix: str) -> None:
        """Remove everything put aside under a prefix."""
        ...


@dataclass(frozen=True)
class RowsWanted:
    """A page of rows: filters, columns, and where the last page ended."""

    companies: Sequence[str] = ()
    connections: Sequence[str] = ()
    hidden: Sequence[str] = ()
    """Connections whose rows nobody sees any more."""
    window: Window = field(default_factory=Window)
    columns: Sequence[str] = ()
    limit: int = 50
    version: int | None = None
    after: Sequence[Any] | None = None
    skip: int = 0


@dataclass(frozen=True)
class RowPage:
    """Rows as plain values; `last` is the sort key of the last row and `again` how many rows with it were given."""

    rows: Sequence[Mapping[str, Any]]
    version: int | None
    last: Sequence[Any] | None = None
    again: int = 0


class LakeReader(Protocol):
    """Reads what was imported."""

    def page(self, client_id: str, dataset: Dataset, wanted: RowsWanted) -> RowPage:
        """A page of rows. Raises Gone (`page_expired`) when the state the pages began with is no longer kept."""
        ...


@dataclass(frozen=True)
class Source:
    """The connection a job reads through, as far as importing cares."""

    client_id: str
    connection_id: str
    name: str
    erp_system: str
    status: str
    datasets: Sequence[str]


class Sources(Protocol):
    """Connections, seen from imports."""

    def get(self, client_id: str, connection_id: str) -> Source:
        """Raises NotFound."""
        ...

    def companies(self, source: Source) -> Sequence[FoundCompany]:
        """The companies in use; when the connection takes future ones too, also every new one that can be opened.

        One in use that is known to be gone, closed or not permitted has a `problem`.
        """
        ...

    def open(self, source: Source) -> AbstractContextManager[HasDatasets]:
        """The connected system. Raises NotFound (`secret_gone`), CredentialsRefused, Unavailable."""
        ...
