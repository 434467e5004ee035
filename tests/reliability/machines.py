"""Step Functions for tests: walks the state machines' own files, with nothing to wait for.

It knows the kinds of state, the retries and the catchers that the files use, in both query languages; a machine that
uses more is refused by name. Waiting moves the clock. Tasks are the functions' own handlers, called in this process.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from jsonata import jsonata

from tests.reliability.fault_proxy import Answer, Request, answered, refusal

type State = Mapping[str, Any]
type Invoke = Callable[[str, Mapping[str, Any]], Any]
"""Calls the function that the template fills in under that name."""

_SUSPENDED = object()
_numbers = count(1)
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class Failure(Exception):
    """A state that failed, by the name that retriers and catchers know."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(f"{name}: {cause}")
        self.name, self.cause = name, cause

    def is_named(self, names: list[str]) -> bool:
        return bool({self.name, "States.ALL"} & set(names)) or (
            "States.TaskFailed" in names and self.name != "States.Timeout"
        )


@dataclass
class Execution:
    """One execution: where it stands, and how it ended."""

    machine: str
    name: str
    input: dict[str, Any]
    status: str = "RUNNING"
    at: str | None = None
    data: Any = None
    token: str | None = None
    waiting: bool = False
    told: bool = False

    @property
    def arn(self) -> str:
        return f"arn:aws:states:eu-north-1:000000000000:execution:{self.machine}:{self.name}"


