"""Mappings of a connection's actors."""

from erphub.links.capability import LINKS_MANAGE, LINKS_VIEW, MAPPING_SAVED
from erphub.links.mappings.schemas import ChangedMapping, MappingView
from erphub.links.mappings.service import MappingService
from erphub.platform.http.router import Router
from erphub.platform.identity import Member

router = Router("Links")
MAPPING = "/clients/{client_id}/connections/{connection_id}/mappings/{actor_type}"


@router.get(MAPPING, needs=LINKS_VIEW)
def get_mapping(service: MappingService, member: Member, connection_id: str, actor_type: str) -> MappingView:
    """Show which fields of a type of actors belong to which of the CRM, what else there is, and what is proposed."""
    return service.get(member, connection_id, actor_type)


@router.put(MAPPING, needs=LINKS_MANAGE, audit=MAPPING_SAVED)
def save_mapping(
    service: MappingService, member: Member, connection_id: str, actor_type: str, body: ChangedMapping
) -> MappingView:
    """Save a mapping; every reason why it cannot be active is answered at once."""
    return service.save(member, connection_id, actor_type, body)
