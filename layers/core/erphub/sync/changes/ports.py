"""Where it is kept what till and ERP have in common, and what is offered to the till."""

from typing import Protocol

from erphub.erp.documents import DocumentKind
from erphub.sync.changes.models import OfferedChange, SyncedRecord


class SyncedRecordStore(Protocol):
    """Customers and products that till and ERP have in common."""

    def get(
        self, client_id: str, connection_id: str, kind: DocumentKind, reference: str, company: str = ""
    ) -> SyncedRecord | None:
        """What is known of the ERP's record, of another company than the settings' own where one is named."""
        ...

    def save(self, client_id: str, connection_id: str, record: SyncedRecord) -> SyncedRecord:
        """Keep it, provided that nobody else did since it was read. Raises Conflict."""
        ...


class ChangeFeed(Protocol):
    """Changes offered to the till, in the order in which they were offered, at most one of each record."""

    def offer(self, client_id: str, connection_id: str, record: SyncedRecord, change: OfferedChange) -> SyncedRecord:
        """Offer a change under the next sequence, in place of what was offered of this record before, and keep the
        record with it. Raises Conflict."""
        ...

    def withdraw(self, client_id: str, connection_id: str, record: SyncedRecord) -> SyncedRecord:
        """Take what is offered of this record out of the feed, and keep the record. Raises Conflict."""
        ...

    def list_after(self, client_id: str, connection_id: str, sequence: int, limit: int) -> list[OfferedChange]:
        """What is offered behind a sequence, in order."""
        ...

    def get(self, client_id: str, connection_id: str, sequence: int) -> OfferedChange | None:
        """What is offered at a sequence, if it still is."""
        ...
