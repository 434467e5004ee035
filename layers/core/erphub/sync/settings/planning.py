"""Moves a sync's next transfer when something happens: a document comes, or the connection works again."""

from dataclasses import dataclass

from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.sync.settings.models import Sync
from erphub.sync.settings.pacing import plan_next
from erphub.sync.settings.ports import SyncStore


@dataclass(frozen=True)
class TransferPlanner:
    """Plans the next transfer anew, on top of whatever others change of the sync meanwhile."""

    syncs: SyncStore
    clock: Clock

    def bring_forward(self, sync: Sync) -> None:
        """Something waits: the next transfer comes nearer, when it is automatic and farther away than need be.

        While the connection does not work, what waits brings nothing nearer: it goes as soon as that works again.
        """
        current, now = sync, self.clock()
        for _ in range(3):
            if not current.settings.is_automatic or current.next_at is None:
                return
            best = plan_next(current, now, waiting=1, oldest=now)
            if current.next_at <= best.at:
                return
            try:
                self.syncs.save(current.model_copy(update={"next_at": best.at, "next_reason": best.reason}))
            except Conflict:
                found = self.syncs.get(sync.client_id, sync.connection_id)
                if found is None:
                    return
                current = found
                continue
            return

    def connection_restored(self, client_id: str, connection_id: str) -> None:
        """The connection works again: what waits goes at once."""
        for _ in range(3):
            sync = self.syncs.get(client_id, connection_id)
            if sync is None or not sync.settings.is_automatic:
                return
            history = sync.history.model_copy(update={"restored": True, "failures": 0})
            fresh = sync.model_copy(update={"history": history})
            best = plan_next(fresh, self.clock(), waiting=0, oldest=None)
            try:
                self.syncs.save(fresh.model_copy(update={"next_at": best.at, "next_reason": best.reason}))
            except Conflict:
                continue
            return
