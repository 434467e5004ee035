"""One entry of the audit log."""

from datetime import datetime

from erphub.platform.wire import JsonObject, Model


class AuditEntry(Model):
    """One thing that happened. `old` and `new` hold what changed, never a secret."""

    id: str
    occurred_at: datetime
    actor: str
    """A user's id, or `platform.actors.HUB`."""
    email: str | None = None
    """The actor's address as it was then."""
    action: str
    """What happened, for programs: `connection.renamed`, `secret.replaced` …"""
    source: str | None = None
    """The address the request came from."""
    old: JsonObject | None = None
    new: JsonObject | None = None
