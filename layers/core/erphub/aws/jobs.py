"""Import jobs in the tenant table. Index `due` holds those that start by themselves, sorted by when."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from pydantic_core import from_json

from ..errors import Conflict, NotFound
from ..models.job import Job
from ..models.wire import instant
from ..ports.imports import DueJob, Listed
from . import keys
from .table import Item, Table, Taken

SHARD = "0"
"""One partition of the index takes 1,000 jobs a second; a deployment that outgrows it spreads them over more."""


class JobTable:
    """Satisfies `ports.imports.Jobs`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, job: Job) -> bool:
        """See the port."""
        try:
            self._table.put_new(_item(job))
        except Taken:
            return False
        return True

    def get(self, client_id: str, job_id: str) -> Job:
        """See the port."""
        item = self._table.get(keys.job(client_id, job_id))
        if item is None:
            raise NotFound("There is no such import job.", code="job_not_found")
        return _job(item)

    def save(self, job: Job, expected_version: int) -> None:
        """See the port."""
        self._table.put(_item(job), condition="version = :version", version=expected_version)

    def delete(self, client_id: str, job_id: str) -> None:
        """See the port."""
        try:
            self._table.delete(keys.job(client_id, job_id), condition="attribute_exists(pk)")
        except Conflict as error:
            raise NotFound("There is no such import job.", code="job_not_found") from error

    def list(self, client_id: str, limit: int, next: str | None) -> Listed[Job]:
        """See the port."""
        page = self._table.page(keys.client(client_id)["pk"], "JOB#", limit=limit, next=next)
        return Listed([_job(item) for item in page.items], page.next)

    def due(self, now: datetime) -> Iterator[DueJob]:
        """See the port."""
        for item in self._table.by_index("due", "due_shard", SHARD, upto=("due_at", instant(now))):
            yield DueJob(*keys.whose_job(item), partial(_job, item))

    def move_on(self, job: Job, due_at: datetime | None) -> None:
        """See the port."""
        if job.due_at is None:
            return
        change = "SET due_at = :next" if due_at else "REMOVE due_at, due_shard"
        values: dict[str, Any] = {"next": instant(due_at)} if due_at else {}
        try:
            self._table.update(
                keys.job(job.client_id, job.id), change, condition="due_at = :was", was=instant(job.due_at), **values
            )
        except Taken:  # somebody moved it on, or changed or deleted the job: then that holds
            return


def _item(job: Job) -> Item:
    item: Item = {
        **keys.job(job.client_id, job.id),
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
