"""What API Gateway hands in: addresses as they were sent, tokens of the right kind, files, pages of other origins."""

import json
from base64 import b64encode
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from erphub.platform.capability import NoAct
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import RawJson, Router
from erphub.platform.identity import AccessLevel
from erphub.platform.settings import read_settings
from tests.support import described
from tests.support.gateway import NoServices, addressed, encoded
from tests.support.hub import event

ORIGINS = frozenset({"https://till.example.com", "http://localhost:3000"})
NAMES = [
    "somebody@example.com",
    "a+b",
    "a%2Bb",
    "50%",
    "%41",
    "%2541",
    "a/b",
    "a%2Fb",
    "blåbær ÆØÅ",
    "日本 語",
    "q?x=1#y",
    'a"b\\c`d',
    "~.-_!$&'()*,;=:",
]


class EverybodyMay:
    """Access that asks nobody anything."""

    def require_level(self, *_: object) -> None:
        pass


def answering(router: Any, origins: frozenset[str]) -> Dispatcher[Any]:
    """What answers a function's requests, whoever asks."""
    return Dispatcher(router, NoServices(EverybodyMay(), origins))


def echo(origins: frozenset[str] = ORIGINS) -> Dispatcher[Router]:
    """A function whose routes say what they were given."""
    router = Router("Things")

    @router.get("/things/{name}", needs=AccessLevel.SIGNED_IN)
    def show(name: str) -> dict[str, Any]:
        return {"name": name}

    @router.put("/things/{name}", needs=AccessLevel.SIGNED_IN, audit=NoAct("It changes nothing."))
    def put(name: str, body: bytes) -> dict[str, Any]:
        return {"name": name, "bytes": b64encode(body).decode()}

    return answering(router, origins)


def decoded(request: dict[str, Any], name: str) -> dict[str, Any]:
    """The same request as the local AWS and HTTP APIs hand it in."""
    path = f"/things/{name}"
    sent = deepcopy(request) | {"version": "1.0", "path": path, "pathParameters": {"name": name}}
    sent["requestContext"]["path"] = f"/local{path}"
    return sent


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_an_address_is_read_once_whoever_decodes_it(name: str):
    api = echo()
    request = addressed(event("api"), api.routes.routes, "GET", f"/things/{encoded(name)}")
    for one in (request, decoded(request, name)):
        answer = api(one, None)
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"name": name})


@pytest.mark.parametrize("sent", ["%FF", "%C3", "a%E6b"])
def test_an_address_that_is_no_text_leads_nowhere(sent: str):
    api = echo()
    answer = api(addressed(event("api"), api.routes.routes, "GET", f"/things/{sent}"), None)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "route_not_found")


def test_somebody_is_let_in_by_address_on_aws_and_on_the_local_aws_alike(hub):
    answers = []
    for name in ("member", "member-local"):
        request = event(name)
        request["pathParameters"]["client_id"] = hub.client
        request["requestContext"]["authorizer"]["user"] = "administrator"
        answers.append(hub.send(request))
    first, second = answers
    assert (first.status, first.json["member"]["name"], first.json["role"]) == (
        200,
        "jorgen+till@example.test",
        "viewer",
    )
    assert second.json == first.json, "the same invitation, once"


