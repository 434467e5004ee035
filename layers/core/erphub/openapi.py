"""The API described for machines: an OpenAPI 3.1 document made from the routes that the packages declare.

`make openapi` writes it to docs/openapi.json. The functions serve the file that was built, so that no request pays for
making it. Code tells `WebhookView`, `NewWebhook` and `ChangedWebhook` from the entity; clients get `Webhook`,
`CreateWebhook` and `UpdateWebhook`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from erphub import app
from erphub.platform.capability import Permission
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.identity import AccessLevel

if TYPE_CHECKING:
    from erphub.platform.http.router import Route


type Json = dict[str, Any]

VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"
_CLIENT_NAMES = ((r"^New(?=[A-Z])", "Create"), (r"^Changed(?=[A-Z])", "Update"), (r"(?<=[a-z])View$", ""))
_PROBLEMS = {
    "400": "The body is not JSON.",
    "401": "No token, one that has expired, or an access token in place of the ID token.",
    "403": "The caller belongs here, but the role lacks the permission.",
    "404": "Nothing there, or nothing the caller may know of.",
    "409": "Somebody or something was first.",
    "413": "The body is too large.",
    "415": "The body is none of the media types listed.",
    "422": "The request is not valid; `errors` says where.",
    "429": "Too many in a time; `Retry-After` and `retry_after` say how many seconds to wait.",
    "500": "Something went wrong here.",
    "503": "Try again later.",
}
_SERVER: Json = {
    "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
    "description": "A deployment's own address; the stack gives it as its output ApiUrl",
    "variables": {
        "api": {"default": "api-id", "description": "Id of the REST API: the stack's output ApiId"},
        "region": {"default": "eu-north-1", "description": "AWS region of the deployment"},
        "stage": {"default": "prod", "description": "The deployment's stage"},
    },
}
_BEARER: Json = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The ID token that the deployment's Cognito user pool gives at sign-in (`IdToken`). Access tokens"
    " are refused with 401: they name no e-mail address, and this API has no scopes.",
}
_PROBLEM_SCHEMA: Json = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457): a sentence for people, a stable code for programs.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened and what to do, for people"},
        "code": {"type": "string", "description": "What happened, for programs"},
        "errors": {
            "type": "array",
            "description": "Every wrong part of the request",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def routes() -> "list[Route]":
    """Every route of every package, in the order in which they are declared."""
    return [route for _, route in app.all_routes()]


def document(declared: "Sequence[Route]") -> Json:
    """The OpenAPI document of these routes."""
    schemas, definitions = _schemas(declared)
    paths: dict[str, Json] = {}
    for route in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ERP Hub",
            "version": VERSION,
            "description": "Connect ERP systems, import their data, send documents to them. Everything of a tenant lies"
            " under `/clients/{client_id}`; whoever is no member of it gets 404 there. Lists take `limit` and an opaque"
            " `next`; POSTs take an `Idempotency-Key`; updates carry the `version` they were made from."
            " Names and other texts that people read are refused with 422 `hidden_character` where something in them is"
            " invisible or turns the direction of writing; descriptions, comments and reasons may have several lines."
            " Texts in answers are plain: whoever shows them as HTML escapes them.",
        },
        "servers": [_SERVER],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.area for route in declared)],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": _BEARER},
            "responses": {
                f"Problem{status}": {
                    "description": words,
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for status, words in _PROBLEMS.items()
            },
            "schemas": {"Problem": _PROBLEM_SCHEMA, **dict(sorted(definitions.items()))},
        },
    }


def _schemas(declared: "Sequence[Route]") -> tuple[Mapping[Any, Json], Json]:
    from pydantic import BaseModel
    from pydantic.json_schema import models_json_schema

    wanted: dict[Any, None] = {}
    for route in declared:
        for shape, mode in ((route.takes, "validation"), (route.query, "validation"), (route.gives, "serialization")):
            if isinstance(shape, type) and issubclass(shape, BaseModel):
                wanted[shape, mode] = None
    schemas, whole = models_json_schema(list(wanted), ref_template=f"{_SCHEMAS}{{model}}")
    definitions = cast(Json, whole.get("$defs", {}))
    new_names = {name: client_name(name) for name in definitions}
    if twice := [name for name, count in Counter(new_names.values()).items() if count > 1]:
        raise ValueError(f"two schemas would be called {', '.join(twice)}")
    renamed = {new_names[name]: _retitled(name, _pointing(schema, new_names)) for name, schema in definitions.items()}
    return {key: _pointing(schema, new_names) for key, schema in schemas.items()}, renamed


def client_name(name: str) -> str:
    """What a schema is called in the document: as generated clients are to name their classes."""
    for pattern, becomes in _CLIENT_NAMES:
        name = re.sub(pattern, becomes, name)
    return name


def _pointing(schema: Any, names: Mapping[str, str]) -> Any:
    """The schema, pointing at schemas by their names in the document."""
    if isinstance(schema, Mapping):
        found = {key: _pointing(one, names) for key, one in cast(Mapping[str, Any], schema).items()}
        if str(found.get("$ref", "")).startswith(_SCHEMAS):
            found["$ref"] = _SCHEMAS + names[found["$ref"].removeprefix(_SCHEMAS)]
        mapping = cast(Json, found.get("discriminator", {})).get("mapping", {})
        for value, pointer in mapping.items():
            mapping[value] = _SCHEMAS + names.get(pointer.removeprefix(_SCHEMAS), pointer.removeprefix(_SCHEMAS))
        return found
    return [_pointing(one, names) for one in cast(list[Any], schema)] if isinstance(schema, list) else schema


def _retitled(name: str, schema: Json) -> Json:
    return schema | {"title": client_name(name)} if schema.get("title") == name else schema


def _operation(route: "Route", schemas: Mapping[Any, Json]) -> Json:
    first, _, rest = (route.handler.__doc__ or "").strip().partition("\n")
    operation: Json = {
        "operationId": route.operation,
        "summary": first.rstrip("."),
        "tags": [route.area],
        "x-needs": str(route.needs),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": _responses(route, schemas),
    }
    if rest.strip():
        operation["description"] = re.sub(r"\n\s+", "\n", rest.strip())
    if route.takes is not None:
        schema = schemas.get((route.takes, "validation"), {"type": "object"})
        files: Json = {kind: {} for kind in FILE_TYPES}
        content: Json = files if route.takes is bytes else {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.needs is AccessLevel.PUBLIC:
        operation["security"] = []
    return operation


def _path_parameters(route: "Route") -> Iterator[Json]:
    for name in route.names:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(route: "Route") -> Iterator[Json]:
    if route.query is None:
        return
    schema = route.query.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
    required: list[str] = schema.get("required", [])
    for name, property_ in schema.get("properties", {}).items():
        words = property_.pop("description", None)
        parameter: Json = {"name": name, "in": "query", "required": name in required, "schema": property_}
        yield parameter | ({"description": words} if words else {})


def _header_parameters(route: "Route") -> Iterator[Json]:
    if route.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same request is done once and answered alike, for a day",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _responses(route: "Route", schemas: Mapping[Any, Json]) -> Json:
    good: Json = {"description": "Done"}
    if route.status != 204:
        schema = schemas.get((route.gives, "serialization"), {"type": "object"})
        csv = getattr(route.gives, "__name__", "") == "Text"
        good["content"] = {"text/csv": {}} if csv else {"application/json": {"schema": schema}}
    return {str(route.status): good} | {
        status: {"$ref": f"#/components/responses/Problem{status}"} for status in _possible(route)
    }


def _possible(route: "Route") -> Iterator[str]:
    if route.takes is not None:
        yield from ("413", "415") if route.takes is bytes else ("400", "413")
    if route.needs is not AccessLevel.PUBLIC:
        yield "401"
        yield "429"
    if isinstance(route.needs, Permission) or route.needs in (
        AccessLevel.CUSTOMER_ADMINISTRATOR,
        AccessLevel.ANY_ADMINISTRATOR,
        AccessLevel.PLATFORM_ADMINISTRATOR,
    ):
        yield "403"
    if route.names:
        yield "404"
    if route.method != "GET":
        yield "409"
    if route.takes is not None or route.query is not None:
        yield "422"
    yield from ("500", "503")


def text() -> str:
    """The document as it is kept in docs/openapi.json."""
    return json.dumps(document(routes()), indent=2, ensure_ascii=False) + "\n"
