"""Where runs are kept, and the connections they read through."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from erphub.erp.reading import ReadsDatasets
from erphub.erp.system import FoundCompany
from erphub.imports.runs.models import LogLine, Part, Run, RunRef, Unit
from erphub.platform.pages import Page

type TimeLeft = Callable[[], float]
"""Seconds until the worker is ended."""
type Outcome = dict[str, Any]
"""What a task tells the machine: `outcome`, and what belongs to it."""


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


class RunStore(Protocol):
    """Runs, their units and parts, their log, and who may write where."""

    def add(self, run: Run) -> bool:
        """Keep a new run; False when there is one with this id already."""
        ...

    def get(self, ref: RunRef) -> Run:
        """Raises NotFound."""
        ...

    def list(self, client_id: str, job_id: str, limit: int, next: str | None) -> Page[Run]:
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

    def unit_page(self, ref: RunRef, limit: int, next: str | None) -> Page[Unit]:
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

    def log_page(self, ref: RunRef, limit: int, next: str | None) -> Page[LogLine]:
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
