"""A connection's sync: its settings."""

from erphub.platform.capability import NoAct
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.sync.capability import GIFT_CARD_CREATED, SETTINGS_SAVED, SYNC_MANAGE
from erphub.sync.settings.gift_cards import GiftCards
from erphub.sync.settings.models import Sync, SyncInput
from erphub.sync.settings.schemas import (
    GiftCardProductInput,
    GiftCardProductView,
    SettingsCheckView,
    SetupChoices,
    SetupQuery,
    SyncView,
)
from erphub.sync.settings.service import SyncService
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
SYNC = "/clients/{client_id}/connections/{connection_id}/sync"


@router.get(SYNC, needs=CONNECTIONS_VIEW)
def get_sync(service: SyncService, actors: MemberDirectory, member: Member, connection_id: str) -> SyncView:
    """Show a sync's settings, and when it transfers next and why."""
    return _shown(service, actors, service.get(member.client_id, connection_id))


@router.put(SYNC, needs=SYNC_MANAGE, audit=SETTINGS_SAVED)
def update_sync(
    service: SyncService, actors: MemberDirectory, member: Member, connection_id: str, body: SyncInput
) -> SyncView:
    """Save a sync's settings, once the ERP has everything they name."""
    return _shown(service, actors, service.save(member.client_id, connection_id, member.user, body))


@router.post(
    SYNC + "/test",
    needs=SYNC_MANAGE,
    audit=NoAct("It asks the ERP and keeps nothing."),
    status=200,
)
def test_sync(service: SyncService, member: Member, connection_id: str, body: SyncInput) -> SettingsCheckView:
    """Test settings against the ERP without saving them; also says what there is to choose from."""
    return SettingsCheckView.of(*service.check(member.client_id, connection_id, body))


@router.post(
    SYNC + "/refresh",
    needs=SYNC_MANAGE,
    audit=NoAct("It asks the ERP and changes no setting."),
    status=200,
)
def refresh_sync(service: SyncService, member: Member, connection_id: str, query: SetupQuery) -> SetupChoices:
    """Ask the ERP again which companies it has, and what one of them has to choose from."""
    return SetupChoices.of(service.refresh(member.client_id, connection_id, query.company))


@router.post(SYNC + "/gift-card-product", needs=SYNC_MANAGE, audit=GIFT_CARD_CREATED, status=200)
def create_gift_card_product(
    service: GiftCards, member: Member, connection_id: str, body: GiftCardProductInput
) -> GiftCardProductView:
    """Create the product GIFTCARD in the ERP, for invoiced gift cards; one that is there is left as it is."""
    return GiftCardProductView.of(service.create(member.client_id, connection_id, body.company))


def _shown(service: SyncService, actors: MemberDirectory, sync: Sync) -> SyncView:
    people = actors.find(sync.client_id, [sync.saved_by])
    return SyncView.of(sync, service.next_transfer(sync), service.running_transfer(sync), people)
