"""Changes in the ERP, for the till."""

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.sync.capability import CHANGES_ACKNOWLEDGED, SYNC_RUN
from erphub.sync.changes.schemas import AcknowledgedView, Acknowledgement, ChangesQuery, ChangesView
from erphub.sync.changes.service import ChangeService

router = Router("Sync")
CHANGES = "/clients/{client_id}/connections/{connection_id}/changes"


@router.get(CHANGES, needs=SYNC_RUN)
def list_changes(service: ChangeService, member: Member, connection_id: str, query: ChangesQuery) -> ChangesView:
    """List what changed in the ERP, oldest first; whole records, for whoever may take them over."""
    return ChangesView.of(service.list_changes(member.client_id, connection_id, query), query)


@router.post(CHANGES + "/acknowledge", needs=SYNC_RUN, audit=CHANGES_ACKNOWLEDGED, status=200)
def acknowledge_changes(
    service: ChangeService, member: Member, connection_id: str, body: Acknowledgement
) -> AcknowledgedView:
    """Say which changes the till has taken over."""
    return AcknowledgedView.of(service.acknowledge(member.client_id, connection_id, member.user, body.changes))
