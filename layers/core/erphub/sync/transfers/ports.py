"""Where transfers are kept, whom they notify, and what they need of others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import Settlement
from erphub.platform.pages import Page
from erphub.sync.changes.ports import ChangeFeed, SyncedRecordStore
from erphub.sync.export_log.ports import EntryStore, IdentityStore
from erphub.sync.settings.ports import SyncStore, TransferLeases
from erphub.sync.transfers.models import Transfer


class TransferStore(Protocol):
    """Transfers, and what dry runs would post. Writes compare `rev`; what is given comes back with the new one."""

    def get(self, client_id: str, connection_id: str, transfer_id: str) -> Transfer | None:
        """One transfer."""
        ...

    def save(self, transfer: Transfer, keep_days: int) -> Transfer:
        """Keep it. Raises Conflict."""
        ...

    def page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[Transfer]:
        """A page of transfers, the newest first."""
        ...

    def add_preview(self, transfer: Transfer, number: int, preview: Mapping[str, Any]) -> None:
        """Keep what a dry run would post of its n-th document."""
        ...

    def previews(self, client_id: str, connection_id: str, transfer_id: str) -> list[dict[str, Any]]:
        """What a dry run would post, in order."""
        ...


@dataclass(frozen=True)
class TransferStores:
    """All that a transfer reads and writes."""

    syncs: SyncStore
    leases: TransferLeases
    entries: EntryStore
    identities: IdentityStore
    transfers: TransferStore
    records: SyncedRecordStore
    feed: ChangeFeed
    connections: ConnectionStore


class Notices(Protocol):
    """What the people of a client are notified of."""

    def notify(self, client_id: str, connection_id: str, code: str, detail: str, **attributes: Any) -> None:
        """Notify them once."""
        ...

    def notify_of(
        self, client_id: str, connection_id: str, fact: str, code: str, detail: str, **attributes: Any
    ) -> None:
        """Notify them of a fact, once however often it is met."""
        ...


class SettlementRenderer(Protocol):
    """Makes a settlement's PDF for a till that hands over none."""

    def render(self, settlement: Settlement) -> bytes:
        """The settlement as a PDF; the same settlement is always the same bytes."""
        ...
