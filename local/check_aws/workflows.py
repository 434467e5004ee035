"""State machines: how long their histories become, and what `States.ALL` does not catch."""

import json
from collections.abc import Mapping
from typing import Any, cast

from erphub.imports.runs.packages import MAX_PACKAGES
from erphub.platform.errors import ServiceBusy
from local.machines import Definition, faults, scopes, successors

from . import limits
from .stack import Json, Stack

ITEMS: Mapping[str, int] = {"ReadPackages": MAX_PACKAGES, "PublishPackages": MAX_PACKAGES}
"""How many items each map may be handed; the code that makes them keeps to it."""
THROTTLED = frozenset(
    {
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        ServiceBusy.__name__,
    }
)
"""Passing errors of Lambda and of whatever else the hub runs on: the first to try again, long before the work counts
as failed."""
ENTERED_AND_LEFT, ATTEMPT = 2, 3
"""Events: a state; one try of a task (scheduled, started, and how it ended)."""
DEFAULT_TRIES = 3


def names(stack: Stack) -> list[str]:
    """States' names are unique in their whole machine, and short enough; every path ends."""
    return [
        f"{name}: {fault}"
        for name, definition in stack.machines.items()
        for fault in faults(definition, _filled_in(stack, name))
    ]


def _filled_in(stack: Stack, machine: str) -> set[str]:
    written = cast(Json, stack.written.get("Resources", {}).get(machine, {}).get("Properties", {}))
    return set(written.get("DefinitionSubstitutions", {}))


def longest(definition: Definition) -> int:
    """Events of the longest way through a machine on which every task uses up all of its retries.

    A way meets no state twice: what is called again because its time ran out is bounded by the machine's time-out.
    Raises KeyError for a map of which nobody said how many items it may have.
    """
    states = cast(dict[str, Json], definition["States"])
    costs = {name: _events(name, state) for name, state in states.items()}

    def onwards(name: str, met: frozenset[str]) -> int:
        following = successors(states[name]) - met
        return costs[name] + max((onwards(one, met | {one}) for one in following), default=0)

    start = cast(str, definition["StartAt"])
    return onwards(start, frozenset({start}))


def _events(name: str, state: Json) -> int:
    if state["Type"] == "Task":
        retries = sum(int(one.get("MaxAttempts", DEFAULT_TRIES)) for one in state.get("Retry", []))
        return ENTERED_AND_LEFT + ATTEMPT * (1 + retries)
    if state["Type"] == "Map":
        # The map itself is started and ends, and so does each of its items.
        return ENTERED_AND_LEFT + 2 + ITEMS[name] * (2 + longest(state["ItemProcessor"]))
    branches = sum(longest(one) for one in state.get("Branches", []))
    return ENTERED_AND_LEFT + branches


def histories(stack: Stack) -> list[str]:
    """No machine's history can grow over its limit; a distributed map would open a map run of the account's 1,000."""
    found: list[str] = []
    for machine, definition in stack.machines.items():
        maps = _states(definition, "Map")
        if unknown := sorted(set(maps) - set(ITEMS)):
            found.append(f"{machine}: nobody said how many items {', '.join(unknown)} may have")
            continue
        found += [
            f"{machine}: {name} is a distributed map"
            for name, state in maps.items()
            if state["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
        ]
        found += [
            f"{machine}: {name} asks for {state['MaxConcurrency']} at once; {limits.INLINE_CONCURRENCY} is the most"
            for name, state in maps.items()
            if not 0 < state.get("MaxConcurrency", 0) <= limits.INLINE_CONCURRENCY
        ]
        most = limits.allowed(limits.HISTORY)
        if (events := longest(definition)) > most:
            found.append(f"{machine}: a history of {events} events; {most} of {limits.HISTORY} may be used")
        if (size := len(json.dumps(definition))) > limits.DEFINITION:
            found.append(f"{machine}: a definition of {size} bytes; {limits.DEFINITION} is the limit")
    return found


def _states(definition: Definition, kind: str) -> dict[str, Json]:
    return {
        name: state
        for _, scope in scopes(definition)
        for name, state in cast(dict[str, Json], scope["States"]).items()
        if state["Type"] == kind
    }


def throttling(stack: Stack) -> list[str]:
    """Every call of a function waits out AWS's own passing errors before anything else is tried again."""
    return [
        f"{machine}: {name} does not first try again what Lambda itself could not do just now"
        for machine, definition in stack.machines.items()
        for name, state in _states(definition, "Task").items()
        if "lambda:invoke" in state["Resource"] and not _waits(state)
    ]


def _waits(state: Json) -> bool:
    first = cast(Json, (state.get("Retry") or [{}])[0])
    patient = first.get("MaxAttempts", 0) >= 20 and first.get("MaxDelaySeconds", 0) >= 60
    return (
        frozenset(cast(list[str], first.get("ErrorEquals", []))) == THROTTLED
        and patient
        and first.get("JitterStrategy") == "FULL"
    )


def uncaught(stack: Stack) -> list[str]:
    """What `States.ALL` does not catch (States.DataLimitExceeded, States.Runtime) has somebody who takes notice.

    In a map what was caught may not pile up in the items' output, which would exceed the limit of a payload itself.
    """
    found: list[str] = []
    for machine, definition in stack.machines.items():
        relied_on = False
        for where, scope in scopes(definition):
            for name, state in cast(dict[str, Json], scope["States"]).items():
                for one in [*state.get("Retry", []), *state.get("Catch", [])]:
                    if "States.ALL" in one["ErrorEquals"] and len(one["ErrorEquals"]) > 1:
                        found.append(f"{machine}: {where}{name} has States.ALL beside others; AWS wants it alone")
                for catcher in state.get("Catch", []):
                    relied_on = relied_on or "States.ALL" in catcher["ErrorEquals"]
                    if where and "Output" not in catcher and catcher.get("ResultPath", "$") is not None:
                        found.append(f"{machine}: {where}{name} keeps the errors of a map's items (ResultPath)")
        if relied_on and not _watched(stack, machine):
            found.append(f"{machine}: States.ALL is relied on, and nobody is told when an execution fails all the same")
    return found


def _watched(stack: Stack, machine: str) -> bool:
    name = stack.text(stack.of_type("AWS::StepFunctions::StateMachine").get(machine, {}).get("StateMachineName", "?"))
    for rule in stack.of_type("AWS::Events::Rule").values():
        pattern = cast(Json, rule.get("EventPattern", {}))
        detail = cast(dict[str, Any], pattern.get("detail", {}))
        arns = [stack.text(one) for one in detail.get("stateMachineArn", [])]
        ends = {"FAILED", "TIMED_OUT", "ABORTED"} <= set(detail.get("status", []))
        if ends and any(arn.endswith(f":{name}") for arn in arns):
            return True
    return False
