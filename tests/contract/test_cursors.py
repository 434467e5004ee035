"""Every list: `next` tells nothing, and opens only the list, client and filter that gave it."""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from erphub import openapi
from erphub.platform.cursors import MAX_CURSOR, Cursors
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel, Member
from erphub.platform.wire import Model
from tests.support.gateway import NoServices, said_of

CLIENT, OTHER = "01JCG0C11ENT0000000000000A", "01JCG0C11ENT0000000000000B"
PLACE = json.dumps({"pk": f"CLIENT#{CLIENT}", "sk": "MEMBER#somebody"})
LISTS = [route for route in openapi.routes() if route.query is not None and "next" in route.query.model_fields]


class FixedKey:
    def read(self) -> bytes:
        return b"k" * 32


class Listed(Model):
    next: str | None


class WithAList(Model):
    units: Listed


class EverybodyMay:
    def require(self, client_id: str, caller: Any, permission: Any) -> Member:
        return Member(client_id, "01JCG0CVST0MER000000000000", caller.user, "viewer", None)

    def require_level(self, level: AccessLevel, caller: Any, customer_id: str | None) -> None:
        return None


@dataclass(frozen=True)
class Function(NoServices):
    """Lists whose pages all end at one place."""

    made: Cursors = field(default_factory=lambda: Cursors(FixedKey()))

    def cursors(self) -> Cursors:
        return self.made


@dataclass
class OneList:
    """A route of the API whose handler remembers where it was told to begin."""

    route: Route
    begun: list[str | None] = field(default_factory=list)
    nested: bool = False

    def find(self, method: str, resource: str) -> Route:
        def handler(query: Any) -> Model:
            self.begun.append(query.next)
            listed = Listed(next=PLACE)
            return WithAList(units=listed) if self.nested else listed

        return replace(self.route, handler=handler, wants=("query",), services={})

    def methods(self, resource: str) -> list[str]:
        return [self.route.method]

    def call(self, query: dict[str, str], client: str = CLIENT) -> tuple[int, Any]:
        names = {name: client if name == "client_id" else "01JCG0W1ZARD0000000000000A" for name in self.route.names}
        event = {
            "httpMethod": self.route.method,
            "resource": self.route.path,
            "pathParameters": names,
            "queryStringParameters": query,
            "headers": {},
            "requestContext": {"authorizer": said_of("somebody")},
        }
        answer = Dispatcher(self, Function(EverybodyMay()))(event, None)
        return answer["statusCode"], json.loads(answer["body"])


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_all_lists_are_looked_at():
    assert len(LISTS) > 15


@pytest.mark.parametrize("route", LISTS, ids=named)
def test_a_list_goes_on_where_its_next_says(route):
    a_list = OneList(route)
    status, page = a_list.call({})
    assert status == 200
    assert a_list.call({"next": page["next"], "limit": "1"} if "limit" in route.query.model_fields else page)[0] == 200
    assert a_list.begun == [None, PLACE]


def test_the_list_within_an_answer_goes_on_likewise():
    a_list = OneList(LISTS[0], nested=True)
    _, page = a_list.call({})
    assert a_list.call({"next": page["units"]["next"]})[0] == 200
    assert a_list.begun == [None, PLACE]


@pytest.mark.parametrize("route", LISTS, ids=named)
def test_a_next_tells_nothing(route):
    _, page = OneList(route).call({})
    seen = base64.urlsafe_b64decode(page["next"] + "=" * (-len(page["next"]) % 4))
    assert b"CLIENT" not in seen
    assert b"somebody" not in seen


def spelled_otherwise(text: str) -> list[str]:
    """Each character changed once, cut, longer, in another alphabet, and what a maker of places would try."""
    plain = base64.urlsafe_b64encode(PLACE.encode()).decode().rstrip("=")
    changed = [text[:at] + ("A" if one != "A" else "B") + text[at + 1 :] for at, one in enumerate(text)]
    made = [
        "",
        "x",
        "AAAA",
        "\x00",
        "²²²²",
        "W10",
        "MTIz",
        "%00",
        "null",
        PLACE,
        plain,
        text + "=",
        text + "A",
        text + " ",
    ]
    return [*changed, *made, text[:-1], text[1:], text * 2, "A" * MAX_CURSOR, text.ljust(MAX_CURSOR + 1, "A")]


@pytest.mark.parametrize("route", LISTS, ids=named)
def test_a_next_that_this_list_did_not_give_opens_nothing(route):
    a_list = OneList(route)
    _, page = a_list.call({})
    _, foreign = OneList(route).call({}, client=OTHER)
    elsewhere = [OneList(other).call({})[1]["next"] for other in LISTS if named(other) != named(route)]
    filtered = {
        name: value
        for name, value in (("search", "x"), ("status", "sent"), ("company_key", "k"), ("code", "c"), ("columns", "a"))
        if name in route.query.model_fields
    }
    wrong = [{"next": word} for word in (*spelled_otherwise(page["next"]), *elsewhere)]
    wrong += [{"next": page["next"], name: value} for name, value in filtered.items()]
    if "client_id" in route.names:
        wrong.append({"next": foreign["next"]})
    for query in wrong:
        status, problem = a_list.call(query)
        assert (status, problem["errors"][0]["code"]) == (422, "next_invalid"), query
    assert a_list.begun == [None]
