"""Runs that nobody works on any more, found by their age when the news of their end was lost."""

from dataclasses import dataclass
from datetime import timedelta

from erphub.imports.runs.models import RunRef
from erphub.imports.runs.ports import BreaksOffRuns, OpenRuns
from erphub.platform import logging, tenants
from erphub.platform.clock import Clock
from erphub.platform.errors import NotFound
from erphub.platform.state_machines import StateMachine
from erphub.platform.tasks import TimeLeft
from erphub.wizards.sweeper import sweep_each

RECHECK_INTERVAL = timedelta(hours=1)
"""When a run whose machine still goes on is looked at next."""


@dataclass(frozen=True)
class AbandonedRuns:
    """Ends runs whose machine has ended without their being written down as ended."""

    runs: OpenRuns
    machine: StateMachine
    tasks: BreaksOffRuns
    clock: Clock

    def sweep(self, time_left: TimeLeft) -> int:
        """Sweep all that are overdue; how many. Raises Unavailable when some could not be, after the others."""
        return sweep_each(list(self.runs.overdue(self.clock())), self._end, _log_failure, time_left)

    def _end(self, ref: RunRef) -> bool:
        if self.machine.is_running(self.machine.execution(ref.run_id)):
            self.runs.postpone(ref, self.clock() + RECHECK_INTERVAL)
            return False
        try:
            with tenants.acting_for(ref.client_id):
                self.tasks.break_off(ref)
        except NotFound:  # whoever was to add it died before it did, or it was deleted
            self.runs.close(ref)
        return True


def _log_failure(what: str, error: Exception) -> None:
    logging.logger().error("could not be swept", exc_info=error, extra={"what": what})
