"""Where syncs are kept, and whom they notify."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from erphub.sync.settings.models import Sync


@dataclass(frozen=True)
class DueSync:
    """A sync whose time has come, still unread: one that cannot be read must not keep the others from starting."""

    client_id: str
    connection_id: str
    read: Callable[[], Sync]
    """Raises ValueError when what is kept is no sync."""


class SyncStore(Protocol):
    """Settings of syncs, and where each stands. Writes compare `rev`: the second gets Conflict and reads again."""

    def get(self, client_id: str, connection_id: str) -> Sync | None:
        """The sync of a connection, if it has one."""
        ...

    def put(self, sync: Sync) -> Sync:
        """Keep it, provided that nobody else did since it was read. Raises Conflict (`version_conflict`)."""
        ...

    def due(self, now: datetime) -> Iterator[DueSync]:
        """Every sync whose next transfer is due, or whose silence is to be told; costs as much as there are."""
        ...

    def lease(
        self, client_id: str, connection_id: str, holder: str, worker: str, until: datetime, now: datetime
    ) -> str:
        """Let this transfer, and of it this worker alone, send until then. An empty worker only keeps the place.

        The answer names the transfer that had the place before and let it run out without giving it back; empty else.
        Raises Conflict (`transfer_running`, fact `transfer`) while another transfer or another worker holds it.
        """
        ...

    def release(self, client_id: str, connection_id: str, holder: str) -> None:
        """Let others go on; a lease that somebody else has by now is left alone."""
        ...

    def holder(self, client_id: str, connection_id: str, now: datetime) -> str | None:
        """The transfer that may send now."""
        ...


class Notices(Protocol):
    """What the people of a client are told without asking."""

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        """Tell them once."""
        ...
