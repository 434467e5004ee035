"""Transfers of a connection's sync."""

from erphub.platform.http.router import Awaited, Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.sync.capability import SYNC_RUN, TRANSFER_STARTED
from erphub.sync.transfers.schemas import NewTransfer, TransferDetail, TransferPage, TransferView
from erphub.sync.transfers.service import TransferService
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
TRANSFERS = "/clients/{client_id}/connections/{connection_id}/transfers"
_ENDED = Awaited(TRANSFERS + "/{transfer_id}", lambda shown: shown.status.has_ended)


@router.post(TRANSFERS, needs=SYNC_RUN, audit=TRANSFER_STARTED, status=202, awaited=_ENDED)
def start_transfer(
    service: TransferService, actors: MemberDirectory, member: Member, connection_id: str, body: NewTransfer
) -> TransferView:
    """Transfer everything due, one kind, or selected documents; or show what would be posted (dry run)."""
    transfer = service.start(member.client_id, connection_id, member.user, body)
    return TransferView.of(transfer, actors.find(member.client_id, [transfer.started_by]))


@router.get(TRANSFERS, needs=CONNECTIONS_VIEW)
def list_transfers(
    service: TransferService, actors: MemberDirectory, member: Member, connection_id: str, query: PageQuery
) -> TransferPage:
    """List transfers, the newest first."""
    page = service.list_transfers(member.client_id, connection_id, query.limit, query.next)
    return TransferPage.of(page, actors.find(member.client_id, [transfer.started_by for transfer in page.items]))


@router.get(TRANSFERS + "/{transfer_id}", needs=CONNECTIONS_VIEW)
def get_transfer(
    service: TransferService, actors: MemberDirectory, member: Member, connection_id: str, transfer_id: str
) -> TransferDetail:
    """Show a transfer; of a dry run what would be done, and to whoever may send it the vouchers to be posted."""
    transfer, preview = service.get(member.client_id, connection_id, transfer_id)
    people = actors.find(member.client_id, [transfer.started_by])
    return TransferDetail.with_preview(transfer, preview, people, may_send=SYNC_RUN in member.permissions)
