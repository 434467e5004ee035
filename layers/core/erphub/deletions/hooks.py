"""What the deletion of a connection means to others while it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.deletions.ports import DeletionStore


@dataclass(frozen=True)
class CondemnedConnections:
    """Connections that are to go: their rows are out of sight from the request on."""

    deletions: DeletionStore

    def hidden(self, client_id: str) -> Sequence[str]:
        """See the port."""
        return self.deletions.condemned(client_id)
