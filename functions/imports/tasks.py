"""The import machine's door: its tasks, and the news that one of its executions has ended badly.

A final failure is part of the answer or of the run; only what is worth another try is raised.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from erphub import wiring
from erphub.imports.runs.models import RunRef
from erphub.platform import logging, tasks

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Event = Mapping[str, Any]
type Outcome = dict[str, Any]

BROKEN = {
    "code": "machine_failed",
    "detail": "The import broke off. Start it again; what was there before is unchanged.",
}


def handler(event: dict[str, Any], context: "LambdaContext") -> Mapping[str, Any]:
    """Do one task of a run. Raises Unavailable, TaskFailed."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def plan(ref: RunRef, _: Event) -> Outcome:
        return _met(ref, wiring.imports.importing().plan(ref, time_left))

    def read(ref: RunRef, package: Event) -> Outcome:
        return _met(ref, wiring.imports.importing().read(ref, package["from"], package["to"], time_left))

    def publishing(ref: RunRef, _: Event) -> Outcome:
        return wiring.imports.importing().publishing(ref)

    def publish(ref: RunRef, package: Event) -> Outcome:
        return wiring.imports.importing().publish(ref, package["from"], package["to"], time_left)

    def abandon(ref: RunRef, package: Event) -> Outcome:
        return wiring.imports.importing().abandon(ref, package["from"], package["to"], parts=package["of"] == "parts")

    def finish(ref: RunRef, given: Event) -> Outcome:
        return _finish(ref, given.get("problem"))

    def broke(ref: RunRef, _: Event) -> Outcome:
        return _finish(ref, BROKEN)

    def sweep(_: Event) -> Outcome:
        return {"swept": wiring.imports.abandoned_runs(lambda ref: _finish(ref, BROKEN)).sweep(time_left)}

    known = {task.__name__: _counted(task) for task in (plan, read, publishing, publish, abandon, finish)}
    return tasks.TaskDoor(known | {tasks.EXECUTION_ENDED: _counted(broke), "sweep": sweep})(event, context)


def _counted(task: Callable[[RunRef, Event], Outcome]) -> tasks.Task:
    """The task of a run, whose calls and time are added to the run's cost however it ends."""

    def count(event: Event) -> Outcome:
        began, before = time.perf_counter(), wiring.imports.calls_so_far()
        ref = RunRef(event["client_id"], event["job_id"], event["run_id"])
        try:
            return task(ref, event)
        finally:
            wiring.imports.spend(ref, before, int((time.perf_counter() - began) * 1000))

    return count


def _met(ref: RunRef, done: dict[str, Any]) -> dict[str, Any]:
    """Let others know at once when the ERP refused the login: nobody else may try it."""
    if done["outcome"] == "done":
        wiring.events.run_met(ref)
    return done


def _finish(ref: RunRef, problem: Mapping[str, Any] | None) -> dict[str, Any]:
    done = wiring.imports.importing().finish(ref, problem)
    if done.pop("ended", False):
        logging.figures({"status": str(done["status"])}, runs=1, **done["figures"])
    wiring.events.run_ended(ref)
    return {"outcome": done["outcome"], "status": done["status"]}
