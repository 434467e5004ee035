"""Connections: shown, changed, tested, paused."""

from erphub.audit.schemas import AuditPage
from erphub.connections.capability import (
    CONNECTION_RENAMED,
    CONNECTION_SHARED,
    CONNECTION_TESTED,
    CONNECTION_UNSHARED,
    OWNER_CHANGED,
    PAUSED,
    RESUMED,
    TESTS,
)
from erphub.connections.health import PauseService
from erphub.connections.schemas import ChangedConnection, ConnectionPage, ConnectionView, NewOwner
from erphub.connections.service import ConnectionService
from erphub.connections.test_starting import ConnectionTestStarter
from erphub.platform.capability import ByService
from erphub.platform.http.router import Awaited, Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import CONNECTIONS_MANAGE, CONNECTIONS_VIEW

router = Router("Connections")


@router.get("/clients/{client_id}/connections", needs=CONNECTIONS_VIEW)
def list_connections(service: ConnectionService, member: Member, query: PageQuery) -> ConnectionPage:
    """List the connections of a client."""
    return service.page(member, query)


@router.get("/clients/{client_id}/connections/{connection_id}", needs=CONNECTIONS_VIEW)
def get_connection(service: ConnectionService, member: Member, connection_id: str) -> ConnectionView:
    """Show a connection with its last test."""
    return service.get(member, connection_id)


@router.patch(
    "/clients/{client_id}/connections/{connection_id}",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((CONNECTION_RENAMED, CONNECTION_SHARED, CONNECTION_UNSHARED)),
)
def update_connection(
    service: ConnectionService, member: Member, connection_id: str, body: ChangedConnection
) -> ConnectionView:
    """Rename a connection, or let others edit it."""
    return service.update(member, connection_id, body)


@router.post(
    "/clients/{client_id}/connections/{connection_id}/test",
    needs=CONNECTIONS_MANAGE,
    audit=CONNECTION_TESTED,
    status=202,
    limit=TESTS,
    awaited=Awaited("/clients/{client_id}/connections/{connection_id}", lambda shown: not shown.is_being_tested),
)
def test_connection(
    connections: ConnectionService, starter: ConnectionTestStarter, member: Member, connection_id: str
) -> ConnectionView:
    """Start a test of a connection; its result appears in `last_test`."""
    starter.start(member, connection_id)
    return connections.get(member, connection_id)


@router.get("/clients/{client_id}/connections/{connection_id}/audit", needs=CONNECTIONS_MANAGE)
def list_audit(service: ConnectionService, member: Member, connection_id: str, query: PageQuery) -> AuditPage:
    """List what was done to a connection, by whom, when and from where, the newest first; also after it was deleted."""
    return service.list_audit(member, connection_id, query)


@router.post(
    "/clients/{client_id}/connections/{connection_id}/transfer-ownership",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((OWNER_CHANGED,)),
    status=200,
)
def transfer_ownership(
    service: ConnectionService, member: Member, connection_id: str, body: NewOwner
) -> ConnectionView:
    """Give a connection to another member; one whose owner has left can be taken by whoever may manage connections."""
    return service.transfer_ownership(member, connection_id, body)


@router.post(
    "/clients/{client_id}/connections/{connection_id}/pause",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((PAUSED,)),
    status=200,
)
def pause_connection(
    connections: ConnectionService, pausing: PauseService, member: Member, connection_id: str
) -> ConnectionView:
    """Stop a connection's imports and transfers until it is resumed."""
    pausing.pause(member, connection_id)
    return connections.get(member, connection_id)


@router.post(
    "/clients/{client_id}/connections/{connection_id}/resume",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((RESUMED,)),
    status=200,
)
def resume_connection(
    connections: ConnectionService, pausing: PauseService, member: Member, connection_id: str
) -> ConnectionView:
    """Let a paused connection go on, and make up for what was missed."""
    pausing.resume(member, connection_id)
    return connections.get(member, connection_id)
