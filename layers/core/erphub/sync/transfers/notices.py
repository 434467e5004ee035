"""What a client's people are notified of about a sync."""

from dataclasses import dataclass
from typing import Any, override

from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.clock import Clock
from erphub.sync.capability import EXPORT_GAPS, EXPORT_REJECTED, EXPORT_SILENT
from erphub.sync.transfers.ports import Notices

_EVENT_TYPES = {
    "document_rejected": EXPORT_REJECTED,
    "nothing_sent": EXPORT_SILENT,
    "reports_missing": EXPORT_GAPS,
}


@dataclass(frozen=True)
class SyncNotices(Notices):
    """Publishes notices as events, each once per transfer."""

    publisher: EventPublisher
    clock: Clock

    @override
    def notify(self, client_id: str, connection_id: str, code: str, detail: str, **attributes: Any) -> None:
        event_type = _EVENT_TYPES[code]
        event_key = f"{code} {attributes.get('transfer_id', '')}"
        self.publisher.publish(
            make_event(event_type, client_id, connection_id, self.clock(), event_key, detail, code=code, **attributes)
        )
