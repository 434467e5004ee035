"""What the import's state machine asks, and the news that one of its executions has ended badly.

A final failure is part of the answer or of the run; only what is worth another attempt is raised.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from erphub.connections.health import HealthService
from erphub.imports.runs import outcome
from erphub.imports.runs.costs import calls_between
from erphub.imports.runs.execution import RunExecution
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.planning import RunPlanner
from erphub.imports.runs.ports import RunCosts, RunStore
from erphub.platform import logging
from erphub.platform.errors import HubError
from erphub.platform.tasks import EXECUTION_ENDED, Task, TimeLeft

type TaskInput = Mapping[str, Any]
type TaskResult = dict[str, Any]

MACHINE_FAILED = {
    "code": "machine_failed",
    "detail": "The import broke off. Start it again; what was there before is unchanged.",
}


class CountsCalls(Protocol):
    """Counts the AWS calls of this process."""

    def aws_call_counts(self) -> Mapping[str, int]:
        """How many there were of each, by `service.Operation`."""
        ...


@dataclass(frozen=True)
class ImportTasks:
    """The tasks of import.asl.json."""

    planner: RunPlanner
    execution: RunExecution
    runs: RunStore
    costs: RunCosts
    health: HealthService
    platform: CountsCalls

    def by_name(self, time_left: TimeLeft) -> dict[str, Task]:
        """Every task, as the machine names it. They raise Unavailable, TaskFailed."""

        def plan(ref: RunRef, _: TaskInput) -> TaskResult:
            done = self.planner.plan(ref, time_left)
            if refused := done.pop("refused", None):
                self.health.report(outcome.refused_once(self.runs.get(ref), refused))
            return self._report_refusal(ref, done)

        def read(ref: RunRef, package: TaskInput) -> TaskResult:
            return self._report_refusal(ref, self.execution.read(ref, package["from"], package["to"], time_left))

        def list_publications(ref: RunRef, _: TaskInput) -> TaskResult:
            return self.execution.list_publications(ref)

        def publish(ref: RunRef, package: TaskInput) -> TaskResult:
            return self.execution.publish(ref, package["from"], package["to"], time_left)

        def abandon(ref: RunRef, package: TaskInput) -> TaskResult:
            return self.execution.abandon(ref, package["from"], package["to"], parts=package["of"] == "parts")

        def finish(ref: RunRef, given: TaskInput) -> TaskResult:
            return self.finish(ref, given.get("problem"))

        def break_off(ref: RunRef, _: TaskInput) -> TaskResult:
            return self.break_off(ref)

        known = (plan, read, list_publications, publish, abandon, finish)
        return {task.__name__: self._counted(task) for task in known} | {EXECUTION_ENDED: self._counted(break_off)}

    def break_off(self, ref: RunRef) -> TaskResult:
        """End a run whose machine has ended without it: free what it holds, and tell who should know."""
        return self.finish(ref, MACHINE_FAILED)

    def finish(self, ref: RunRef, problem: Mapping[str, Any] | None) -> TaskResult:
        """End a run: people, programs and the connection's status learn of it. Again is fine."""
        done = self.execution.finish(ref, problem)
        if done.pop("ended", False):
            logging.emit_metrics({"status": str(done["status"])}, runs=1, **done["totals"])
        self.health.report(outcome.ended(self.runs.get(ref)))
        return {"outcome": done["outcome"], "status": done["status"]}

    def _report_refusal(self, ref: RunRef, done: TaskResult) -> TaskResult:
        """Let others know at once when the ERP refused the login: nobody else may try it."""
        if done["outcome"] == "done":
            self.health.report(outcome.met_so_far(self.runs.get(ref)))
        return done

    def _counted(self, task: Callable[[RunRef, TaskInput], TaskResult]) -> Task:
        """The task of a run, whose calls and time are added to the run's cost however it ends."""

        def count(given: TaskInput) -> TaskResult:
            began, before = time.perf_counter(), self.platform.aws_call_counts()
            ref = RunRef(given["client_id"], given["job_id"], given["run_id"])
            try:
                return task(ref, given)
            finally:
                self._add_cost(ref, before, int((time.perf_counter() - began) * 1000))

        return count

    def _add_cost(self, ref: RunRef, before: Mapping[str, int], duration_ms: int) -> None:
        """Add a task's calls and time to its run; a run that is gone costs nobody anything."""
        try:
            self.costs.add_cost(ref, calls_between(before, self.platform.aws_call_counts()), duration_ms)
        except HubError as error:
            logging.logger().warning("the cost of a task was not noted", exc_info=error)
