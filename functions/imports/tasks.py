"""The import machine's door: one task per event, named by `task`.

A final failure is part of the answer or of the run; only what is worth another try is raised.
"""

import time
from typing import TYPE_CHECKING, Any

from erphub import observe, wiring
from erphub.models.run import RunRef

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Do one task of a run. Raises Unavailable."""
    observe.forget()
    began, before = time.perf_counter(), wiring.calls_so_far()
    ref = RunRef(event["client_id"], event["job_id"], event["run_id"])
    try:
        return _do(event, ref, lambda: context.get_remaining_time_in_millis() / 1000)
    finally:
        wiring.spend(ref, before, int((time.perf_counter() - began) * 1000))


def _do(event: dict[str, Any], ref: RunRef, time_left: Any) -> dict[str, Any]:
    importing = wiring.importing()
    match event["task"]:
        case "plan":
            return _met(ref, importing.plan(ref, time_left))
        case "read":
            return _met(ref, importing.read(ref, event["from"], event["to"], time_left))
        case "publishing":
            return importing.publishing(ref)
        case "publish":
            return importing.publish(ref, event["from"], event["to"], time_left)
        case "abandon":
            return importing.abandon(ref, event["from"], event["to"], parts=event["of"] == "parts")
        case "finish":
            return _finish(event, ref)
        case unknown:
            raise ValueError(f"the machine asked for an unknown task: {unknown}")


def _met(ref: RunRef, done: dict[str, Any]) -> dict[str, Any]:
    """Let others know at once when the ERP refused the login: nobody else may try it."""
    if done["outcome"] == "done":
        wiring.run_met(ref)
    return done


def _finish(event: dict[str, Any], ref: RunRef) -> dict[str, Any]:
    done = wiring.importing().finish(ref, event.get("problem"))
    if done.pop("ended", False):
        observe.figures({"status": str(done["status"])}, runs=1, **done["figures"])
    wiring.run_ended(ref)
    return {"outcome": done["outcome"], "status": done["status"]}
