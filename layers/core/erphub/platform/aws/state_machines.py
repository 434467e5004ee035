"""State machines: started once per name, stopped, and resumed where they wait for an answer."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.platform.aws.transactions import make_waiting_writes

_later = later_when_busy(problems.MACHINE_BUSY)


class StepFunctionsMachine:
    """One Step Functions state machine (standard: a name stays taken for 90 days)."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    @_later
    def start(self, name: str, input: Mapping[str, Any]) -> str:
        """Start an execution and return its ARN; a name that has been started before gives the same ARN."""
        make_waiting_writes()
        try:
            return client("stepfunctions").start_execution(
                stateMachineArn=self._arn, name=name, input=json.dumps(input)
            )["executionArn"]
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise
            return self.execution(name)

    def execution(self, name: str) -> str:
        """The ARN that the execution of this name has, or would have."""
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"

    @_later
    def stop(self, execution: str, cause: str) -> None:
        """End an execution; one that has ended, or never was, is fine."""
        make_waiting_writes()
        try:
            client("stepfunctions").stop_execution(executionArn=execution, cause=cause)
        except ClientError as error:
            if code_of(error) not in {"ExecutionDoesNotExist", "ValidationException"}:
                raise

    @_later
    def is_running(self, execution: str) -> bool:
        """Whether the execution still goes on."""
        try:
            return client("stepfunctions").describe_execution(executionArn=execution)["status"] == "RUNNING"
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return False
            raise

    @_later
    def resume(self, token: str, output: Mapping[str, Any]) -> None:
        """Answer the task that waits with this token. Raises Gone (`token_expired`) when it no longer waits."""
        make_waiting_writes()
        try:
            client("stepfunctions").send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if code_of(error) in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
                raise problems.TOKEN_EXPIRED() from error
            raise
