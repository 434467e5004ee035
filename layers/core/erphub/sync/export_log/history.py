"""What became of a sync's documents, for its settings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import override

from erphub.sync.export_log.models import QUEUES, SKIPPED_UNCERTAIN, Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.ports import DocumentHistory, Place


@dataclass(frozen=True)
class ExportHistory(DocumentHistory):
    """Looks it up in the export log."""

    entries: EntryStore

    @override
    def may_be_in_erp(self, client_id: str, connection_id: str, company: str) -> bool:
        found = self._maybe_there(client_id, connection_id)
        return any(entry.destination.get("company", company) == company for entry in found)

    @override
    def places_in_erp(self, client_id: str, connection_id: str) -> set[Place]:
        return {
            Place(entry.kind, entry.department, entry.till, entry.destination["company"])
            for entry in self._maybe_there(client_id, connection_id)
            if entry.destination.get("company")
        }

    def _maybe_there(self, client_id: str, connection_id: str) -> Iterator[Entry]:
        """The documents that the ERP has, or may have."""
        for queue in QUEUES:
            yield from filter(_may_be_in_erp, self.entries.queue(client_id, connection_id, queue))

    @override
    def waiting_since(self, client_id: str, connection_id: str) -> datetime | None:
        waiting = next(self.entries.queue(client_id, connection_id, EntryStatus.PENDING.value), None)
        return waiting.arrived_at if waiting else None


def _may_be_in_erp(entry: Entry) -> bool:
    tried = entry.status in (EntryStatus.SENT, EntryStatus.SENDING, EntryStatus.UNCERTAIN)
    return tried or bool(entry.reference) or entry.code == SKIPPED_UNCERTAIN
