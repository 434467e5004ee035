"""Making up for what a connection's import jobs missed while it did not work."""

from dataclasses import dataclass
from datetime import datetime

from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.runs.models import Status
from erphub.imports.runs.ports import RunStore
from erphub.imports.runs.service import ImportRunService
from erphub.platform.clock import Clock


@dataclass(frozen=True)
class ImportCatchUp:
    """Starts what was missed."""

    jobs: JobStore
    runs: RunStore
    imports: ImportRunService
    clock: Clock

    def __call__(self, client_id: str, connection_id: str, since: datetime) -> None:
        """Start a run of each of the connection's scheduled jobs that missed something; again is fine.

        A job missed something when an instant of its schedule has passed since then, or when its last run failed.
        """
        next: str | None = None
        while True:
            page = self.jobs.list(client_id, 200, next)
            for job in page.items:
                if job.connection_id == connection_id and self._missed(job, since):
                    self.imports.start_catch_up(job, since)
            if (next := page.next) is None:
                return

    def _missed(self, job: Job, since: datetime) -> bool:
        if job.schedule is None:
            return False
        if next_due(job.schedule, since) <= self.clock():
            return True
        return any(run.status is Status.FAILED for run in self.runs.list(job.client_id, job.id, 1, None).items)
