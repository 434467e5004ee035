"""One transfer while it goes on: what is known of it, the connected ERP, and what is to be sent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore, OpensConnections
from erphub.connections.problems import CONNECTION_PAUSED
from erphub.erp.documents import DocumentKind
from erphub.erp.posting import PostsDocuments
from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, CredentialsRefused, HubError
from erphub.platform.problem_documents import as_problem
from erphub.sync import problems
from erphub.sync.changes.offers import ChangeOffers
from erphub.sync.export_log.models import Entry
from erphub.sync.settings.models import Sync
from erphub.sync.transfers.models import LEASE_DURATION, Transfer
from erphub.sync.transfers.ports import TransferStores

BATCH_ENTRIES = 25
"""How many documents are read at once."""
_ORDER = {DocumentKind.CUSTOMER: 1, DocumentKind.PRODUCT: 2, DocumentKind.SETTLEMENT: 3, DocumentKind.INVOICE: 4}


@dataclass
class TransferContext:
    """One transfer under its lease."""

    stores: TransferStores
    erp: OpensConnections
    clock: Clock
    sync: Sync
    transfer: Transfer
    _adapters: list[PostsDocuments] = field(default_factory=list[PostsDocuments])

    @property
    def key(self) -> tuple[str, str]:
        """The client and the connection."""
        return self.sync.client_id, self.sync.connection_id

    @property
    def keep_days(self) -> int:
        """How long what is written of it is kept."""
        return self.sync.settings.retention_days

    @property
    def offers(self) -> ChangeOffers:
        """What is offered to the till of changes in the ERP."""
        return ChangeOffers(self.stores.records, self.stores.feed, self.stores.entries, self.clock)

    def change(self, **changes: Any) -> None:
        """Keep the transfer with these changes. Raises Conflict."""
        self.transfer = self.stores.transfers.save(self.transfer.model_copy(update=changes), self.keep_days)

    def update_sync(self, changes: Callable[[Sync], Mapping[str, Any]]) -> None:
        """Change what is kept of the sync, on top of whatever others changed meanwhile. Raises Unavailable."""
        for _ in range(5):
            current = self.stores.syncs.get(*self.key)
            if current is None:
                return
            try:
                self.sync = self.stores.syncs.save(current.model_copy(update=changes(current)))
            except Conflict:
                continue
            return
        raise problems.SYNC_BUSY()

    def adapter(self) -> PostsDocuments:
        """The connected ERP. Raises ErpRefused, Conflict when the connection is not one to send through now."""
        if not self._adapters:
            adapter = self.erp.connected(usable_connection(self.stores.connections, *self.key))
            if not isinstance(adapter, PostsDocuments):
                raise problems.DOCUMENTS_NOT_SUPPORTED()
            self._adapters.append(adapter)
        return self._adapters[0]

    def abort(self, error: HubError) -> None:
        """The ERP cannot be used: the transfer ends, and its outcome has the connection wait for its people."""
        self.change(problem=as_problem(error))
        if isinstance(error, CredentialsRefused) and error.code != "reauth_required":
            about = {"connection_id": self.sync.connection_id}
            logging.logger().warning("the ERP refused the connection's credentials", exc_info=error, extra=about)

    def mark_unread(self, name: str, what: str, error: HubError) -> None:
        """Something in the ERP could not be read: it is named in the transfer, and the rest goes on."""
        problem = as_problem(error)
        problem["detail"] = f"{what} in the ERP could not be read: {problem['detail']}"
        self.change(not_read={**self.transfer.not_read, name: problem})

    def due_entries(self) -> Iterable[Entry]:
        """What is to be sent now, whole, customers and products before what names them."""
        wanted = self._selected() if self.transfer.document_ids else self._waiting()
        for start in range(0, len(wanted), BATCH_ENTRIES):
            names = [entry.id for entry in wanted[start : start + BATCH_ENTRIES]]
            whole = {entry.id: entry for entry in self.stores.entries.get_many(*self.key, names)}
            yield from (whole[name] for name in names if name in whole and whole[name].handled_by != self.transfer.id)

    def queued(self, queue: str, kind: DocumentKind | None = None) -> list[Entry]:
        """What stands in a queue of the export log and is sent at all, without bodies."""
        listed = self.stores.entries.queue(*self.key, queue, kind)
        return [entry for entry in listed if self.sync.settings.sends(entry.kind)]

    def _selected(self) -> list[Entry]:
        found = self.stores.entries.get_many(*self.key, self.transfer.document_ids)
        return sorted((entry for entry in found if self.sync.settings.sends(entry.kind)), key=_order)

    def _waiting(self) -> list[Entry]:
        queues = ("pending", "uncertain", "sending", "attach")
        return sorted((entry for queue in queues for entry in self.queued(queue, self.transfer.kind)), key=_order)

    def pause(self) -> None:
        """Let the next step in at once."""
        now = self.clock()
        self.stores.leases.acquire(*self.key, self.transfer.id, "", now + LEASE_DURATION, now)


def usable_connection(connections: ConnectionStore, client_id: str, connection_id: str) -> Connection:
    """The connection, to be used now. Raises NotFound, Conflict (`connection_paused`), CredentialsRefused
    (`reauth_required`)."""
    connection = connections.get(client_id, connection_id)
    if connection is None or connection.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED):
        raise problems.CONNECTION_GONE()
    if connection.status is ConnectionStatus.PAUSED:
        raise CONNECTION_PAUSED()
    if connection.status is ConnectionStatus.REAUTH_REQUIRED:
        raise problems.REAUTH_REQUIRED()
    return connection


def _order(entry: Entry) -> tuple[int, Any, int, str]:
    return _ORDER[entry.kind], entry.date, entry.number, entry.id
