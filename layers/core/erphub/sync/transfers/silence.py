"""Notifies people when a sync has sent nothing for longer than usual."""

from dataclasses import dataclass

from erphub.connections.models import ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.sync import problems
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import SyncStore
from erphub.sync.transfers.completion import NOTHING_SENT
from erphub.sync.transfers.ports import Notices


@dataclass(frozen=True)
class SilenceAlert:
    """Raises the alert once, until something has been sent again."""

    syncs: SyncStore
    connections: ConnectionStore
    notices: Notices
    clock: Clock

    def check(self, sync: Sync) -> bool:
        """Notify people, once, that nothing has been sent for longer than usual; whether they were notified now.

        Also where nothing is sent by itself: a transfer by hand that nobody starts is silence too. A connection that
        somebody paused is meant to be silent.
        """
        if sync.silence_alert_at is None or sync.silence_alert_at > self.clock():
            return False
        connection = self.connections.get(sync.client_id, sync.connection_id)
        is_meant = connection is None or connection.is_being_deleted or connection.status is ConnectionStatus.PAUSED
        if not is_meant:
            last = sync.history.last_sent_at
            attributes = {"last_sent_at": last.isoformat() if last else None}
            self.notices.notify(
                sync.client_id, sync.connection_id, NOTHING_SENT, problems.NOTHING_SENT.render(), **attributes
            )
        self._mark_notified(sync, () if is_meant else (NOTHING_SENT,))
        return not is_meant

    def _mark_notified(self, sync: Sync, codes: tuple[str, ...]) -> None:
        for _ in range(3):
            current = self.syncs.get(sync.client_id, sync.connection_id)
            if current is None or current.silence_alert_at != sync.silence_alert_at:
                return
            notified = (*current.notified_codes, *codes)
            try:
                self.syncs.save(current.model_copy(update={"silence_alert_at": None, "notified_codes": notified}))
            except Conflict:
                continue
            return
