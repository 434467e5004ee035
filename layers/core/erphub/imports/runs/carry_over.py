"""What the run before should have read and did not: the next one reaches back to it.

A rolling window of two days, read every night, takes three days each time. A night that fails, is skipped or cancelled
would leave a hole when the windows behind it have moved on. So each run begins, for each company's dataset, no later
than the last run would have, had it published that data; and as every run does, one look at the one before is enough,
however many nights were lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from erphub.erp.datasets import BY_ID, Publishing
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.schedule import window
from erphub.imports.runs.models import Run, Status, Unit, UnitStatus
from erphub.imports.runs.ports import RunStore

RUNS_AT_A_TIME = 25


def asked_at(run: Run) -> datetime:
    """The instant a run is about: when it was due, however late it starts; when its connection stopped working."""
    return datetime.fromisoformat(run.since or run.due_at or run.created_at)


def period_of(job: Job) -> str:
    """What a job reads, as a text that changes with it."""
    return job.period.model_dump_json()


@dataclass(frozen=True)
class Backlog:
    """The first days of what was left unread: of all data, and of some companies' datasets."""

    of_all: date | None = None
    of_some: Mapping[tuple[str, str], date] = field(default_factory=dict[tuple[str, str], date])

    def first_day(self, unit: Unit, own: date | None) -> date | None:
        """Where a unit's window begins that would by itself begin at `own`; None is open: keyed data is read whole."""
        if BY_ID[unit.dataset].publishing is Publishing.KEYS:
            return None
        before = (self.of_all, self.of_some.get((unit.dataset, unit.company)))
        return own and min(day for day in (own, *before) if day)


@dataclass(frozen=True)
class CarryOver:
    """Finds a job's backlog."""

    runs: RunStore

    def __call__(self, run: Run, job: Job) -> Backlog:
        """What the runs before this one left unread. A job that only runs by hand promises nothing, and has none."""
        of_all: date | None = None
        for earlier in self._earlier(run) if job.schedule else ():
            if earlier.units_planned:
                return Backlog(of_all, self._unpublished(earlier, job))
            # It ended before it knew what to read, or never began: all of its data is missing, and what it should have
            # taken over from the one before it.
            first = window(job, asked_at(earlier)).first
            of_all = min(of_all, first) if of_all and first else first
        return Backlog(of_all)

    def _earlier(self, run: Run) -> Iterator[Run]:
        """The job's runs that were made before this one, the last one first."""
        next: str | None = None
        while True:
            page = self.runs.list(run.ref.client_id, run.ref.job_id, RUNS_AT_A_TIME, next)
            earlier = [one for one in page.items if one.ref != run.ref and one.created_at <= run.created_at]
            # A list is in the order of the instants that runs are about; one that started late was made later.
            yield from sorted(earlier, key=lambda one: one.created_at, reverse=True)
            if (next := page.next) is None:
                return

    def _unpublished(self, earlier: Run, job: Job) -> dict[tuple[str, str], date]:
        if earlier.status is Status.SUCCEEDED or earlier.period != period_of(job):
            return {}
        return {
            (unit.dataset, unit.company): date.fromisoformat(unit.first_day)
            for unit in self.runs.units(earlier.ref)
            if unit.status is not UnitStatus.PUBLISHED and unit.first_day
        }
