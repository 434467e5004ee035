"""What the hub must remember about what was done to connections."""

from collections.abc import Sequence
from typing import Protocol

from erphub.audit.models import AuditEntry


class AuditEntries(Protocol):
    """Entries by connection. They are only ever added; there is no way to change or remove one."""

    def add(self, client_id: str, connection_id: str, entry: AuditEntry, once: str | None) -> None:
        """Add an entry, unless one was added for the same occasion (`once`) before."""
        ...

    def page(
        self, client_id: str, connection_id: str, limit: int, next: str | None
    ) -> tuple[Sequence[AuditEntry], str | None]:
        """A page of a connection's entries, the newest first; also after the connection was deleted."""
        ...
