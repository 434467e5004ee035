"""The clock's part of syncs: transfers that are due, and silence that people are notified of."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.sync.settings.ports import DueSync, SyncStore
from erphub.sync.transfers.service import TransferService
from erphub.sync.transfers.silence import SilenceAlert


@dataclass(frozen=True)
class SyncScheduler:
    """Starts what is due."""

    syncs: SyncStore
    transfers: TransferService
    silence: SilenceAlert
    clock: Clock
    max_concurrent: int = 16

    def tick(self) -> dict[str, int]:
        """Start the transfers that are due; returns how many were due, started, failed, silent.

        One that cannot be started does not keep the others back: it is logged, stays due and comes again with the next
        tick.
        """
        with ThreadPoolExecutor(self.max_concurrent) as pool:
            outcomes = Counter(pool.map(self._start, list(self.syncs.due(self.clock()))))
        return {"due": outcomes.total()} | {name: outcomes[name] for name in ("started", "failed", "silent")}

    def _start(self, due: DueSync) -> str:
        try:
            sync = due.read()
            if self.silence.check(sync):
                return "silent"  # its transfer, if one is due as well, starts with the next tick
            return "started" if self.transfers.start_due(sync) else "left"
        except Exception as error:  # noqa: BLE001  one sync's trouble must not keep the others waiting
            about = {"client_id": due.client_id, "connection_id": due.connection_id}
            logging.logger().error("a due transfer could not be started", exc_info=error, extra=about)
            return "failed"
