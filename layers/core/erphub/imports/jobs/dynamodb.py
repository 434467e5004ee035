"""Import jobs in the tenant table; those that start by themselves are due then."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, override

from pydantic_core import from_json

from erphub.imports import problems
from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import JobStore
from erphub.platform.aws.due import DueIndex
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.due import DueItem
from erphub.platform.errors import Conflict
from erphub.platform.pages import Page
from erphub.platform.writes import Key
from erphub.tenancy.dynamodb import client_key


class JobTable(JobStore):
    """Jobs: `JOB#<job>`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due = DueIndex(table, "jobs", _job)

    @override
    def add(self, job: Job) -> bool:
        try:
            self._table.put_new(self._item(job))
        except VersionConflict:
            return False
        return True

    @override
    def get(self, client_id: str, job_id: str) -> Job:
        item = self._table.get(job_key(client_id, job_id))
        if item is None:
            raise problems.JOB_NOT_FOUND()
        return _job(item)

    @override
    def save(self, job: Job, expected_version: int) -> None:
        self._table.put(self._item(job), condition="version = :version", version=expected_version)

    @override
    def delete(self, client_id: str, job_id: str, expected_version: int | None = None) -> None:
        key = job_key(client_id, job_id)
        if expected_version is not None:
            self._table.delete(key, condition="version = :version", version=expected_version)
            return
        try:
            self._table.delete(key, condition="attribute_exists(pk)")
        except Conflict as error:
            raise problems.JOB_NOT_FOUND() from error

    @override
    def page(self, client_id: str, limit: int, cursor: str | None) -> Page[Job]:
        page = self._table.page(client_key(client_id)["pk"], "JOB#", limit=limit, cursor=cursor)
        return Page([_job(item) for item in page.items], page.next)

    @override
    def due(self, now: datetime) -> Iterator[DueItem[Job]]:
        return self._due.due(now)

    @override
    def move_on(self, job: Job, due_at: datetime | None) -> None:
        if job.due_at is not None:
            # It is False when somebody moved it on, or changed or deleted the job: then that holds.
            self._due.move(job_key(job.client_id, job.id), job.due_at, due_at)

    def _item(self, job: Job) -> Item:
        key = job_key(job.client_id, job.id)
        body = job.model_dump_json(exclude={"due_at", "version"})
        item = {**key, "version": job.version, "connection_id": job.connection_id, "body": body}
        return item | self._due.attributes(key, job.due_at)


def _job(item: Item) -> Job:
    more: dict[str, Any] = {"version": int(item["version"]), "due_at": item.get("due_at")}
    return Job.model_validate(from_json(item["body"]) | more)


def job_key(client_id: str, job_id: str) -> Key:
    """The key of a job."""
    return make_key(f"CLIENT#{client_id}", "JOB", job_id)
