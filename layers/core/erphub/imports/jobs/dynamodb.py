"""Import jobs in the tenant table. Index `due` holds those that start by themselves, sorted by when."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from pydantic_core import from_json

from erphub.imports.jobs.models import Job
from erphub.imports.jobs.ports import DueJob
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict, NotFound
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key
from erphub.tenancy.dynamodb import client_key

SHARD = "0"
"""One partition of the index takes 1,000 jobs a second; a deployment that outgrows it spreads them over more."""


class JobTable:
    """Satisfies `imports.jobs.ports.JobStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, job: Job) -> bool:
        """See the port."""
        try:
            self._table.put_new(_item(job))
        except VersionConflict:
            return False
        return True

    def get(self, client_id: str, job_id: str) -> Job:
        """See the port."""
        item = self._table.get(job_key(client_id, job_id))
        if item is None:
            raise NotFound("There is no such import job.", code="job_not_found")
        return _job(item)

    def save(self, job: Job, expected_version: int) -> None:
        """See the port."""
        self._table.put(_item(job), condition="version = :version", version=expected_version)

    def delete(self, client_id: str, job_id: str) -> None:
        """See the port."""
        try:
            self._table.delete(job_key(client_id, job_id), condition="attribute_exists(pk)")
        except Conflict as error:
            raise NotFound("There is no such import job.", code="job_not_found") from error

    def list(self, client_id: str, limit: int, next: str | None) -> Page[Job]:
        """See the port."""
        page = self._table.page(client_key(client_id)["pk"], "JOB#", limit=limit, next=next)
        return Page([_job(item) for item in page.items], page.next)

    def due(self, now: datetime) -> Iterator[DueJob]:
        """See the port."""
        for item in self._table.by_index("due", "due_shard", SHARD, upto=("due_at", instant(now))):
            yield DueJob(*whose_job(item), partial(_job, item))

    def move_on(self, job: Job, due_at: datetime | None) -> None:
        """See the port."""
        if job.due_at is None:
            return
        change = "SET due_at = :next" if due_at else "REMOVE due_at, due_shard"
        values: dict[str, Any] = {"next": instant(due_at)} if due_at else {}
        try:
            self._table.update(
                job_key(job.client_id, job.id), change, condition="due_at = :was", was=instant(job.due_at), **values
            )
        except VersionConflict:  # somebody moved it on, or changed or deleted the job: then that holds
            return


def _item(job: Job) -> Item:
    item: Item = {
        **job_key(job.client_id, job.id),
        "version": job.version,
        "connection_id": job.connection_id,
        "body": job.model_dump_json(exclude={"due_at", "version"}),
    }
    if job.due_at:
        item |= {"due_shard": SHARD, "due_at": instant(job.due_at)}
    return item


def _job(item: Item) -> Job:
    facts: dict[str, Any] = {"version": int(item["version"]), "due_at": item.get("due_at")}
    return Job.model_validate(from_json(item["body"]) | facts)


def job_key(client_id: str, job_id: str) -> Key:
    """The key of a job."""
    return make_key(f"CLIENT#{client_id}", "JOB", job_id)


def whose_job(key: Key) -> tuple[str, str]:
    """The client and the job that such a key is of."""
    return key["pk"].removeprefix("CLIENT#"), key["sk"].removeprefix("JOB#")
