"""The wizard machine's tasks, the news that one of its executions has ended badly, and the sweepers.

Of an end that nobody tells of, the sweepers find what is left: wizards by their age, passwords that belong to nothing,
invitations that nobody answered.
"""

from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.platform import tasks
from erphub.tenancy.invitations.tasks import ExpiredInvitations
from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
from erphub.wizards.tasks import WizardTasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from erphub.platform.tasks import TimeLeft


def sweep_overdue(time_left: "TimeLeft") -> "Mapping[str, Any]":
    """What is past its end: invitations, which take no time, then wizards. Raises Unavailable."""
    ended = app.services().get(ExpiredInvitations).sweep()
    return {"swept": app.services().get(OverdueWizards).sweep(time_left), "invitations_ended": ended}


def handler(event: dict[str, Any], context: "LambdaContext") -> "Mapping[str, Any]":
    """Do one task. Raises Unavailable, TaskFailed."""

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def wizards() -> WizardTasks:
        return app.services().get(WizardTasks)

    known = tasks.Tasks(
        {
            "process_answer": lambda given: wizards().process_answer(given["client_id"], given["wizard_id"]),
            "record_failure": lambda given: wizards().record_failure(given["client_id"], given["wizard_id"]),
            "finish": lambda given: wizards().finish(given["client_id"], given["wizard_id"], given["reason"]),
            "test": lambda given: wizards().test_connection(
                given["client_id"], given["connection_id"], given["test_id"], given.get("user_id", "")
            ),
            tasks.EXECUTION_ENDED: lambda given: wizards().execution_ended(given["client_id"], given),
            "sweep_wizards": lambda _: sweep_overdue(time_left),
            "sweep_secrets": lambda _: {"swept": app.services().get(OrphanedSecrets).sweep(time_left)},
        }
    )
    return known(event, context)
