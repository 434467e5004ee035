"""Takes up again what a deleted stack has left behind, as a new stack of the same name; a deployment makes the rest."""

import contextlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from local import template

from . import KEPT_TYPES, Clients
from .kept import Left, kept, left_behind, template_of


class CannotRestore(Exception):
    """Why nothing could be taken up, in a sentence."""


def chosen(found: list[Left], wanted: Mapping[str, str]) -> list[Left]:
    """One of each: the one that is wanted, or the only one. Raises CannotRestore when there are several or none."""
    if not found:
        raise CannotRestore("Nothing of an earlier deployment of this name is here.")
    taken: list[Left] = []
    for logical in dict.fromkeys(one.logical for one in found):
        several = [one for one in found if one.logical == logical]
        if logical in wanted:
            several = [one for one in several if one.id == wanted[logical]]
        if len(several) != 1:
            names = " or ".join(one.id for one in found if one.logical == logical)
            raise CannotRestore(f"Say which one is to be taken up: KEEP={logical}=… ({names})")
        taken += several
    return taken


def exists(client: Clients, stack: str) -> bool:
    """Whether there is a stack of this name; one whose change set was never executed is none."""
    with contextlib.suppress(ClientError):
        stacks = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return any(one["StackStatus"] != "REVIEW_IN_PROGRESS" for one in stacks)
    return False


def restore(client: Clients, stack: str, parameters: Mapping[str, str], wanted: Mapping[str, str]) -> list[Left]:
    """Import what was left behind into a new stack; gives back what that is. Raises CannotRestore."""
    if exists(client, stack):
        raise CannotRestore(f"There is a stack {stack} already: what it keeps, it has.")
    written = template.load()
    taken = chosen(left_behind(client, stack, written), wanted)
    drawn = template_of(written, {one.logical for one in taken})
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items() if k in drawn["Parameters"]]
    cloudformation = client("cloudformation")
    name = f"restore-{uuid.uuid4().hex[:12]}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(drawn, separators=(",", ":")),
        Parameters=given,
        ResourcesToImport=[_import(one) for one in taken],
    )
    quickly: dict[str, Any] = {"WaiterConfig": {"Delay": 2, "MaxAttempts": 150}}
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(StackName=stack, ChangeSetName=name, **quickly)
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, **quickly)
    except WaiterError as error:
        why = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name).get("StatusReason", str(error))
        raise CannotRestore(f"CloudFormation would not take it up: {why}") from error
    return taken


def _import(one: Left) -> dict[str, Any]:
    return {
        "ResourceType": one.kind,
        "LogicalResourceId": one.logical,
        "ResourceIdentifier": {KEPT_TYPES[one.kind]: one.id},
    }


def missing(taken: list[Left]) -> list[str]:
    """What the template keeps and nobody left: a deployment makes it anew, empty."""
    return sorted(set(kept(template.load())) - {one.logical for one in taken})
