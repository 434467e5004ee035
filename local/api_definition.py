"""Writes api.json, what API Gateway is told: an OpenAPI 3.0 document without schemas that template.yaml includes.

Routes come from the packages and their functions from the template, so that a route is declared once.
`make openapi` writes it (local/generated.py). All of the API is in it, because SAM adds nothing to an included
definition. Sources: "OpenAPI extensions for API Gateway", "Gateway response types", "Integration passthrough behaviors"
(API Gateway developer guide), "AWS::Include transform".
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from erphub import openapi
from erphub.app import PackageRoutes
from erphub.platform.http.caller_context import SIGN_IN
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel
from erphub.platform.problem_documents import PROBLEM
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

_AGAIN = "Ask again in a few seconds."
_REFUSED = f"{SIGN_IN} What was sent has expired, was revoked, or is none of these."
_PROBLEMS: dict[str, tuple[int, str, str, str]] = {
    "UNAUTHORIZED": (401, "not_signed_in", "Unauthorized", SIGN_IN),
    "EXPIRED_TOKEN": (401, "not_signed_in", "Unauthorized", _REFUSED),
    "MISSING_AUTHENTICATION_TOKEN": (404, "route_not_found", "Not found", "There is no such address."),
    "RESOURCE_NOT_FOUND": (404, "route_not_found", "Not found", "There is no such address."),
    # Our authorizer lets in to everything or to nothing: whom it denies, it did not recognise.
    "ACCESS_DENIED": (401, "not_signed_in", "Unauthorized", _REFUSED),
    "AUTHORIZER_FAILURE": (
        503,
        "sign_in_unavailable",
        "Not available now",
        f"Who you are could not be checked. {_AGAIN}",
    ),
    "INVALID_API_KEY": (403, "forbidden", "Not allowed", "You may not do this."),
    "INVALID_SIGNATURE": (403, "forbidden", "Not allowed", SIGN_IN),
    "WAF_FILTERED": (403, "forbidden", "Not allowed", "The request was refused."),
    "BAD_REQUEST_BODY": (400, "bad_request", "Bad request", "The body of the request is not valid."),
    "BAD_REQUEST_PARAMETERS": (400, "bad_request", "Bad request", "A parameter of the request is not valid."),
    "REQUEST_TOO_LARGE": (413, "body_too_large", "Too large", "The request is larger than what is accepted."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "unsupported_media_type", "Unsupported media type", "This media type is not read."),
    "THROTTLED": (429, "too_many_requests", "Too many requests", f"Too many requests at once. {_AGAIN}"),
    "QUOTA_EXCEEDED": (429, "too_many_requests", "Too many requests", "Too many requests for now. Ask again later."),
    "INTEGRATION_FAILURE": (502, "no_answer", "No answer", f"The hub did not answer. {_AGAIN}"),
    "INTEGRATION_TIMEOUT": (504, "timeout", "Took too long", "The answer took too long. Ask again; nothing is lost."),
    "DEFAULT_4XX": (400, "bad_request", "Bad request", "The request could not be understood."),
    "DEFAULT_5XX": (500, "internal_error", "Something went wrong", f"Something went wrong on our side. {_AGAIN}"),
}
"""What the gateway answers by itself: kind of answer, status, code, title, detail."""


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
        GATEWAY_RESPONSES: {kind: _gateway_response(*said) for kind, said in _PROBLEMS.items()},
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


def _problem(status: int, code: str, title: str, detail: str, **more: str) -> str:
    said = {"type": f"/problems/{code}", "title": title, "status": status, "code": code, "detail": detail}
    return json.dumps(said | more)


def _headers(prefix: str, status: int) -> Json:
    """Headers of an answer that no function gave.

    It cannot name one of several origins, and says nothing of anyone: where any page may call, every page may read it.
    """
    origin = {"Fn::If": ["AnyOrigins", "'*'", {"Ref": "AWS::NoValue"}]}
    headers: Json = {f"{prefix}.Content-Type": f"'{PROBLEM}'", f"{prefix}.Access-Control-Allow-Origin": origin}
    if status == 401:
        headers[f"{prefix}.WWW-Authenticate"] = "'Bearer'"
    return headers


def _gateway_response(status: int, code: str, title: str, detail: str) -> Json:
    return {
        "statusCode": str(status),
        "responseParameters": _headers("gatewayresponse.header", status),
        "responseTemplates": {
            "application/json": _problem(status, code, title, detail, request_id="$context.requestId")
        },
    }


def _nothing_here() -> Json:
    """The answer at addresses nobody serves, with or without a token.

    Without it a bearer token there is taken for a bad AWS signature, and refused in words about its equal signs.
    """
    said = _problem(404, "route_not_found", "Not found", "There is no such address.")
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
