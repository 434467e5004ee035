"""The door for the wizard's machine: its tasks, and the news that one of its executions has ended badly."""

from erphub import tasks, wiring

handler = tasks.TaskDoor(
    {
        "answered": lambda event: wiring.connecting().answered(event["client_id"], event["wizard_id"]),
        "trouble": lambda event: wiring.connecting().trouble(event["client_id"], event["wizard_id"]),
        "ended": lambda event: wiring.connecting().ended(event["client_id"], event["wizard_id"], event["reason"]),
        "test": lambda event: wiring.connecting().test(event["client_id"], event["connection_id"], event["test_id"]),
        tasks.EXECUTION_ENDED: lambda event: wiring.connecting().broken(event["client_id"], event),
    }
)
