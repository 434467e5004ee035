"""Whether an answer is one that docs/openapi.json tells of: its status, its kind and what is in it."""

import json
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from erphub.platform.field_errors import WORDS
from tests.support import answers

FILE = Path(__file__).resolve().parents[2] / "docs/openapi.json"
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
OF_ANY_FORM = frozenset(one.code for one in WORDS.values())
"""What is said of fields whose values have not the form that is wanted: of any body."""


@cache
def document() -> dict[str, Any]:
    """The API's description as it is published."""
    return json.loads(FILE.read_text("utf-8"))


@cache
def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


@cache
def validator(pointer: str) -> Draft202012Validator:
    """What judges by the schema at this pointer of the document, with all that the schema refers to.

    Every answer of the suite is judged, so it is the library that compiles schemas."""
    return Draft202012Validator({"$ref": f"urn:api#{pointer}"}, registry=_registry())


@cache
def _registry() -> Registry:
    return Registry([("urn:api", document())], draft=Draft202012)


def pointer(*steps: str) -> str:
    """A JSON pointer, percent-encoded as in an address."""
    escaped = (step.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for step in steps)
    return "".join("/" + step for step in escaped)


def faults(where: str, value: Any) -> list[str]:
    """What is wrong with a value by the schema at this pointer."""
    errors = validator(where).iter_errors(value)
    return [f"/{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in errors]


def require_described(request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Fail unless the description tells of this answer of a function to an event of the gateway."""
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    require(request["httpMethod"], request["resource"], answer["statusCode"], headers, answer["body"])


def require(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """Fail unless the description tells of such an answer. Addresses that nobody serves are not in it."""
    operation = operations().get((method, path))
    if operation is None:
        return
    name = f"{method} {path}"
    assert str(status) in operation["responses"], f"{name}: {status} is not declared: {text[:300]}"
    said = operation["responses"][str(status)]
    steps = ("paths", path, method.lower(), "responses", str(status))
    if "$ref" in said:
        steps = tuple(said["$ref"].removeprefix("#/").split("/"))
        said = document()["components"]["responses"][steps[-1]]
    always = {name for name, one in said.get("headers", {}).items() if resolved(one).get("required", True)}
    assert always <= set(headers), f"{name}: {status} without {always - set(headers)}"
    kind = headers.get("Content-Type", "").partition(";")[0]
    if "content" not in said:
        assert text == "", f"{name}: {status} is declared without a body"
        return
    assert kind in said["content"], f"{name}: {status} is {kind}, declared is {list(said['content'])}"
    value: Any = json.loads(text) if kind.endswith("json") else text
    if status >= HTTPStatus.BAD_REQUEST:
        _require_codes(name, status, value, said)
    wrong = faults(pointer(*steps, "content", kind, "schema"), value)
    assert not wrong, f"{name}: {status} {wrong[:3]}"
    if status < HTTPStatus.BAD_REQUEST:
        answers.remember(operation["operationId"], value)


def fits(operation: str, value: Any) -> bool:
    """Whether an operation, by its name, that went well can be answered so, with all that its answers have."""
    for (method, path), one in operations().items():
        if one["operationId"] == operation:
            status, said = next(iter(one["responses"].items()))
            kind = next(iter(said["content"]))
            steps = ("paths", path, method.lower(), "responses", status, "content", kind, "schema")
            return not faults(pointer(*steps), value) and not left_out(said["content"][kind]["schema"], value)
    return False


def left_out(schema: dict[str, Any], value: Any, where: str = "") -> list[str]:
    """Members that the schema knows and the value does not have: answers have them all, be they null."""
    schema = resolved(schema)
    if isinstance(value, list):
        return [
            name for at, one in enumerate(value) for name in left_out(schema.get("items", {}), one, f"{where}/{at}")
        ]
    if not isinstance(value, dict):
        return []
    fitting = [one for one in (schema, *schema.get("anyOf", ())) if "properties" in resolved(one)]
    if not fitting:
        return []
    known = resolved(fitting[0])["properties"]
    given = cast(dict[str, Any], value)
    missing = [f"{where}/{name}" for name in known if name not in given]
    deeper = [left_out(known[name], one, f"{where}/{name}") for name, one in given.items() if name in known]
    return missing + [name for names in deeper for name in names]


def codes(method: str, path: str) -> dict[str, frozenset[str]]:
    """The codes of problems that an operation lists, by status."""
    return {
        status: frozenset(resolved(said)["content"]["application/problem+json"]["examples"])
        for status, said in operations()[method, path]["responses"].items()
        if int(status) >= HTTPStatus.BAD_REQUEST
    }


def resolved(said: dict[str, Any]) -> dict[str, Any]:
    """What is said, or what it points at."""
    if "$ref" not in said:
        return said
    found: Any = document()
    for step in said["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _require_codes(name: str, status: int, problem: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Fail unless the answer lists the problem's code, and what is said of fields."""
    listed = said["content"]["application/problem+json"]["examples"]
    assert problem["code"] in listed, f"{name}: {status} {problem['code']} is not listed"
    of_fields = {wrong["code"] for wrong in problem.get("errors", ())} - OF_ANY_FORM - {problem["code"]}
    unlisted = [code for code in sorted(of_fields) if f"`{code}`" not in said["description"]]
    assert not unlisted, f"{name}: {status} {problem['code']} with {unlisted}, which is not listed"
