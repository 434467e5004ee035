"""The template itself, and the policies of its roles."""

import re
from collections.abc import Iterator
from typing import Any, cast

from . import limits
from .stack import Json, Stack

FIXED = re.compile(r"^(Table|Bucket|Queue|Topic|Function|Role|LogGroup|StateMachine|Secret|Alias)?Name$")
"""Properties by which a resource gets a name that no second one of its type may have."""


def numbers(stack: Stack) -> list[str]:
    """The template stays below CloudFormation's counts."""
    counted = [
        ("resources", len(stack.resources), limits.RESOURCES),
        ("bytes after the transform", stack.size, limits.TEMPLATE),
        ("parameters", len(stack.written.get("Parameters", {})), limits.PARAMETERS),
        ("outputs", len(stack.written.get("Outputs", {})), limits.OUTPUTS),
    ]
    return [
        f"the template has {count} {what}; {limits.allowed(limit)} of {limit} may be used"
        for what, count, limit in counted
        if count > limits.allowed(limit)
    ]


def _documents(stack: Stack, role: Json) -> int:
    policies = cast(list[Json], role.get("Policies", []))
    return sum(len(re.sub(r"\s", "", stack.text(policy["PolicyDocument"]))) for policy in policies)


def inline_policies(stack: Stack) -> dict[str, int]:
    """Characters of each role's inline policies together."""
    return {name: _documents(stack, role) for name, role in stack.of_type("AWS::IAM::Role").items()}


def roles(stack: Stack) -> list[str]:
    """A role's inline policies fit together, and so does what says who may take it."""
    most = limits.allowed(limits.INLINE_POLICIES)
    found = [
        f"{name}: inline policies of {size} characters; {most} of {limits.INLINE_POLICIES} may be used"
        for name, size in inline_policies(stack).items()
        if size > most
    ]
    for name, role in stack.of_type("AWS::IAM::Role").items():
        if (size := len(stack.text(role["AssumeRolePolicyDocument"]))) > limits.TRUST_POLICY:
            found.append(f"{name}: a trust policy of {size} characters; {limits.TRUST_POLICY} is the limit")
    return found


def kept(stack: Stack) -> list[str]:
    """What outlives the stack has no name of ours: the next deployment of the same name would find it taken."""
    return [
        f"{name} is kept when the stack goes and has a fixed name ({key})"
        for name, one in stack.resources.items()
        if "Retain" in (one.get("DeletionPolicy"), one.get("UpdateReplacePolicy"))
        for key in cast(Json, one.get("Properties", {}))
        if FIXED.match(key)
    ]


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of what was written, at any depth, with its value."""
    if isinstance(value, list):
        for one in cast(list[Any], value):
            yield from _members(one)
    elif isinstance(value, dict):
        for key, one in cast(Json, value).items():
            yield key, one
            yield from _members(one)


def references(stack: Stack) -> list[str]:
    """What a name in the template stands for is there."""
    known = set(stack.resources) | set(cast(Json, stack.written.get("Parameters", {})))
    used: set[tuple[str, str]] = set()
    for where, resource in stack.resources.items():
        for key, one in _members(resource):
            if key == "Ref":
                used.add((where, str(one)))
            elif key == "Fn::GetAtt":
                named = cast(list[str], one)[0] if isinstance(one, list) else str(one).split(".")[0]
                used.add((where, named))
    return [
        f"{where} names {name}, which is not there"
        for where, name in sorted(used)
        if name not in known and "::" not in name
    ]


def rules(stack: Stack) -> list[str]:
    """Rules on parameters use the few functions that CloudFormation has for them ("Rules section")."""
    used = {
        name: key
        for name, rule in cast(Json, stack.written.get("Rules", {})).items()
        for key, _ in _members(rule)
        if key.startswith("Fn::") and key not in limits.RULE_FUNCTIONS
    }
    return [f"{name}: {function} is not possible in a rule on parameters" for name, function in used.items()]
