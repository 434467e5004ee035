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
from erphub.openapi_examples import BODIES, PATHS
from erphub.platform.capability import Permission
from erphub.platform.errors import ErpRefused
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import AnyOf
from erphub.platform.identity import AccessLevel
from erphub.platform.problem_documents import status_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from erphub.platform.http.router import Route

type Json = dict[str, Any]

VERSION = "1.0.0"
_SCHEMAS = "#/components/schemas/"
_CLIENT_NAMES = ((r"^New(?=[A-Z])", "Create"), (r"^Changed(?=[A-Z])", "Update"), (r"(?<=[a-z])View$", ""))
_PROBLEMS = {
    "400": "The body is not JSON.",
    "401": "Nothing that says who is calling, or what has expired or was revoked.",
    "403": "The caller belongs here, but the role lacks the permission, or the API key is not for this network.",
    "404": "Nothing there, or nothing the caller may know of.",
    "409": "Somebody or something was first.",
    "410": "It was there and has ended, or what was looked at is no longer kept: begin anew.",
    "413": "The body is too large.",
    "415": "The body is none of the media types listed.",
    "422": "The request is not valid; `errors` says where.",
    "429": "Too many in a time; `Retry-After` and `retry_after` say how many seconds to wait.",
    "500": "Something went wrong here.",
    "502": "The hub did not answer. Ask again in a few seconds.",
    "503": "The hub, the network or the ERP does not answer now; `Retry-After` says how many seconds to wait.",
    "504": "The answer took too long. Ask again; nothing is lost.",
}
_ERP_PROBLEM = (
    "The ERP refused, does not accept the connection's credentials, or may or may not have done what was asked; `code`"
    " says which. Without an answer of the hub: ask again in a few seconds."
)
_RETRY_AFTER: Json = {
    "Retry-After": {"description": "Seconds to wait before the next try", "schema": {"type": "integer", "minimum": 0}}
}
_RATE_LIMITS: Json = {
    "RateLimit-Policy": {
        "description": 'The limits that the request counts towards: `"name";q=requests;w=seconds` (an IETF draft)',
        "schema": {"type": "string"},
        "example": '"requests_per_minute";q=3000;w=60',
    },
    "RateLimit": {
        "description": 'What is left of them, and for how many seconds: `"name";r=requests;t=seconds`',
        "schema": {"type": "string"},
        "example": '"requests_per_minute";r=2990;t=21',
    },
}
_WAITED_FOR = ("429", "503")
"""Statuses with the header Retry-After."""
_FILE_WORDS = (
    f"The file, byte for byte, sent as one of {', '.join(f'`{kind}`' for kind in sorted(FILE_TYPES))}."
    " Listed is the one that every generator of clients can send."
)
_FILE: Json = {"type": "string", "format": "binary"}
_SERVER: Json = {
    "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
    "description": "A deployment's own address; the stack gives it as its output ApiUrl",
    "variables": {
        "api": {"default": "api-id", "description": "Id of the REST API: the stack's output ApiId"},
        "region": {"default": "eu-north-1", "description": "AWS region of the deployment"},
        "stage": {"default": "prod", "description": "The deployment's stage"},
    },
}
_EVERYWHERE = ("429", "500", "502", "503", "504")
"""What the gateway, or a service that the hub runs on, makes of any request."""
_ADMINISTRATORS = (
    AccessLevel.CUSTOMER_ADMINISTRATOR,
    AccessLevel.ANY_ADMINISTRATOR,
    AccessLevel.PLATFORM_ADMINISTRATOR,
)
_WHO = {
    AccessLevel.PUBLIC: "Anybody may ask, without a sign-in.",
    AccessLevel.SIGNED_IN: "Whoever is signed in may ask.",
    AccessLevel.CUSTOMER_ADMINISTRATOR: "For administrators of the customer.",
    AccessLevel.ANY_ADMINISTRATOR: "For administrators of the customer and of the platform.",
    AccessLevel.PLATFORM_ADMINISTRATOR: "For administrators of the platform.",
}
_AREAS = {
    "Me and tenancy": "Who you are, and the customers, clients, roles and members you work with.",
    "ERP systems": "What can be connected, and what each system's wizard asks.",
    "Wizard": "The dialogue that connects an ERP system, or edits a connection.",
    "Connections": "The ERP systems that are connected: tested, shared, paused, handed over, deleted.",
    "Companies and licences": "The companies that connections use, and how many a customer may.",
    "Imports": "Jobs that read the ERP's data, their runs, and the rows that they brought.",
    "Sync": "A till's documents into the ERP, the ERP's changes back, and the log of both.",
    "Links": "Records of the client's CRM, and the ERP's actors that they stand for.",
    "Notifications and webhooks": "What happened, told to people and to programs.",
    "API keys": "How programs sign in.",
    "Audit log": "Who did what, when, and from where.",
    "About": "This description, and what the codes of errors mean.",
}
"""The headings of operations, in the order of a user's day."""
_BEARER: Json = {
    "type": "http",
    "scheme": "bearer",
    "description": "Of a person, the ID token or the access token (JWT) that the deployment's Cognito user pool gives"
    " at sign-in; of a program, the API key (`ehk_…`) that was made for it in its client.",
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
        "tags": _headings(declared),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": _BEARER},
            "responses": {
                "ErpProblem502": _problem("502", _ERP_PROBLEM),
                **{f"Problem{status}": _problem(status, words) for status, words in _PROBLEMS.items()},
            },
            "headers": _RATE_LIMITS,
            "schemas": {"Problem": _PROBLEM_SCHEMA, **dict(sorted(definitions.items()))},
        },
    }


