"""How far back the jobs of a connection reach together: what of a company that is new is read, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from erphub.imports.jobs.models import Choice, Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import date_range
from erphub.imports.runs.models import Unit

JOBS_PER_PAGE = 200


@dataclass(frozen=True)
class Histories:
    """The other jobs of a job's connection, as they stand at an instant."""

    others: Sequence[Job]
    now: datetime

    @classmethod
    def of(cls, jobs: JobStore, job: Job, now: datetime) -> "Histories":
        """Those of a scheduled job's connection; a job that runs by hand reads what it says, and asks no other."""
        found = _jobs_of(jobs, job) if job.schedule else ()
        return cls([other for other in found if other.id != job.id], now)

    def first_day(self, unit: Unit, own: date | None) -> date | None:
        """The first day that a job asks for which has the company and the dataset; None is from the beginning."""
        firsts = [own]
        for job in self.others:
            if _has(job.company_keys, unit.company) and _has(job.dataset_ids, unit.dataset):
                firsts.append(date_range(job, self.now).first)
        return None if None in firsts else min(day for day in firsts if day is not None)


def _has(choice: Choice, key: str) -> bool:
    return choice == "all" or key in choice


def _jobs_of(jobs: JobStore, job: Job) -> Iterator[Job]:
    cursor: str | None = None
    while True:
        page = jobs.page(job.client_id, JOBS_PER_PAGE, cursor)
        yield from (one for one in page.items if one.connection_id == job.connection_id)
        if (cursor := page.next) is None:
            return
