"""Where mappings are kept."""

from collections.abc import Sequence
from typing import Protocol

from erphub.erp.actors import ActorType
from erphub.links.mappings.models import KeptMapping


class MappingStore(Protocol):
    """Mappings by connection and type of actors. All of it raises Unavailable."""

    def get(self, client_id: str, connection_id: str, actor_type: ActorType) -> KeptMapping | None:
        """One mapping; None until it is saved."""
        ...

    def get_all(self, client_id: str) -> Sequence[KeptMapping]:
        """Every mapping of the client's connections."""
        ...

    def save(self, mapping: KeptMapping, before: int) -> KeptMapping:
        """Keep it in place of the version before (0: none); as it is kept. Raises Conflict (`version_conflict`)."""
        ...
