"""Requests that schemathesis makes of the API's description, good ones and bad ones, at each of its operations.

Every answer is one that the description tells of: its status, its kind, its headers and its body; none is a server
error. The requests go as they would go on the wire, into the hub with all of its routes.
`make requests` sends many more of them, others each time.
"""

import base64
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support import described
from tests.support.gateway import addressed, said_of
from tests.support.hub import ADMINISTRATOR, Hub
from tests.support.hub import event as gateway_event
from tests.support.places import Places
from tests.support.whole import OPERATOR

pytestmark = pytest.mark.generated

AWAY = {"lake_unavailable", "not_built"}
"""Codes of what is not there in memory: the lake's table engine, and a description that only a build has."""


def no_server_error(context: CheckContext, response: Response, case: Case) -> bool | None:
    """Nothing that a caller sends breaks anything."""
    assert response.status_code < 500 or response.json()["code"] in AWAY, response.text
    return None


CHECKS = [
    no_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def sent_to() -> list[Any]:
    """Each operation with requests as they should be, and, where there is anything in them, as they should not."""
    return [
        pytest.param(*one, mode, id=f"{' '.join(one)} {mode.value}")
        for one, operation in sorted(described.operations().items())
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or operation.get("security") != []
    ]


@cache
def api() -> Any:
    """The description as schemathesis reads it."""
    return schemathesis.openapi.from_dict({**described.document(), "servers": [{"url": "http://localhost"}]})


class OnTheWire:
    """The hub as a WSGI application: a request becomes the gateway's event, its answer the response."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        if "CONTENT_TYPE" in environ:
            headers["content-type"] = environ["CONTENT_TYPE"]
        method, path = environ["REQUEST_METHOD"], environ["REQUEST_URI"].partition("?")[0]
        user = OPERATOR if path.startswith(("/customers", "/platform")) else ADMINISTRATOR
        hub = self.hub
        event = addressed(gateway_event("api"), hub.api.handler.routes.all(), method, path)
        event |= {
            "queryStringParameters": dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)) or None,
            "headers": event["headers"] | headers,
            "body": base64.b64encode(body).decode() if body else None,
            "isBase64Encoded": bool(body),
        }
        event["requestContext"] |= {
            "requestTimeEpoch": int(hub.time[0].timestamp() * 1000),
            "authorizer": said_of(user),
        }
        answer = hub.api.handler(event, None)
        status = HTTPStatus(answer["statusCode"])
        given = [(name, one) for name, several in answer["multiValueHeaders"].items() for one in several]
        start_response(f"{status.value} {status.phrase}", given)
        text = answer["body"] or ""
        return [base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()]


def at_home(case: Case, names: dict[str, str], known: frozenset[str]) -> Case:
    """The case with places that there are, where the example says so: at random ones there is never anything."""
    for name in known & (case.path_parameters or {}).keys():
        case.path_parameters[name] = names[name]
    return case


@pytest.mark.parametrize(("method", "path", "mode"), sent_to())
def test_every_answer_to_generated_requests_is_told_of(
    places: Places,
    request: pytest.FixtureRequest,
    method: str,
    path: str,
    mode: GenerationMode,
) -> None:
    operation = api()[path][method]
    application = OnTheWire(places.hub)
    names = frozenset(places.names)

    @settings(
        max_examples=request.config.getoption("--requests"),
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.sampled_from([names, names, names, frozenset()]))
    def sent(case: Case, known: frozenset[str]) -> None:
        answer = at_home(case, places.names, known).call(app=application)
        case.validate_response(answer, checks=CHECKS)

    sent()


@pytest.mark.parametrize(
    ("status", "body"),
    [(418, "{}"), (500, '{"code": "internal_error"}'), (200, '{"items": 1}'), (200, "[]"), (200, "")],
    ids=["a status", "an error", "a member", "a body", "nothing"],
)
def test_what_is_not_told_of_is_found(status: int, body: str) -> None:
    operation = api()["/clients/{client_id}/webhooks"]["GET"]

    def other(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(f"{status} Answered", [("Content-Type", "application/json")])
        return [body.encode()]

    case = operation.Case(path_parameters={"client_id": "x"})
    with pytest.raises((FailureGroup, AssertionError)):
        case.validate_response(case.call(app=other), checks=CHECKS)
