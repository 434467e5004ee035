"""Deleting a connection and everything that hangs on it: shown first, then unusable, removed after a time of grace.

    preview    lists by kind all that goes, and gives a token for exactly that
    delete     with the token: in one step nothing of it works any more; the delete machine takes over
    restore    within the grace time: all is back as it was, the connection paused

The connection's own item goes last: until then whatever is left has an owner, and whoever died half-way is repeated."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.audit.service import AuditTrail
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.connections.schemas import ConnectionView
from erphub.deletions.capability import CONNECTION_DELETING, CONNECTION_RESTORED
from erphub.deletions.models import Deletion, DeletionState, Plan
from erphub.deletions.ports import DeletionStore
from erphub.deletions.preview import STAYS, differences, survey
from erphub.deletions.schemas import DeletionView, PlanView
from erphub.events.publisher import event
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, Gone, Unavailable
from erphub.platform.identity import Member
from erphub.platform.ids import derived_id
from erphub.platform.removal import Dependent
from erphub.platform.state_machines import StateMachine
from erphub.platform.wire import JsonObject, instant

PLAN_LASTS = timedelta(hours=1)
PATIENCE = timedelta(minutes=20)
"""How long what goes on may take to come to its end by itself; no worker lives longer than 15 minutes."""
ENOUGH_TIME = 30.0
"""Seconds that must be left to begin with another kind."""
_TRIES = 8


def no_checkpoint(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class DeletionService:
    """The use-cases behind the routes of deletion."""

    store: DeletionStore
    connections: ConnectionStore
    dependents: Sequence[Dependent]
    machine: StateMachine
    audit: AuditTrail
    find: Callable[[Member, str], Connection]
    """A connection that the member may edit. Raises NotFound, Forbidden."""
    view: Callable[[Member, str], ConnectionView]
    clock: Clock
    grace_period: timedelta

    def preview(self, member: Member, connection_id: str) -> PlanView:
        """What goes and what stays. Raises NotFound, Forbidden, Conflict (`connection_deleting`)."""
        connection = self.find(member, connection_id)
        self._require_alive(connection)
        goes, marks = survey(self.dependents, connection)
        now = self.clock()
        stands = f"{connection.version} {connection.health.rev if connection.health else 0}"
        text = f"{connection.id} {stands} {goes!r} {marks!r} {now.isoformat()}"
        plan = Plan(
            token=hashlib.sha256(text.encode()).hexdigest()[:40],
            client_id=connection.client_id,
            connection_id=connection.id,
            version=connection.version,
            made_at=now,
            expires_at=now + PLAN_LASTS,
            goes=goes,
            marks=marks,
        )
        self.store.keep_plan(plan)
        return PlanView(
            plan_token=plan.token,
            expires_at=plan.expires_at,
            grace_seconds=int(self.grace_period.total_seconds()),
            goes=goes,
            stays=list(STAYS),
        )

    def delete(self, member: Member, connection_id: str, token: str) -> DeletionView:
        """Delete what the plan showed; the same again is the same deletion.

        Raises NotFound, Forbidden, Gone (`plan_expired`), Conflict (`plan_changed` with the difference,
        `connection_deleting`), Unavailable.
        """
        connection = self.find(member, connection_id)
        before = self.store.get(member.client_id, connection_id)
        if connection.status is ConnectionStatus.DELETING and before and before.plan_token == token:
            self._see_to_it(before)
            return view_of(before)
        self._require_alive(connection)
        self._require_unchanged(connection, token)
        deletion = self._asked(connection, member, token)
        self.store.ask(deletion, deletion.at)
        # The machine comes first: whoever dies from here on leaves behind somebody who goes on.
        self._see_to_it(deletion)
        return view_of(condemn(self.store, self.connections, self.audit, deletion))

    def restore(self, member: Member, connection_id: str) -> ConnectionView:
        """Bring everything back, paused. Raises NotFound, Forbidden, Conflict (`not_deleting`), Gone (`too_late`)."""
        connection = self.find(member, connection_id)
        deletion = self.store.get(member.client_id, connection_id)
        if deletion is None or deletion.state is DeletionState.ASKED:
            raise Conflict("The connection is not being deleted.", code="not_deleting")
        now = self.clock()
        if deletion.state is DeletionState.REMOVING or now >= deletion.until:
            raise Gone("The time to bring it back is over; it is being removed.", code="too_late")
        old, new = {"status": "deleting"}, {"status": "paused", "before": deletion.status_before}
        entry = self.audit.entry(member.user, "connection.restored", old, new, member.source, email=member.email)
        told = event(
            CONNECTION_RESTORED,
            connection.client_id,
            connection.id,
            now,
            deletion.id,
            f"{connection.name}: It was restored, and stands still until somebody resumes it.",
            status=ConnectionStatus.PAUSED,
            by=member.user,
        )
        self.store.pardon(deletion, connection, entry, told, now)
        self.machine.stop(self.machine.execution(deletion.id), "The connection was restored.")
        return self.view(member, connection_id)

    def _require_alive(self, connection: Connection) -> None:
        if connection.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED):
            deletion = self.store.get(connection.client_id, connection.id)
            until = {"restorable_until": deletion.until.isoformat()} if deletion else {}
            raise Conflict("The connection is being deleted already.", code="connection_deleting", **until)

    def _require_unchanged(self, connection: Connection, token: str) -> None:
        plan = self.store.plan(connection.client_id, connection.id, token)
        if plan is None or plan.expires_at <= self.clock():
            raise Gone("The plan has expired, or was never made. Look at a new deletion-preview.", code="plan_expired")
        changed = differences(plan, *survey(self.dependents, connection))
        if plan.version != connection.version:
            changed.append(
                {
                    "kind": "connection",
                    "title": "The connection",
                    "was": {"version": plan.version},
                    "is": {"version": connection.version},
                }
            )
        if changed:
            raise Conflict(
                "Since you looked, something has changed; `difference` says what. Look at a new deletion-preview.",
                code="plan_changed",
                difference=changed,
            )

    def _asked(self, connection: Connection, member: Member, token: str) -> Deletion:
        now = self.clock()
        plan = self.store.plan(connection.client_id, connection.id, token)
        return Deletion(
            id=derived_id(connection.id, token),
            client_id=connection.client_id,
            connection_id=connection.id,
            plan_token=token,
            version=connection.version,
            by=member.user,
            email=member.email,
            source=member.source,
            at=now,
            until=_whole_second(now + self.grace_period),
            status_before=connection.status.value,
            goes=plan.goes if plan else [],
        )

    def _start(self, deletion: Deletion, again: str = "") -> None:
        reference = {
            "client_id": deletion.client_id,
            "connection_id": deletion.connection_id,
            "deletion_id": deletion.id,
        }
        self.machine.start(deletion.id + again, reference)

    def _see_to_it(self, deletion: Deletion) -> None:
        """A machine goes on with it: another, should the first have ended before its time, as its name stays taken."""
        self._start(deletion)
        if not self.machine.is_running(self.machine.execution(deletion.id)):
            self._start(deletion, f"-{self.clock():%Y%m%d%H%M}")


def _whole_second(moment: datetime) -> datetime:
    """The next whole second: what the machine waits for has no fractions, and it shall not wake before its time."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def condemn(store: DeletionStore, connections: ConnectionStore, audit: AuditTrail, deletion: Deletion) -> Deletion:
    """Make the connection and all of it unusable in one step, and have its people told; again is fine.

    That it is degraded meanwhile, or works again, is no change of what was shown. Raises Conflict (`plan_changed`),
    Unavailable.
    """
    for _ in range(_TRIES):
        connection = connections.get(deletion.client_id, deletion.connection_id)
        kept = store.get(deletion.client_id, deletion.connection_id)
        mine = kept is not None and kept.id == deletion.id
        if kept is not None and mine and kept.state is not DeletionState.ASKED:
            return kept
        if connection is None or not mine or connection.leaving or connection.version != deletion.version:
            raise Conflict(
                "Since you looked, the connection has been changed. Look at a new deletion-preview.",
                code="plan_changed",
            )
        condemned = _condemn(store, connection, audit, deletion)
        if condemned is not None:
            return condemned
    raise Unavailable("The connection changes faster than it can be deleted. Try again.", code="version_conflict")


def _condemn(store: DeletionStore, connection: Connection, audit: AuditTrail, deletion: Deletion) -> Deletion | None:
    until = instant(deletion.until)
    old = {"status": connection.status.value}
    goes = {view.kind: view.count for view in deletion.goes}
    new: JsonObject = {"status": "deleting", "restorable_until": until, "goes": goes}
    entry = audit.entry(deletion.by, "connection.deleted", old, new, deletion.source, email=deletion.email)
    told = event(
        CONNECTION_DELETING,
        connection.client_id,
        connection.id,
        deletion.at,
        deletion.id,
        f"{connection.name}: It is being deleted. Until {until} it can be restored.",
        status=ConnectionStatus.DELETING,
        by=deletion.by,
        restorable_until=until,
    )
    return store.condemn(deletion, connection, entry, told)


def view_of(deletion: Deletion) -> DeletionView:
    """The deletion as people see it."""
    return DeletionView(
        id=deletion.id,
        connection_id=deletion.connection_id,
        state=deletion.state,
        by=deletion.by,
        at=deletion.at,
        restorable_until=deletion.until,
        goes=deletion.goes,
    )
