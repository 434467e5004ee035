"""What imports do when something happens to a connection: the first jobs, and catching up on what was missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import override

from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionHooks
from erphub.imports.jobs.models import HOME_ZONE, Days, Everything, Job, Period, Schedule, ThisYear
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.jobs.service import new_job
from erphub.imports.runs.models import RunStatus
from erphub.imports.runs.ports import RunStore
from erphub.imports.runs.service import ImportRunService
from erphub.platform.clock import Clock
from erphub.platform.errors import NotFound
from erphub.platform.ids import derived_id

NIGHTLY_DAYS = 40
NIGHT_STARTS_AT_MINUTE, NIGHT_MINUTES = 60, 240
"""Nightly jobs start between 01:00 and 04:59, each connection at its own minute, so that they do not all meet."""
JOBS_PER_PAGE = 200


@dataclass(frozen=True)
class ImportHooks(ConnectionHooks):
    """Makes the jobs a new connection begins with, and starts what is to run now."""

    jobs: JobStore
    runs: RunStore
    run_service: ImportRunService
    clock: Clock

    @override
    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        # Three jobs, of which the first runs at once.
        for job in self._first_jobs(client_id, connection_id, owner):
            self.jobs.add(job)
        try:
            first = self.jobs.get(client_id, _id_of(connection_id, "Everything"))
        except NotFound:  # somebody has deleted it between two attempts of ours
            return
        self.run_service.start_first(first, _id_of(connection_id, "first run"))

    @override
    def reconnected(self, connection: Connection, since: datetime) -> None:
        # A job missed something when an instant of its schedule has passed since then, or when its last run failed.
        for job in self._jobs_of(connection):
            if self._has_missed(job, since):
                self.run_service.start_catch_up(job, since)

    def _first_jobs(self, client_id: str, connection_id: str, owner: str) -> Iterator[Job]:
        minute = NIGHT_STARTS_AT_MINUTE + int(sha256(connection_id.encode()).hexdigest()[:8], 16) % NIGHT_MINUTES
        nightly = Schedule(run_time=f"{minute // 60:02}:{minute % 60:02}", time_zone=HOME_ZONE)
        all_there_is, days = Everything(kind="everything"), Days(kind="days", days=NIGHTLY_DAYS)
        jobs: list[tuple[str, str, Period, Schedule | None]] = [
            ("Everything", "All there is; started once when the connection was made.", all_there_is, None),
            ("This year", "This calendar year; started by hand.", ThisYear(kind="this_year"), None),
            (f"Last {NIGHTLY_DAYS} days", "What changed lately; every night.", days, nightly),
        ]
        for name, description, period, schedule in jobs:
            yield new_job(
                client_id,
                _id_of(connection_id, name),
                owner,
                self.clock(),
                name=name,
                description=description,
                connection_id=connection_id,
                period=period,
                schedule=schedule,
            )

    def _jobs_of(self, connection: Connection) -> Iterator[Job]:
        cursor: str | None = None
        while True:
            page = self.jobs.page(connection.client_id, JOBS_PER_PAGE, cursor)
            yield from (job for job in page.items if job.connection_id == connection.id)
            if (cursor := page.next) is None:
                return

    def _has_missed(self, job: Job, since: datetime) -> bool:
        if job.schedule is None:
            return False
        if next_due(job.schedule, since) <= self.clock():
            return True
        return any(run.status is RunStatus.FAILED for run in self.runs.page(job.client_id, job.id, 1, None).items)


def _id_of(connection_id: str, what: str) -> str:
    """An identifier that always belongs to the connection, as old as it."""
    return connection_id[:10] + derived_id(connection_id, what)[10:]
