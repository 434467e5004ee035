"""Makes the part of the Python client that follows from the API's description: its models and its operations.

`make venv` runs it when docs/openapi.json has changed. The models are those of datamodel-code-generator, of a
description that bears what a newer hub says: fields and values that the client does not know. The operations are a
method each.
"""

import hashlib
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from datamodel_code_generator import InputFileType, generate
from datamodel_code_generator.enums import DataModelType, DefaultValueType, OpenAPIScope
from datamodel_code_generator.format import Formatter, PythonVersion

from local.emulator import ROOT

type Json = dict[str, Any]

DESCRIPTION = ROOT / "docs/openapi.json"
FOLDER = ROOT / "client/src/erphub_client/generated"
METHODS = ("get", "post", "put", "patch", "delete")
_IGNORED = frozenset(
    {
        *("pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames"),
        *("examples", "title"),
    }
)
"""What the hub judges, not the client: a bound that is moved in the hub needs no other client."""
_MODEL = "#/components/schemas/"
_ANY_OBJECT = _MODEL + "JsonObject"
_DECIMAL: Json = {"type": "string", "format": "decimal"}
_RESERVED = frozenset({"from", "class", "import"})
_LINE = 116


def digest() -> str:
    """What the generated modules say they were made of."""
    return hashlib.sha256(DESCRIPTION.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def tolerant(node: Any, enums: frozenset[str]) -> Any:
    """The schema without bounds, amounts as decimals, each enumeration beside any text: a newer hub may know more."""
    if isinstance(node, list):
        return [tolerant(one, enums) for one in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    given = cast(Json, node)
    reference = given.get("$ref")
    others = {name: value for name, value in given.items() if name != "$ref"}
    if reference == _ANY_OBJECT:
        return others | {"type": "object", "additionalProperties": True}
    if reference in enums:
        return others | {"anyOf": [{"$ref": reference}, {"type": "string"}]}
    kept: Json = {}
    for name, value in given.items():
        if name == "properties":
            kept[name] = {field: tolerant(one, enums) for field, one in cast(Json, value).items()}
        elif name == "patternProperties":
            (kept["additionalProperties"],) = (tolerant(one, enums) for one in cast(Json, value).values())
        elif name not in _IGNORED and not (name == "additionalProperties" and value is False):
            kept[name] = tolerant(value, enums)
    choices = [one.get("type") for one in cast(list[Json], kept.get("anyOf", []))]
    if {"number", "string"} <= set(choices):
        kept["anyOf"] = [_DECIMAL, *({"type": "null"} for one in choices if one == "null")]
    return kept


def models(document: Json) -> str:
    """The module of models."""
    schemas: Json = document["components"]["schemas"]
    enums = frozenset(_MODEL + name for name, schema in schemas.items() if "enum" in schema)
    seen = {name: tolerant(schema, enums) for name, schema in schemas.items() if _MODEL + name != _ANY_OBJECT}
    description = {"openapi": "3.1.0", "info": document["info"], "paths": {}, "components": {"schemas": seen}}
    made = generate(
        json.dumps(description),
        input_file_type=InputFileType.OpenAPI,
        openapi_scopes=[OpenAPIScope.Schemas],
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_311,
        base_class="erphub_client.model.Model",
        use_standard_collections=True,
        use_union_operator=True,
        use_schema_description=True,
        use_field_description=True,
        use_annotated=True,
        use_subclass_enum=True,
        strict_nullable=True,
        deserialize_default_values=(DefaultValueType.Decimal,),
        collapse_root_models=True,
        disable_timestamp=True,
        formatters=[Formatter.RUFF_FORMAT],
        settings_path=ROOT,
    )
    if not isinstance(made, str):
        raise TypeError("the generator made several modules of one description")
    return made.partition("\n\n")[2]


@dataclass(frozen=True)
class Operation:
    """One operation of the description, as a method."""

    method: str
    path: str
    described: Json

    @property
    def name(self) -> str:
        """Its name in the description."""
        return str(self.described["operationId"])

    def parameters(self, where: str) -> list[Json]:
        """What is sent there: `path`, `query` or `header`."""
        found = [one for one in self.described.get("parameters", []) if one["in"] == where]
        # Whoever has an answer already gets a 304, of which a method has nothing to give.
        return [one for one in found if (self.method, one["name"]) != ("GET", "If-None-Match")]

    @property
    def answer(self) -> str | None:
        """The type of its answer; None when it has no body."""
        status = min(one for one in self.described["responses"] if one.startswith("2"))
        content: Json = self.described["responses"][status].get("content", {})
        if not content:
            return None
        ((kind, said),) = content.items()
        return _type(said["schema"]) if kind == "application/json" else "str"

    @property
    def body(self) -> tuple[str, str] | None:
        """The name and type of what it takes."""
        content: Json = self.described.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            return "body", _type(content["application/json"]["schema"])
        return ("content", "bytes") if content else None


def operations(document: Json) -> str:
    """The module of operations."""
    found = [
        Operation(method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]
    pages = _page_items(document)
    return (
        "from __future__ import annotations\n\n"
        "from collections.abc import Iterator, Mapping\nfrom datetime import date, datetime\nfrom typing import Any\n\n"
        "from erphub_client.generated import models as m\nfrom erphub_client.requests import Requests\n\n\n"
        'class Operations(Requests):\n    """Every operation of the API."""\n'
        + "".join(text for operation in found for text in _methods(operation, pages))
    )


def _methods(operation: Operation, pages: Mapping[str, str]) -> Iterator[str]:
    yield _method(operation)
    item = pages.get(operation.answer or "")
    if item and any(one["name"] == "next" for one in operation.parameters("query")):
        yield _iterator(operation, item)


def _method(operation: Operation) -> str:
    signature, sent = _signature(operation, frozenset())
    answer = operation.answer
    call = f'self._send({answer or "None"}, "{operation.method}", {_address(operation)}{sent})'
    summary = str(operation.described["summary"])
    return _definition(operation.name, signature, answer or "None", summary, f"return {call}")


def _iterator(operation: Operation, item: str) -> str:
    """All pages of a list, one item after the other."""
    signature, sent = _signature(operation, frozenset({"next"}))
    name = "iterate_" + re.sub("^(list|get)_", "", operation.name)
    summary = f"{operation.described['summary']}: every item, page after page"
    call = f"yield from self._pages({operation.answer}, {_address(operation)}{sent})"
    return _definition(name, signature, f"Iterator[{item}]", summary, call)


def _definition(name: str, signature: list[str], answer: str, summary: str, body: str) -> str:
    arguments = "".join(f"        {one},\n" for one in ["self", *signature])
    text = textwrap.fill(f'"""{summary}."""', _LINE, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return f"\n    def {name}(\n{arguments}    ) -> {answer}:\n{text}\n        {body}\n"


def _signature(operation: Operation, without: frozenset[str]) -> tuple[list[str], str]:
    """The method's arguments, and what it hands on."""
    arguments = [f"{one['name']}: str" for one in operation.parameters("path")]
    sent = ""
    if operation.body:
        name, kind = operation.body
        arguments.append(f"{name}: {kind}")
        sent += f", {name}={name}"
    optional: list[str] = []
    for where, argument in (("query", "query"), ("header", "headers")):
        named = [(one["name"], _identifier(one["name"]), one) for one in operation.parameters(where)]
        named = [one for one in named if one[0] not in without]
        if named:
            sent += f", {argument}={{{', '.join(f'"{wire}": {name}' for wire, name, _ in named)}}}"
        for _, name, one in named:
            kind = _type(one["schema"])
            is_needed = one.get("required", False)
            optional.append(f"{name}: {kind}" + ("" if is_needed else f"{'' if 'None' in kind else ' | None'} = None"))
    return [*arguments, *(["*", *optional] if optional else [])], sent


def _identifier(name: str) -> str:
    plain = name.lower().replace("-", "_")
    return f"{plain}_" if plain in _RESERVED else plain


def _address(operation: Operation) -> str:
    names = [one["name"] for one in operation.parameters("path")]
    return f'"{operation.path}"' + (f", ({', '.join(names)},)" if names else ", ()")


def _type(schema: Json) -> str:
    """A schema as a type of Python. Raises ValueError for one that no operation had until now."""
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(_MODEL)
        return "Mapping[str, Any]" if name == "JsonObject" else f"m.{name}"
    if "anyOf" in schema:
        found = dict.fromkeys(_type(one) for one in cast(list[Json], schema["anyOf"]))
        models_alone = [one for one in found if one.startswith("m.")]
        return " | ".join([*found, *(["Mapping[str, Any]"] if len(models_alone) > 1 else [])])
    plain = {"integer": "int", "boolean": "bool", "null": "None", "object": "dict[str, Any]"}
    match schema.get("type"):
        case "string":
            return {"date": "date", "date-time": "datetime"}.get(schema.get("format", ""), "str")
        case "array":
            return f"list[{_type(schema['items'])}]"
        case str(kind) if kind in plain:
            return plain[kind]
        case _:
            raise ValueError(f"the client knows no such type: {schema}")


def _page_items(document: Json) -> dict[str, str]:
    """The type of the items of each kind of page."""
    schemas: Json = document["components"]["schemas"]
    return {
        f"m.{name}": _type(schema["properties"]["items"]["items"])
        for name, schema in schemas.items()
        if {"items", "next"} <= set(schema.get("properties", {}))
    }


def write(folder: Path = FOLDER) -> None:
    """Write both modules anew, unless they are of this very description."""
    header = f'"""Made of docs/openapi.json by `make venv`: {digest()}."""\n\n'
    targets = [folder / "models.py", folder / "operations.py"]
    if all(path.is_file() and path.read_text("utf-8").startswith(header) for path in targets):
        return
    document: Json = json.loads(DESCRIPTION.read_text("utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text('"""What follows from the description of the API."""\n')
    for path, text in zip(targets, (models(document), operations(document)), strict=True):
        fresh = path.with_suffix(".fresh")
        fresh.write_text(header + text, "utf-8")
        fresh.rename(path)


if __name__ == "__main__":
    write()
