"""Connections as their users see them: listed, renamed, shared, given to another owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.audit.models import AuditEntry
from erphub.audit.schemas import AuditPage
from erphub.audit.service import AuditLog
from erphub.connections import problems
from erphub.connections.access import ConnectionAccess, connection_not_found
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore
from erphub.connections.schemas import ChangedConnection, ConnectionPage, ConnectionView, NewOwner
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.clock import Clock
from erphub.platform.errors import Invalid
from erphub.platform.identity import Member
from erphub.platform.problem_documents import as_problem
from erphub.platform.versions import require_version
from erphub.platform.wire import PageQuery

MAX_TEST_DURATION = timedelta(minutes=10)
"""How long a test may go on: three tries of two and a half minutes, and the time between."""
_STALE = "It was changed by somebody else in the meantime. Read it again, then decide."
_FOR_EDITORS = ("settings", "voucher", "last_test")
"""What of a connection is shown only to those who may edit it."""


@dataclass(frozen=True)
class ConnectionService:
    """The use-cases behind the connections' routes."""

    store: ConnectionStore
    clock: Clock
    access: ConnectionAccess
    audit: AuditLog
    actors: ActorDirectory

    def page(self, member: Member, query: PageQuery) -> ConnectionPage:
        """A page of the client's connections."""
        found, following = self.store.page(member.client_id, query.limit, query.next)
        editable, now = self.access.editable_ids(member, found), self.clock()
        owners = self.actors.find(member.client_id, [one.owner for one in found])
        items = [_view(one, now, owners, can_edit=one.id in editable) for one in found]
        return ConnectionPage(items=items, next=following)

    def get(self, member: Member, connection_id: str) -> ConnectionView:
        """One connection. Raises NotFound."""
        return self._view(member, self._read(member.client_id, connection_id))

    def list_audit(self, member: Member, connection_id: str, query: PageQuery) -> AuditPage:
        """A page of what was done to a connection; of a deleted one too. Raises NotFound, Forbidden."""
        if self.store.get(member.client_id, connection_id) is not None:
            self.access.connection(member, connection_id)
        return self.audit.list_entries(member, connection_id, query)

    def update(self, member: Member, connection_id: str, body: ChangedConnection) -> ConnectionView:
        """Rename or share a connection. Raises NotFound, Forbidden, Conflict (`version_conflict`, `name_taken`)."""
        before = self._read_to_change(member, connection_id, body.version)
        wanted: dict[str, Any] = body.model_dump(include={"name", "is_shared"}, exclude_none=True)
        changes = {name: value for name, value in wanted.items() if getattr(before, name) != value}
        if not changes:
            return self._view(member, before)
        after = before.model_copy(update={**changes, "updated_at": self.clock()})
        return self._view(member, self.store.replace(after, before, self._entries(member, before, changes)))

    def _entries(self, member: Member, before: Connection, changes: dict[str, Any]) -> list[AuditEntry]:
        actions = {"name": "connection.renamed", "owner": "connection.owner_changed"}
        shared = "connection.shared" if changes.get("is_shared") else "connection.unshared"
        return [
            self.audit.entry(
                member.user,
                actions.get(name, shared),
                {name: getattr(before, name)},
                {name: value},
                member.source,
                email=member.email,
            )
            for name, value in changes.items()
        ]

    def transfer_ownership(self, member: Member, connection_id: str, body: NewOwner) -> ConnectionView:
        """Give a connection to another member, who must be able to manage it. Of an owner who left it can be taken.

        Raises NotFound, Forbidden (`owner_only`), Invalid (`cannot_own`), Conflict.
        """
        before = self._read_to_change(member, connection_id, body.version)
        if before.owner != member.user and not self.access.has_no_owner(member, before):
            raise problems.OWNER_ONLY()
        if not self.access.can_own(member, body.user_id):
            raise Invalid.of(problems.CANNOT_OWN("/user_id"))
        if body.user_id == before.owner:
            return self._view(member, before)
        changes = {"owner": body.user_id}
        after = before.model_copy(update={**changes, "updated_at": self.clock()})
        return self._view(member, self.store.replace(after, before, self._entries(member, before, changes)))

    def _read_to_change(self, member: Member, connection_id: str, version: int | None) -> Connection:
        before = self.access.connection(member, connection_id)
        if before.is_being_deleted:
            raise problems.CONNECTION_DELETING()
        require_version(version, before.version)
        return before

    def _read(self, client_id: str, connection_id: str) -> Connection:
        connection = self.store.get(client_id, connection_id)
        if connection is None:
            raise connection_not_found()
        return connection

    def _view(self, member: Member, connection: Connection) -> ConnectionView:
        owners = self.actors.find(member.client_id, [connection.owner])
        return _view(connection, self.clock(), owners, can_edit=self.access.can_edit(member, connection))


def _without_lost_test(connection: Connection, now: datetime) -> Connection:
    """The connection; a test that cannot be going on any more says so, though nobody told of its machine's end."""
    test = connection.last_test
    if test is None or test.finished_at is not None or now - test.started_at < MAX_TEST_DURATION:
        return connection
    problem = as_problem(problems.TEST_NOT_RUN())
    lost = {"finished_at": test.started_at + MAX_TEST_DURATION, "has_passed": False, "problem": problem}
    return connection.model_copy(update={"last_test": test.model_copy(update=lost)})


def _view(connection: Connection, now: datetime, owners: Mapping[str, ActorView], *, can_edit: bool) -> ConnectionView:
    """The connection as somebody sees it who may edit it, or may not."""
    connection = _without_lost_test(connection, now)
    shown = {name: getattr(connection, name, None) for name in ConnectionView.model_fields}
    hidden = {} if can_edit else dict.fromkeys(_FOR_EDITORS)
    return ConnectionView.model_validate(shown | hidden | {"can_edit": can_edit, "owner": owners[connection.owner]})
