"""Work that goes on behind the doors: a function asked without waiting, or a state machine for what takes long."""

import json
from collections.abc import Mapping
from typing import Any

from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import later_when_busy
from erphub.platform.aws.state_machines import StepFunctionsMachine


class FunctionWorker:
    """Satisfies `platform.workers.Worker` with one Lambda function and one state machine that calls it."""

    def __init__(self, function: str, machine: str) -> None:
        self._function = function
        self._machine = StepFunctionsMachine(machine)

    @later_when_busy("machine_busy", "The work could not be started.")
    def ask(self, task: Mapping[str, Any]) -> None:
        """See the port."""
        client("lambda").invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(task).encode())

    def ask_machine(self, name: str, task: Mapping[str, Any]) -> None:
        """See the port."""
        self._machine.start(name, task)
