"""The audit log as it is shown."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.platform.actors import ActorView
from erphub.platform.wire import JsonObject, Model


class AuditEntryView(Model):
    """One thing that happened. `old` and `new` hold what changed, never a secret."""

    id: str
    occurred_at: datetime
    actor: Annotated[ActorView, Field(description="By the e-mail address that they had then")]
    action: Annotated[str, Field(description="What happened, for programs: `connection.renamed`, `secret.replaced` …")]
    source: Annotated[str | None, Field(description="The address the request came from")]
    old: JsonObject | None
    new: JsonObject | None


class AuditPage(Model):
    """A page of entries, the newest first."""

    items: list[AuditEntryView]
    next: str | None
