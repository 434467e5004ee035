"""The door for the wizard's machine: its tasks, the news that one of its executions has ended badly, and the sweepers.

Of an end that nobody tells of, the sweepers find what is left: wizards by their age, passwords that belong to nothing.
"""

from typing import TYPE_CHECKING, Any

from erphub.platform import tasks
from erphub.wiring.connect import connecting, orphaned_secrets, overdue_wizards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> "Mapping[str, Any]":
    """Do one task. Raises Unavailable, TaskFailed."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    door = tasks.TaskDoor(
        {
            "answered": lambda given: connecting().answered(given["client_id"], given["wizard_id"]),
            "trouble": lambda given: connecting().trouble(given["client_id"], given["wizard_id"]),
            "ended": lambda given: connecting().ended(given["client_id"], given["wizard_id"], given["reason"]),
            "test": lambda given: connecting().test(given["client_id"], given["connection_id"], given["test_id"]),
            tasks.EXECUTION_ENDED: lambda given: connecting().broken(given["client_id"], given),
            "sweep_wizards": lambda _: {"swept": overdue_wizards().sweep(time_left)},
            "sweep_secrets": lambda _: {"swept": orphaned_secrets().sweep(time_left)},
        }
    )
    return door(event, context)
