"""Where runs are kept, and the connections they read through."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from erphub.connections.models import Connection
from erphub.erp.reading import ReadsDatasets
from erphub.erp.system import FoundCompany
from erphub.imports.runs.models import LogLine, Part, Run, RunRef, Unit
from erphub.platform.pages import Page

type TaskResult = dict[str, Any]
"""What a task answers to the machine: `outcome`, and what belongs to it."""


class RunStore(Protocol):
    """Runs."""

    def add(self, run: Run) -> bool:
        """Keep a new run; False when there is one with this id already."""
        ...

    def get(self, ref: RunRef) -> Run:
        """Raises NotFound (`run_not_found`)."""
        ...

    def page(self, client_id: str, job_id: str, limit: int, cursor: str | None) -> Page[Run]:
        """A page of a job's runs, newest first."""
        ...

    def update(self, ref: RunRef, **values: Any) -> Run:
        """Set attributes; None removes one. Returns the run as it is now."""
        ...

    def mark_running(self, ref: RunRef, now: datetime) -> Run:
        """Mark as running; the first call's instant stays the start."""
        ...

    def assign_publication_token(self, ref: RunRef, now: datetime) -> Run:
        """Give the run its place among those that publish; the first call's instant stays its token.

        Asked for when the run has its leases: one that had to wait comes after those it waited for.
        """
        ...

    def add_progress(self, ref: RunRef, now: datetime, *, rows: int = 0, size_bytes: int = 0, parts: int = 0) -> Run:
        """Add what was just read (`parts`: to its end) and show that the run lives.

        The answer says whether somebody asked to stop.
        """
        ...

    def end(self, ref: RunRef, now: datetime, values: Mapping[str, Any]) -> bool:
        """Set the final status and what belongs to it, once; False when the run has ended before."""
        ...


class RunCosts(Protocol):
    """What runs cost."""

    def add_cost(self, ref: RunRef, calls: Mapping[str, int], duration_ms: int) -> None:
        """Add a task's AWS calls, by name, and its time."""
        ...


class OpenRuns(Protocol):
    """Runs that are not known to have ended, and when to look at them."""

    def overdue(self, now: datetime) -> Iterator[RunRef]:
        """Runs that were to be looked at by now because they are not known to have ended; a moment behind."""
        ...

    def postpone(self, ref: RunRef, until: datetime) -> None:
        """The run goes on: it is to be looked at then."""
        ...

    def close(self, ref: RunRef) -> None:
        """Nobody need look at the run any more; again is fine."""
        ...


class BreaksOffRuns(Protocol):
    """Ends runs whose machine has ended without them."""

    def break_off(self, ref: RunRef) -> object:
        """End a run as broken off: free what it holds, and tell who should know. Raises NotFound."""
        ...


class UnitStore(Protocol):
    """Units of runs: one dataset of one company each."""

    def add(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """Keep the units of a run."""
        ...

    def get(self, ref: RunRef, number: int) -> Unit:
        """Raises NotFound (`unit_not_found`)."""
        ...

    def of_run(self, ref: RunRef) -> Iterator[Unit]:
        """The units of a run, by number."""
        ...

    def page(self, ref: RunRef, limit: int, cursor: str | None) -> Page[Unit]:
        """A page of them."""
        ...

    def save(self, ref: RunRef, unit: Unit) -> None:
        """Keep a unit as it is now."""
        ...

    def add_counts(self, ref: RunRef, number: int, read_by: str | None = None, **amounts: int) -> None:
        """Add to counters of a unit; rows that were written are counted by what read them as well, if that is said."""
        ...

    def fail(self, ref: RunRef, number: int, status: str, problem: Mapping[str, Any]) -> None:
        """Say that a unit has ended without being published; one that is published stays so."""
        ...

    def record_problem(self, ref: RunRef, number: int, problem: Mapping[str, Any]) -> None:
        """Keep the last problem that was worth another attempt."""
        ...


class PartStore(Protocol):
    """Parts of units: what is read in one go."""

    def add(self, ref: RunRef, parts: Sequence[Part]) -> None:
        """Keep parts that are to be read."""
        ...

    def get(self, ref: RunRef, number: int) -> Part:
        """Raises NotFound (`part_not_found`)."""
        ...

    def save(self, ref: RunRef, part: Part) -> None:
        """Keep a part as it is now."""
        ...

    def begin(self, ref: RunRef, number: int) -> None:
        """Note that a try to read the part begins: should it kill its worker, the next one knows."""
        ...

    def add_held(self, ref: RunRef, number: int, milliseconds: int) -> None:
        """A try has ended, came to nothing and held a worker for so long; another may read the part meanwhile."""
        ...


class RunLog(Protocol):
    """Logs of runs, as their users read them."""

    def add(self, ref: RunRef, line: LogLine) -> None:
        """Add a line."""
        ...

    def page(self, ref: RunRef, limit: int, cursor: str | None) -> Page[LogLine]:
        """A page of a run's log, oldest first."""
        ...


class RunLeases(Protocol):
    """Which run may write a unit's part of the lake, and which of a connection's runs may sign in to the ERP."""

    def acquire(self, ref: RunRef, unit: Unit, now: datetime, in_place_of: RunRef | None = None) -> RunRef | None:
        """Take a unit's lease, also from a run that is known to be dead; None, or the other run that has it."""
        ...

    def release(self, ref: RunRef, unit: Unit, now: datetime) -> None:
        """Give a unit's lease back; one that the run has not is fine."""
        ...

    def acquire_sign_in_slot(self, ref: RunRef, connection_id: str, now: datetime) -> bool:
        """Take the right to be the one that signs in now; it runs out by itself. False while another run has it."""
        ...

    def release_sign_in_slot(self, ref: RunRef, connection_id: str, now: datetime) -> None:
        """Give it back; one that the run has not is fine."""
        ...


@dataclass(frozen=True)
class RunStores:
    """All that is kept of runs, for those who carry them out."""

    runs: RunStore
    units: UnitStore
    parts: PartStore
    log: RunLog
    leases: RunLeases


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

    def open(self, source: Source) -> AbstractContextManager[ReadsDatasets]:
        """The connected system. Raises NotFound (`secret_gone`), CredentialsRefused, Unavailable."""
        ...


class ClaimsNewCompanies(Protocol):
    """Decides which companies a connection to all of them may use: a new one may be another connection's."""

    def claim_new_companies(self, connection: Connection, found: Sequence[FoundCompany]) -> Sequence[FoundCompany]:
        """Those of the companies found that are the connection's; new ones that are free become so."""
        ...
