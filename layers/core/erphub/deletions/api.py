"""A connection's deletion: previewed, asked for, taken back."""

from erphub.connections.schemas import ConnectionView
from erphub.connections.service import ConnectionService
from erphub.deletions.capability import CONNECTION_DELETED, RESTORED
from erphub.deletions.schemas import DeletionQuery, DeletionView, PlanView
from erphub.deletions.service import DeletionService
from erphub.platform.capability import ByService, NoAct
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_MANAGE

router = Router("Connections")


@router.post(
    "/clients/{client_id}/connections/{connection_id}/deletion-preview",
    needs=CONNECTIONS_MANAGE,
    audit=NoAct("It shows what a deletion would take, and changes nothing."),
    status=200,
)
def preview_deletion(service: DeletionService, member: Member, connection_id: str) -> PlanView:
    """Show everything that is deleted with a connection, and what is kept; gives the token that DELETE needs."""
    return service.preview(member, connection_id)


@router.delete(
    "/clients/{client_id}/connections/{connection_id}",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((CONNECTION_DELETED,)),
    status=202,
)
def delete_connection(
    service: DeletionService, member: Member, connection_id: str, query: DeletionQuery, version: int | None
) -> DeletionView:
    """Delete a connection with all that the preview showed: unusable at once, removed after the grace period."""
    return service.delete(member, connection_id, query.plan_token, version)


@router.post(
    "/clients/{client_id}/connections/{connection_id}/restore",
    needs=CONNECTIONS_MANAGE,
    audit=ByService((RESTORED,)),
    status=200,
)
def restore_connection(
    service: DeletionService, connections: ConnectionService, member: Member, connection_id: str
) -> ConnectionView:
    """Bring a deleted connection back within the grace period, with all that belongs to it; it is paused."""
    service.restore(member, connection_id)
    return connections.get(member, connection_id)
