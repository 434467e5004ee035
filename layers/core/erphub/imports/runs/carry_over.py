"""What the run before should have read and did not: the next one carries it over.

A rolling window of two days, read every night, takes three days each time. A night that fails, is skipped or cancelled
would leave a hole when the windows behind it have moved on. So each run begins, for each company's dataset, no later
than the last run would have, had it published that data; and as every run does, one look at the one before is enough,
however many nights were lost.

Data that is new to a job, a company's or a dataset's, has no run before: of it the scheduled job reads, once, all the
history that the connection's jobs ask for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from erphub.erp.datasets import BY_ID, Publishing
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.schedule import date_range
from erphub.imports.runs.models import Run, RunStatus, Unit, UnitStatus
from erphub.imports.runs.ports import RunStore, UnitStore

RUNS_PER_PAGE = 25


def about_instant(run: Run) -> datetime:
    """The instant a run is about: when it was due, however late it starts; when its connection stopped working."""
    return datetime.fromisoformat(run.catch_up_since or run.due_at or run.created_at)


def period_text(job: Job) -> str:
    """What a job reads, as a text that changes with it."""
    return job.period.model_dump_json()


@dataclass(frozen=True)
class CarryOver:
    """The first days of what was left unread: of all data, and of some companies' datasets."""

    all_from: date | None = None
    units_from: Mapping[tuple[str, str], date] = field(default_factory=dict[tuple[str, str], date])
    """By dataset and company."""
    known: frozenset[tuple[str, str]] | None = None
    """Datasets and companies that the run before was about; None when there was none, or nobody knows any more."""
    histories: frozenset[tuple[str, str]] = frozenset()
    """Those of them whose history it should have read, and did not."""

    def reads_history(self, unit: Unit) -> bool:
        """Whether all its history is to be read: it is new to the job, or has been and was not read yet."""
        data = unit.dataset, unit.company
        if BY_ID[unit.dataset].publishing is Publishing.KEYS:
            return False
        return data in self.histories or (self.known is not None and data not in self.known)

    def from_date(self, unit: Unit, own: date | None) -> date | None:
        """The first day of a unit that would by itself begin at `own`; None is open, as keyed data always is."""
        if BY_ID[unit.dataset].publishing is Publishing.KEYS:
            return None
        before = (self.all_from, self.units_from.get((unit.dataset, unit.company)))
        return own and min(day for day in (own, *before) if day)


@dataclass(frozen=True)
class CarryOverFinder:
    """Finds what a job's earlier runs have left unread."""

    runs: RunStore
    units: UnitStore

    def find(self, run: Run, job: Job, others: Sequence[Job] = ()) -> CarryOver:
        """What the runs before this one left unread. A job that only runs by hand promises nothing, and has none.

        A first run has none before it: what the last runs of `others` were about is known.
        """
        all_from: date | None = None
        for earlier in self._earlier(run, job.id) if job.schedule else ():
            if earlier.units_planned:
                units = list(self.units.of_run(earlier.ref))
                return CarryOver(all_from, self._unpublished(earlier, job, units), _known(units), _histories(units))
            # It ended before it knew what to read, or never began: all of its data is missing, and what it should have
            # carried over from the one before it.
            first = date_range(job, about_instant(earlier)).first
            all_from = min(all_from, first) if all_from and first else first
        return CarryOver(all_from, known=self._known_by(run, others) if job.schedule else None)

    def _known_by(self, run: Run, others: Sequence[Job]) -> frozenset[tuple[str, str]] | None:
        """What the last runs of other jobs have published; None when they have had none."""
        known: set[tuple[str, str]] = set()
        has_run = False
        for other in others:
            for earlier in self._earlier(run, other.id):
                if earlier.units_planned:
                    units = list(self.units.of_run(earlier.ref))
                    has_run = has_run or bool(units)
                    known |= {(one.dataset, one.company) for one in units if one.status is UnitStatus.PUBLISHED}
                    break
        return frozenset(known) if has_run else None

    def _earlier(self, run: Run, job_id: str) -> Iterator[Run]:
        """A job's runs that were made before this one, the last one first."""
        cursor: str | None = None
        while True:
            page = self.runs.page(run.ref.client_id, job_id, RUNS_PER_PAGE, cursor)
            earlier = [one for one in page.items if one.ref != run.ref and one.created_at <= run.created_at]
            # A list is in the order of the instants that runs are about; one that started late was made later.
            yield from sorted(earlier, key=lambda one: one.created_at, reverse=True)
            if (cursor := page.next) is None:
                return

    def _unpublished(self, earlier: Run, job: Job, units: Sequence[Unit]) -> dict[tuple[str, str], date]:
        if earlier.status is RunStatus.SUCCEEDED or earlier.period != period_text(job):
            return {}
        return {
            (unit.dataset, unit.company): date.fromisoformat(unit.from_date)
            for unit in units
            if unit.status is not UnitStatus.PUBLISHED and unit.from_date
        }


def _known(units: Sequence[Unit]) -> frozenset[tuple[str, str]] | None:
    """What a run was about; None when that is no longer kept."""
    return frozenset((unit.dataset, unit.company) for unit in units) or None


def _histories(units: Sequence[Unit]) -> frozenset[tuple[str, str]]:
    found = (unit for unit in units if unit.reads_history and unit.status is not UnitStatus.PUBLISHED)
    return frozenset((unit.dataset, unit.company) for unit in found)
