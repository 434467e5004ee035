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
    # Each alias has a policy of its own.
    named = (*stack.of_type("AWS::Lambda::Function"), *stack.of_type("AWS::Lambda::Alias"))
    sizes = {name: resource_policy(stack, name) for name in named}
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


def aliased(stack: Stack) -> list[str]:
    """A function that has an alias is called by it: a call past the alias meets no canary, and no rollback mends it."""
    aliased = {one["FunctionName"]["Ref"] for one in stack.of_type("AWS::Lambda::Alias").values()}
    places = {
        "AWS::StepFunctions::StateMachine": "DefinitionSubstitutions",
        "AWS::Events::Rule": "Targets",
        "AWS::ApiGateway::RestApi": "Body",
        "AWS::Lambda::Function": "Environment",
    }
    return [
        f"{name}: calls {function} past its alias"
        for kind, where in places.items()
        for name, properties in stack.of_type(kind).items()
        for function in sorted(_named(properties.get(where)) & aliased)
    ]


def _named(value: Any) -> set[str]:
    """What a piece of a template names by reference."""
    said = json.dumps(value)
    return set(re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', said)) | set(re.findall(r"\$\{(\w+)(?:\.Arn)?\}", said))


def snapshots(stack: Stack) -> list[str]:
    """What starts from snapshots is published, and has nothing that Lambda refuses beside them ("Lambda SnapStart")."""
    found: list[str] = []
    published = {one["FunctionName"]["Ref"] for one in stack.of_type("AWS::Lambda::Version").values()}
    provisioned = {
        cast(Json, one["FunctionName"]).get("Ref")
        for one in stack.of_type("AWS::Lambda::Alias").values()
        if "ProvisionedConcurrencyConfig" in one
    }
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        if "PublishedVersions" not in json.dumps(function.get("SnapStart", {})):
            continue
        refused = {
            "no published version": name not in published,
            "provisioned concurrency": name in provisioned,
            "a file system": bool(function.get("FileSystemConfigs")),
            f"more than {limits.SNAPSHOT_STORAGE} MB of /tmp": cast(Json, function.get("EphemeralStorage", {})).get(
                "Size", limits.SNAPSHOT_STORAGE
            )
            > limits.SNAPSHOT_STORAGE,
        }
        found += [f"{name}: SnapStart with {what}" for what, there in refused.items() if there]
    return found


def gradual(stack: Stack) -> list[str]:
    """What is deployed in steps has alarms that take it back, no more than CodeDeploy looks at."""
    found: list[str] = []
    for name, group in stack.of_type("AWS::CodeDeploy::DeploymentGroup").items():
        alarms = cast(Json, group.get("AlarmConfiguration", {})).get("Alarms", [])
        if not 0 < len(alarms) <= limits.DEPLOYMENT_ALARMS:
            found.append(f"{name}: {len(alarms)} alarms; 1 to {limits.DEPLOYMENT_ALARMS} are possible")
    return found
