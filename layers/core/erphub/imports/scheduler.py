"""Starts the imports that are due."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock

from erphub.connections.ports import ConnectionStore
from erphub.imports import problems
from erphub.imports.capability import RUNS
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.runs.service import ImportRunService
from erphub.platform import logging
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.due import DueItem, by_turns, work_through
from erphub.platform.limits import Limits, Owner


@dataclass(frozen=True)
class Scheduler:
    """Starts what is due. Its cost grows with what is due, not with what exists."""

    jobs: JobStore
    runs: ImportRunService
    connections: ConnectionStore
    limits: Limits
    clock: Clock

    def start_due_jobs(self) -> int:
        """Start every due job and move it to its next instant; returns how many.

        A run belongs to its job and due instant: whoever comes twice, or after dying half-way, finds it started.
        Raises Unavailable when some could not be started, after the others were; the next tick tries them again.
        """
        now = self.clock()
        places = _Places(self.limits)
        worked = work_through(by_turns(self.jobs.due(now)), partial(self._start, now, places), _log_failure)
        if worked.failed:
            raise problems.IMPORTS_NOT_STARTED(failed=worked.failed, due=worked.done + worked.failed)
        return worked.done

    def _start(self, now: datetime, places: "_Places", due: DueItem[Job]) -> bool:
        job = due.read()
        if job.due_at and job.schedule:
            if self._is_operational(job):
                if not places.take(job.client_id):
                    return False  # it stays due until one of the client's runs has ended
                self.runs.start_due(job, job.due_at)
            self.jobs.move_on(job, next_due(job.schedule, now))
        else:
            self.jobs.move_on(job, None)
        return True

    def _is_operational(self, job: Job) -> bool:
        """Whether the job's connection works; what is missed meanwhile is caught up on when it does again."""
        connection = self.connections.get(job.client_id, job.connection_id)
        return connection is None or connection.is_operational


@dataclass
class _Places:
    """How many more runs each client may have, counted once in a tick: ticks follow each other, and what is started by
    hand meanwhile counts for itself.
    """

    limits: Limits
    left: dict[str, int] = field(default_factory=dict[str, int])
    lock: AbstractContextManager[object] = field(default_factory=Lock)

    def take(self, client_id: str) -> bool:
        """One of the client's places; False when there is none. Raises Unavailable."""
        with self.lock:
            if client_id not in self.left:
                self.left[client_id] = self.limits.available(RUNS, Owner(LimitScope.CLIENT, client_id))
            self.left[client_id] -= 1
            return self.left[client_id] >= 0


def _log_failure(failed: DueItem[Job], error: Exception) -> None:
    logging.logger().error("a due import could not be started", exc_info=error, extra={"item": failed.key})
