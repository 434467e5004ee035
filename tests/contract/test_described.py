"""The API is described completely: every body, every status that can come, an example that is true.

That each answer the suite gets is one that the description tells of is judged in `tests/support/hub.py`, at every call.
"""

import json
import re
from typing import Any

import pytest

from erphub import openapi
from erphub.erp.catalogue import catalogue
from erphub.erp.description import Step
from erphub.erp.documents import DocumentKind
from erphub.erp.forms import AnswerContext, clean_answer
from erphub.openapi_examples import BODIES, PATHS
from erphub.platform.errors import CredentialsRefused, ErpRefused, Gone, Invalid, Uncertain
from erphub.platform.http.router import Route, Router
from erphub.platform.identity import AccessLevel
from erphub.platform.problem_documents import status_of
from erphub.platform.wire import Model
from erphub.sync.canonical import read_received
from local import api_definition
from tests.support import described

ROUTES = openapi.routes()
JSON_ROUTES = [route for route in ROUTES if route.takes not in (None, bytes)]
BY_DOCUMENT = [(kind, BODIES["submit_document"][kind.value.capitalize()]) for kind in DocumentKind]
OPERATIONS = described.operations()


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def says_what_is_in_it(schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return says_what_is_in_it(described.document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    words = ("properties", "oneOf", "anyOf", "allOf", "items", "enum", "const")
    return any(schema.get(word) for word in words) or schema.get("type") not in (None, "object")


def body_steps(route: Route) -> str:
    steps = ("paths", route.path, route.method.lower(), "requestBody", "content", "application/json", "schema")
    return described.pointer(*steps)


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_body_says_what_is_in_it(route: Route) -> None:
    operation = OPERATIONS[route.method, route.path]
    taken = operation.get("requestBody", {"content": {}})["content"]
    given = operation["responses"][str(route.status)].get("content", {})
    assert bool(taken) == (route.takes is not None)
    assert bool(given) == (route.status != 204)
    untyped = [kind for kind, one in {**taken, **given}.items() if not says_what_is_in_it(one["schema"])]
    assert untyped == ([] if route.operation != "describe_api" else ["application/json"])


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_operation_is_told_in_sentences_under_a_heading_that_is_explained(route: Route) -> None:
    operation = OPERATIONS[route.method, route.path]
    assert re.fullmatch(r"[A-Z].*[^.]", operation["summary"])
    assert re.fullmatch(r"([A-Z`].*?\.( |$))+", operation["description"]), operation["description"]
    headings = {tag["name"]: tag["description"] for tag in described.document()["tags"]}
    assert set(operation["tags"]) <= set(headings)
    assert "  " not in operation["description"]


def test_headings_are_those_of_the_routes_and_no_others() -> None:
    assert {tag["name"] for tag in described.document()["tags"]} == {route.area for route in ROUTES}


@pytest.mark.parametrize("route", JSON_ROUTES, ids=named)
def test_each_example_fits_the_schema_that_is_published(route: Route) -> None:
    content = OPERATIONS[route.method, route.path]["requestBody"]["content"]["application/json"]
    examples = [one["value"] for one in content["examples"].values()]
    assert examples == list(BODIES[route.operation].values())
    assert [described.faults(body_steps(route), one) for one in examples] == [[]] * len(examples)


@pytest.mark.parametrize(
    "route",
    [route for route in JSON_ROUTES if isinstance(route.takes, type) and issubclass(route.takes, Model)],
    ids=named,
)
def test_each_example_is_read_by_the_model_that_requests_are_read_with(route: Route) -> None:
    for example in BODIES[route.operation].values():
        assert route.takes.model_validate_json(json.dumps(example), strict=True)


def test_there_are_examples_for_what_takes_a_body_and_for_each_name_in_a_path_and_for_nothing_else() -> None:
    assert set(BODIES) == {route.operation for route in JSON_ROUTES}
    assert set(PATHS) == {name for route in ROUTES for name in route.names}


@pytest.mark.parametrize(("kind", "body"), BY_DOCUMENT)
def test_the_example_of_each_kind_of_document_is_a_document_of_that_kind_alone(kind: DocumentKind, body: Any) -> None:
    assert read_received(kind, body).kind is kind
    for other in set(DocumentKind) - {kind}:
        with pytest.raises(Invalid):
            read_received(other, body)
    fitting = [
        name
        for one in DocumentKind
        if not described.faults(f"/components/schemas/{(name := f'{one.value.capitalize()}Document')}", body)
    ]
    assert fitting == [f"{kind.value.capitalize()}Document"]


def steps() -> list[Any]:
    return [pytest.param(step, id=f"{system.id} {step.id}") for system in catalogue() for step in system.steps]


def answer_of_examples(step: Step) -> dict[str, Any]:
    """An answer of each field's example, or its default, where it is shown."""
    answer: dict[str, Any] = {}
    for item in step.fields:
        value = item.default if item.example is None else item.example
        if value is not None and item.is_shown(answer):
            answer[item.name] = value
    return answer


@pytest.mark.parametrize("step", steps())
def test_what_a_step_takes_fits_its_schema_in_the_description(step: Step, request: pytest.FixtureRequest) -> None:
    answer = answer_of_examples(step)
    secrets = {item.name: "a secret of a program" for item in step.fields if item.secret and item.is_shown(answer)}
    try:
        clean_answer(step, answer | secrets, AnswerContext())
    except Invalid as error:
        pytest.fail(f"{error.errors}")
    system = request.node.callspec.id.partition(" ")[0]
    name = f"{capitals(step.id)}AnswerOf{capitals(system)}"
    assert described.faults(f"/components/schemas/{name}", answer | secrets | {"version": 3}) == []
    assert described.faults(f"/components/schemas/{name}", {"unknown": 1}) != []


def capitals(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_each_status_follows_from_what_the_route_declares_or_from_the_gateway(route: Route) -> None:
    declared = set(OPERATIONS[route.method, route.path]["responses"])
    assert declared == openapi.possible_statuses(route)
    raised = {str(status_of(kind)) for kind in route.raises}
    of_gateway = {str(status_of(one.kind)) for one in api_definition.GATEWAY_PROBLEMS.values()}
    of_dispatch = {"400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503"}
    assert declared - {str(route.status)} <= raised | of_gateway | of_dispatch


@pytest.mark.parametrize("status", ["429", "502", "503", "504"])
def test_what_the_gateway_answers_in_place_of_a_function_may_come_anywhere(status: str) -> None:
    assert not [name for name, operation in OPERATIONS.items() if status not in operation["responses"]]


def test_whoever_asks_an_erp_says_so() -> None:
    asking = {route.operation for route in ROUTES if ErpRefused in route.raises}
    assert asking == {"update_sync", "test_sync", "refresh_sync", "create_gift_card_product"}
    answers = {
        OPERATIONS[route.method, route.path]["responses"]["502"]["$ref"]
        for route in ROUTES
        if route.operation in asking
    }
    assert answers == {"#/components/responses/ErpProblem502"}


def test_whoever_waits_is_told_how_long() -> None:
    answers = described.document()["components"]["responses"]
    assert {name for name, said in answers.items() if "Retry-After" in said.get("headers", {})} == {
        "Problem429",
        "Problem503",
    }


@pytest.mark.parametrize(
    ("kind", "status"), [(Gone, 410), (ErpRefused, 502), (CredentialsRefused, 502), (Uncertain, 502), (Invalid, 422)]
)
def test_a_kind_of_error_has_one_status(kind: Any, status: int) -> None:
    assert status_of(kind) == status


def test_an_answer_without_a_body_is_a_204() -> None:
    router = Router("Things")

    def start() -> None:
        """Start a thing."""

    with pytest.raises(TypeError, match="an answer without a body is a 204, not a 202"):
        router.put("/things", needs=AccessLevel.SIGNED_IN, audit=None, status=202)(start)  # type: ignore[arg-type]


def test_an_answer_that_is_not_described_is_noticed() -> None:
    where = ("GET", "/clients/{client_id}/webhooks")
    kind = {"Content-Type": "application/json", "RateLimit": "…", "RateLimit-Policy": "…"}
    described.require(*where, 200, kind, '{"items": [], "next": null}')
    for status, headers, text, why in (
        (418, kind, "{}", "418 is not declared"),
        (200, {**kind, "Content-Type": "text/plain"}, "", "200 is text/plain"),
        (200, kind, '{"items": []}', '"next" is a required property'),
        (200, kind, '{"items": [], "next": null, "more": 1}', "more"),
        (429, {"Content-Type": "application/problem+json"}, "{}", "429 without"),
    ):
        with pytest.raises(AssertionError, match=why):
            described.require(*where, status, headers, text)