def _headings(declared: "Sequence[Route]") -> list[Json]:
    """The headings of these routes; one that is not known yet stands last."""
    used = dict.fromkeys(route.area for route in declared)
    ordered = [*(area for area in _AREAS if area in used), *(area for area in used if area not in _AREAS)]
    return [{"name": area} | ({"description": _AREAS[area]} if area in _AREAS else {}) for area in ordered]


def _problem(status: str, words: str) -> Json:
    content = {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}}
    headers = (_RETRY_AFTER if status in _WAITED_FOR else {}) | (_RATE_LIMITS if status == "429" else {})
    return {"description": words, "content": content} | ({"headers": headers} if headers else {})


def _schemas(declared: "Sequence[Route]") -> tuple[Mapping[Any, Json], Json]:
    from pydantic import BaseModel
    from pydantic.json_schema import models_json_schema

    wanted: dict[Any, None] = {}
    for route in declared:
        for shape, mode in ((route.takes, "validation"), (route.query, "validation"), (route.gives, "serialization")):
            if isinstance(shape, type) and issubclass(shape, BaseModel):
                wanted[shape, mode] = None
    several = {name: shape for route in declared for name, shape in _one_of_several(route).items()}
    called = {shape: name for name, shape in several.items() if isinstance(shape, type)}
    wanted |= dict.fromkeys((shape, "validation") for shape in called)
    schemas, whole = models_json_schema(list(wanted), ref_template=f"{_SCHEMAS}{{model}}")
    definitions = cast(Json, whole.get("$defs", {}))
    new_names = {name: client_name(name) for name in definitions}
    for shape, name in called.items():
        new_names[schemas[shape, "validation"]["$ref"].removeprefix(_SCHEMAS)] = name
    if twice := [name for name, count in Counter(new_names.values()).items() if count > 1]:
        raise ValueError(f"two schemas would be called {', '.join(twice)}")
    renamed = {
        new_names[name]: _retitled(name, new_names[name], _pointing(schema, new_names))
        for name, schema in definitions.items()
    }
    renamed |= {
        name: {**_pointing(shape, {}), "title": name} for name, shape in several.items() if not isinstance(shape, type)
    }
    return {key: _pointing(schema, new_names) for key, schema in schemas.items()}, renamed


def _one_of_several(route: "Route") -> "Mapping[str, type[BaseModel] | Mapping[str, Any]]":
    """What the body may be where the address or the body itself says which it is, by the names of the schemas."""
    several = any_of(route)
    return several.shapes() if several else {}


def any_of(route: "Route") -> AnyOf | None:
    """What is said of a body that may be one of several."""
    return next((one for one in getattr(route.takes, "__metadata__", ()) if isinstance(one, AnyOf)), None)


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
        for union in ("anyOf", "oneOf"):
            if union in found:
                found[union] = [_as_enum(one) for one in found[union]]
        mapping = cast(Json, found.get("discriminator", {})).get("mapping", {})
        for value, pointer in mapping.items():
            mapping[value] = _SCHEMAS + names.get(pointer.removeprefix(_SCHEMAS), pointer.removeprefix(_SCHEMAS))
        return found
    return [_pointing(one, names) for one in cast(list[Any], schema)] if isinstance(schema, list) else schema


