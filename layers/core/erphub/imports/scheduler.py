"""Starts the imports that are due."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import DueJob, JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.runs.service import ImportRunService
from erphub.platform.clock import Clock
from erphub.platform.errors import Unavailable

AT_ONCE = 8


@dataclass(frozen=True)
class Scheduler:
    """Starts what is due. Its cost grows with what is due, not with what exists."""

    jobs: JobStore
    runs: ImportRunService
    clock: Clock
    report: Callable[[DueJob, Exception], None]
    """Told about a job that could not be started; the next tick tries it again."""
    may_run: Callable[[Job], bool] = lambda _: True
    """Whether the job's connection works; what is missed meanwhile is made up for when it does again."""

    def tick(self) -> int:
        """Start every due job and move it to its next instant; returns how many.

        A run belongs to its job and due instant: whoever comes twice, or after dying half-way, finds it started.
        Raises Unavailable when some could not be started, after the others were.
        """
        now = self.clock()

        def start(one: DueJob) -> bool:
            return self._start(one, now)

        due = list(self.jobs.due(now))  # all of them, before the first is moved on in the list they are read from
        with ThreadPoolExecutor(AT_ONCE) as pool:
            started = list(pool.map(start, due))
        if not all(started):
            raise Unavailable(f"{started.count(False)} of {len(started)} due imports could not be started.")
        return len(started)

    def _start(self, due: DueJob, now: datetime) -> bool:
        try:
            job = due.read()
            if job.due_at and job.schedule:
                if self.may_run(job):
                    self.runs.start_due(job, job.due_at)
                self.jobs.move_on(job, next_due(job.schedule, now))
            else:
                self.jobs.move_on(job, None)
        except Exception as error:  # noqa: BLE001  one job's trouble must not keep the others waiting
            self.report(due, error)
            return False
        return True
