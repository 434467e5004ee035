"""The REST API: its size, its types of content, and whether it may call the functions that it names."""

import json
import re
from typing import Any, cast

from . import limits
from .stack import Json, Stack

TEXTS = {"*/*", "application/json", "application/problem+json", "text/csv", "text/plain"}
"""Types that must not be binary: the gateway would hand each such body on in base64."""


def _steps(paths: Json) -> int:
    """Resources of an API: one for each step of its paths, and the root."""
    steps = {"/"}
    for path in paths:
        words = path.strip("/").split("/")
        steps |= {"/".join(words[: n + 1]) for n in range(len(words))}
    return len(steps)


def sizes(stack: Stack) -> list[str]:
    """The API has no more resources and authorizers than one may have."""
    found: list[str] = []
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        body = cast(Json, api.get("Body", {}))
        steps = _steps(cast(Json, body.get("paths", {})))
        if steps > limits.allowed(limits.API_RESOURCES):
            found.append(f"{name}: {steps} resources; {limits.API_RESOURCES} is the limit")
        schemes = cast(Json, body.get("securityDefinitions") or body.get("components", {}).get("securitySchemes", {}))
        if len(schemes) > limits.API_AUTHORIZERS:
            found.append(f"{name}: {len(schemes)} authorizers; {limits.API_AUTHORIZERS} is the limit")
    return found


def integrated(api: Json) -> set[str]:
    """The functions and aliases that an API's body calls, by logical name."""
    found: set[str] = set()
    for item in cast(dict[str, Json], api.get("Body", {}).get("paths", {})).values():
        for operation in item.values():
            called = (
                cast(Json, operation).get("x-amazon-apigateway-integration") if isinstance(operation, dict) else None
            )
            found |= set(re.findall(r"\$\{(\w+)(?:\.Arn)?\}/invocations", json.dumps(called)))
    return found


def authorizing(api: Json) -> set[str]:
    """The functions that an API's body asks who is calling, by logical name."""
    body = cast(Json, api.get("Body", {}))
    schemes = cast(Json, body.get("securityDefinitions") or body.get("components", {}).get("securitySchemes", {}))
    return set(re.findall(r"\$\{(\w+)(?:\.Arn|\.Alias)?\}/invocations", json.dumps(schemes)))


def permissions(stack: Stack) -> list[str]:
    """Every function that the API calls, or asks who is calling, may be called by it for that.

    Else AWS answers 500, and the local AWS does not.
    """
    allowed: dict[bool, set[str]] = {True: set(), False: set()}
    for permission in stack.of_type("AWS::Lambda::Permission").values():
        if permission["Principal"] == "apigateway.amazonaws.com":
            for_authorizers = "/authorizers/" in json.dumps(permission.get("SourceArn"))
            names = re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"', json.dumps(permission["FunctionName"]))
            allowed[for_authorizers] |= set(names)
    return [
        f"{name}: calls {function} and may not"
        for name, api in stack.of_type("AWS::ApiGateway::RestApi").items()
        for function in sorted((integrated(api) - allowed[False]) | (authorizing(api) - allowed[True]))
    ]


def seconds(stack: Stack) -> list[str]:
    """A function that answers the API gives up before the gateway does, which would answer for it."""
    named = {name for api in stack.of_type("AWS::ApiGateway::RestApi").values() for name in integrated(api)}
    aliases = stack.of_type("AWS::Lambda::Alias")
    called = {aliases[name]["FunctionName"]["Ref"] if name in aliases else name for name in named}
    return [
        f"{name}: may run for {function['Timeout']} s; the gateway waits {limits.GATEWAY_SECONDS}"
        for name, function in stack.of_type("AWS::Lambda::Function").items()
        if name in called and function["Timeout"] > limits.GATEWAY_SECONDS
    ]


def binary_types(stack: Stack) -> list[str]:
    """Files pass through whole, and texts stay texts."""
    found: list[str] = []
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        body = cast(Json, api.get("Body", {}))
        own = cast(list[str], api.get("BinaryMediaTypes", []))
        types = own + cast(list[str], body.get("x-amazon-apigateway-binary-media-types", []))
        if wrong := sorted(set(types) & TEXTS):
            found.append(f"{name}: {', '.join(wrong)} would be handed on in base64")
        taken = {kind for item in cast(dict[str, Any], body.get("paths", {})).values() for kind in _taken(item)}
        found += [f"{name}: {kind} is taken or given and is not a binary type" for kind in sorted(taken - set(types))]
    return found


def _taken(item: Json) -> set[str]:
    """Types of files among what a path takes or gives."""
    said = set(re.findall(r'"((?:application|image|text)/[\w.+-]+)"', json.dumps(item)))
    return {
        kind for kind in said if kind in ("application/octet-stream", "application/pdf", "image/png", "application/zip")
    }
