"""What the import's state machine asks, and the news that one of its executions has ended badly.

A final failure is part of the answer or of the run; only what is worth another try is raised.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from erphub.connections.health import Outcome
from erphub.imports.runs import outcome
from erphub.imports.runs.execution import RunExecution
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.ports import RunStore
from erphub.imports.runs.service import spent
from erphub.platform import logging
from erphub.platform.errors import HubError
from erphub.platform.tasks import EXECUTION_ENDED, Task, TimeLeft

type Event = Mapping[str, Any]
type Answer = dict[str, Any]

BROKEN = {
    "code": "machine_failed",
    "detail": "The import broke off. Start it again; what was there before is unchanged.",
}


@dataclass(frozen=True)
class ImportTasks:
    """The tasks of import.asl.json."""

    execution: RunExecution
    runs: RunStore
    report: Callable[[Outcome], object]
    """Told what a run met and came to; again is fine."""
    calls_so_far: Callable[[], Mapping[str, int]]

    def by_name(self, time_left: TimeLeft) -> dict[str, Task]:
        """Every task, as the machine names it. They raise Unavailable, TaskFailed."""

        def plan(ref: RunRef, _: Event) -> Answer:
            return self._met(ref, self.execution.plan(ref, time_left))

        def read(ref: RunRef, package: Event) -> Answer:
            return self._met(ref, self.execution.read(ref, package["from"], package["to"], time_left))

        def publishing(ref: RunRef, _: Event) -> Answer:
            return self.execution.publishing(ref)

        def publish(ref: RunRef, package: Event) -> Answer:
            return self.execution.publish(ref, package["from"], package["to"], time_left)

        def abandon(ref: RunRef, package: Event) -> Answer:
            return self.execution.abandon(ref, package["from"], package["to"], parts=package["of"] == "parts")

        def finish(ref: RunRef, given: Event) -> Answer:
            return self.finish(ref, given.get("problem"))

        def broke(ref: RunRef, _: Event) -> Answer:
            return self.break_off(ref)

        known = {task.__name__: self._counted(task) for task in (plan, read, publishing, publish, abandon, finish)}
        return known | {EXECUTION_ENDED: self._counted(broke)}

    def break_off(self, ref: RunRef) -> Answer:
        """End a run whose machine has ended without it."""
        return self.finish(ref, BROKEN)

    def finish(self, ref: RunRef, problem: Mapping[str, Any] | None) -> Answer:
        """End a run: people, programs and the connection's status learn of it. Again is fine."""
        done = self.execution.finish(ref, problem)
        if done.pop("ended", False):
            logging.figures({"status": str(done["status"])}, runs=1, **done["figures"])
        self.report(outcome.ended(self.runs.get(ref)))
        return {"outcome": done["outcome"], "status": done["status"]}

    def _met(self, ref: RunRef, done: Answer) -> Answer:
        """Let others know at once when the ERP refused the login: nobody else may try it."""
        if done["outcome"] == "done":
            self.report(outcome.met(self.runs.get(ref)))
        return done

    def _counted(self, task: Callable[[RunRef, Event], Answer]) -> Task:
        """The task of a run, whose calls and time are added to the run's cost however it ends."""

        def count(event: Event) -> Answer:
            began, before = time.perf_counter(), self.calls_so_far()
            ref = RunRef(event["client_id"], event["job_id"], event["run_id"])
            try:
                return task(ref, event)
            finally:
                self._spend(ref, before, int((time.perf_counter() - began) * 1000))

        return count

    def _spend(self, ref: RunRef, before: Mapping[str, int], milliseconds: int) -> None:
        """Add a task's calls and time to its run; a run that is gone costs nobody anything."""
        try:
            self.runs.spend(ref, spent(before, self.calls_so_far()), milliseconds)
        except HubError as error:
            logging.logger().warning("the cost of a task was not noted", exc_info=error)
