"""What the deletion of a connection means to others while it lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import override

from erphub.deletions.ports import DeletionStore
from erphub.lake.ports import HiddenConnections


@dataclass(frozen=True)
class ConnectionsBeingDeleted(HiddenConnections):
    """Rows of a connection that is being deleted are out of sight from the request on."""

    deletions: DeletionStore

    @override
    def hidden(self, client_id: str) -> Sequence[str]:
        return self.deletions.list_scheduled(client_id)
