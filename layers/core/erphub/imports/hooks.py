"""What imports do when something happens to a connection: first jobs, and what was missed is made up for."""

from dataclasses import dataclass
from datetime import datetime

from erphub.connections.models import Connection
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.jobs.service import ImportJobService
from erphub.imports.runs.models import Status
from erphub.imports.runs.ports import RunStore
from erphub.imports.runs.service import ImportRunService
from erphub.platform.clock import Clock


@dataclass(frozen=True)
class ImportHooks:
    """Starts what is to run now."""

    jobs: JobStore
    runs: RunStore
    service: ImportJobService
    imports: ImportRunService
    clock: Clock

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        """A new connection gets its first import jobs, and the first of them runs; again is fine."""
        self.service.create_defaults(client_id, connection_id, owner)

    def reconnected(self, connection: Connection, since: datetime) -> None:
        """Start a run of each of the connection's scheduled jobs that missed something; again is fine.

        A job missed something when an instant of its schedule has passed since then, or when its last run failed.
        """
        next: str | None = None
        while True:
            page = self.jobs.list(connection.client_id, 200, next)
            for job in page.items:
                if job.connection_id == connection.id and self._missed(job, since):
                    self.imports.start_catch_up(job, since)
            if (next := page.next) is None:
                return

    def _missed(self, job: Job, since: datetime) -> bool:
        if job.schedule is None:
            return False
        if next_due(job.schedule, since) <= self.clock():
            return True
        return any(run.status is Status.FAILED for run in self.runs.list(job.client_id, job.id, 1, None).items)
