"""The import machine's tasks, the news that one of its executions has ended badly, and the sweeper of runs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.imports.runs.abandoned import AbandonedRuns
from erphub.imports.tasks import ImportTasks
from erphub.platform import tasks

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

TASKS = ("plan", "read", "list_publications", "publish", "abandon", "finish", tasks.EXECUTION_ENDED)
"""What is asked of a run; see ImportTasks."""


def handler(event: dict[str, Any], context: "LambdaContext") -> Mapping[str, Any]:
    """Do one task of a run. Raises Unavailable, TaskFailed."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def sweep(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"swept": app.services().get(AbandonedRuns).sweep(time_left)}

    def of_a_run(name: str) -> tasks.Task:
        return lambda given: app.services().get(ImportTasks).by_name(time_left)[name](given)

    return tasks.Tasks({name: of_a_run(name) for name in TASKS} | {"sweep": sweep})(event, context)
