"""Functions: their resource policies, environments and layers."""

import json
import re
from typing import Any, cast

from . import limits
from .stack import ACCOUNT, REGION, STACK_NAME, Json, Stack


def resource_policy(stack: Stack, function: str) -> int:
    """Bytes of a function's resource policy, as Lambda writes it from the template's permissions."""
    statements: list[Json] = []
    for name, permission in stack.of_type("AWS::Lambda::Permission").items():
        if not re.search(rf'["{{]{function}[".}}]', json.dumps(permission["FunctionName"])):
            continue
        principal = stack.text(permission["Principal"])
        statement: Json = {
            "Sid": f"{STACK_NAME}-{name}-{'A' * 12}",
            "Effect": "Allow",
            "Principal": {"Service": principal} if principal.endswith(".com") else {"AWS": principal},
            "Action": stack.text(permission["Action"]),
            "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{stack.text({'Ref': function})}",
        }
        if "SourceArn" in permission:
            statement["Condition"] = {"ArnLike": {"AWS:SourceArn": stack.text(permission["SourceArn"])}}
        statements.append(statement)
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return len(json.dumps(policy, separators=(",", ":"))) if statements else 0


def resource_policies(stack: Stack) -> list[str]:
    """No function's resource policy comes near its limit: SAM adds a statement for each route that is an event."""
    most = limits.allowed(limits.RESOURCE_POLICY)
    sizes = {name: resource_policy(stack, name) for name in stack.of_type("AWS::Lambda::Function")}
    return [
        f"{name}: a resource policy of {size} bytes; {most} of {limits.RESOURCE_POLICY} may be used"
        for name, size in sizes.items()
        if size > most
    ]


def environments(stack: Stack) -> list[str]:
    """Every environment fits, also when each parameter in it is as long as it may be."""
    found: list[str] = []
    parameters = cast(Json, stack.written.get("Parameters", {}))
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        variables = cast(Json, function.get("Environment", {}).get("Variables", {}))
        size = sum(len(key.encode()) + len(stack.text(value).encode()) for key, value in variables.items())
        if size > limits.allowed(limits.ENVIRONMENT):
            found.append(f"{name}: an environment of {size} bytes; {limits.ENVIRONMENT} is the limit")
        for key, value in variables.items():
            given = cast(str, cast(Json, value).get("Ref", "")) if isinstance(value, dict) else ""
            one = cast(Json, parameters.get(given, {}))
            if one.get("Type") == "String" and not {"MaxLength", "AllowedValues", "AllowedPattern"} & set(one):
                found.append(f"{name}: {key} is the parameter {given}, which may be of any length")
    return found


def layers(stack: Stack) -> list[str]:
    """No function uses up its layers."""
    most = limits.allowed(limits.LAYERS)
    counts = {
        name: len(cast(list[Any], function.get("Layers", [])))
        for name, function in stack.of_type("AWS::Lambda::Function").items()
    }
    return [
        f"{name}: {count} layers; {most} of {limits.LAYERS} may be used"
        for name, count in counts.items()
        if count > most
    ]


def unreserved(stack: Stack) -> list[str]:
    """Reserved concurrency is a parameter's choice: a new account refuses any, because too little would be left."""
    return [
        f"{name}: concurrency is reserved unconditionally; a new account has 10 in all"
        for name, function in stack.of_type("AWS::Lambda::Function").items()
        if "Fn::If" not in json.dumps(function.get("ReservedConcurrentExecutions", {"Fn::If": []}))
    ]


def networks(stack: Stack) -> list[str]:
    """A function in subnets has a security group, and a role that may make network interfaces: else it is refused."""
    found: list[str] = []
    roles = stack.of_type("AWS::IAM::Role")
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        network = json.dumps(function.get("VpcConfig", {}))
        if "SubnetIds" not in network:
            continue
        if "SecurityGroupIds" not in network:
            found.append(f"{name}: subnets without a security group")
        role = cast(Json, function.get("Role", {})).get("Fn::GetAtt", [""])[0]
        if "AWSLambdaVPCAccessExecutionRole" not in json.dumps(roles.get(role, {}).get("ManagedPolicyArns")):
            found.append(f"{name}: runs in subnets, and its role may not make network interfaces")
    return found
