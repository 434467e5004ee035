"""Asks the ERP by the clock what became of vouchers in its inbox: only of syncs that have any there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.connections.health import Outcome
from erphub.connections.ports import OpensConnections
from erphub.erp.approvals import ReadsApprovals
from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, HubError, NotFound
from erphub.platform.outbound import deadlines
from erphub.platform.problem_documents import as_problem
from erphub.platform.workers import Worker
from erphub.sync import problems
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import SyncStore
from erphub.sync.transfers.approvals import ApprovalCheck, Checked, next_check
from erphub.sync.transfers.context import usable_connection
from erphub.sync.transfers.ports import TransferStores

_RESTART_DELAY = timedelta(minutes=15)
"""When a look that was asked for and never heard of again is asked for anew."""
_AFTER_A_FAILURE, _WHILE_PAUSED = timedelta(hours=1), timedelta(hours=6)
_CHECK_SECONDS = 240.0
"""The longest that a look may take."""


@dataclass(frozen=True)
class ApprovalSchedule:
    """Has a look that is due made by the worker."""

    syncs: SyncStore
    worker: Worker
    clock: Clock

    def start_due(self, sync: Sync) -> bool:
        """Ask for the look when it is due; whether it was asked for now, and by nobody else."""
        now = self.clock()
        if sync.approvals_due_at is None or sync.approvals_due_at > now:
            return False
        try:
            self.syncs.save(sync.model_copy(update={"approvals_due_at": now + _RESTART_DELAY}))
        except Conflict:
            return False
        task = {"task": "approvals", "client_id": sync.client_id, "connection_id": sync.connection_id}
        self.worker.ask(task)
        return True


@dataclass(frozen=True)
class ApprovalTask:
    """One look at the inbox of a connection, beside its transfers."""

    stores: TransferStores
    erp: OpensConnections
    check: ApprovalCheck
    clock: Clock

    def run(self, client_id: str, connection_id: str) -> Outcome | None:
        """Look, keep what became of what, and plan the next look; what the connection met, when the ERP was asked.

        Raises Unavailable."""
        sync = self.stores.syncs.get(client_id, connection_id)
        if sync is None or sync.approvals_due_at is None:
            return None
        began = self.clock()
        try:
            checked = self._look(sync)
        except HubError as error:
            at_rest = isinstance(error, (Conflict, NotFound)) or error.code == "reauth_required"
            logging.logger().warning("the inbox could not be looked at", extra={"code": error.code})
            wait = _WHILE_PAUSED if at_rest else _AFTER_A_FAILURE
            self._update(sync, lambda _: {"approvals_due_at": began + wait})
            return None if at_rest else Outcome(client_id, connection_id, began, as_problem(error))
        self._update(sync, lambda current: self._planned(current, checked, began))
        return Outcome(client_id, connection_id, began, {}, succeeded=True) if checked.asked else None

    def _look(self, sync: Sync) -> Checked:
        connection = usable_connection(self.stores.connections, sync.client_id, sync.connection_id)
        adapter = self.erp.connected(connection)
        if not isinstance(adapter, ReadsApprovals):
            return Checked()
        with deadlines.at_most(_CHECK_SECONDS):
            return self.check.check(sync, adapter)

    def _planned(self, current: Sync, checked: Checked, began: datetime) -> dict[str, Any]:
        changes: dict[str, Any] = {"approvals_read_until": began} if checked.asked else {}
        due = next_check(checked.newest, began)
        if due is None and self.stores.leases.holder(current.client_id, current.connection_id, began) is not None:
            # A transfer that is under way may be handing a voucher over.
            due = began + _RESTART_DELAY
        return changes | {"approvals_due_at": due}

    def _update(self, sync: Sync, changes: Callable[[Sync], Mapping[str, Any]]) -> None:
        for _ in range(5):
            current = self.stores.syncs.get(sync.client_id, sync.connection_id)
            if current is None:
                return
            try:
                self.stores.syncs.save(current.model_copy(update=changes(current)))
            except Conflict:
                continue
            return
        raise problems.SYNC_BUSY()
