"""The audit log as it is shown."""

from erphub.audit.models import AuditEntry
from erphub.platform.wire import Model


class AuditPage(Model):
    """A page of entries, the newest first."""

    items: list[AuditEntry]
    next: str | None
