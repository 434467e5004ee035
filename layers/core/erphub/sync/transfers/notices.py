"""What a client's people are notified of about a sync."""

from dataclasses import dataclass
from typing import Any

from erphub.events.publisher import EventPublisher, event
from erphub.platform.clock import Clock
from erphub.sync.capability import EXPORT_GAPS, EXPORT_REJECTED, EXPORT_SILENT

_OF_SYNCS = {
    "document_rejected": EXPORT_REJECTED,
    "nothing_sent": EXPORT_SILENT,
    "reports_missing": EXPORT_GAPS,
}


@dataclass(frozen=True)
class SyncNotices:
    """Satisfies `sync.settings.ports.Notices`: what a transfer has to tell becomes an event, once per transfer."""

    announcer: EventPublisher
    clock: Clock

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        """See the port."""
        kind = _OF_SYNCS[code]
        about = f"{code} {facts.get('transfer', '')}"
        self.announcer.announce(event(kind, client_id, connection_id, self.clock(), about, detail, code=code, **facts))