def test_whom_the_authorizer_did_not_name_is_let_in_nowhere(hub):
    before = hub.items()
    for said in ({}, {"principalId": "administrator"}, {"claims": {"sub": "administrator", "token_use": "id"}}):
        request = addressed(event("api"), hub.api.handler.routes.all(), "GET", "/me")
        request["requestContext"]["authorizer"] = said
        answer = hub.send(request)
        assert (answer.status, answer.code) == (401, "not_signed_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert hub.items() == before


def test_a_token_that_ended_while_the_gateway_remembered_it_opens_nothing(hub):
    ends = hub.time[0] + timedelta(minutes=5)
    assert hub.call("GET", "/me", valid_until=ends).json["valid_until"] == "2026-11-22T08:05:00Z"
    hub.pass_time(minutes=5)
    answer = hub.call("GET", "/me", valid_until=ends)
    assert (answer.status, answer.code) == (401, "sign_in_expired")


def test_the_description_says_which_token_is_wanted():
    said = described.document()["components"]["securitySchemes"]["bearer"]["description"]
    assert [one for one in ("ID token", "access token", "API key") if one not in said] == []
    (server,) = described.document()["servers"]
    assert server["url"].format(**{name: one["default"] for name, one in server["variables"].items()}) == (
        "https://api-id.execute-api.eu-north-1.amazonaws.com/prod"
    )


def put_file(api: Dispatcher[Router], kind: str | None, content: bytes) -> tuple[int, Any]:
    """Hand in a file as the gateway does: of a declared type byte for byte, else with what is no UTF-8 replaced."""
    request = addressed(event("api"), api.routes.routes, "PUT", "/things/file")
    binary = kind is not None and kind.partition(";")[0].lower() in FILE_TYPES
    body = b64encode(content).decode() if binary else content.decode(errors="replace")
    request |= {"body": body, "isBase64Encoded": binary}
    request["headers"] = {"content-type": kind} if kind else {}
    answer = api(request, None)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("kind", [*FILE_TYPES, "application/xml; charset=iso-8859-1", "Text/XML"])
def test_a_file_arrives_as_it_was_sent(kind: str):
    content = '<?xml version="1.0" encoding="iso-8859-1"?><a>Blåbær</a>'.encode("latin-1")
    assert put_file(echo(), kind, content) == (200, {"name": "file", "bytes": b64encode(content).decode()})


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "application/x-www-form-urlencoded", "xml"])
def test_a_file_that_may_have_been_changed_on_the_way_is_refused(kind: str | None):
    status, problem = put_file(echo(), kind, b"<a>\xe5</a>")
    assert (status, problem["code"], problem["status"]) == (415, "unsupported_media_type", 415)
    assert "application/xml" in problem["detail"]


def test_a_page_of_an_allowed_origin_is_told_what_it_may_send():
    from functions.connections.api import handler

    answer = answering(handler.routes, ORIGINS)(event("preflight"), None)
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert headers["Access-Control-Allow-Origin"] == "https://till.example.com"
    assert headers["Access-Control-Allow-Methods"] == "DELETE, GET, PATCH"
    allowed = headers["Access-Control-Allow-Headers"]
    assert allowed == "authorization, content-type, idempotency-key, if-match, if-none-match, prefer"
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers, "there are no cookies"


@pytest.mark.parametrize(
    ("origins", "origin", "allowed", "vary"),
    [
        (ORIGINS, "https://till.example.com", "https://till.example.com", "Origin"),
        (ORIGINS, "http://localhost:3000", "http://localhost:3000", "Origin"),
        (ORIGINS, "https://evil.example", None, "Origin"),
        (ORIGINS, "https://till.example.com.evil.example", None, "Origin"),
        (ORIGINS, "HTTPS://TILL.EXAMPLE.COM", None, "Origin"),
        (ORIGINS, "null", None, "Origin"),
        (ORIGINS, None, None, "Origin"),
        (frozenset(), "https://till.example.com", None, None),
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT"])
def test_answers_and_refusals_alike_name_the_origin_that_may_read_them(
    origins: frozenset[str], origin: str | None, allowed: str | None, vary: str | None, method: str
):
    api = echo(origins)
    request = addressed(event("api"), api.routes.routes, method, "/things/one")
    request["headers"] = {"Origin": origin} if origin else {}
    answer = api(request, None)
    assert answer["statusCode"] == {"OPTIONS": 204, "GET": 200, "PUT": 415}[method]
    assert answer["multiValueHeaders"].get("Access-Control-Allow-Origin") == ([allowed] if allowed else None)
    differs = ["Authorization"] * (method == "GET") + [vary] * bool(vary)
    assert answer["multiValueHeaders"].get("Vary") == ([", ".join(differs)] if differs else None)
    assert ("Access-Control-Allow-Methods" in answer["multiValueHeaders"]) == (method == "OPTIONS" and bool(allowed))


def test_what_nobody_foresaw_can_be_read_by_a_page_too():
    api = echo()

    @api.routes.get("/broken", needs=AccessLevel.SIGNED_IN)
    def broken() -> RawJson:
        raise RuntimeError

    request = addressed(event("api"), api.routes.routes, "GET", "/broken")
    request["headers"] = {"Origin": "http://localhost:3000"}
    answer = api(request, None)
    assert answer["statusCode"] == 500
    assert answer["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["http://localhost:3000"]


def test_nobody_elses_pages_are_let_in_unless_the_deployment_says_so():
    assert read_settings({}).allowed_origins == ()
    assert read_settings({"ALLOWED_ORIGINS": ""}).allowed_origins == ()
    both = read_settings({"ALLOWED_ORIGINS": "https://till.example.com,http://localhost:3000"})
    assert set(both.allowed_origins) == ORIGINS


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_an_address_of_another_function_is_none_of_this_ones(method: str):
    request = addressed(event("api"), [], method, "/things/one")
    answer = echo()(request, None)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "route_not_found")
