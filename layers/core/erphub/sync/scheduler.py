"""The clock's part of syncs: transfers that are due, and silence that is told of."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from erphub.sync.settings.ports import DueSync
from erphub.sync.settings.service import SyncService, tick


@dataclass(frozen=True)
class SyncScheduler:
    """Starts what is due."""

    syncs: SyncService
    report: Callable[[DueSync, Exception], None]
    """Told of a transfer that could not be started."""
    at_once: int = 16

    def tick(self) -> dict[str, int]:
        """Start the transfers that are due, so many at a time; returns how many were due, started, failed, silent."""
        with ThreadPoolExecutor(self.at_once) as pool:
            return tick(self.syncs, lambda function, due: list(pool.map(function, due)), self.report)
