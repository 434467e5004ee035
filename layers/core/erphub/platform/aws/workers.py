"""Work that nobody waits for: a function that is called without waiting, or a state machine for what takes long."""

import json
from collections.abc import Mapping
from typing import Any, override

from erphub.platform import problems
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import later_when_busy
from erphub.platform.aws.state_machines import StepFunctionsMachine
from erphub.platform.aws.transactions import make_waiting_writes
from erphub.platform.workers import Worker


class FunctionWorker(Worker):
    """One Lambda function and one state machine that calls it."""

    def __init__(self, function: str, machine: str) -> None:
        self._function = function
        self._machine = StepFunctionsMachine(machine)

    @override
    @later_when_busy(problems.MACHINE_BUSY)
    def ask(self, task: Mapping[str, Any]) -> None:
        make_waiting_writes()
        client("lambda").invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(task).encode())

    @override
    def ask_machine(self, name: str, task: Mapping[str, Any]) -> None:
        make_waiting_writes()
        self._machine.start(name, task)
