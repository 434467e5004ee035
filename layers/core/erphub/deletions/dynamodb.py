"""Deletions in the tenant table, and the steps of one that are all or nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json

from erphub.audit.dynamodb import audit_write
from erphub.audit.models import AuditEntry
from erphub.connections.dynamodb import connection_key, connection_name_key
from erphub.connections.models import Connection, ConnectionStatus, Health
from erphub.deletions.models import Deletion, DeletionState, Plan
from erphub.events.dynamodb import keeping
from erphub.events.models import Event
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict
from erphub.platform.text import same_name
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write

_ASKED_LASTS = timedelta(days=1)
"""How long something that was asked and never begun is remembered."""


class DeletionTable:
    """Satisfies `deletions.ports.DeletionStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep_plan(self, plan: Plan) -> None:
        """See the port."""
        key = deletion_plan_key(plan.client_id, plan.connection_id, plan.token)
        self._table.put({**key, "body": plan.model_dump_json(), "expires_at": int(plan.expires_at.timestamp())})

    def plan(self, client_id: str, connection_id: str, token: str) -> Plan | None:
        """See the port."""
        item = self._table.get(deletion_plan_key(client_id, connection_id, token))
        return Plan.model_validate_json(item["body"]) if item else None

    def get(self, client_id: str, connection_id: str) -> Deletion | None:
        """See the port."""
        item = self._table.get(deletion_key(client_id, connection_id))
        return _deletion(item) if item else None

    def condemned(self, client_id: str) -> Sequence[str]:
        """See the port."""
        key = deletion_key(client_id, "")
        found = [_deletion(item) for item in self._table.all(key["pk"], key["sk"])]
        return [deletion.connection_id for deletion in found if deletion.state is not DeletionState.ASKED]

    def ask(self, deletion: Deletion, now: datetime) -> None:
        """See the port."""
        item = _item(deletion) | {"expires_at": int((now + _ASKED_LASTS).timestamp())}
        try:
            # One that was only asked for has done nothing yet: the newer one takes its place.
            write = Write(
                put=item,
                condition="attribute_not_exists(pk) OR #state = :asked",
                names={"#state": "state"},
                values={"asked": DeletionState.ASKED.value},
            )
            self._table.transact([write])
        except VersionConflict as error:
            raise Conflict("The connection is being deleted already.", code="connection_deleting") from error

    def condemn(self, deletion: Deletion, connection: Connection, entry: AuditEntry, told: Event) -> Deletion | None:
        """See the port."""
        before = {"state": DeletionState.WAITING, "status_before": connection.status.value}
        after = deletion.model_copy(update=before)
        known = connection.health.rev if connection.health else 0
        health = _leaving(deletion, connection)
        change = Write(
            update=connection_key(deletion.client_id, deletion.connection_id),
            expression="SET #status = :deleting, health = :health, health_rev = :rev",
            condition="version = :version AND #status = :before AND "
            + ("health_rev = :known" if known else "attribute_not_exists(health_rev)"),
            names={"#status": "status"},
            values={
                "deleting": ConnectionStatus.DELETING.value,
                "before": connection.status.value,
                "version": deletion.version,
                "health": health.model_dump_json(),
                "rev": health.rev,
            }
            | ({"known": known} if known else {}),
        )
        mine = self._in_state(deletion, DeletionState.ASKED)
        record = Write(put=_item(after), condition=mine.condition, names=mine.names, values=mine.values)
        trail = audit_write(deletion.client_id, deletion.connection_id, entry)
        try:
            self._table.transact([change, record, trail, keeping(told)])
        except VersionConflict:
            return None
        return after

    def pardon(self, deletion: Deletion, connection: Connection, entry: AuditEntry, told: Event, now: datetime) -> None:
        """See the port."""
        health = _paused(deletion, connection, now)
        change = Write(
            update=connection_key(deletion.client_id, deletion.connection_id),
            expression="SET #status = :paused, health = :health, health_rev = :rev",
            condition="#status = :deleting",
            names={"#status": "status"},
            values={
                "paused": ConnectionStatus.PAUSED.value,
                "deleting": ConnectionStatus.DELETING.value,
                "health": health.model_dump_json(),
                "rev": health.rev,
            },
        )
        mine = self._in_state(deletion, DeletionState.WAITING)
        record = Write(
            delete=deletion_key(deletion.client_id, deletion.connection_id),
            condition=mine.condition,
            names=mine.names,
            values=mine.values,
        )
        # What was shown then does not count any more: the same token would make the same deletion, whose machine ended.
        plan = Write(delete=deletion_plan_key(deletion.client_id, deletion.connection_id, deletion.plan_token))
        trail = audit_write(deletion.client_id, deletion.connection_id, entry)
        try:
            self._table.transact([change, record, plan, trail, keeping(told)])
        except VersionConflict as error:
            raise Conflict(
                "It has been restored already, or its removal has just begun. Look at the connection.",
                code="deletion_changed",
            ) from error

    def begin_removal(self, deletion: Deletion) -> Deletion | None:
        """See the port."""
        after = deletion.model_copy(update={"state": DeletionState.REMOVING})
        if deletion.state is DeletionState.REMOVING:
            return after
        mine = self._in_state(deletion, DeletionState.WAITING)
        try:
            self._table.transact(
                [Write(put=_item(after), condition=mine.condition, names=mine.names, values=mine.values)]
            )
        except VersionConflict:
            now = self.get(deletion.client_id, deletion.connection_id)
            return now if now is not None and now.id == deletion.id and now.state is DeletionState.REMOVING else None
        return after

    def forget(self, connection: Connection, deletion: Deletion) -> None:
        """See the port."""
        client_id = connection.client_id
        self._table.transact(
            [
                Write(delete=connection_key(client_id, connection.id)),
                Write(
                    delete=connection_name_key(client_id, same_name(connection.name)),
                    condition="attribute_not_exists(pk) OR connection_id = :me",
                    values={"me": connection.id},
                ),
                Write(delete=deletion_key(client_id, deletion.connection_id)),
            ]
        )

    def _in_state(self, deletion: Deletion, state: DeletionState) -> Write:
        """The condition that this very deletion is as far as that."""
        return Write(
            condition="id = :id AND #state = :state",
            names={"#state": "state"},
            values={"id": deletion.id, "state": state.value},
        )


def _leaving(deletion: Deletion, connection: Connection) -> Health:
    """How a connection stands that is being deleted, with what it was before kept for a restore."""
    known: dict[str, Any] = connection.health.model_dump() if connection.health else {}
    until = instant(deletion.until)
    reason = {
        "code": "connection_deleting",
        "detail": f"It is being deleted. Until {until} it can be restored.",
        "restorable_until": until,
    }
    changes = {"of": ConnectionStatus.DELETING, "since": deletion.at, "reason": reason}
    return Health.model_validate(known | changes | {"rev": known.get("rev", 0) + 1})


def _paused(deletion: Deletion, connection: Connection, now: datetime) -> Health:
    """How a restored connection stands: paused, to be resumed as what it was before."""
    before = ConnectionStatus(deletion.status_before)
    known = connection.health
    kept: dict[str, Any] = known.model_dump() if known else {}
    was_paused = before is ConnectionStatus.PAUSED
    kept |= {
        "of": ConnectionStatus.PAUSED,
        "since": now,
        "reason": None,
        "paused_from": ((known.paused_from if known else None) or ConnectionStatus.ACTIVE) if was_paused else before,
        "catch_up_from": (known.catch_up_from if known else None) or deletion.at,
        "rev": (known.rev if known else 0) + 1,
    }
    return Health.model_validate(kept)


def _item(deletion: Deletion) -> Item:
    key = deletion_key(deletion.client_id, deletion.connection_id)
    body = deletion.model_dump_json(exclude={"state"})
    return {**key, "id": deletion.id, "state": deletion.state.value, "body": body}


def _deletion(item: Item) -> Deletion:
    return Deletion.model_validate(from_json(item["body"]) | {"state": item["state"]})


def deletion_key(client_id: str, connection_id: str) -> Key:
    """The key of a connection's deletion."""
    return make_key(f"CLIENT#{client_id}", "DELETION", connection_id)


def deletion_plan_key(client_id: str, connection_id: str, token: str) -> Key:
    """The key of what somebody was shown before deleting a connection."""
    return make_key(f"CLIENT#{client_id}", "DELETION-PLAN", connection_id, token)
