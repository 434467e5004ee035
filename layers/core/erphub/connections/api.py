"""Connections: shown, changed, tested, paused."""

from erphub.audit.schemas import AuditPage
from erphub.connections.health import PauseService
from erphub.connections.schemas import ChangedConnection, ConnectionPage, ConnectionView, NewOwner
from erphub.connections.service import ConnectionService
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import CONNECTIONS_MANAGE, CONNECTIONS_VIEW

router = Router("Connections")


@router.get("/clients/{client_id}/connections", needs=CONNECTIONS_VIEW)
def list_connections(service: ConnectionService, member: Member, query: PageQuery) -> ConnectionPage:
    """List the connections of a client."""
    return service.page(member, query)


@router.get("/clients/{client_id}/connections/{connection}", needs=CONNECTIONS_VIEW)
def show_connection(service: ConnectionService, member: Member, connection: str) -> ConnectionView:
    """Show a connection with its last test."""
    return service.get(member, connection)


@router.patch("/clients/{client_id}/connections/{connection}", needs=CONNECTIONS_MANAGE)
def change_connection(
    service: ConnectionService, member: Member, connection: str, body: ChangedConnection
) -> ConnectionView:
    """Rename a connection, or let others edit it."""
    return service.update(member, connection, body)


@router.post("/clients/{client_id}/connections/{connection}/test", needs=CONNECTIONS_MANAGE, status=202)
def test_connection(service: ConnectionService, member: Member, connection: str) -> ConnectionView:
    """Start a test of a connection; its result appears in `last_test`."""
    return service.start_test(member, connection)


@router.get("/clients/{client_id}/connections/{connection}/audit", needs=CONNECTIONS_MANAGE)
def list_audit(service: ConnectionService, member: Member, connection: str, query: PageQuery) -> AuditPage:
    """List what was done to a connection, by whom, when and from where, the newest first; also after it was deleted."""
    return service.list_audit(member, connection, query)


@router.post("/clients/{client_id}/connections/{connection}/transfer-ownership", needs=CONNECTIONS_MANAGE, status=200)
def transfer_ownership(service: ConnectionService, member: Member, connection: str, body: NewOwner) -> ConnectionView:
    """Give a connection to another member; one whose owner has left can be taken by whoever may manage connections."""
    return service.transfer_ownership(member, connection, body)


@router.post("/clients/{client_id}/connections/{connection}/pause", needs=CONNECTIONS_MANAGE, status=200)
def pause_connection(
    connections: ConnectionService, pausing: PauseService, member: Member, connection: str
) -> ConnectionView:
    """Stop a connection's imports and transfers until it is resumed."""
    pausing.pause(member, connection)
    return connections.get(member, connection)


@router.post("/clients/{client_id}/connections/{connection}/resume", needs=CONNECTIONS_MANAGE, status=200)
def resume_connection(
    connections: ConnectionService, pausing: PauseService, member: Member, connection: str
) -> ConnectionView:
    """Let a paused connection go on, and make up for what was missed."""
    pausing.resume(member, connection)
    return connections.get(member, connection)
