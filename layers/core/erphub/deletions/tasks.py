"""The tasks of delete.asl.json: schedule, stop what goes on, wait, then remove: the secret, the data, the items,
at last the connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.audit.service import AuditLog
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore
from erphub.deletions.models import Deletion, DeletionStatus
from erphub.deletions.ports import DeletionStore
from erphub.deletions.scheduling import DeletionScheduler
from erphub.platform.actors import HUB
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.removal import Dependent
from erphub.platform.tasks import Checkpoint, TimeLeft
from erphub.platform.wire import JsonObject

MAX_STOPPING_TIME = timedelta(minutes=20)
"""How long what goes on may take to come to its end by itself; no worker lives longer than 15 minutes."""
MIN_SECONDS_LEFT = 30.0
"""Seconds that must be left to begin with another kind."""


def no_checkpoint(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class DeletionTasks:
    """The tasks of delete.asl.json. Each may be run again after it was cut off anywhere."""

    store: DeletionStore
    connections: ConnectionStore
    scheduler: DeletionScheduler
    dependents: Sequence[Dependent]
    """In the order of their removal."""
    audit: AuditLog
    clock: Clock
    checkpoint: Checkpoint = no_checkpoint

    def schedule(self, client_id: str, connection_id: str, deletion_id: str) -> JsonObject:
        """The first step, in case whoever asked died before it. `next`: `stop_work` or `done`."""
        deletion = self._find(client_id, connection_id, deletion_id)
        if deletion is None:
            return {"next": "done"}
        try:
            self.scheduler.schedule(deletion)
        except Conflict:
            # The connection has changed since it was shown: whoever asked was told so, and nothing is deleted.
            return {"next": "done"}
        return {"next": "stop_work"}

    def stop(self, client_id: str, connection_id: str, deletion_id: str) -> JsonObject:
        """End what goes on. `next`: `still_running`, `wait` with `until`, `remove`, or `done`."""
        deletion = self._find(client_id, connection_id, deletion_id)
        connection = self.connections.get(client_id, connection_id)
        if deletion is None or connection is None:
            return {"next": "done"}
        if not self._stop_all(connection, deletion.requested_at):
            return {"next": "still_running"}
        # A moment in the past is none to wait for.
        left = deletion.restorable_until - self.clock()
        return {"next": "wait" if left > timedelta() else "remove", "until": _whole_seconds(deletion)}

    def remove(self, client_id: str, connection_id: str, deletion_id: str, time_left: TimeLeft) -> JsonObject:
        """Remove what is left, kind by kind. `next`: `wait`, `still_running`, `more`, or `done`: nothing is left."""
        deletion = self._find(client_id, connection_id, deletion_id)
        connection = self.connections.get(client_id, connection_id)
        if deletion is None or connection is None:
            return {"next": "done"}
        if deletion.status is DeletionStatus.SCHEDULED and self.clock() < deletion.restorable_until:
            return {"next": "wait", "until": _whole_seconds(deletion)}
        begun = self.store.begin_removal(deletion)
        if begun is None:
            return {"next": "done"}
        self.checkpoint("begun")
        if not self._stop_all(connection, begun.restorable_until):
            return {"next": "still_running"}
        for dependent in self.dependents:
            if time_left() < MIN_SECONDS_LEFT or not dependent.remove(connection, time_left):
                return {"next": "more"}
            self.checkpoint(f"removed {dependent.kind}")
        counts = {view.kind: view.count for view in begun.deleted}
        self.audit.record(
            client_id,
            connection_id,
            HUB,
            "connection.removed",
            {"deleted": counts},
            None,
            event_key=f"removed-{begun.id}",
        )
        self.checkpoint("written down")
        self.store.delete(connection, begun)
        return {"next": "done", "removed": True}

    def _stop_all(self, connection: Connection, since: datetime) -> bool:
        """Whether nothing goes on any more; what takes too long to end is ended from outside."""
        force = self.clock() - since > MAX_STOPPING_TIME
        stopped = True
        for dependent in self.dependents:
            stopped = dependent.stop(connection, force=force) and stopped
            self.checkpoint(f"stopped {dependent.kind}")
        return stopped

    def _find(self, client_id: str, connection_id: str, deletion_id: str) -> Deletion | None:
        deletion = self.store.get(client_id, connection_id)
        return deletion if deletion is not None and deletion.id == deletion_id else None


def _whole_seconds(deletion: Deletion) -> str:
    return deletion.restorable_until.strftime("%Y-%m-%dT%H:%M:%SZ")
