"""The audit log as it is shown."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from erphub.platform.actors import ActorView
from erphub.platform.wire import JsonObject, Model, PageQuery


class AuditQuery(PageQuery):
    """Which entries of the audit log."""

    actor: Annotated[
        str | None, Field(max_length=200, description="By whom: a user's id or the e-mail address they had then")
    ] = None
    action: Annotated[str | None, Field(max_length=100, description="What happened: `job.created` …")] = None
    connection_id: Annotated[str | None, Field(max_length=50)] = None
    from_time: Annotated[AwareDatetime | None, Field(description="From this moment on, with its zone")] = None
    to_time: Annotated[AwareDatetime | None, Field(description="Up to and without this moment, with its zone")] = None


class AuditEntryView(Model):
    """One thing that happened. `old` and `new` hold what changed, never a secret."""

    id: str
    number: Annotated[
        int | None,
        Field(description="Its place in the log, from 1 without gaps; null for entries of before the chain"),
    ]
    digest: Annotated[
        str | None, Field(description="SHA-256 over this entry and the digest of the one before it, in hex")
    ]
    occurred_at: datetime
    actor: Annotated[ActorView, Field(description="By the e-mail address that they had then")]
    action: Annotated[str, Field(description="What happened, for programs: `connection.renamed`, `job.created` …")]
    connection_id: Annotated[str | None, Field(description="The connection that it was about, if one")]
    source: Annotated[str | None, Field(description="The address the request came from")]
    old: JsonObject | None
    new: JsonObject | None


class AuditPage(Model):
    """A page of entries, the newest first. A page may hold fewer than asked for and yet have a next one."""

    items: list[AuditEntryView]
    next: str | None
