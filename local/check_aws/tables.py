"""Tables, and what machines write into them by themselves."""

import json
from collections.abc import Iterator
from typing import Any, cast

from local.machines import scopes

from . import limits
from .stack import Json, Stack


def indexes(stack: Stack) -> list[str]:
    """A table has no more indexes than it may have, and describes just the attributes that keys are made of."""
    found: list[str] = []
    for name, table in stack.of_type("AWS::DynamoDB::Table").items():
        several = cast(list[Json], table.get("GlobalSecondaryIndexes", []))
        if len(several) > limits.TABLE_INDEXES:
            found.append(f"{name}: {len(several)} indexes; {limits.TABLE_INDEXES} is the limit")
        used = {key["AttributeName"] for one in [table, *several] for key in cast(list[Json], one["KeySchema"])}
        described = {one["AttributeName"] for one in cast(list[Json], table["AttributeDefinitions"])}
        if used != described:
            found.append(
                f"{name}: attributes described but in no key, or the other way round: {sorted(used ^ described)}"
            )
    return found


def _transactions(machine: Json) -> Iterator[tuple[str, list[Json]]]:
    for where, scope in scopes(machine):
        for name, state in cast(Json, scope["States"]).items():
            arguments = cast(Json, state.get("Arguments", state.get("Parameters", {})))
            if "TransactItems" in arguments:
                yield where + name, cast(list[Json], arguments["TransactItems"])


def transactions(stack: Stack) -> list[str]:
    """A machine's transaction is small enough, and has no two actions on one item."""
    found: list[str] = []
    for machine, definition in stack.machines.items():
        for where, actions in _transactions(definition):
            if len(actions) > limits.TRANSACTION:
                found.append(f"{machine}: {where} has {len(actions)} actions; {limits.TRANSACTION} is the limit")
            items = [_item(action) for action in actions]
            if len(set(items)) < len(items):
                found.append(f"{machine}: {where} has two actions on one item")
    return found


def _item(action: Json) -> str:
    ((_, what),) = action.items()
    key: Any = what.get("Key") or {name: value for name, value in what["Item"].items() if name in ("pk", "sk")}
    return json.dumps([what["TableName"], key], sort_keys=True)
