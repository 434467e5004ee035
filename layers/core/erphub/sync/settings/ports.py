"""Where syncs are kept, who may transfer, and what the settings of a sync need to know of its documents."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from erphub.erp.documents import DocumentKind
from erphub.platform.due import DueItem
from erphub.sync.settings.models import Sync


class SyncStore(Protocol):
    """Settings of syncs, and where each stands. Writes compare `rev`: the second gets Conflict and reads again."""

    def get(self, client_id: str, connection_id: str) -> Sync | None:
        """The sync of a connection, if it has one."""
        ...

    def save(self, sync: Sync) -> Sync:
        """Keep it, provided that nobody else did since it was read. Raises Conflict (`version_conflict`)."""
        ...

    def due(self, now: datetime) -> Iterator[DueItem[Sync]]:
        """Every sync whose next transfer, silence alert or question for approvals is due; costs as much as there
        are."""
        ...


class TransferLeases(Protocol):
    """One transfer per connection at a time, and of it one worker."""

    def acquire(
        self, client_id: str, connection_id: str, transfer_id: str, worker: str, until: datetime, now: datetime
    ) -> str:
        """Let this transfer, and of it this worker alone, send until then. An empty worker only keeps the lease.

        The answer names the transfer that had the lease before and let it run out without releasing it; empty else.
        Raises Conflict (`transfer_running`, fact `transfer_id`) while another transfer or another worker holds it.
        """
        ...

    def release(self, client_id: str, connection_id: str, transfer_id: str, now: datetime) -> None:
        """Let others go on; a lease that somebody else has by now is left alone."""
        ...

    def holder(self, client_id: str, connection_id: str, now: datetime) -> str | None:
        """The transfer that may send now."""
        ...


class Place(NamedTuple):
    """A shop and register in the till's words, and the company of the ERP that their documents of a kind went to."""

    kind: DocumentKind
    department: str
    till: str
    company: str


class DocumentHistory(Protocol):
    """What became of a sync's documents, as far as its settings depend on it."""

    def may_be_in_erp(self, client_id: str, connection_id: str, company: str) -> bool:
        """Whether a company of the ERP has, or may have, a document of this sync."""
        ...

    def places_in_erp(self, client_id: str, connection_id: str) -> set[Place]:
        """Whence documents came that the ERP has, or may have, and into which company; looks through the whole log."""
        ...

    def waiting_since(self, client_id: str, connection_id: str) -> datetime | None:
        """When the first document that waits to be sent arrived."""
        ...
