"""Writes api.json, what API Gateway is told: an OpenAPI 3.0 document without schemas that template.yaml includes.

Routes come from the packages and their functions from the template, so that a route is declared once.
`make openapi` writes it (local/generated.py). All of the API is in it, because SAM adds nothing to an included
definition. Sources: "OpenAPI extensions for API Gateway", "Gateway response types", "Integration passthrough behaviors"
(API Gateway developer guide), "AWS::Include transform".
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

from erphub import openapi
from erphub.app import PackageRoutes
from erphub.platform import problems
from erphub.platform.http import problems as gateway_problems
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel
from erphub.platform.problem_documents import PROBLEM, as_problem, status_of
from erphub.platform.problem_types import ProblemType
from erphub.sign_in.authorizer import CACHED_SECONDS
from local import template
from local.emulator import ROOT

type Json = dict[str, Any]

FILE = ROOT / "api.json"
MODULES = ("functions.connections.api", "functions.imports.api", "functions.imports.rows", "functions.sync.api")
"""The functions that have routes."""
AUTHORIZER = "SignedIn"
ALIAS = f"Alias{template.ALIAS}"
"""What SAM adds to a function's logical name for its alias (AutoPublishAlias); it does not look into this file."""
AUTHORIZER_MODULE = "functions.sign_in.authorizer"
UNKNOWN_PATHS = ("/", "/{proxy+}")
"""What catches every address and method that no route has; the second does not match the first."""
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
BINARY_TYPES = "x-amazon-apigateway-binary-media-types"
CONTENT_TYPES = (
    "application/json",
    *FILE_TYPES,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
)
"""What a request to an unknown address may carry and still be told that it is unknown; anything else gets 415."""

GATEWAY_PROBLEMS: Mapping[str, ProblemType[Any]] = {
    "UNAUTHORIZED": problems.NOT_SIGNED_IN,
    "EXPIRED_TOKEN": gateway_problems.SIGN_IN_REFUSED,
    "MISSING_AUTHENTICATION_TOKEN": problems.ROUTE_NOT_FOUND,
    "RESOURCE_NOT_FOUND": problems.ROUTE_NOT_FOUND,
    # Our authorizer lets in to everything or to nothing: whom it denies, it did not recognise.
    "ACCESS_DENIED": gateway_problems.SIGN_IN_REFUSED,
    "AUTHORIZER_FAILURE": gateway_problems.SIGN_IN_UNAVAILABLE,
    "INVALID_API_KEY": gateway_problems.REQUEST_REFUSED,
    "INVALID_SIGNATURE": gateway_problems.REQUEST_REFUSED,
    "WAF_FILTERED": gateway_problems.REQUEST_REFUSED,
    "BAD_REQUEST_BODY": gateway_problems.BAD_REQUEST,
    "BAD_REQUEST_PARAMETERS": gateway_problems.BAD_REQUEST,
    "REQUEST_TOO_LARGE": gateway_problems.REQUEST_TOO_LARGE,
    "UNSUPPORTED_MEDIA_TYPE": gateway_problems.MEDIA_TYPE_NOT_READ,
    "THROTTLED": gateway_problems.TOO_MANY_REQUESTS,
    "QUOTA_EXCEEDED": gateway_problems.QUOTA_USED_UP,
    "INTEGRATION_FAILURE": gateway_problems.NO_ANSWER,
    "INTEGRATION_TIMEOUT": gateway_problems.TIMEOUT,
    "DEFAULT_4XX": gateway_problems.BAD_REQUEST,
    "DEFAULT_5XX": problems.INTERNAL_ERROR,
}
"""What the gateway answers by itself, by the kind of answer."""
WAITED_FOR_SECONDS = 5
"""After how long a caller may ask again, in answers that the gateway gives."""


def document(functions: Mapping[str, str]) -> Json:
    """The definition; `functions` says which function (logical name) serves which module."""
    paths: dict[str, Json] = {}
    for module in MODULES:
        for route in dispatcher(module).routes.all():
            operations = paths.setdefault(route.path, {"options": _operation(functions[module])})
            operations[route.method.lower()] = _operation(functions[module], route)
    return {
        "openapi": "3.0.1",
        "info": {"title": "ERP Hub", "version": openapi.VERSION},
        BINARY_TYPES: list(FILE_TYPES),
        GATEWAY_RESPONSES: {kind: _gateway_response(one) for kind, one in GATEWAY_PROBLEMS.items()},
        "paths": paths | {path: {ANY_METHOD: _nothing_here()} for path in UNKNOWN_PATHS},
        "components": {"securitySchemes": {AUTHORIZER: _authorizer(functions[AUTHORIZER_MODULE])}},
    }


