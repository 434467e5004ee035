"""Where the audit log is kept."""

from typing import Protocol

from erphub.audit.models import AuditEntry
from erphub.platform.pages import Page


class AuditStore(Protocol):
    """Entries by connection. They are only ever added; there is no way to change or remove one."""

    def add(self, client_id: str, connection_id: str, entry: AuditEntry, event_key: str | None) -> None:
        """Add an entry, unless one was added under the same event key before."""
        ...

    def get_page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[AuditEntry]:
        """A page of a connection's entries, the newest first; also after the connection was deleted."""
        ...
