"""Import jobs: made by hand or with a connection, changed, deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from erphub.erp.datasets import BY_ID
from erphub.imports.jobs.models import HOME_ZONE, Days, Everything, Job, Period, Schedule, ThisYear
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.jobs.schemas import ChangedJob, JobPage, JobView, NewJob
from erphub.imports.runs.service import ImportRunService
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, FieldError, Invalid, NotFound
from erphub.platform.ids import derived_id
from erphub.platform.wire import PageQuery

NIGHTLY_DAYS = 40
NIGHT_STARTS, NIGHT_MINUTES = 60, 240
"""Nightly jobs start between 01:00 and 04:59, each connection at its own minute, so that they do not all meet."""


@dataclass(frozen=True)
class ImportJobService:
    """The use-cases around import jobs."""

    jobs: JobStore
    runs: ImportRunService
    has_connection: Callable[[str, str], bool]
    clock: Clock
    ids: Ids

    def create(self, client_id: str, new: NewJob, by: str) -> JobView:
        """Make a job. Raises Invalid."""
        if not self.has_connection(client_id, new.connection_id):
            raise Invalid.field("/connection_id", "connection_not_found", "This client has no such connection.")
        job = self._new(client_id, self.ids(), by, **{name: getattr(new, name) for name in NewJob.model_fields})
        self.jobs.add(job)
        return JobView.of(job)

    def list(self, client_id: str, query: PageQuery) -> JobPage:
        """A page of the client's jobs."""
        page = self.jobs.list(client_id, query.limit, query.next)
        return JobPage(items=[JobView.of(job) for job in page.items], next=page.next)

    def get(self, client_id: str, job_id: str) -> JobView:
        """One job. Raises NotFound."""
        return JobView.of(self.jobs.get(client_id, job_id))

    def change(self, client_id: str, job_id: str, changed: ChangedJob) -> JobView:
        """Change a job. Raises NotFound, Invalid, Conflict (`version_conflict`)."""
        before = self.jobs.get(client_id, job_id)
        if before.version != changed.version:
            raise Conflict(
                "It was changed by somebody else in the meantime. Read it again, then decide.", code="version_conflict"
            )
        given = changed.model_fields_set - {"version"}
        values: dict[str, Any] = {
            name: getattr(changed, name) for name in given if name == "schedule" or getattr(changed, name) is not None
        }
        now = self.clock()
        after = before.model_copy(update=values | {"version": before.version + 1, "updated_at": now})
        _check(after)
        if given & {"schedule", "period"}:
            after = after.model_copy(update={"due_at": _due(after.schedule, now)})
        self.jobs.save(after, before.version)
        return JobView.of(after)

    def delete(self, client_id: str, job_id: str) -> None:
        """Remove a job; its runs and what they imported stay. Raises NotFound."""
        self.jobs.delete(client_id, job_id)

    def create_defaults(self, client_id: str, connection_id: str, owner: str) -> None:
        """The three jobs a new connection begins with; the first of them runs at once. Again changes nothing."""
        minute = NIGHT_STARTS + int(sha256(connection_id.encode()).hexdigest()[:8], 16) % NIGHT_MINUTES
        nightly = Schedule(time=f"{minute // 60:02}:{minute % 60:02}", time_zone=HOME_ZONE)
        last_days = f"Last {NIGHTLY_DAYS} days"
        defaults: list[tuple[str, str, Period, Schedule | None]] = [
            (
                "Everything",
                "All there is; started once when the connection was made.",
                Everything(kind="everything"),
                None,
            ),
            ("This year", "This calendar year; started by hand.", ThisYear(kind="this_year"), None),
            (last_days, "What changed lately; every night.", Days(kind="days", days=NIGHTLY_DAYS), nightly),
        ]
        for name, description, period, schedule in defaults:
            job = self._new(
                client_id,
                _belongs_to(connection_id, name),
                owner,
                name=name,
                description=description,
                connection_id=connection_id,
                period=period,
                schedule=schedule,
            )
            self.jobs.add(job)
        try:
            first = self.jobs.get(client_id, _belongs_to(connection_id, "Everything"))
        except NotFound:  # somebody has deleted it between two tries of ours
            return
        self.runs.start_first(first, _belongs_to(connection_id, "first run"))

    def _new(self, client_id: str, job_id: str, by: str, **values: Any) -> Job:
        now = self.clock()
        job = Job(id=job_id, client_id=client_id, created_by=by, created_at=now, updated_at=now, **values)
        _check(job)
        return job.model_copy(update={"due_at": _due(job.schedule, now)})


def _belongs_to(connection_id: str, what: str) -> str:
    """An identifier that always belongs to the connection, as old as it."""
    return connection_id[:10] + derived_id(connection_id, what)[10:]


def _due(schedule: Schedule | None, now: datetime) -> datetime | None:
    return next_due(schedule, now) if schedule else None


def _check(job: Job) -> None:
    """What only shows when all of a job is known. Raises Invalid."""
    wrong: list[FieldError] = []
    if job.schedule and not isinstance(job.period, Days):
        detail = "Only a rolling window of days can be scheduled; start other periods by hand."
        wrong.append(FieldError("/schedule", "schedule_needs_days", detail))
    if job.datasets != "all":
        for number, dataset in enumerate(job.datasets):
            if dataset not in BY_ID:
                detail = f"There is no such dataset. Known are {', '.join(BY_ID)}."
                wrong.append(FieldError(f"/datasets/{number}", "dataset_unknown", detail))
    if wrong:
        raise Invalid("Something in the job is not valid; `errors` says what.", errors=wrong)
