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
from local import answer_examples, api_definition, problem_catalogue
from tests.support import described

ROUTES = openapi.routes()
JSON_ROUTES = [route for route in ROUTES if route.takes not in (None, bytes)]
BY_DOCUMENT = [(kind, BODIES["submit_document"][kind.value.capitalize()]) for kind in DocumentKind]
OPERATIONS = described.operations()
KNOWN = {one["code"]: one for one in problem_catalogue.entries()}


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
    headings = [tag["name"] for tag in described.document()["tags"]]
    assert set(headings) == {route.area for route in ROUTES}
    assert headings == list(openapi.AREAS), "in the order of a user's day"


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


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_each_good_answer_with_a_body_has_an_example_that_fits_its_schema(route: Route) -> None:
    """Schemas of answers are closed, and every answer that tests get is held to them: so what fits and leaves nothing
    out has the shape of the real answers, from which `make answers` took it."""
    content = OPERATIONS[route.method, route.path]["responses"][str(route.status)].get("content", {})
    for kind, said in content.items():
        if route.operation not in NO_EXAMPLE:
            steps = (
                "paths",
                route.path,
                route.method.lower(),
                "responses",
                str(route.status),
                "content",
                kind,
                "schema",
            )
            assert described.faults(described.pointer(*steps), said["example"]) == []
            assert described.left_out(said["schema"], said["example"]) == []


NO_EXAMPLE = {"describe_api": "this very document"}


def test_examples_of_answers_are_of_operations_that_there_are_and_hold_nothing_of_the_day_they_were_taken() -> None:
    examples = answer_examples.read()
    assert set(examples) | set(NO_EXAMPLE) == {route.operation for route in ROUTES if route.gives is not None}
    assert examples == {operation: answer_examples.as_example(value) for operation, value in examples.items()}


def test_a_member_that_an_example_leaves_out_is_found() -> None:
    page = {"$ref": "#/components/schemas/WebhookPage"}
    assert described.left_out(page, {"items": [{"id": "1"}]})[:2] == ["/next", "/items/0/url"]


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


def problem_answers(route: Route) -> dict[str, dict[str, Any]]:
    """The answers of an operation that are no success, by status."""
    answers = OPERATIONS[route.method, route.path]["responses"]
    return {status: described.resolved(said) for status, said in answers.items() if status >= "400"}


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_each_status_that_can_come_has_codes_that_the_catalogue_knows_with_it(route: Route) -> None:
    for status, said in problem_answers(route).items():
        examples = said["content"]["application/problem+json"]["examples"]
        assert examples, f"{named(route)}: {status} comes with no code"
        for code, example in examples.items():
            assert int(status) in KNOWN[code]["statuses"], f"{named(route)}: {code} never comes with {status}"
            assert f"`{code}`" in said["description"]
            shown = described.resolved(example)["value"]
            assert (shown["code"], str(shown["status"]), shown["title"]) == (code, status, KNOWN[code]["title"])
            assert described.faults("/components/schemas/Problem", shown) == []


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_what_can_be_said_of_fields_is_in_the_catalogue(route: Route) -> None:
    if "422" in (answers := problem_answers(route)):
        _, _, said = answers["422"]["description"].partition("`errors` can say ")
        assert [code for code in re.findall(r"`(\w+)`", said) if code not in KNOWN] == []


def test_every_code_that_answers_are_given_with_is_one_that_an_operation_lists() -> None:
    """But for those that are only kept: the work in the background that they end is what an operation has begun."""
    listed = {
        code for route in ROUTES for codes in described.codes(route.method, route.path).values() for code in codes
    }
    assert {"connection_not_found", "wizard_expired", "too_many_requests", "credentials_refused"} <= listed
    assert listed <= set(KNOWN)


@pytest.mark.parametrize("kind", api_definition.GATEWAY_PROBLEMS)
def test_what_the_gateway_answers_in_place_of_a_function_is_listed(kind: str) -> None:
    one = api_definition.GATEWAY_PROBLEMS[kind]
    status = str(status_of(one.kind))
    for route in ROUTES:
        if applies(kind, route):
            assert one.code in described.codes(route.method, route.path)[status], named(route)


def applies(kind: str, route: Route) -> bool:
    """Whether an operation can be answered so by the gateway."""
    if kind in ("UNAUTHORIZED", "EXPIRED_TOKEN", "ACCESS_DENIED", "AUTHORIZER_FAILURE"):
        return route.needs is not AccessLevel.PUBLIC
    if kind in ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"):
        return bool(route.names)
    if kind == "UNSUPPORTED_MEDIA_TYPE":
        return route.takes is bytes
    return kind != "REQUEST_TOO_LARGE" or route.takes is not None


def test_whoever_asks_an_erp_says_so() -> None:
    asking = {
        route.operation
        for route in ROUTES
        if "credentials_refused" in described.codes(route.method, route.path).get("502", ())
    }
    syncs = {"update_sync", "test_sync", "refresh_sync", "create_gift_card_product"}
    assert asking == syncs | {"get_mapping", "save_mapping"}
    for route in ROUTES:
        says = "The ERP is asked while you wait." in OPERATIONS[route.method, route.path]["description"]
        assert says == (route.operation in asking), named(route)


def test_whoever_waits_is_told_how_long() -> None:
    for route in ROUTES:
        told = {status for status, said in problem_answers(route).items() if "Retry-After" in said.get("headers", {})}
        assert told == {"429", "503"} & set(problem_answers(route))


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


PROBLEM = {"Content-Type": "application/problem+json"}


def test_an_answer_that_is_not_described_is_noticed() -> None:
    where = ("GET", "/clients/{client_id}/webhooks")
    kind = {"Content-Type": "application/json", "RateLimit": "…", "RateLimit-Policy": "…", "ETag": 'W/"…"'}
    described.require(*where, 200, kind, '{"items": [], "next": null}')
    for status, headers, text, why in (
        (418, kind, "{}", "418 is not declared"),
        (200, {**kind, "Content-Type": "text/plain"}, "", "200 is text/plain"),
        (200, kind, '{"items": []}', '"next" is a required property'),
        (200, kind, '{"items": [], "next": null, "more": 1}', "more"),
        (429, {"Content-Type": "application/problem+json"}, "{}", "429 without"),
        (410, PROBLEM, '{"code": "gone"}', "410 is not declared"),
        (404, PROBLEM, '{"code": "wizard_not_found"}', "404 wizard_not_found is not listed"),
        (422, PROBLEM, '{"code": "invalid_request", "errors": [{"code": "url_invalid"}]}', "which is not listed"),
    ):
        with pytest.raises(AssertionError, match=why):
            described.require(*where, status, headers, text)
