"""Transfers: what is due goes to the ERP, one transfer per connection at a time, by hand or by itself.

run      ─ one call of the function: collect, send, complete. When its time runs out it hands over to the state machine,
           transfer.asl.json, which goes on with the same three tasks until nothing is left.
collect    takes the lease, opens the ERP, fetches what changed there
send       sends what is due in order, until done or out of time
complete   counts, plans the next transfer, notifies people, releases the lease
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from erphub.connections.ports import OpensConnections
from erphub.erp.posting import ReadsChanges
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, Unavailable
from erphub.platform.files import VersionedFiles
from erphub.platform.problem_documents import as_problem
from erphub.platform.tasks import TimeLeft
from erphub.platform.workers import Worker
from erphub.sync.changes.record_merge import RecordMerge
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.pdfs import HandedPdfs
from erphub.sync.export_log.releasing import release_selected
from erphub.sync.transfers.actions import ActionPlanner, PlannedAction
from erphub.sync.transfers.approvals import ApprovalCheck
from erphub.sync.transfers.attachments import PdfAttacher
from erphub.sync.transfers.attempts import AttemptRecorder
from erphub.sync.transfers.collecting import ApprovalCollection, ChangeCollection
from erphub.sync.transfers.completion import TransferCompletion
from erphub.sync.transfers.context import TransferContext
from erphub.sync.transfers.delivery import Delivery
from erphub.sync.transfers.locating import LocatedSender
from erphub.sync.transfers.models import LEASE_DURATION, TransferStatus, task_of
from erphub.sync.transfers.ports import Notices, SettlementRenderer, TransferStores
from erphub.sync.transfers.sending import DocumentSender

type Task = Mapping[str, Any]

_FINISHED = {"outcome": "finished"}


@dataclass(frozen=True)
class TransferExecutor:
    """Does the work of transfers."""

    stores: TransferStores
    erp: OpensConnections
    files: VersionedFiles
    renderer: SettlementRenderer
    notices: Notices
    worker: Worker
    clock: Clock
    resend_delay: timedelta

    def run(self, task: Task, worker_id: str, time_left: TimeLeft) -> dict[str, Any]:
        """All of a transfer, or the first part of it. Raises Unavailable to be called again."""
        context = self._begin(task, worker_id)
        if context is None:
            return _FINISHED
        if self._collect(context, time_left) or self._send(context, time_left):
            context.pause()
            self.worker.ask_machine(context.transfer.id, task_of(context.transfer, "collect"))
            return {"outcome": "handed_over"}
        return TransferCompletion(context, self.notices).complete()

    def collect(self, task: Task, worker_id: str, time_left: TimeLeft) -> dict[str, Any]:
        """The machine's first step; a transfer that is finished already needs no other."""
        context = self._begin(task, worker_id)
        if context is None:
            return _FINISHED
        more = self._collect(context, time_left)
        context.pause()
        return {"outcome": "more" if more else "collected"}

    def send(self, task: Task, worker_id: str, time_left: TimeLeft) -> dict[str, Any]:
        """The machine's second step, repeated while there is more."""
        context = self._begin(task, worker_id)
        if context is None:
            return _FINISHED
        more = self._send(context, time_left)
        context.pause()
        return {"outcome": "more" if more else "done"}

    def complete(self, task: Task, worker_id: str) -> dict[str, Any]:
        """The machine's last step."""
        context = self._begin(task, worker_id)
        return _FINISHED if context is None else TransferCompletion(context, self.notices).complete()

    def preview(self, task: Task) -> dict[str, Any]:
        """What a dry run would post, document by document, posting nothing."""
        context = self._find(task)
        if context is None:
            return _FINISHED
        context.change(status=TransferStatus.RUNNING, started_at=self.clock())
        try:
            sender = self._sender(context)
            for number, entry in enumerate(context.due_entries()):
                shown = release_selected(entry, self.clock()) if context.transfer.document_ids else entry
                self.stores.transfers.add_preview(context.transfer, number, _preview(sender, shown))
        except HubError as error:
            context.change(problem=as_problem(error), status=TransferStatus.FAILED, finished_at=self.clock())
        else:
            context.change(status=TransferStatus.SUCCEEDED, finished_at=self.clock())
        return _FINISHED

    def _find(self, task: Task) -> TransferContext | None:
        """The transfer that a task names; None when it has finished."""
        key = str(task["client_id"]), str(task["connection_id"])
        transfer, sync = self.stores.transfers.get(*key, str(task["transfer_id"])), self.stores.syncs.get(*key)
        if transfer is None or sync is None or transfer.finished_at is not None:
            return None
        return TransferContext(self.stores, self.erp, self.clock, sync, transfer)

    def _begin(self, task: Task, worker_id: str) -> TransferContext | None:
        """The transfer with its lease acquired; None when it has finished. Raises Unavailable while another has it."""
        context = self._find(task)
        if context is None:
            return None
        now = self.clock()
        try:
            self.stores.leases.acquire(*context.key, context.transfer.id, worker_id, now + LEASE_DURATION, now)
        except Conflict as error:
            raise Unavailable.restored(error.code, error.detail) from error
        if context.transfer.started_at is None:
            context.change(status=TransferStatus.RUNNING, started_at=now)
        return context

    def _collect(self, context: TransferContext, time_left: TimeLeft) -> bool:
        """Fetch what changed in the ERP; whether there is more of it."""
        if ChangeCollection(context, time_left).collect():
            return True
        ApprovalCollection(context, self.approval_check, time_left).collect()
        return False

    @property
    def approval_check(self) -> ApprovalCheck:
        """What looks at the ERP's inbox."""
        return ApprovalCheck(self.stores.entries, self.notices, self.clock)

    def _send(self, context: TransferContext, time_left: TimeLeft) -> bool:
        """Send what is due, in order; whether time ran out before all of it was tried."""
        if context.transfer.problem:
            return False
        delivery = Delivery(context)
        delivery.include_days()
        try:
            sender = self._sender(context)
        except HubError as error:
            context.abort(error)
            return False
        return delivery.send(sender, time_left)

    def _sender(self, context: TransferContext) -> LocatedSender:
        """Raises what opening the ERP raises."""
        adapter, sync, transfer, entries = context.adapter(), context.sync, context.transfer, self.stores.entries
        recorder = AttemptRecorder(entries, self.clock, transfer.started_by, transfer.id, context.keep_days)
        records = (
            RecordMerge(context.offers, sync, adapter, transfer.dry_run) if isinstance(adapter, ReadsChanges) else None
        )
        handed = HandedPdfs(self.files)
        sender = DocumentSender(
            adapter,
            sync.settings,
            entries,
            ActionPlanner(sync.settings, handed, self.clock, self.resend_delay),
            recorder,
            PdfAttacher(adapter, recorder, handed, self.renderer, self.resend_delay),
            records,
            self.resend_delay,
        )
        return LocatedSender(sender, sync, self.stores.identities)


def _preview(sender: LocatedSender, entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"entry_id": entry.id, "kind": entry.kind.value, "title": entry.title}
    try:
        return shown | sender.preview(entry)
    except Unavailable as error:
        return shown | {"action": PlannedAction.WAIT.value, "problem": as_problem(error)}
    except HubError as error:
        return shown | {"action": PlannedAction.BE_REFUSED.value, "problem": as_problem(error)}
