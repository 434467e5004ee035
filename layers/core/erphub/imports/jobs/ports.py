"""Where import jobs are kept."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from erphub.imports.jobs.models import Job
from erphub.platform.due import DueItem
from erphub.platform.pages import Page


class JobStore(Protocol):
    """Import jobs, and which of them are due."""

    def add(self, job: Job) -> bool:
        """Keep a new job; False when there is one with this id already."""
        ...

    def get(self, client_id: str, job_id: str) -> Job:
        """Raises NotFound (`job_not_found`)."""
        ...

    def page(self, client_id: str, limit: int, cursor: str | None) -> Page[Job]:
        """A page of the client's jobs."""
        ...

    def save(self, job: Job, expected_version: int) -> None:
        """Replace the job. Raises Conflict (`version_conflict`) when it is no longer of the expected version."""
        ...

    def delete(self, client_id: str, job_id: str, expected_version: int | None = None) -> None:
        """Remove the job. Raises NotFound (`job_not_found`), Conflict when it is not of the expected version."""
        ...

    def due(self, now: datetime) -> Iterator[DueItem[Job]]:
        """Every scheduled job whose next instant is not after `now`, of all clients."""
        ...

    def move_on(self, job: Job, due_at: datetime | None) -> None:
        """Set the next due instant, unless somebody has changed it or the job since it was read."""
        ...
