"""The API described for machines: an OpenAPI 3.1 document made from the routes that the packages declare.

`make openapi` writes it to docs/openapi.json (`local.api_description`). The functions serve the file that was built, so
that no request pays for making it. Code tells `WebhookView`, `NewWebhook` and `ChangedWebhook` from the entity; clients
get `Webhook`, `CreateWebhook` and `UpdateWebhook`.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from erphub import app, openapi_headers
from erphub.openapi_examples import BODIES, PATHS
from erphub.openapi_responses import PROBLEM_SCHEMA, SCHEMAS, ProblemsOf, Responses
from erphub.platform.capability import Permission
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import AnyOf
from erphub.platform.identity import AccessLevel

if TYPE_CHECKING:
    from pydantic import BaseModel

    from erphub.platform.http.router import Route

type Json = dict[str, Any]

VERSION = "1.0.0"
_CLIENT_NAMES = ((r"^New(?=[A-Z])", "Create"), (r"^Changed(?=[A-Z])", "Update"), (r"(?<=[a-z])View$", ""))
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
AREAS = {
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


def routes() -> "list[Route]":
    """Every route of every package, in the order in which they are declared."""
    return [route for _, route in app.all_routes()]


def document(declared: "Sequence[Route]", problems_of: ProblemsOf, answers: Mapping[str, Any] | None = None) -> Json:
    """The OpenAPI document of these routes; `problems_of` says what each can go wrong with, `answers` has examples."""
    schemas, definitions = _schemas(declared)
    responses = Responses(declared, problems_of, answers)
    paths: dict[str, Json] = {}
    for route in declared:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, responses)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ERP Hub",
            "version": VERSION,
            "description": "Connect ERP systems, import their data, send documents to them. Everything of a tenant lies"
            " under `/clients/{client_id}`; whoever is no member of it gets 404 there. Lists take `limit` and an opaque"
            " `next`; POSTs take an `Idempotency-Key`; updates carry the `version` they were made from, or the"
            " `ETag` as `If-Match`; GETs take `If-None-Match`."
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
            "responses": responses.components(),
            "headers": openapi_headers.COMPONENTS,
            "examples": responses.examples,
            "schemas": {"Problem": PROBLEM_SCHEMA, **dict(sorted(definitions.items()))},
        },
    }


def _headings(declared: "Sequence[Route]") -> list[Json]:
    """The headings of these routes; one that is not known yet stands last."""
    used = dict.fromkeys(route.area for route in declared)
    ordered = [*(area for area in AREAS if area in used), *(area for area in used if area not in AREAS)]
    return [{"name": area} | ({"description": AREAS[area]} if area in AREAS else {}) for area in ordered]


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
    schemas, whole = models_json_schema(list(wanted), ref_template=f"{SCHEMAS}{{model}}")
    definitions = cast(Json, whole.get("$defs", {}))
    new_names = {name: client_name(name) for name in definitions}
    for shape, name in called.items():
        new_names[schemas[shape, "validation"]["$ref"].removeprefix(SCHEMAS)] = name
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
        if str(found.get("$ref", "")).startswith(SCHEMAS):
            found["$ref"] = SCHEMAS + names[found["$ref"].removeprefix(SCHEMAS)]
        for union in ("anyOf", "oneOf"):
            if union in found:
                found[union] = [_as_enum(one) for one in found[union]]
        mapping = cast(Json, found.get("discriminator", {})).get("mapping", {})
        for value, pointer in mapping.items():
            mapping[value] = SCHEMAS + names.get(pointer.removeprefix(SCHEMAS), pointer.removeprefix(SCHEMAS))
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


def _operation(route: "Route", schemas: Mapping[Any, Json], responses: Responses) -> Json:
    first, _, rest = (route.handler.__doc__ or "").strip().partition("\n")
    operation: Json = {
        "operationId": route.operation,
        "summary": first.rstrip("."),
        "tags": [route.area],
        "x-needs": str(route.needs),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *openapi_headers.parameters(route)],
        "responses": responses.of(route, _given(route, schemas)),
    }
    operation["description"] = " ".join(
        (first, re.sub(r"\s+", " ", rest).strip(), *_declared_sentences(route, asks_erp=responses.asks_erp(route)))
    ).replace("  ", " ")
    if route.takes is not None:
        operation["requestBody"] = _request_body(route, schemas)
    if route.needs is AccessLevel.PUBLIC:
        operation["security"] = []
    return operation


def _given(route: "Route", schemas: Mapping[Any, Json]) -> Json | None:
    """What is said of the body of a good answer, if there is one."""
    if route.gives is None:
        return None
    return {"schema": schemas.get((route.gives, "serialization"), {"type": "object"})}


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


def _declared_sentences(route: "Route", *, asks_erp: bool) -> Iterator[str]:
    """What follows from a route's declaration, in sentences."""
    if isinstance(route.needs, Permission):
        yield f"Needs the permission `{route.needs}` in the client."
    elif route.needs in _WHO:
        yield _WHO[route.needs]
    if asks_erp:
        yield "The ERP is asked while you wait."
    if acts := " or ".join(f"`{act}`" for act in route.acts):
        yield f"It stands in the audit log as {acts}."
    if any(name in getattr(route.query, "model_fields", ()) for name in ("next",)):
        yield "A page ends with `next` until it is the last."


def _body_schema(route: "Route", schemas: Mapping[Any, Json]) -> Json:
    several = any_of(route)
    if several is None:
        return schemas.get((route.takes, "validation"), {"type": "object"})
    return {"description": several.description, "anyOf": [{"$ref": SCHEMAS + name} for name in several.shapes()]}


def _path_parameters(route: "Route") -> Iterator[Json]:
    for name in route.names:
        parameter: Json = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        yield parameter | ({"example": PATHS[name]} if name in PATHS else {})


def _query_parameters(route: "Route") -> Iterator[Json]:
    if route.query is None:
        return
    schema = route.query.model_json_schema(ref_template=f"{SCHEMAS}{{model}}")
    required: list[str] = schema.get("required", [])
    for name, property_ in schema.get("properties", {}).items():
        words = property_.pop("description", None)
        parameter: Json = {"name": name, "in": "query", "required": name in required, "schema": property_}
        yield parameter | ({"description": words} if words else {})