def _as_enum(schema: Json) -> Json:
    """One value as an enumeration of one: generators that try what a union could be give up at a constant."""
    if "const" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("const", "title")}
    return {"type": "string"} | rest | {"enum": [schema["const"]]}


def _retitled(name: str, becomes: str, schema: Json) -> Json:
    return schema | {"title": becomes} if schema.get("title") == name else schema


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
    operation["description"] = " ".join(
        (first, re.sub(r"\s+", " ", rest).strip(), *_declared_sentences(route))
    ).replace("  ", " ")
    if route.takes is not None:
        operation["requestBody"] = _request_body(route, schemas)
    if route.needs is AccessLevel.PUBLIC:
        operation["security"] = []
    return operation


def _request_body(route: "Route", schemas: Mapping[Any, Json]) -> Json:
    if route.takes is bytes:
        content: Json = {"application/octet-stream": {"schema": _FILE}}
        return {"description": _FILE_WORDS, "required": True, "content": content}
    examples = {
        re.sub(r"\W+", "_", name): {"summary": name, "value": example}
        for name, example in BODIES.get(route.operation, {}).items()
    }
    said: Json = {"schema": _body_schema(route, schemas)} | ({"examples": examples} if examples else {})
    return {"required": True, "content": {"application/json": said}}


def _declared_sentences(route: "Route") -> Iterator[str]:
    """What follows from a route's declaration, in sentences."""
    if isinstance(route.needs, Permission):
        yield f"Needs the permission `{route.needs}` in the client."
    elif route.needs in _WHO:
        yield _WHO[route.needs]
    if ErpRefused in route.raises:
        yield "The ERP is asked while you wait."
    if acts := " or ".join(f"`{act}`" for act in route.acts):
        yield f"It stands in the audit log as {acts}."
    if any(name in getattr(route.query, "model_fields", ()) for name in ("next",)):
        yield "A page ends with `next` until it is the last."


def _body_schema(route: "Route", schemas: Mapping[Any, Json]) -> Json:
    several = any_of(route)
    if several is None:
        return schemas.get((route.takes, "validation"), {"type": "object"})
    return {"description": several.description, "anyOf": [{"$ref": _SCHEMAS + name} for name in several.shapes()]}


def _path_parameters(route: "Route") -> Iterator[Json]:
    for name in route.names:
        parameter: Json = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        yield parameter | ({"example": PATHS[name]} if name in PATHS else {})


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
    if route.needs is not AccessLevel.PUBLIC:
        good["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_LIMITS}
    if route.status != 204:
        schema = schemas.get((route.gives, "serialization"), {"type": "object"})
        csv = getattr(route.gives, "__name__", "") == "Text"
        good["content"] = (
            {"text/csv": {"schema": {"type": "string"}}} if csv else {"application/json": {"schema": schema}}
        )
    return {str(route.status): good} | {
        status: {"$ref": f"#/components/responses/{_answer_name(route, status)}"}
        for status in sorted(possible_statuses(route) - {str(route.status)})
    }


def _answer_name(route: "Route", status: str) -> str:
    return "ErpProblem502" if status == "502" and ErpRefused in route.raises else f"Problem{status}"


def possible_statuses(route: "Route") -> frozenset[str]:
    """Every status that a route can be answered with.

    They follow from what the route declares: whom it lets in, what it takes, what its path names, what it raises; the
    rest is what the gateway answers in place of a function (`local/api_definition.py`).
    """
    return frozenset({str(route.status), *_EVERYWHERE, *_by_declaration(route)})


def _by_declaration(route: "Route") -> Iterator[str]:
    if route.takes is not None:
        yield from ("413", "415") if route.takes is bytes else ("400", "413")
    if route.needs is not AccessLevel.PUBLIC:
        yield from ("401", "403")
    if route.names:
        yield "404"
    if route.method != "GET":
        yield "409"
    if route.takes is not None or route.query is not None or route.method == "POST":
        yield "422"
    yield from (str(status_of(kind)) for kind in route.raises)


def text() -> str:
    """The document as it is kept in docs/openapi.json."""
    return json.dumps(document(routes()), indent=2, ensure_ascii=False) + "\n"
