"""Deleting a connection and everything that hangs on it: shown first, then unusable, removed after a grace period.

    preview    lists by kind all that is deleted, and gives a token for exactly that
    delete     with the token: in one step nothing of it works any more; the delete machine takes over
    restore    within the grace period: all is back as it was, the connection paused

The connection's own item goes last: until then whatever is left has an owner, and whoever died half-way is repeated."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.connections.access import ConnectionAccess
from erphub.connections.models import Connection, ConnectionStatus
from erphub.deletions import problems
from erphub.deletions.models import Deletion, DeletionStatus, Plan
from erphub.deletions.ports import DeletionStore
from erphub.deletions.preview import KEPT, DeletionPreview
from erphub.deletions.scheduling import DeletionScheduler
from erphub.deletions.schemas import DeletionView, PlanView
from erphub.platform.actors import ActorDirectory
from erphub.platform.clock import Clock
from erphub.platform.identity import Member
from erphub.platform.ids import derived_id
from erphub.platform.state_machines import StateMachine
from erphub.platform.versions import require_version


@dataclass(frozen=True)
class DeletionService:
    """The use-cases behind the routes of deletion."""

    store: DeletionStore
    plans: DeletionPreview
    scheduler: DeletionScheduler
    machine: StateMachine
    access: ConnectionAccess
    clock: Clock
    grace_period: timedelta
    actors: ActorDirectory

    def preview(self, member: Member, connection_id: str) -> PlanView:
        """What is deleted and what is kept. Raises NotFound, Forbidden, Conflict (`connection_deleting`)."""
        connection = self.access.connection(member, connection_id)
        self._require_not_deleted(connection)
        plan = self.plans.make(connection)
        return PlanView(
            plan_token=plan.token,
            expires_at=plan.expires_at,
            grace_seconds=int(self.grace_period.total_seconds()),
            deleted=plan.deleted,
            kept=list(KEPT),
        )

    def delete(self, member: Member, connection_id: str, token: str, version: int | None = None) -> DeletionView:
        """Delete what the plan showed; the same again is the same deletion.

        Raises NotFound, Forbidden, Gone (`plan_expired`), Conflict (`plan_changed` with the difference,
        `connection_deleting`, `version_conflict` when the connection is not of that version), Unavailable.
        """
        connection = self.access.connection(member, connection_id)
        before = self.store.get(member.client_id, connection_id)
        if connection.status is ConnectionStatus.DELETING and before and before.plan_token == token:
            self._ensure_machine_running(before)
            return self._view(before)
        self._require_not_deleted(connection)
        require_version(version, connection.version)
        plan = self.plans.require_unchanged(connection, token)
        deletion = self._requested(connection, member, plan)
        self.store.request(deletion, deletion.requested_at)
        # The machine comes first: whoever dies from here on leaves behind somebody who goes on.
        self._ensure_machine_running(deletion)
        return self._view(self.scheduler.schedule(deletion))

    def restore(self, member: Member, connection_id: str) -> None:
        """Bring everything back, paused. Raises NotFound, Forbidden, Conflict (`not_deleting`), Gone (`too_late`)."""
        connection = self.access.connection(member, connection_id)
        deletion = self.store.get(member.client_id, connection_id)
        if deletion is None or deletion.status is DeletionStatus.REQUESTED:
            raise problems.NOT_DELETING()
        now = self.clock()
        if deletion.status is DeletionStatus.REMOVING or now >= deletion.restorable_until:
            raise problems.TOO_LATE()
        self.scheduler.cancel(deletion, connection, member, now)
        self.machine.stop(self.machine.execution(deletion.id), "The connection was restored.")

    def _require_not_deleted(self, connection: Connection) -> None:
        if connection.is_being_deleted:
            deletion = self.store.get(connection.client_id, connection.id)
            until = {"restorable_until": deletion.restorable_until.isoformat()} if deletion else {}
            raise problems.DELETED_ALREADY(**until)

    def _requested(self, connection: Connection, member: Member, plan: Plan) -> Deletion:
        now = self.clock()
        return Deletion(
            id=derived_id(connection.id, plan.token),
            client_id=connection.client_id,
            connection_id=connection.id,
            plan_token=plan.token,
            version=connection.version,
            requested_by=member.user,
            email=member.email,
            name=member.name,
            source=member.source,
            requested_at=now,
            restorable_until=_next_whole_second(now + self.grace_period),
            status_before=connection.status.value,
            deleted=plan.deleted,
        )

    def _ensure_machine_running(self, deletion: Deletion) -> None:
        """A machine goes on with it: another, should the first have ended before its time, as its name stays taken."""
        self._start_machine(deletion, deletion.id)
        if not self.machine.is_running(self.machine.execution(deletion.id)):
            self._start_machine(deletion, f"{deletion.id}-{self.clock():%Y%m%d%H%M}")

    def _start_machine(self, deletion: Deletion, name: str) -> None:
        names = deletion.client_id, deletion.connection_id, deletion.id
        self.machine.start(name, dict(zip(("client_id", "connection_id", "deletion_id"), names, strict=True)))

    def _view(self, deletion: Deletion) -> DeletionView:
        by = deletion.requested_by
        return DeletionView(
            id=deletion.id,
            connection_id=deletion.connection_id,
            status=deletion.status,
            requested_by=self.actors.find(deletion.client_id, [by])[by],
            requested_at=deletion.requested_at,
            restorable_until=deletion.restorable_until,
            deleted=deletion.deleted,
        )


def _next_whole_second(moment: datetime) -> datetime:
    """The next whole second: what the machine waits for has no fractions, and it shall not wake before its time."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
