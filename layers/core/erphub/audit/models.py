"""One entry of the audit log."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.platform.wire import JsonObject, Model


class AuditEntry(Model):
    """One thing that happened. `old` and `new` hold what changed, never a secret."""

    id: str
    at: datetime
    actor: Annotated[str, Field(description="The user's id, or `hub` when the hub did it by itself")]
    email: str | None = None
    action: Annotated[str, Field(description="What happened, for programs: `connection.renamed`, `secret.replaced` …")]
    source: Annotated[str | None, Field(description="The address the request came from")] = None
    old: JsonObject | None = None
    new: JsonObject | None = None
