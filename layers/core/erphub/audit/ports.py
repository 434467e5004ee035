"""Where the audit log is kept."""

from collections.abc import Sequence
from typing import Protocol

from erphub.audit.models import AuditEntry, AuditFilter, KeptEntry, Owner
from erphub.platform.pages import Page
from erphub.platform.writes import Write


class AuditStore(Protocol):
    """Entries by client and customer, in order. They are only ever added; there is no way to change or remove one."""

    def add(self, owner: Owner, entry: AuditEntry, event_key: str | None) -> None:
        """Add an entry, unless one was added under the same event key before."""
        ...

    def writes(self, owner: Owner, entry: AuditEntry) -> Sequence[Write]:
        """What adds it, for the transaction that makes the change it is about."""
        ...

    def get_page(self, owner: Owner, wanted: AuditFilter, limit: int, cursor: str | None) -> Page[KeptEntry]:
        """A page of a log, the newest first. A page may hold fewer than `limit`, or none, and yet have a next one."""
        ...

    def get_page_of_connection(
        self, client_id: str, connection_id: str, limit: int, cursor: str | None
    ) -> Page[KeptEntry]:
        """A page of a connection's entries, the newest first; also after the connection was deleted."""
        ...
