"""Deleting a connection and everything that hangs on it: shown first, then unusable, after a time of grace removed.

    preview    lists by kind all that goes, and gives a token for exactly that
    delete     with the token: in one step nothing of it works any more (`condemn`); the delete machine takes over
    restore    within the grace time: all is back as it was, the connection paused
    machine    condemn, halt what goes on, wait, then remove: the secret, the data, the items, at last the connection

The connection's own item goes last: until then whatever is left has an owner, and whoever died half-way is repeated.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .audit import AuditTrail
from .dependents import STAYS, differences, survey
from .errors import Conflict, Gone, Unavailable
from .ids import derived_id
from .models.audit import HUB
from .models.connection import Connection, ConnectionStatus, ConnectionView
from .models.deletion import Deletion, DeletionState, DeletionView, Plan, PlanView
from .models.identity import Member
from .models.notification import EventType
from .models.wire import JsonObject, instant
from .notifications import event
from .ports.connections import Connections
from .ports.deletion import Checkpoint, Deletions, Kind, TimeLeft
from .ports.world import Clock, Machine

PLAN_LASTS = timedelta(hours=1)
PATIENCE = timedelta(minutes=20)
"""How long what goes on may take to come to its end by itself; no worker lives longer than 15 minutes."""
ENOUGH_TIME = 30.0
"""Seconds that must be left to begin with another kind."""
_TRIES = 8


def no_checkpoint(_: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class DeletionDesk:
    """The use-cases behind the routes of deletion."""

    store: Deletions
    connections: Connections
    kinds: Sequence[Kind]
    machine: Machine
    audit: AuditTrail
    find: Callable[[Member, str], Connection]
    """A connection that the member may edit. Raises NotFound, Forbidden."""
    view: Callable[[Member, str], ConnectionView]
    clock: Clock
    grace: timedelta

    def preview(self, member: Member, connection_id: str) -> PlanView:
        """What goes and what stays. Raises NotFound, Forbidden, Conflict (`connection_deleting`)."""
        connection = self.find(member, connection_id)
        self._require_alive(connection)
        goes, marks = survey(self.kinds, connection)
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
            grace_seconds=int(self.grace.total_seconds()),
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
            EventType.CONNECTION_RESTORED,
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
        changed = differences(plan, *survey(self.kinds, connection))
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
            until=_whole_second(now + self.grace),
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


def condemn(store: Deletions, connections: Connections, audit: AuditTrail, deletion: Deletion) -> Deletion:
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


def _condemn(store: Deletions, connection: Connection, audit: AuditTrail, deletion: Deletion) -> Deletion | None:
    until = instant(deletion.until)
    old = {"status": connection.status.value}
    goes = {view.kind: view.count for view in deletion.goes}
    new: JsonObject = {"status": "deleting", "restorable_until": until, "goes": goes}
    entry = audit.entry(deletion.by, "connection.deleted", old, new, deletion.source, email=deletion.email)
    told = event(
        EventType.CONNECTION_DELETING,
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


@dataclass(frozen=True)
class Deleting:
    """The tasks of delete.asl.json. Each may be run again after it was cut off anywhere."""

    store: Deletions
    connections: Connections
    kinds: Sequence[Kind]
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
        for kind in self.kinds:
            if time_left() < ENOUGH_TIME or not kind.remove(connection, time_left):
                return {"next": "more"}
            self.checkpoint(f"removed {kind.id}")
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
        for kind in self.kinds:
            quiet = kind.stop(connection, force=force) and quiet
            self.checkpoint(f"stopped {kind.id}")
        return quiet

    def _mine(self, client_id: str, connection_id: str, deletion_id: str) -> Deletion | None:
        deletion = self.store.get(client_id, connection_id)
        return deletion if deletion is not None and deletion.id == deletion_id else None


def refuse_condemned(connection: Connection | None) -> None:
    """Nothing begins on a connection that is being deleted. Raises Conflict (`connection_deleting`)."""
    if connection is not None and connection.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED):
        raise Conflict("The connection is being deleted. Restore it first.", code="connection_deleting")