def served_by(drawn: Json) -> dict[str, str]:
    """Which function serves which module of `functions`, by logical name: {"functions.connections.api": …}."""
    return {
        f"{properties['CodeUri'].replace('/', '.')}.{properties['Handler'].rpartition('.')[0]}": name
        for name, properties in template.of_type(drawn, "AWS::Serverless::Function").items()
    }


def read(file: Path = FILE) -> Json:
    """The definition as it was written."""
    return json.loads(file.read_text("utf-8"))


def text() -> str:
    """The definition as it is kept in api.json."""
    return json.dumps(document(served_by(template.load())), indent=1, ensure_ascii=False) + "\n"


def dispatcher(module: str) -> Dispatcher[PackageRoutes]:
    """What answers a function's requests."""
    return import_module(module).handler


def _invocations(function: str) -> Json:
    """The address at which API Gateway calls a function."""
    arn = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/FUNCTION/invocations"
    return {"Fn::Sub": arn.replace("FUNCTION", f"${{{function}{ALIAS}}}")}


def _operation(function: str, route: Route | None = None) -> Json:
    """One operation; without a route the answer to a browser that asks what it may send, which carries no token."""
    operation: Json = {
        "responses": {},
        # API Gateway calls a function with POST, whatever the request's method.
        INTEGRATION: {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": _invocations(function),
        },
    }
    if route is not None and route.needs is not AccessLevel.PUBLIC:
        operation["security"] = [{AUTHORIZER: []}]
    return operation


def _authorizer(function: str) -> Json:
    """The function that finds out who is calling; what it said of a token or key is remembered, whatever the route."""
    return {
        "type": "apiKey",
        "name": "Unused",  # of an authorizer that looks at a request, as SAM writes it too; identitySource counts
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "identitySource": "method.request.header.Authorization",
            "authorizerResultTtlInSeconds": CACHED_SECONDS,
            "authorizerUri": _invocations(function),
        },
    }


def _problem(one: ProblemType[Any], **values: str) -> str:
    """The answer; `values` are what the gateway puts into it."""
    return json.dumps(as_problem(one.kind(one.text, code=one.code)) | values)


def _headers(prefix: str, status: int) -> Json:
    """Headers of an answer that no function gave.

    It cannot name one of several origins, and says nothing of anyone: where any page may call, every page may read it.
    """
    origin = {"Fn::If": ["AnyOrigins", "'*'", {"Ref": "AWS::NoValue"}]}
    headers: Json = {f"{prefix}.Content-Type": f"'{PROBLEM}'", f"{prefix}.Access-Control-Allow-Origin": origin}
    if status == HTTPStatus.UNAUTHORIZED:
        headers[f"{prefix}.WWW-Authenticate"] = "'Bearer'"
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers[f"{prefix}.Retry-After"] = f"'{WAITED_FOR_SECONDS}'"
    return headers


def _gateway_response(one: ProblemType[Any]) -> Json:
    status = status_of(one.kind)
    return {
        "statusCode": str(status),
        "responseParameters": _headers("gatewayresponse.header", status),
        "responseTemplates": {"application/json": _problem(one, correlation_id="$context.requestId")},
    }


def _nothing_here() -> Json:
    """The answer at addresses nobody serves, with or without a token.

    Without it a bearer token there is taken for a bad AWS signature, and refused in words about its equal signs.
    """
    said = _problem(problems.ROUTE_NOT_FOUND)
    header = {"schema": {"type": "string"}}
    return {
        "responses": {
            "404": {
                "description": "Nothing there",
                "headers": {"Content-Type": header, "Access-Control-Allow-Origin": header},
            }
        },
        INTEGRATION: {
            "type": "mock",
            "passthroughBehavior": "never",
            # A body of a binary type would otherwise meet a template for text, which ends in a 500.
            "contentHandling": "CONVERT_TO_TEXT",
            "requestTemplates": dict.fromkeys(CONTENT_TYPES, '{"statusCode": 404}'),
            "responses": {
                "default": {
                    "statusCode": "404",
                    "responseParameters": _headers("method.response.header", 404),
                    "responseTemplates": {"application/json": said},
                }
            },
        },
    }
