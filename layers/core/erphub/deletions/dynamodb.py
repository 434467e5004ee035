"""Deletions in the tenant table, and the steps of one that are all or nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, override

from pydantic_core import from_json

from erphub.audit.dynamodb import audit_write
from erphub.audit.models import AuditEntry
from erphub.connections.dynamodb import connection_key, connection_name_key
from erphub.connections.models import Connection, ConnectionStatus, Health
from erphub.deletions import problems
from erphub.deletions.models import Deletion, DeletionStatus, Plan
from erphub.deletions.ports import DeletionStore, PlanStore
from erphub.events.dynamodb import event_write
from erphub.events.models import Event
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.text import same_name
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write

_REQUEST_LIFETIME = timedelta(days=1)
"""How long something that was asked and never begun is remembered."""


class PlanTable(PlanStore):
    """Plans under their connection; DynamoDB removes what has expired."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def save(self, plan: Plan) -> None:
        key = deletion_plan_key(plan.client_id, plan.connection_id, plan.token)
        self._table.put({**key, "body": plan.model_dump_json(), "expires_at": int(plan.expires_at.timestamp())})

    @override
    def get(self, client_id: str, connection_id: str, token: str) -> Plan | None:
        item = self._table.get(deletion_plan_key(client_id, connection_id, token))
        return Plan.model_validate_json(item["body"]) if item else None


class DeletionTable(DeletionStore):
    """One item per connection that is being deleted."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str) -> Deletion | None:
        item = self._table.get(deletion_key(client_id, connection_id))
        return _deletion(item) if item else None

    @override
    def list_scheduled(self, client_id: str) -> Sequence[str]:
        key = deletion_key(client_id, "")
        found = [_deletion(item) for item in self._table.read_all(key["pk"], key["sk"])]
        return [deletion.connection_id for deletion in found if deletion.status is not DeletionStatus.REQUESTED]

    @override
    def request(self, deletion: Deletion, now: datetime) -> None:
        item = _item(deletion) | {"expires_at": int((now + _REQUEST_LIFETIME).timestamp())}
        try:
            # One that was only asked for has done nothing yet: the newer one takes its place.
            write = Write(
                put=item,
                condition="attribute_not_exists(pk) OR #status = :requested",
                names={"#status": "status"},
                values={"requested": DeletionStatus.REQUESTED.value},
            )
            self._table.transact([write])
        except VersionConflict as error:
            raise problems.DELETED_ALREADY() from error

    @override
    def schedule(self, deletion: Deletion, connection: Connection, entry: AuditEntry, notice: Event) -> Deletion | None:
        before = {"status": DeletionStatus.SCHEDULED, "status_before": connection.status.value}
        after = deletion.model_copy(update=before)
        health_rev = connection.health.rev if connection.health else 0
        health = _deleting(deletion, connection)
        change = Write(
            update=connection_key(deletion.client_id, deletion.connection_id),
            expression="SET #status = :deleting, health = :health, health_rev = :rev",
            condition="version = :version AND #status = :before AND "
            + ("health_rev = :known" if health_rev else "attribute_not_exists(health_rev)"),
            names={"#status": "status"},
            values={
                "deleting": ConnectionStatus.DELETING.value,
                "before": connection.status.value,
                "version": deletion.version,
                "health": health.model_dump_json(),
                "rev": health.rev,
            }
            | ({"known": health_rev} if health_rev else {}),
        )
        unchanged = self._in_status(deletion, DeletionStatus.REQUESTED)
        record = Write(put=_item(after), condition=unchanged.condition, names=unchanged.names, values=unchanged.values)
        audit = audit_write(self._table.name, deletion.client_id, deletion.connection_id, entry)
        try:
            self._table.transact([change, record, audit, event_write(notice)])
        except VersionConflict:
            return None
        return after

    @override
    def cancel(
        self, deletion: Deletion, connection: Connection, entry: AuditEntry, notice: Event, now: datetime
    ) -> None:
        health = _restored(deletion, connection, now)
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
        unchanged = self._in_status(deletion, DeletionStatus.SCHEDULED)
        record = Write(
            delete=deletion_key(deletion.client_id, deletion.connection_id),
            condition=unchanged.condition,
            names=unchanged.names,
            values=unchanged.values,
        )
        # What was shown then does not count any more: the same token would make the same deletion, whose machine ended.
        plan = Write(delete=deletion_plan_key(deletion.client_id, deletion.connection_id, deletion.plan_token))
        audit = audit_write(self._table.name, deletion.client_id, deletion.connection_id, entry)
        try:
            self._table.transact([change, record, plan, audit, event_write(notice)])
        except VersionConflict as error:
            raise problems.DELETION_CHANGED() from error

    @override
    def begin_removal(self, deletion: Deletion) -> Deletion | None:
        after = deletion.model_copy(update={"status": DeletionStatus.REMOVING})
        if deletion.status is DeletionStatus.REMOVING:
            return after
        unchanged = self._in_status(deletion, DeletionStatus.SCHEDULED)
        try:
            self._table.transact(
                [Write(put=_item(after), condition=unchanged.condition, names=unchanged.names, values=unchanged.values)]
            )
        except VersionConflict:
            now = self.get(deletion.client_id, deletion.connection_id)
            return now if now is not None and now.id == deletion.id and now.status is DeletionStatus.REMOVING else None
        return after

    @override
    def delete(self, connection: Connection, deletion: Deletion) -> None:
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

    def _in_status(self, deletion: Deletion, status: DeletionStatus) -> Write:
        """The condition that this very deletion is as far as that."""
        return Write(
            condition="id = :id AND #status = :status",
            names={"#status": "status"},
            values={"id": deletion.id, "status": status.value},
        )


def _deleting(deletion: Deletion, connection: Connection) -> Health:
    """How a connection stands that is being deleted, with what it was before kept for a restore."""
    known: dict[str, Any] = connection.health.model_dump() if connection.health else {}
    until = instant(deletion.restorable_until)
    reason = {
        "code": "connection_deleting",
        "detail": f"It is being deleted. Until {until} it can be restored.",
        "restorable_until": until,
    }
    changes = {"of": ConnectionStatus.DELETING, "since": deletion.requested_at, "reason": reason}
    return Health.model_validate(known | changes | {"rev": known.get("rev", 0) + 1})


def _restored(deletion: Deletion, connection: Connection, now: datetime) -> Health:
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
        "catch_up_from": (known.catch_up_from if known else None) or deletion.requested_at,
        "rev": (known.rev if known else 0) + 1,
    }
    return Health.model_validate(kept)


def _item(deletion: Deletion) -> Item:
    key = deletion_key(deletion.client_id, deletion.connection_id)
    body = deletion.model_dump_json(exclude={"status"})
    return {**key, "id": deletion.id, "status": deletion.status.value, "body": body}


def _deletion(item: Item) -> Deletion:
    return Deletion.model_validate(from_json(item["body"]) | {"status": item["status"]})


def deletion_key(client_id: str, connection_id: str) -> Key:
    """The key of a connection's deletion."""
    return make_key(f"CLIENT#{client_id}", "DELETION", connection_id)


def deletion_plan_key(client_id: str, connection_id: str, token: str) -> Key:
    """The key of what somebody was shown before deleting a connection."""
    return make_key(f"CLIENT#{client_id}", "DELETION-PLAN", connection_id, token)
