"""Where mappings are kept."""

from typing import Protocol

from erphub.erp.actors import ActorType
from erphub.links.mappings.models import ActiveMappings, KeptMapping
from erphub.links.records.models import CrmEntity


class MappingStore(Protocol):
    """Mappings by connection and type of actors. All of it raises Unavailable."""

    def get(self, client_id: str, connection_id: str, actor_type: ActorType) -> KeptMapping | None:
        """One mapping; None until it is saved."""
        ...

    def get_active(self, client_id: str, entity: CrmEntity) -> ActiveMappings:
        """The active mappings of the client's connections for records of a kind."""
        ...

    def save(self, mapping: KeptMapping, before: int, among: ActiveMappings) -> KeptMapping | None:
        """Keep it in place of the version before (0: none); as it is kept.

        None when it is no longer of that version, or when it is active and another has become so since `among` was
        read: beside that one it was not judged.
        """
        ...
