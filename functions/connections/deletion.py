"""The delete machine's tasks, one per event, named by `task`."""

from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.deletions.tasks import DeletionTasks
from erphub.platform import tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext


def _names(event: "Mapping[str, Any]") -> tuple[str, str, str]:
    return str(event["client_id"]), str(event["connection_id"]), str(event["deletion_id"])


def handler(event: dict[str, Any], context: "LambdaContext") -> "Mapping[str, Any]":
    """Do one task of a deletion. Raises Unavailable."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    known = tasks.Tasks(
        {
            "schedule": lambda given: app.services().get(DeletionTasks).schedule(*_names(given)),
            "stop": lambda given: app.services().get(DeletionTasks).stop(*_names(given)),
            "remove": lambda given: app.services().get(DeletionTasks).remove(*_names(given), time_left),
        }
    )
    return known(event, context)
