"""What is asked of the work behind a sync: transfers, dry runs, batches. Asked without waiting, or by a state machine.

A final failure is kept with the transfer; only what is worth another try is raised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from erphub.connections.health import Outcome
from erphub.platform.tasks import TimeLeft
from erphub.sync.export_log.ports import ExportLogStore
from erphub.sync.transfers import outcome
from erphub.sync.transfers.execution import TransferExecutor
from erphub.sync.uploads.service import UploadService


@dataclass(frozen=True)
class SyncTasks:
    """The tasks of transfer.asl.json and of the worker."""

    transfers: TransferExecutor
    uploads: UploadService
    log: ExportLogStore
    report: Callable[[Outcome], object]
    """Told what came of a transfer; again is fine."""

    def do(self, task: Mapping[str, Any], worker: str, time_left: TimeLeft) -> dict[str, Any]:
        """One task, by its name. Raises Unavailable when it is worth another try, ValueError for an unknown name."""
        match task["task"]:
            case "whole":
                return self._told(task, self.transfers.whole(task, worker, time_left))
            case "collect":
                return self.transfers.collect(task, worker, time_left)
            case "send":
                return self.transfers.send(task, worker, time_left)
            case "settle":
                return self._told(task, self.transfers.settle(task, worker))
            case "preview":
                return self.transfers.preview(task)
            case "read_upload":
                upload = self.uploads.read(str(task["client_id"]), str(task["connection_id"]), str(task["upload_id"]))
                return {"outcome": upload.state.value, "lines": upload.lines}
            case other:
                raise ValueError(f"there is no task {other!r}")

    def _told(self, task: Mapping[str, Any], done: dict[str, Any]) -> dict[str, Any]:
        """What came of a transfer is told when it has finished."""
        if done["outcome"] == "finished":
            names = str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"])
            transfer = self.log.transfer(*names)
            if transfer is not None and (ended := outcome.ended(transfer)) is not None:
                self.report(ended)
        return done
