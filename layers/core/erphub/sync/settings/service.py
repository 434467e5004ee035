"""The sync of a connection, as its people see it: its settings, when it transfers next, and transfers by hand."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from erphub.connections.access import require_active
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import DocumentKind, Product
from erphub.erp.posting import ListsSetup, Posting, PostsDocuments, Setup
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, ErpRefused, FieldError, Invalid, NotFound
from erphub.platform.pages import Page
from erphub.platform.workers import Worker
from erphub.sync.documents.service import SKIPPED_UNCERTAIN, let_go, planned
from erphub.sync.export_log.canonical import entry_id, posting_key
from erphub.sync.export_log.models import QUEUES, Entry, EntryState
from erphub.sync.export_log.ports import ExportLogStore
from erphub.sync.settings.models import ImportType, Master, Sync, SyncInput, SyncSettings, TransferHistory
from erphub.sync.settings.ports import DueSync, Notices, SyncStore
from erphub.sync.settings.validation import company_fixed, with_the_only_company, wrong_settings
from erphub.sync.transfers.completion import NOTHING_SENT, broken_off
from erphub.sync.transfers.execution import LEASE, task_of
from erphub.sync.transfers.models import Transfer
from erphub.sync.transfers.schemas import NewTransfer

_SILENT = "Nothing has been sent for longer than usual. Check that the till hands over its documents, and that they go."
_GUARD = timedelta(minutes=15)
"""When a transfer that was started and never heard of again is started anew."""


@dataclass(frozen=True)
class SyncService:
    """Settings and transfers of syncs, for the API and the schedule."""

    syncs: SyncStore
    log: ExportLogStore
    connections: ConnectionStore
    open: Callable[[Connection], object]
    worker: Worker
    clock: Clock
    ids: Ids
    notices: Notices

    # --- settings ----------------------------------------------------------------------------------------------------

    def get(self, client_id: str, connection_id: str) -> Sync:
        """The sync. Raises NotFound (`sync_not_set_up`)."""
        self._connection(client_id, connection_id)
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise NotFound("This connection has no sync yet: save its settings.", code="sync_not_set_up")
        return sync

    def running(self, sync: Sync) -> str | None:
        """The transfer that is under way."""
        return self.syncs.holder(sync.client_id, sync.connection_id, self.clock())

    def save(self, client_id: str, connection_id: str, by: str, wanted: SyncInput) -> Sync:
        """Keep the settings, once the ERP has everything they name.

        Raises Invalid with all that is wrong, Conflict (`version_conflict`), and what the ERP raises.
        """
        before = self.syncs.get(client_id, connection_id)
        if before is not None and wanted.version is not None and wanted.version != before.version:
            raise _stale()
        errors, settings, _ = self._look_up(client_id, connection_id, wanted)
        if errors:
            raise Invalid("The settings are not saved; `errors` says everything that is wrong.", errors=errors)
        now = self.clock()
        if before is None:
            fresh = Sync(
                client_id=client_id,
                connection_id=connection_id,
                settings=settings,
                judged_from=settings.from_date,
                saved_at=now,
                saved_by=by,
            )
        else:
            changes = {"settings": settings, "version": before.version + 1, "saved_at": now, "saved_by": by}
            changes |= {"cursors": _cursors(before, settings), "judged_from": _judged_from(before, settings)}
            fresh = before.model_copy(update=changes)
        return self.syncs.put(self._planned(fresh, now))

    def check(self, client_id: str, connection_id: str, wanted: SyncInput) -> tuple[list[FieldError], Setup]:
        """Everything that is wrong with the settings, and what the ERP has to choose from; nothing is saved."""
        errors, _, setup = self._look_up(client_id, connection_id, wanted)
        return errors, setup

    def _look_up(
        self, client_id: str, connection_id: str, wanted: SyncInput
    ) -> tuple[list[FieldError], SyncSettings, Setup]:
        """What is wrong, the settings as they would be saved, and what there is to choose from."""
        connection = self._connection(client_id, connection_id)
        require_active(connection)
        system = self.open(connection)
        if not isinstance(system, ListsSetup) or not isinstance(system, PostsDocuments):
            raise ErpRefused("This ERP system takes no documents.", code="documents_not_supported")
        setup = system.setup(wanted.company)
        settings = with_the_only_company(wanted.settings(), setup)
        before = self.syncs.get(client_id, connection_id)
        if before is not None and self._is_settled_elsewhere(before, settings):
            return [company_fixed(before.settings.company)], settings, setup

        def has_product(number: str) -> bool:
            wanted_product = Product(number=number, name=number, price=_ZERO)
            key = posting_key(entry_id(connection_id, DocumentKind.PRODUCT, number))
            return system.find(DocumentKind.PRODUCT, Posting(key, settings.routing()), wanted_product) is not None

        confirmed = wanted.confirm_ledger or _was_ledger(before)
        return wrong_settings(settings, setup, has_product, ledger_confirmed=confirmed), settings, setup

    def _is_settled_elsewhere(self, before: Sync, settings: SyncSettings) -> bool:
        """Whether another company is wanted than the one that has, or may have, something of this sync."""
        company = before.settings.company
        return bool(company and settings.company and company != settings.company) and self._has_sent(before)

    def _has_sent(self, sync: Sync) -> bool:
        if sync.rhythm.last_sent_at or sync.cursors:
            return True
        ids = sync.client_id, sync.connection_id
        return any(_may_be_there(entry) for queue in QUEUES for entry in self.log.queue(*ids, queue))

    def _planned(self, sync: Sync, now: datetime) -> Sync:
        """The sync with its next transfer: soon after it is switched on, never when it is by hand."""
        if not sync.settings.automatic:
            return sync.model_copy(update={"next_at": None, "next_why": "Automatic transfer is switched off."})
        freed = sync.judged_from is not None and sync.settings.from_date < sync.judged_from
        if sync.next_at is not None and not freed:
            return sync
        waiting = next(self.log.queue(sync.client_id, sync.connection_id, "pending"), None)
        oldest = waiting.arrived_at if waiting else now
        best = planned(sync, now, waiting=1 if waiting or freed else 0, oldest=oldest)
        if sync.next_at is not None and sync.next_at <= best.at:
            return sync
        return sync.model_copy(update={"next_at": best.at, "next_why": best.why})

    def reconnected(self, client_id: str, connection_id: str) -> None:
        """The connection works again: what waits goes at once."""
        for _ in range(3):
            sync = self.syncs.get(client_id, connection_id)
            if sync is None or not sync.settings.automatic:
                return
            rhythm: TransferHistory = sync.rhythm.model_copy(update={"restored": True, "failures": 0})
            fresh = sync.model_copy(update={"rhythm": rhythm})
            best = planned(fresh, self.clock(), waiting=0, oldest=None)
            try:
                self.syncs.put(fresh.model_copy(update={"next_at": best.at, "next_why": best.why}))
            except Conflict:
                continue
            return

    # --- silence -----------------------------------------------------------------------------------------------------

    def tell_silence(self, sync: Sync) -> bool:
        """Tell people, once, that nothing has been sent for longer than usual; whether they were told now.

        Also where nothing is sent by itself: a transfer by hand that nobody starts is silence too. A connection that
        somebody paused is meant to be silent.
        """
        if sync.silent_at is None or sync.silent_at > self.clock():
            return False
        connection = self.connections.get(sync.client_id, sync.connection_id)
        meant = connection is None or connection.is_being_deleted or connection.status is ConnectionStatus.PAUSED
        if not meant:
            last = sync.rhythm.last_sent_at
            facts = {"last_sent_at": last.isoformat() if last else None}
            self.notices.tell(sync.client_id, sync.connection_id, NOTHING_SENT, _SILENT, **facts)
        for _ in range(3):
            current = self.syncs.get(sync.client_id, sync.connection_id)
            if current is None or current.silent_at != sync.silent_at:
                break
            told = current.told if meant else (*current.told, NOTHING_SENT)
            try:
                self.syncs.put(current.model_copy(update={"silent_at": None, "told": told}))
            except Conflict:
                continue
            break
        return not meant

    # --- transfers ---------------------------------------------------------------------------------------------------

    def transfer(self, client_id: str, connection_id: str, by: str, wanted: NewTransfer) -> Transfer:
        """Start a transfer by hand, or a dry run. Raises NotFound, Conflict (`transfer_running`, …)."""
        require_active(self._connection(client_id, connection_id))
        sync = self.get(client_id, connection_id)
        if wanted.kind and not sync.settings.sends(wanted.kind):
            raise Conflict(f"Sending of {wanted.kind.value}s is switched off.", code="kind_switched_off")
        if wanted.documents:
            self._release(sync, wanted)
        fresh = Transfer(
            id=self.ids(),
            client_id=client_id,
            connection_id=connection_id,
            by=by,
            dry_run=wanted.dry_run,
            kind=wanted.kind,
            documents=wanted.documents,
            created_at=self.clock(),
        )
        return self._start(sync, fresh)

    def _release(self, sync: Sync, wanted: NewTransfer) -> None:
        """Chosen documents go now: also those that were refused, and those whose PDF waits."""
        found = self.log.entries(sync.client_id, sync.connection_id, wanted.documents)
        if missing := set(wanted.documents) - {entry.id for entry in found}:
            raise NotFound(f"There is no document {sorted(missing)[0]} in the export log.", code="entry_not_found")
        if not wanted.dry_run:
            for entry in found:
                if (fresh := let_go(entry, self.clock())) != entry:
                    self.log.put(fresh, sync.settings.retention_days)

    def _start(self, sync: Sync, transfer: Transfer) -> Transfer:
        now = self.clock()
        if transfer.dry_run:
            kept = self.log.put_transfer(transfer, sync.settings.retention_days)
            self.worker.ask(task_of(kept, "preview"))
            return kept
        ids = sync.client_id, sync.connection_id
        if lost := self.syncs.lease(*ids, transfer.id, "", now + LEASE, now):
            self._close(sync, lost)
        try:
            kept = self.log.put_transfer(transfer, sync.settings.retention_days)
            self.worker.ask(task_of(kept, "whole"))
        except Exception:
            # Nobody will work on it: the place is given back at once.
            self.syncs.release(sync.client_id, sync.connection_id, transfer.id)
            raise
        return kept

    def _close(self, sync: Sync, transfer_id: str) -> None:
        """A transfer that never gave its place back has broken off; nobody goes on with it from here."""
        lost = self.log.transfer(sync.client_id, sync.connection_id, transfer_id)
        if lost is None or lost.finished_at is not None:
            return
        try:
            self.log.put_transfer(broken_off(lost, self.clock()), sync.settings.retention_days)
        except Conflict:
            # Its worker is just writing: then it has not broken off, and finds its place taken.
            return

    def start_due(self, sync: Sync) -> Transfer | None:
        """Start an automatic transfer that is due; None when another is under way or it was started by another tick."""
        now = self.clock()
        if sync.next_at is None or sync.next_at > now or not sync.settings.automatic:
            return None
        try:
            guarded = self.syncs.put(sync.model_copy(update={"next_at": now + _GUARD, "next_why": "It is under way."}))
        except Conflict:
            return None
        fresh = Transfer(
            id=self.ids(),
            client_id=sync.client_id,
            connection_id=sync.connection_id,
            by="automatic",
            automatic=True,
            created_at=now,
        )
        try:
            return self._start(guarded, fresh)
        except Conflict:
            return None

    def transfers(self, client_id: str, connection_id: str, limit: int, next: str | None) -> Page[Transfer]:
        """Transfers, the newest first."""
        sync = self.get(client_id, connection_id)
        found, holder = self.log.transfers(client_id, connection_id, limit, next), self.running(sync)
        return Page([self._seen(transfer, holder) for transfer in found.items], found.next)

    def one_transfer(
        self, client_id: str, connection_id: str, transfer_id: str
    ) -> tuple[Transfer, list[dict[str, Any]]]:
        """A transfer, and what it would post when it is a dry run. Raises NotFound."""
        transfer = self.log.transfer(client_id, connection_id, transfer_id)
        if transfer is None:
            raise NotFound("There is no such transfer.", code="transfer_not_found")
        shown = self.log.previews(client_id, connection_id, transfer_id) if transfer.dry_run else []
        holder = self.syncs.holder(client_id, connection_id, self.clock())
        return self._seen(transfer, holder), shown

    def _seen(self, transfer: Transfer, holder: str | None) -> Transfer:
        """The transfer as it stands: one that should be under way and has lost its place has broken off."""
        patience = _GUARD if transfer.dry_run else LEASE
        gone = transfer.finished_at is None and transfer.id != holder and transfer.created_at + patience < self.clock()
        return broken_off(transfer, None) if gone else transfer

    def _connection(self, client_id: str, connection_id: str) -> Connection:
        connection = self.connections.get(client_id, connection_id)
        if connection is None or connection.status is ConnectionStatus.DELETED:
            raise NotFound("There is no such connection.", code="connection_not_found")
        return connection


def tick(
    desk: SyncService,
    each: Callable[[Callable[[DueSync], str], list[DueSync]], list[str]],
    report: Callable[[DueSync, Exception], None],
) -> dict[str, int]:
    """Start every transfer that is due. `each` applies a function to all of a list, some at a time.

    One that cannot be started does not keep the others back: it is reported, stays due and comes again with the next
    tick.
    """

    def start(due: DueSync) -> str:
        try:
            sync = due.read()
            if desk.tell_silence(sync):
                return "silent"  # its transfer, if one is due as well, starts with the next tick
            return "started" if desk.start_due(sync) else "left"
        except Exception as error:  # noqa: BLE001  one sync's trouble must not keep the others waiting
            report(due, error)
            return "failed"

    done = Counter(each(start, list(desk.syncs.due(desk.clock()))))
    return {"due": done.total()} | {outcome: done[outcome] for outcome in ("started", "failed", "silent")}


def _may_be_there(entry: Entry) -> bool:
    tried = entry.state in (EntryState.SENT, EntryState.SENDING, EntryState.UNCERTAIN)
    return tried or bool(entry.reference) or entry.code == SKIPPED_UNCERTAIN


def _was_ledger(before: Sync | None) -> bool:
    return before is not None and before.settings.z_report and before.settings.import_type is ImportType.LEDGER


def _judged_from(before: Sync, settings: SyncSettings) -> date | None:
    """What comes in from now on is left out by the new from date; what came before, perhaps by a later one."""
    return before.judged_from and max(before.judged_from, settings.from_date)


def _cursors(before: Sync, settings: SyncSettings) -> dict[str, datetime]:
    """A kind whose master changes is looked at from the beginning: what was nobody's business now is."""
    same = {
        kind for kind in (DocumentKind.CUSTOMER, DocumentKind.PRODUCT) if _master(before, kind) is settings.master(kind)
    }
    return {name: at for name, at in before.cursors.items() if name in {kind.value for kind in same}}


def _master(sync: Sync, kind: DocumentKind) -> Master:
    return sync.settings.master(kind)


def _stale() -> Conflict:
    return Conflict(
        "Somebody else has saved the settings since you read them. Read them again.", code="version_conflict"
    )


_ZERO = Decimal(0)