@dataclass
class Machines:
    """All machines of the template. `answer` serves their API, `drain` lets them go on as far as they can."""

    definitions: Mapping[str, State]
    invoke: Invoke
    dynamodb: Callable[[str, Mapping[str, Any]], Any]
    """Calls DynamoDB on a machine's behalf: operation, request."""
    wait: Callable[[float], None]
    filled_in: Mapping[str, str]
    executions: dict[str, Execution] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    """Machines whose executions are only started: they are another scene's."""
    ended: Callable[[Execution], None] = lambda _: None
    """Told of an execution that failed or was stopped, as EventBridge tells."""

    # --- as a service ------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        given = json.loads(request.body)
        match request.operation:
            case "StartExecution":
                return self._start(given)
            case "StopExecution":
                found = self.executions.get(given["executionArn"])
                if found is None:
                    return refusal(400, "ExecutionDoesNotExist", "Execution Does Not Exist")
                if found.status == "RUNNING":
                    found.status = "ABORTED"
                return answered({"stopDate": 0})
            case "DescribeExecution":
                found = self.executions.get(given["executionArn"])
                if found is None:
                    return refusal(400, "ExecutionDoesNotExist", "Execution Does Not Exist")
                about = {"executionArn": found.arn, "stateMachineArn": found.machine, "startDate": 0}
                return answered(about | {"status": found.status})
            case "SendTaskSuccess":
                found = next((one for one in self.executions.values() if one.token == given["taskToken"]), None)
                if found is None or found.status != "RUNNING" or not found.waiting:
                    return refusal(400, "TaskTimedOut", "Task Timed Out")
                found.waiting = False
                return answered({})
            case other:
                raise NotImplementedError(other)

    def _start(self, given: Mapping[str, Any]) -> Answer:
        fresh = Execution(given["stateMachineArn"].rpartition(":")[2], given["name"], json.loads(given["input"]))
        known = self.executions.get(fresh.arn)
        if known is not None and (known.status != "RUNNING" or known.input != fresh.input):
            return refusal(400, "ExecutionAlreadyExists", "Execution Already Exists")
        self.executions.setdefault(fresh.arn, fresh)
        return answered({"executionArn": fresh.arn, "startDate": 0})

    # --- going on ----------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Let every execution go on until it has ended or waits for an answer; tell of those that ended badly."""
        again = True
        while again:
            again = False
            for execution in list(self.executions.values()):
                if execution.machine in self.held:
                    continue
                if execution.status == "RUNNING" and not execution.waiting:
                    self._go_on(execution)
                    again = True
                elif execution.status in ("FAILED", "ABORTED") and not execution.told:
                    execution.told = True
                    self.ended(execution)
                    again = True

    def time_out(self, execution: Execution) -> None:
        """Nobody answered the task that waits."""
        state = self.definitions[execution.machine]["States"][execution.at]
        execution.waiting, execution.token = False, None
        execution.at, execution.data = self._caught(state, execution, execution.data, Failure("States.Timeout"))

    def _go_on(self, execution: Execution) -> None:
        definition = self.definitions[execution.machine]
        try:
            if execution.at is None:
                execution.at, execution.data = definition["StartAt"], execution.input
            elif execution.token is not None:
                state = definition["States"][execution.at]
                execution.token = None
                execution.data = self._output(state, execution, execution.data, {})
                execution.at = state["Next"]
            self._walk(definition, execution)
        except Failure:
            execution.status = "FAILED"

    def _walk(self, definition: State, execution: Execution) -> None:
        while execution.at is not None and execution.status == "RUNNING":
            done = self._step(definition["States"][execution.at], execution, execution.at, execution.data)
            if done is _SUSPENDED:
                return
            execution.at, execution.data = done
        if execution.status == "RUNNING":
            execution.status = "SUCCEEDED"

    def _walk_inside(self, definition: State, execution: Execution, item: Any) -> Any:
        """An iteration of a Map."""
        at, data = definition["StartAt"], item
        while at is not None and execution.status == "RUNNING":
            at, data = self._step(definition["States"][at], execution, at, data)
        return data

    def _step(self, state: State, execution: Execution, name: str, data: Any) -> Any:
        match state["Type"]:
            case "Choice":
                return self._chosen(state, execution, data), data
            case "Wait":
                self.wait(self._pause(state, execution, data))
                return state["Next"], data
            case "Succeed":
                return None, data
            case "Fail":
                raise Failure(state["Error"], state.get("Cause", ""))
            case "Task" | "Map":
                return self._tried(state, execution, name, data)
            case other:
                raise NotImplementedError(f"{name} is a {other}")

    def _pause(self, state: State, execution: Execution, data: Any) -> float:
        """For how many seconds a state that waits does so."""
        if "SecondsPath" in state:
            return float(self._read(state["SecondsPath"], execution, data))
        if "Timestamp" in state:
            until = datetime.fromisoformat(self._evaluated(state["Timestamp"], execution, data, None))
            return max(0.0, (until - datetime.now(UTC)).total_seconds())
        return float(state["Seconds"])

    def _tried(self, state: State, execution: Execution, name: str, data: Any) -> Any:
        tries: Counter[int] = Counter()
        while True:
            try:
                if state["Type"] == "Map":
                    items = self._read(state["ItemsPath"], execution, data)
                    result: Any = [self._walk_inside(state["ItemProcessor"], execution, item) for item in items]
                else:
                    result = self._task(state, execution, name, data)
                if result is _SUSPENDED:
                    execution.data = data
                    return _SUSPENDED
                return state.get("Next"), self._output(state, execution, data, result)
            except Failure as failure:
                if (pause := self._retried(state, tries, failure)) is None:
                    return self._caught(state, execution, data, failure)
                self.wait(pause)

    @staticmethod
    def _retried(state: State, tries: Counter[int], failure: Failure) -> float | None:
        """For how long to wait before another try; None when there is none."""
        for number, retrier in enumerate(state.get("Retry", ())):
            if failure.is_named(retrier["ErrorEquals"]):
                if tries[number] >= retrier.get("MaxAttempts", 3):
                    return None
                tries[number] += 1
                pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** (tries[number] - 1)
                return float(min(pause, retrier.get("MaxDelaySeconds", pause)))
        return None

    def _caught(self, state: State, execution: Execution, data: Any, failure: Failure) -> Any:
        for catcher in state.get("Catch", ()):
            if failure.is_named(catcher["ErrorEquals"]):
                error = {"Error": failure.name, "Cause": failure.cause}
                if "Output" in catcher:
                    return catcher["Next"], self._evaluated(catcher["Output"], execution, data, error)
                return catcher["Next"], _placed(data, catcher.get("ResultPath", "$"), error)
        raise failure

    def _task(self, state: State, execution: Execution, name: str, data: Any) -> Any:
        token = f"{execution.name}-{name}-{next(_numbers)}"
        given = self._given(state, execution, data, token)
        match state["Resource"]:
            case "arn:aws:states:::lambda:invoke":
                return {"Payload": self.invoke(given["FunctionName"], given["Payload"])}
            case "arn:aws:states:::aws-sdk:dynamodb:transactWriteItems.waitForTaskToken":
                self.dynamodb("transact_write_items", given)
                execution.token, execution.waiting = token, True
                return _SUSPENDED
            case other:
                raise NotImplementedError(other)

    # --- data --------------------------------------------------------------------------------------------------------

    def _given(self, state: State, execution: Execution, data: Any, token: str) -> Any:
        if "Arguments" in state:
            return self._evaluated(state["Arguments"], execution, data, None, token)
        return self._filled(state.get("Parameters", {}), execution, data)

    def _filled(self, template: Any, execution: Execution, data: Any) -> Any:
        if isinstance(template, dict):
            return {
                name.removesuffix(".$"): self._read(value, execution, data)
                if name.endswith(".$")
                else self._filled(value, execution, data)
                for name, value in template.items()
            }
        if isinstance(template, list):
            return [self._filled(one, execution, data) for one in template]
        return self._named(template) if isinstance(template, str) else template

    def _named(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self.filled_in.get(found[1], found[1]), text)

    def _read(self, path: str, execution: Execution, data: Any) -> Any:
        value = {"Execution": {"Input": execution.input}} if path.startswith("$$") else data
        for name in path.lstrip("$").strip(".").split("."):
            if name:
                value = value[name]
        return value

    def _output(self, state: State, execution: Execution, data: Any, result: Any) -> Any:
        if "Output" in state:
            return self._evaluated(state["Output"], execution, data, result)
        if "ResultSelector" in state:
            result = self._filled(state["ResultSelector"], execution, result)
        whole = _placed(data, state.get("ResultPath", "$"), result)
        return self._read(state["OutputPath"], execution, whole) if "OutputPath" in state else whole

    def _chosen(self, state: State, execution: Execution, data: Any) -> str:
        for choice in state["Choices"]:
            if "Condition" in choice:
                if self._evaluated(choice["Condition"], execution, data, None):
                    return choice["Next"]
            elif set(choice) == {"Variable", "StringEquals", "Next"}:
                if self._read(choice["Variable"], execution, data) == choice["StringEquals"]:
                    return choice["Next"]
            else:
                raise NotImplementedError(f"a choice by {sorted(choice)}")
        return state["Default"]

    def _evaluated(self, template: Any, execution: Execution, data: Any, result: Any, token: str = "") -> Any:
        if isinstance(template, dict):
            return {name: self._evaluated(one, execution, data, result, token) for name, one in template.items()}
        if isinstance(template, list):
            return [self._evaluated(one, execution, data, result, token) for one in template]
        if not (isinstance(template, str) and template.startswith("{%")):
            return self._named(template) if isinstance(template, str) else template
        expression = jsonata.Jsonata(template.removeprefix("{%").removesuffix("%}").strip())
        context = {"Task": {"Token": token}, "Execution": {"Input": execution.input}}
        expression.assign("states", {"input": data, "result": result, "errorOutput": result, "context": context})
        return expression.evaluate({})


def _placed(data: Any, path: str | None, result: Any) -> Any:
    """The result in its place among the data."""
    if path is None:
        return data
    name = path.lstrip("$").strip(".")
    return {**data, name: result} if name else result


class Invocations:
    """Lambda's queue of calls that nobody waits for."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, dict[str, Any]]] = deque()

    def answer(self, request: Request) -> Answer:
        """Take a call in. It is the service that tries again when the function fails."""
        function = request.target.split("/")[3]
        self.waiting.append((function, json.loads(request.body)))
        return Answer(202, {"content-type": "application/json"}, b"")
