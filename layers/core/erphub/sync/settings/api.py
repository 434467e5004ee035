"""A connection's sync: its settings."""

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.sync.capability import SYNC_MANAGE
from erphub.sync.settings.models import SyncInput
from erphub.sync.settings.schemas import CheckView, SyncView
from erphub.sync.settings.service import SyncService
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
SYNC = "/clients/{client_id}/connections/{connection}/sync"


@router.get(SYNC, needs=CONNECTIONS_VIEW)
def show_sync(service: SyncService, member: Member, connection: str) -> SyncView:
    """Show a sync's settings, and when it transfers next and why."""
    sync = service.get(member.client_id, connection)
    return SyncView.of(sync, service.running_transfer(sync))


@router.put(SYNC, needs=SYNC_MANAGE)
def save_sync(service: SyncService, member: Member, connection: str, body: SyncInput) -> SyncView:
    """Save a sync's settings, once the ERP has everything they name."""
    sync = service.save(member.client_id, connection, member.user, body)
    return SyncView.of(sync, service.running_transfer(sync))


@router.post(SYNC + "/test", needs=SYNC_MANAGE, status=200)
def test_sync(service: SyncService, member: Member, connection: str, body: SyncInput) -> CheckView:
    """Test settings against the ERP without saving them; also says what there is to choose from."""
    return CheckView.of(*service.check(member.client_id, connection, body))
