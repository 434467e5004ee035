"""Starts the imports that are due."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from erphub.connections.ports import ConnectionStore
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.runs.service import ImportRunService
from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.platform.due import DueItem, work_through
from erphub.platform.errors import Unavailable


@dataclass(frozen=True)
class Scheduler:
    """Starts what is due. Its cost grows with what is due, not with what exists."""

    jobs: JobStore
    runs: ImportRunService
    connections: ConnectionStore
    clock: Clock

    def start_due_jobs(self) -> int:
        """Start every due job and move it to its next instant; returns how many.

        A run belongs to its job and due instant: whoever comes twice, or after dying half-way, finds it started.
        Raises Unavailable when some could not be started, after the others were; the next tick tries them again.
        """
        now = self.clock()
        worked = work_through(self.jobs.due(now), partial(self._start, now), _log_failure)
        if worked.failed:
            raise Unavailable(f"{worked.failed} of {worked.done + worked.failed} due imports could not be started.")
        return worked.done

    def _start(self, now: datetime, due: DueItem[Job]) -> bool:
        job = due.read()
        if job.due_at and job.schedule:
            if self._is_operational(job):
                self.runs.start_due(job, job.due_at)
            self.jobs.move_on(job, next_due(job.schedule, now))
        else:
            self.jobs.move_on(job, None)
        return True

    def _is_operational(self, job: Job) -> bool:
        """Whether the job's connection works; what is missed meanwhile is caught up on when it does again."""
        connection = self.connections.get(job.client_id, job.connection_id)
        return connection is None or connection.is_operational


def _log_failure(failed: DueItem[Job], error: Exception) -> None:
    logging.logger().error("a due import could not be started", exc_info=error, extra={"item": failed.key})
