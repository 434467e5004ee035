"""What is asked of the work behind a sync: transfers, dry runs, looks at the ERP's inbox, batches.

Asked without waiting, or by a state machine.

A final failure is kept with the transfer; only what is worth another try is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erphub.connections.health import HealthService
from erphub.platform.tasks import TimeLeft
from erphub.sync.transfers.approval_tasks import ApprovalTask
from erphub.sync.transfers.execution import TransferExecutor
from erphub.sync.transfers.outcome import transfer_outcome
from erphub.sync.transfers.ports import TransferStore
from erphub.sync.uploads.service import UploadService


@dataclass(frozen=True)
class SyncTasks:
    """The tasks of transfer.asl.json and of the worker."""

    executor: TransferExecutor
    uploads: UploadService
    transfers: TransferStore
    health: HealthService
    approvals: ApprovalTask

    def do(self, task: Mapping[str, Any], worker_id: str, time_left: TimeLeft) -> dict[str, Any]:
        """One task, by its name. Raises Unavailable when it is worth another try, ValueError for an unknown name."""
        match task["task"]:
            case "run":
                return self._reported(task, self.executor.run(task, worker_id, time_left))
            case "collect":
                return self.executor.collect(task, worker_id, time_left)
            case "send":
                return self.executor.send(task, worker_id, time_left)
            case "complete":
                return self._reported(task, self.executor.complete(task, worker_id))
            case "approvals":
                found = self.approvals.run(str(task["client_id"]), str(task["connection_id"]))
                if found is not None:
                    self.health.report(found)
                return {"outcome": "looked"}
            case "preview":
                return self.executor.preview(task)
            case "read_upload":
                upload = self.uploads.read(str(task["client_id"]), str(task["connection_id"]), str(task["upload_id"]))
                return {"outcome": upload.status.value, "line_count": upload.line_count}
            case other:
                raise ValueError(f"there is no task {other!r}")

    def _reported(self, task: Mapping[str, Any], done: dict[str, Any]) -> dict[str, Any]:
        """What came of a transfer is reported to the connection's health when it has finished; again is fine."""
        if done["outcome"] == "finished":
            transfer = self.transfers.get(str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"]))
            if transfer is not None and (outcome := transfer_outcome(transfer)) is not None:
                self.health.report(outcome)
        return done
