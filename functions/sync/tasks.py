"""The work behind a sync: transfers, dry runs, batches. Called without waiting, or by transfer.asl.json."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.platform import logging, tasks
from erphub.sync.tasks import SyncTasks

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> Mapping[str, Any]:
    """Do the task that the event names. Raises Unavailable, TaskFailed."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def do(task: Mapping[str, Any]) -> dict[str, Any]:
        done = app.services().get(SyncTasks).do(task, context.aws_request_id, time_left)
        if counts := done.get("counts"):
            figures = {f"documents_{name}": count for name, count in counts.items()}
            logging.emit_metrics({"operation": "transfer"}, **figures)
        return done

    return tasks.Tasks({str(event["task"]): do})(event, context)
