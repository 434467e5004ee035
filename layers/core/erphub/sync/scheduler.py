"""The clock's part of syncs: transfers that are due, looks at the inbox, and silence that people are notified of."""

from dataclasses import dataclass

from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.platform.due import DueItem, by_turns, work_through
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import SyncStore
from erphub.sync.transfers.approval_tasks import ApprovalSchedule
from erphub.sync.transfers.service import TransferService
from erphub.sync.transfers.silence import SilenceAlert


@dataclass(frozen=True)
class SyncScheduler:
    """Starts what is due."""

    syncs: SyncStore
    transfers: TransferService
    silence: SilenceAlert
    approvals: ApprovalSchedule
    clock: Clock
    max_concurrent: int = 16

    def tick(self) -> dict[str, int]:
        """Start the transfers that are due; returns how many were due, started, failed, silent.

        One that cannot be started does not keep the others back: it is logged, stays due and comes again with the next
        tick.
        """
        due, silent = by_turns(self.syncs.due(self.clock())), list[str]()

        def start(item: DueItem[Sync]) -> bool:
            sync = item.read()
            if self.silence.check(sync):
                silent.append(sync.connection_id)
                return False  # its transfer, if one is due as well, starts with the next tick
            if self.transfers.start_due(sync) is not None:
                return True  # it looks at the inbox as well
            return self.approvals.start_due(sync)

        worked = work_through(due, start, _report, workers=self.max_concurrent)
        return {"due": len(due), "started": worked.done, "failed": worked.failed, "silent": len(silent)}


def _report(failed: DueItem[Sync], error: Exception) -> None:
    logging.logger().error("a due transfer could not be started", exc_info=error, extra={"key": failed.key})
