"""The door for the wizard's machine: its tasks, and the news that one of its executions has ended badly."""

from erphub import tasks
from erphub.wiring.connect import connecting

handler = tasks.TaskDoor(
    {
        "answered": lambda event: connecting().answered(event["client_id"], event["wizard_id"]),
        "trouble": lambda event: connecting().trouble(event["client_id"], event["wizard_id"]),
        "ended": lambda event: connecting().ended(event["client_id"], event["wizard_id"], event["reason"]),
        "test": lambda event: connecting().test(event["client_id"], event["connection_id"], event["test_id"]),
        tasks.EXECUTION_ENDED: lambda event: connecting().broken(event["client_id"], event),
    }
)
