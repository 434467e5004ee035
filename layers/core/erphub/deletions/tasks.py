"""The tasks of delete.asl.json: schedule, stop what goes on, wait, then remove: the secret, the data, the items,
at last the connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.audit.service import AuditTrail
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore
from erphub.deletions.models import Deletion, DeletionState
from erphub.deletions.ports import DeletionStore
from erphub.deletions.service import ENOUGH_TIME, PATIENCE, condemn, no_checkpoint
from erphub.platform.actors import HUB
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.removal import Dependent
from erphub.platform.tasks import Checkpoint, TimeLeft
from erphub.platform.wire import JsonObject


@dataclass(frozen=True)
class DeletionTasks:
    """The tasks of delete.asl.json. Each may be run again after it was cut off anywhere."""

    store: DeletionStore
    connections: ConnectionStore
    dependents: Sequence[Dependent]
    """In the order of their removal."""
    audit: AuditTrail
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint

    def condemn(self, client_id: str, connection_id: str, deletion_id: str) -> JsonObject:
        """The first step, in case whoever asked died before it. `next`: `halt` or `stop`."""
        deletion = self._mine(client_id, connection_id, deletion_id)
        if deletion is None:
            return {"next": "stop"}
        try:
            condemn(self.store, self.connections, self.audit, deletion)
        except Conflict:
            # The connection has changed since it was shown: whoever asked was told so, and nothing is deleted.
            return {"next": "stop"}
        return {"next": "halt"}

    def halt(self, client_id: str, connection_id: str, deletion_id: str) -> JsonObject:
        """End what goes on. `next`: `again` while something comes to its end, `wait` with `until`, or `stop`."""
        deletion = self._mine(client_id, connection_id, deletion_id)
        connection = self.connections.get(client_id, connection_id)
        if deletion is None or connection is None:
            return {"next": "stop"}
        if not self._quiet(connection, deletion.at):
            return {"next": "again"}
        # A moment in the past is none to wait for.
        left = deletion.until - self.clock()
        moment = deletion.until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"next": "wait" if left > timedelta() else "remove", "until": moment}

    def remove(self, client_id: str, connection_id: str, deletion_id: str, time_left: TimeLeft) -> JsonObject:
        """Remove what is left, kind by kind. `next`: `again`, `more`, or `stop` when nothing is left to do."""
        deletion = self._mine(client_id, connection_id, deletion_id)
        connection = self.connections.get(client_id, connection_id)
        if deletion is None or connection is None:
            return {"next": "stop"}
        if deletion.state is DeletionState.WAITING and self.clock() < deletion.until:
            return {"next": "wait", "until": deletion.until.strftime("%Y-%m-%dT%H:%M:%SZ")}
        begun = self.store.begin_removal(deletion)
        if begun is None:
            return {"next": "stop"}
        self.checkpoint("begun")
        if not self._quiet(connection, begun.until):
            return {"next": "again"}
        for dependent in self.dependents:
            if time_left() < ENOUGH_TIME or not dependent.remove(connection, time_left):
                return {"next": "more"}
            self.checkpoint(f"removed {dependent.kind}")
        counts = {view.kind: view.count for view in begun.goes}
        self.audit.record(
            client_id, connection_id, HUB, "connection.removed", {"goes": counts}, None, once=f"removed-{begun.id}"
        )
        self.checkpoint("written down")
        self.store.forget(connection, begun)
        return {"next": "stop", "removed": True}

    def _quiet(self, connection: Connection, since: datetime) -> bool:
        """Whether nothing goes on any more; what takes too long to end is ended from outside."""
        force = self.clock() - since > PATIENCE
        quiet = True
        for dependent in self.dependents:
            quiet = dependent.stop(connection, force=force) and quiet
            self.checkpoint(f"stopped {dependent.kind}")
        return quiet

    def _mine(self, client_id: str, connection_id: str, deletion_id: str) -> Deletion | None:
        deletion = self.store.get(client_id, connection_id)
        return deletion if deletion is not None and deletion.id == deletion_id else None
