"""Odd values in every place of every address: an answer with a code, never a server error, and nothing is served."""

import json
import re
from typing import Any

import pytest

from erphub import openapi
from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Invalid, NotFound
from erphub.platform.http import dispatch
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.router import Route
from erphub.sync.documents.service import read_incoming
from functions.connections.api import handler
from tests.contract.test_cursors import CLIENT, EverybodyMay
from tests.support.gateway import NoServices, encoded, said_of

ROUTES = openapi.routes()
IDENTIFIER = "01JCG0W1ZARD0000000000000A"
ODD = [
    *(
        "",
        " ",
        ".",
        "..",
        "../..",
        "/",
        "%",
        "%00",
        "\x00",
        "\n",
        "\x1b[31m",
        "\u202e",
        "\u200b",
        "\ud7ff",
        "\U0001f600",
    ),
    *("²", "１", "٣", "0", "-1", "1e9", "NaN", "null", "true", "[]", "{}", "'", '"', "<script>", "#", "a#b", "*", "?"),
    *("x" * 2000, "１" * 26, IDENTIFIER.lower(), IDENTIFIER + "\n", f" {IDENTIFIER}", "é" * 1000),
]
BYTES = ["%ff", "%c3%28", "%ed%a0%80", "%f8%88%80%80%80"]
"""What is no text in UTF-8, as it stands on the wire."""


class OneRoute:
    def __init__(self, route: Route) -> None:
        self.route = route

    def find(self, method: str, resource: str) -> Route:
        return self.route

    def methods(self, resource: str) -> list[str]:
        return [self.route.method]


def asked(route: Route, place: str, sent: str) -> tuple[int, Any]:
    names = {name: CLIENT if name == "client_id" else IDENTIFIER for name in route.names} | {place: sent}
    event = {
        "httpMethod": route.method,
        "resource": route.path,
        "pathParameters": names,
        "headers": {"content-type": "application/xml" if route.takes is bytes else "application/json"},
        "body": "{}" if route.takes is not None else None,
        "requestContext": {"authorizer": said_of("somebody")},
    }
    answer = Dispatcher(OneRoute(route), NoServices(EverybodyMay()))(event, None)
    return answer["statusCode"], json.loads(answer["body"])


PLACES = [(route, place) for route in ROUTES for place in route.names]
IDENTIFIERS = [one for one in PLACES if one[1].removesuffix("_id") in dispatch._IDENTIFIERS]
NAMES = [one for one in PLACES if one not in IDENTIFIERS and one[0] in handler.routes.all()]
BODIES: dict[str, Any] = {
    "user_id": {"role": "viewer"},
    "role": {"permissions": ["connections:view"], "version": None},
    "limit_name": {"value": 5},
    "step_id": {"name": "A name"},
}


def named(value: Any) -> str:
    return f"{value.method} {value.path}" if isinstance(value, Route) else str(value)


@pytest.mark.parametrize(("route", "place"), IDENTIFIERS, ids=named)
def test_what_is_no_identifier_is_not_there(route: Route, place: str) -> None:
    for sent in (*map(encoded, ODD), *BYTES):
        status, problem = asked(route, place, sent)
        assert (status, bool(problem["code"])) == (404, True), sent


@pytest.mark.parametrize(("route", "place"), NAMES, ids=named)
def test_an_odd_name_gets_an_answer_with_a_code(hub: Any, route: Route, place: str) -> None:
    wizard = hub.call("POST", hub.in_client("/wizards"), {"erp_system": "visma-business"}).json["id"]
    known = {"client_id": hub.client, "customer_id": hub.customer, "wizard_id": wizard}
    body = BODIES.get(place) if route.takes is not None else None
    for sent in (*map(encoded, ODD), *BYTES):
        path = route.path
        for name in route.names:
            path = path.replace(f"{{{name}}}", sent if name == place else known.get(name, IDENTIFIER))
        answer = hub.call(route.method, path, body)
        if place == "role" and re.fullmatch("[a-z0-9]{1,30}", sent):
            continue  # a name that a role can have
        assert 400 <= answer.status < 500, (sent, answer.status, answer.text)
        assert answer.code


@pytest.mark.parametrize("kind", [*(one.value for one in DocumentKind), "other"])
def test_an_odd_id_of_a_document_is_refused(kind: str) -> None:
    for sent in [one for one in ODD if not fits(one)]:
        with pytest.raises((Invalid, NotFound)):
            read_incoming(kind, sent, {})
        with pytest.raises(NotFound):
            read_incoming(sent, "1", {})


def fits(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9._:@~-]{1,100}", text) is not None
