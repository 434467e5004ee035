"""Connections as their users see them: listed, renamed, shared, tested."""

from dataclasses import dataclass
from typing import Any

from .errors import Conflict, Forbidden, NotFound
from .models.connection import (
    ChangedConnection,
    CompanyPage,
    CompanyView,
    Connection,
    ConnectionPage,
    ConnectionStatus,
    ConnectionView,
    LastTest,
)
from .models.identity import Member
from .models.wire import PageQuery
from .models.wizard import CompanySearch
from .ports.connections import Connections
from .ports.world import Clock, Ids, Machine


@dataclass(frozen=True)
class ConnectionDesk:
    """The use-cases behind the connections' routes."""

    store: Connections
    machine: Machine
    clock: Clock
    ids: Ids

    def page(self, member: Member, query: PageQuery) -> ConnectionPage:
        """A page of the client's connections."""
        found, following = self.store.page(member.client_id, query.limit, query.next)
        return ConnectionPage(items=[view(connection) for connection in found], next=following)

    def get(self, member: Member, connection_id: str) -> ConnectionView:
        """One connection. Raises NotFound."""
        return view(self._read(member.client_id, connection_id))

    def companies(self, member: Member, connection_id: str, query: CompanySearch) -> CompanyPage:
        """A page of a connection's companies. Raises NotFound."""
        self._read(member.client_id, connection_id)
        found, following = self.store.search_companies(
            member.client_id, connection_id, query.search or "", query.limit, query.next
        )
        return CompanyPage(items=[CompanyView(key=one.key, name=one.name) for one in found], next=following)

    def change(self, member: Member, connection_id: str, body: ChangedConnection) -> ConnectionView:
        """Rename or share a connection. Raises NotFound, Forbidden, Conflict (`version_conflict`, `name_taken`)."""
        before = self._read_to_edit(member, connection_id)
        if body.version is not None and body.version != before.version:
            raise Conflict(
                "It was changed by somebody else in the meantime. Read it again, then decide.", code="version_conflict"
            )
        changes: dict[str, Any] = body.model_dump(include={"name", "shared"}, exclude_none=True)
        if not changes:
            return view(before)
        after = before.model_copy(update={**changes, "updated_at": self.clock()})
        return view(self.store.replace(after, before))

    def test(self, member: Member, connection_id: str) -> ConnectionView:
        """Start a test; its result appears in `last_test`. Raises NotFound, Forbidden, Conflict."""
        connection = self._read_to_edit(member, connection_id)
        if connection.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED):
            raise Conflict("The connection is being deleted.", code="connection_deleting")
        test = LastTest(id=self.ids(), started_at=self.clock())
        waiting = self.store.record_test(connection, test, None)
        reference = {"client_id": member.client_id, "connection_id": connection_id, "test_id": test.id}
        self.machine.start(f"test-{test.id}", reference)
        return view(waiting)

    def _read(self, client_id: str, connection_id: str) -> Connection:
        connection = self.store.get(client_id, connection_id)
        if connection is None:
            raise NotFound("There is no such connection.", code="connection_not_found")
        return connection

    def _read_to_edit(self, member: Member, connection_id: str) -> Connection:
        connection = self._read(member.client_id, connection_id)
        if connection.owner != member.user and not connection.shared:
            raise Forbidden(
                "The owner has not allowed others to edit this connection. Ask the owner to share it.",
                code="connection_not_shared",
            )
        return connection


def view(connection: Connection) -> ConnectionView:
    """The connection as its users see it."""
    return ConnectionView.model_validate({name: getattr(connection, name) for name in ConnectionView.model_fields})
