"""What a client's people are notified of about a sync."""

from dataclasses import dataclass
from typing import Any, override

from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.clock import Clock
from erphub.sync.capability import (
    EXPORT_APPROVED,
    EXPORT_DISCARDED,
    EXPORT_GAPS,
    EXPORT_REJECTED,
    EXPORT_SILENT,
    EXPORT_UNAPPROVED,
)
from erphub.sync.transfers.ports import Notices

_EVENT_TYPES = {
    "document_rejected": EXPORT_REJECTED,
    "nothing_sent": EXPORT_SILENT,
    "reports_missing": EXPORT_GAPS,
    "voucher_approved": EXPORT_APPROVED,
    "voucher_discarded": EXPORT_DISCARDED,
    "approval_overdue": EXPORT_UNAPPROVED,
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

    @override
    def notify_of(
        self, client_id: str, connection_id: str, fact: str, code: str, detail: str, **attributes: Any
    ) -> None:
        key = f"{code} {fact}"
        event = make_event(
            _EVENT_TYPES[code], client_id, connection_id, self.clock(), key, detail, code=code, **attributes
        )
        self.publisher.publish_once(event, key)
