"""Transfers by hand and by themselves: started, listed, looked at."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from erphub.connections.access import require_active, require_usable
from erphub.platform.actors import HUB
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Conflict
from erphub.platform.pages import Page
from erphub.platform.workers import Worker
from erphub.sync import problems
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.export_log.releasing import release_selected
from erphub.sync.settings.models import Sync
from erphub.sync.settings.service import SyncService
from erphub.sync.transfers.completion import broken_off
from erphub.sync.transfers.models import LEASE_DURATION, Transfer, task_of
from erphub.sync.transfers.ports import TransferStore
from erphub.sync.transfers.schemas import NewTransfer

_RESTART_DELAY = timedelta(minutes=15)
"""When a transfer that was started and never heard of again is started anew."""


@dataclass(frozen=True)
class TransferService:
    """Transfers of syncs, for the API and the schedule."""

    syncs: SyncService
    entries: EntryStore
    transfers: TransferStore
    worker: Worker
    clock: Clock
    new_id: IdGenerator

    def start(self, client_id: str, connection_id: str, by: str, wanted: NewTransfer) -> Transfer:
        """Start a transfer by hand, or a dry run. Raises NotFound, Conflict (`transfer_running`,
        `connection_paused`, `reauth_required`, …)."""
        connection = self.syncs.get_connection(client_id, connection_id)
        require_active(connection)
        require_usable(connection)
        sync = self.syncs.get(client_id, connection_id)
        if wanted.kind and not sync.settings.sends(wanted.kind):
            raise problems.KIND_SWITCHED_OFF(kind=wanted.kind.value)
        if wanted.document_ids:
            self._release(sync, wanted)
        fresh = Transfer(
            id=self.new_id(),
            client_id=client_id,
            connection_id=connection_id,
            started_by=by,
            dry_run=wanted.dry_run,
            kind=wanted.kind,
            document_ids=wanted.document_ids,
            created_at=self.clock(),
        )
        describe_act(new={"transfer_id": fresh.id})
        return self._start(sync, fresh)

    def start_due(self, sync: Sync) -> Transfer | None:
        """Start an automatic transfer that is due; None when another is under way or it was started by another tick."""
        now = self.clock()
        if sync.next_at is None or sync.next_at > now or not sync.settings.is_automatic:
            return None
        under_way = {"next_at": now + _RESTART_DELAY, "next_reason": "It is under way."}
        try:
            guarded = self.syncs.syncs.save(sync.model_copy(update=under_way))
        except Conflict:
            return None
        fresh = Transfer(
            id=self.new_id(),
            client_id=sync.client_id,
            connection_id=sync.connection_id,
            started_by=HUB,
            is_automatic=True,
            created_at=now,
        )
        try:
            return self._start(guarded, fresh)
        except Conflict:
            return None

    def list_transfers(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[Transfer]:
        """Transfers, the newest first. Raises NotFound."""
        sync = self.syncs.get(client_id, connection_id)
        found, running = self.transfers.page(client_id, connection_id, limit, cursor), self.syncs.running_transfer(sync)
        return Page([self._as_it_stands(transfer, running) for transfer in found.items], found.next)

    def get(self, client_id: str, connection_id: str, transfer_id: str) -> tuple[Transfer, list[dict[str, Any]]]:
        """A transfer, and what it would post when it is a dry run. Raises NotFound."""
        transfer = self.transfers.get(client_id, connection_id, transfer_id)
        if transfer is None:
            raise problems.TRANSFER_NOT_FOUND()
        shown = self.transfers.previews(client_id, connection_id, transfer_id) if transfer.dry_run else []
        running = self.syncs.leases.holder(client_id, connection_id, self.clock())
        return self._as_it_stands(transfer, running), shown

    def _release(self, sync: Sync, wanted: NewTransfer) -> None:
        """Selected documents go now: also those that were refused, and those whose PDF waits."""
        found = self.entries.get_many(sync.client_id, sync.connection_id, wanted.document_ids)
        if missing := set(wanted.document_ids) - {entry.id for entry in found}:
            raise problems.DOCUMENT_NOT_IN_LOG(entry=sorted(missing)[0])
        if not wanted.dry_run:
            for entry in found:
                if (fresh := release_selected(entry, self.clock())) != entry:
                    self.entries.save(fresh, sync.settings.retention_days)

    def _start(self, sync: Sync, transfer: Transfer) -> Transfer:
        now, keep_days = self.clock(), sync.settings.retention_days
        if transfer.dry_run:
            kept = self.transfers.save(transfer, keep_days)
            self.worker.ask(task_of(kept, "preview"))
            return kept
        key = sync.client_id, sync.connection_id
        if lost := self.syncs.leases.acquire(*key, transfer.id, "", now + LEASE_DURATION, now):
            self._close(sync, lost)
        try:
            kept = self.transfers.save(transfer, keep_days)
            self.worker.ask(task_of(kept, "run"))
        except Exception:
            # Nobody will work on it: the lease is given back at once.
            self.syncs.leases.release(*key, transfer.id, self.clock())
            raise
        return kept

    def _close(self, sync: Sync, transfer_id: str) -> None:
        """A transfer that never released its lease has broken off; nobody goes on with it from here."""
        lost = self.transfers.get(sync.client_id, sync.connection_id, transfer_id)
        if lost is None or lost.finished_at is not None:
            return
        try:
            self.transfers.save(broken_off(lost, self.clock()), sync.settings.retention_days)
        except Conflict:
            # Its worker is just writing: then it has not broken off, and finds its lease taken.
            return

    def _as_it_stands(self, transfer: Transfer, running: str | None) -> Transfer:
        """One that should be under way and has lost its lease has broken off."""
        patience = _RESTART_DELAY if transfer.dry_run else LEASE_DURATION
        is_open = transfer.finished_at is None and transfer.id != running
        return broken_off(transfer, None) if is_open and transfer.created_at + patience < self.clock() else transfer
