"""Import jobs: made, changed, deleted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from erphub.connections.access import require_active
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore, UsedCompanies
from erphub.erp.catalogue import describe
from erphub.erp.datasets import BY_ID
from erphub.imports import problems
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.jobs.ports import JobStore
from erphub.imports.jobs.schedule import next_due
from erphub.imports.jobs.schemas import ChangedJob, JobPage, JobView, NewJob
from erphub.platform.actors import ActorDirectory
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import FieldError, Invalid
from erphub.platform.problems import VERSION_REQUIRED
from erphub.platform.versions import require_version
from erphub.platform.wire import PageQuery


@dataclass(frozen=True)
class ImportJobService:
    """The use-cases around import jobs."""

    jobs: JobStore
    connections: ConnectionStore
    companies: UsedCompanies
    actors: ActorDirectory
    clock: Clock
    new_id: IdGenerator

    def create(self, client_id: str, new: NewJob, created_by: str) -> JobView:
        """Make a job. Raises Invalid, Conflict (`connection_deleting`)."""
        connection = self.connections.get(client_id, new.connection_id)
        require_active(connection)
        if connection is None:
            raise Invalid.of(problems.CONNECTION_UNKNOWN("/connection_id"))
        values = {name: getattr(new, name) for name in NewJob.model_fields}
        job = new_job(client_id, self.new_id(), created_by, self.clock(), **values)
        self._require_known_companies(job)
        _require_offered_datasets(job, connection)
        describe_act(new={"job_id": job.id}, connection_id=job.connection_id)
        self.jobs.add(job)
        return self._view(job)

    def list_jobs(self, client_id: str, query: PageQuery) -> JobPage:
        """A page of the client's jobs."""
        page = self.jobs.page(client_id, query.limit, query.next)
        actors = self.actors.find(client_id, (job.created_by for job in page.items))
        known = {one: self.connections.get(client_id, one) for one in {job.connection_id for job in page.items}}
        items = [JobView.of(job, actors[job.created_by], known[job.connection_id]) for job in page.items]
        return JobPage(items=items, next=page.next)

    def get(self, client_id: str, job_id: str) -> JobView:
        """One job. Raises NotFound."""
        return self._view(self.jobs.get(client_id, job_id))

    def update(self, client_id: str, job_id: str, changed: ChangedJob) -> JobView:
        """Change a job. Raises NotFound, Invalid, Conflict (`version_conflict`)."""
        before = self.jobs.get(client_id, job_id)
        if changed.version is None:
            raise Invalid.of(VERSION_REQUIRED("/version"))
        require_version(changed.version, before.version)
        values = {name: getattr(changed, name) for name in changed.model_fields_set - {"version"}}
        values = {name: value for name, value in values.items() if value is not None}
        given = set(values)
        if changed.schedule == "by_hand":
            values["schedule"] = None
        now = self.clock()
        after = before.model_copy(update=values | {"version": before.version + 1, "updated_at": now})
        _check(after)
        if "company_keys" in given:
            self._require_known_companies(after)
        connection = self.connections.get(client_id, after.connection_id)
        if "dataset_ids" in given and connection is not None:
            _require_offered_datasets(after, connection)
        if given & {"schedule", "period"}:
            after = after.model_copy(update={"due_at": _due(after.schedule, now)})
        describe_act(old=_values(before, given), new=_values(after, given), connection_id=before.connection_id)
        self.jobs.save(after, before.version)
        return self._view(after)

    def _require_known_companies(self, job: Job) -> None:
        """Raises Invalid (`company_unknown`) for each key that is no company of the connection."""
        if job.company_keys == "all":
            return
        known = {company.key for company in self.companies.companies(job.client_id, job.connection_id)}
        wrong = [
            problems.COMPANY_UNKNOWN(f"/company_keys/{number}", key=key)
            for number, key in enumerate(job.company_keys)
            if key not in known
        ]
        if wrong:
            raise problems.COMPANIES_UNKNOWN(errors=wrong)

    def delete(self, client_id: str, job_id: str, version: int | None = None) -> None:
        """Remove a job; its runs and what they imported stay. Raises NotFound, Conflict (`version_conflict`)."""
        job = self.jobs.get(client_id, job_id)
        require_version(version, job.version)
        describe_act(old=_values(job, NewJob.model_fields), connection_id=job.connection_id)
        self.jobs.delete(client_id, job_id, None if version is None else job.version)

    def _view(self, job: Job) -> JobView:
        actors = self.actors.find(job.client_id, [job.created_by])
        connection = self.connections.get(job.client_id, job.connection_id)
        return JobView.of(job, actors[job.created_by], connection)


def _require_offered_datasets(job: Job, connection: Connection) -> None:
    """Raises Invalid (`dataset_not_offered`) for each dataset that the connection does not have."""
    if job.dataset_ids == "all":
        return
    offered = describe(connection.erp_system).offered(connection.settings)
    wrong = [
        problems.DATASET_NOT_OFFERED(
            f"/dataset_ids/{number}", name=connection.name, dataset=dataset, offered=", ".join(offered) or "none"
        )
        for number, dataset in enumerate(job.dataset_ids)
        if dataset not in offered
    ]
    if wrong:
        raise problems.DATASETS_NOT_OFFERED(errors=wrong)


def _values(job: Job, names: Collection[str]) -> dict[str, Any]:
    return job.model_dump(mode="json", include=set(names))


def new_job(client_id: str, job_id: str, created_by: str, now: datetime, **values: Any) -> Job:
    """A job that is made now. Raises Invalid."""
    job = Job(id=job_id, client_id=client_id, created_by=created_by, created_at=now, updated_at=now, **values)
    _check(job)
    return job.model_copy(update={"due_at": _due(job.schedule, now)})


def _due(schedule: Schedule | None, now: datetime) -> datetime | None:
    return next_due(schedule, now) if schedule else None


def _check(job: Job) -> None:
    """What only shows when all of a job is known. Raises Invalid."""
    wrong: list[FieldError] = []
    if job.schedule and not isinstance(job.period, Days):
        wrong.append(problems.SCHEDULE_NEEDS_DAYS())
    if job.dataset_ids != "all":
        for number, dataset in enumerate(job.dataset_ids):
            if dataset not in BY_ID:
                wrong.append(problems.DATASET_UNKNOWN(f"/dataset_ids/{number}", known=", ".join(BY_ID)))
    if wrong:
        raise problems.JOB_INVALID(errors=wrong)
