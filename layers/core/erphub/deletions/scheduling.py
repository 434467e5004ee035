"""The step that makes a connection and all of it unusable, for whoever asked and for the machine, should they die."""

from dataclasses import dataclass
from datetime import datetime

from erphub.audit.service import AuditLog
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.deletions import problems
from erphub.deletions.capability import CONNECTION_DELETING, CONNECTION_RESTORED
from erphub.deletions.models import Deletion, DeletionStatus
from erphub.deletions.ports import DeletionStore
from erphub.events.publisher import make_event
from erphub.platform.actors import actor
from erphub.platform.identity import Member
from erphub.platform.wire import JsonObject, instant

_MAX_ATTEMPTS = 8


@dataclass(frozen=True)
class DeletionScheduler:
    """Schedules deletions that were requested, and cancels them."""

    store: DeletionStore
    connections: ConnectionStore
    audit: AuditLog

    def schedule(self, deletion: Deletion) -> Deletion:
        """Make the connection and all of it unusable in one step, and have its people notified; again is fine.

        That it is degraded meanwhile, or works again, is no change of what was shown. Raises Conflict
        (`plan_changed`), Unavailable.
        """
        for _ in range(_MAX_ATTEMPTS):
            connection = self.connections.get(deletion.client_id, deletion.connection_id)
            known = self.store.get(deletion.client_id, deletion.connection_id)
            is_this = known is not None and known.id == deletion.id
            if known is not None and is_this and known.status is not DeletionStatus.REQUESTED:
                return known
            if (
                connection is None
                or not is_this
                or connection.is_being_deleted
                or connection.version != deletion.version
            ):
                raise problems.CONNECTION_CHANGED_SINCE()
            scheduled = self._schedule(connection, deletion)
            if scheduled is not None:
                return scheduled
        raise problems.CHANGES_TOO_FAST()

    def _schedule(self, connection: Connection, deletion: Deletion) -> Deletion | None:
        until, by = instant(deletion.restorable_until), deletion.requested_by
        old = {"status": connection.status.value}
        counts = {view.kind: view.count for view in deletion.deleted}
        new: JsonObject = {"status": "deleting", "restorable_until": until, "deleted": counts}
        entry = self.audit.entry(by, "connection.deleted", old, new, deletion.source, email=deletion.email)
        notice = make_event(
            CONNECTION_DELETING,
            connection.client_id,
            connection.id,
            deletion.requested_at,
            deletion.id,
            f"{connection.name}: It is being deleted. Until {until} it can be restored.",
            status=ConnectionStatus.DELETING,
            by=actor(by, deletion.name),
            restorable_until=until,
        )
        return self.store.schedule(deletion, connection, entry, notice)

    def cancel(self, deletion: Deletion, connection: Connection, member: Member, now: datetime) -> None:
        """Bring everything back in one step, and have its people notified. Raises Conflict (`deletion_changed`)."""
        old, new = {"status": "deleting"}, {"status": "paused", "before": deletion.status_before}
        entry = self.audit.entry(member.user, "connection.restored", old, new, member.source, email=member.email)
        notice = make_event(
            CONNECTION_RESTORED,
            connection.client_id,
            connection.id,
            now,
            deletion.id,
            f"{connection.name}: It was restored, and stands still until somebody resumes it.",
            status=ConnectionStatus.PAUSED,
            by=actor(member.user, member.name),
        )
        self.store.cancel(deletion, connection, entry, notice, now)
