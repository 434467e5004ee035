"""Where import jobs are kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from erphub.imports.jobs.models import Job
from erphub.platform.pages import Page


@dataclass(frozen=True)
class DueJob:
    """A job whose time has come, still unread: one that cannot be read must not keep the others from starting."""

    client_id: str
    job_id: str
    read: Callable[[], Job]
    """Raises ValueError when what is kept is no job."""


class JobStore(Protocol):
    """Import jobs, and which of them are due."""

    def add(self, job: Job) -> bool:
        """Keep a new job; False when there is one with this id already."""
        ...

    def get(self, client_id: str, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def save(self, job: Job, expected_version: int) -> None:
        """Replace the job. Raises Conflict (`version_conflict`) when it is no longer of the expected version."""
        ...

    def delete(self, client_id: str, job_id: str) -> None:
        """Raises NotFound."""
        ...

    def list(self, client_id: str, limit: int, next: str | None) -> Page[Job]:
        """A page of the client's jobs."""
        ...

    def due(self, now: datetime) -> Iterator[DueJob]:
        """Every scheduled job whose next instant is not after `now`, of all clients."""
        ...

    def move_on(self, job: Job, due_at: datetime | None) -> None:
        """Set the next due instant, unless somebody has changed it or the job since it was read."""
        ...
