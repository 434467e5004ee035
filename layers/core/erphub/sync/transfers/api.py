"""Transfers of a connection's sync."""

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.sync.capability import SYNC_RUN
from erphub.sync.transfers.schemas import NewTransfer, TransferDetail, TransferPage, TransferView
from erphub.sync.transfers.service import TransferService
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
TRANSFERS = "/clients/{client_id}/connections/{connection}/transfers"


@router.post(TRANSFERS, needs=SYNC_RUN, status=202)
def start_transfer(service: TransferService, member: Member, connection: str, body: NewTransfer) -> TransferView:
    """Transfer everything due, one kind, or chosen documents; or show what would be posted (dry run)."""
    return TransferView.of(service.start(member.client_id, connection, member.user, body))


@router.get(TRANSFERS, needs=CONNECTIONS_VIEW)
def list_transfers(service: TransferService, member: Member, connection: str, query: PageQuery) -> TransferPage:
    """List transfers, the newest first."""
    return TransferPage.of(service.list_transfers(member.client_id, connection, query.limit, query.next))


@router.get(TRANSFERS + "/{transfer}", needs=CONNECTIONS_VIEW)
def show_transfer(service: TransferService, member: Member, connection: str, transfer: str) -> TransferDetail:
    """Show a transfer; of a dry run what would be done, and to whoever may send it the vouchers to be posted."""
    found, preview = service.get(member.client_id, connection, transfer)
    return TransferDetail.with_preview(found, preview, may_send=SYNC_RUN in member.permissions)
