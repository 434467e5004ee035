"""Hostile bodies at every route that takes one: an answer with a code, never a server error; no JSON does nothing.

The routes are those of the API, their good bodies the examples of its description (`erphub/openapi_examples.py`) with
every member that may be left out: each is replaced by every odd value.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from erphub import openapi
from erphub.platform.http.router import Route
from tests.support.places import Places
from tests.support.receiver import HOST
from tests.support.saft import file, report

pytestmark = pytest.mark.generated

ROUTES = [route for route in openapi.routes() if route.takes is not None]
JSON_ROUTES = [route for route in ROUTES if route.takes is not bytes]
HOOK = f"https://{HOST}/hook"
DEEP = 150
ODD: list[Any] = [
    *(None, True, False, 0, -1, 10**18, 10**25, 10**400, -(10**400), 0.1, 1e300, "", " ", "\x00", "a\x00b", "\ud7ff"),
    *("\u202e", "\u200b", "\n", "\x1b[31m", "²", "１", "x" * 100_000, "é" * 5000, "\U0001f600" * 300, "=1+1", "%00"),
    *(
        "2026-02-30",
        "9999-12-31",
        "10000-01-01",
        "0000-00-00",
        "2026-03-05T00:00:00Z",
        "1e9",
        "NaN",
        "null",
        "../..",
        "{}",
    ),
    *(
        [],
        {},
        [None],
        [[]],
        {"": ""},
        {"$ref": "#"},
        {"__proto__": 1},
        list(range(3000)),
        {str(n): n for n in range(3000)},
    ),
]
"""Values for a place of a body: wrong types, numbers and texts beyond any bound, characters nobody sees."""


def nested(depth: int, text: str) -> str:
    opening, closing = text.split("…")
    return opening * depth + "1" + closing * depth


NO_JSON = [
    *("", "{", "nonsense", "[1,", "{'a': 1}", '{"a": 1} {"a": 1}', '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}'),
    *(
        '{"a": 1e999}',
        '{"a": 01}',
        '{"a": 0x1}',
        '{"a": .5}',
        '{"a": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"a": "\\x"}',
        '{"a": "\n"}',
    ),
    *(
        '{"a": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"a":' * 50_000,
        nested(5000, "[…]"),
        nested(5000, '{"a":…}'),
        "\ufeff{}",
    ),
    *('{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 1}}', '[{"b": 1, "b": 1}]', "\x00", '{"a": "\x00"}'),
]
"""What is no JSON, or has a member twice, of which each reader takes another."""
NO_OBJECT = ["null", "true", "0", "1.5", '"text"', "[]", "[1, 2]", '["a", {"b": 1}]', nested(DEEP, "[…]")]


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", JSON_ROUTES, ids=named)
def test_what_is_no_json_or_has_a_member_twice_is_refused_and_does_nothing(places: Places, route: Route) -> None:
    before = places.hub.items()
    for text in NO_JSON:
        answer = places.call(route, text)
        assert (answer.status, answer.code) == (400, "malformed_json"), (text[:60], answer.text[:300])
        answer = places.call(route, text, headers={"idempotency-key": "odd"})
        assert (answer.status, answer.code) in ((400, "malformed_json"), (422, "idempotency_key_reused")), text[:60]
    for text in NO_OBJECT:
        answer = places.call(route, text)
        assert (answer.status, bool(answer.json["errors"])) == (422, True), (text[:60], answer.text[:300])
    assert places.hub.items() == before


def replaced(body: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The body with each of its members, at any depth, replaced by the value, and with one that it does not know."""

    def places_of(part: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if path:
            yield path
        members = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for name, member in members:
            yield from places_of(member, (*path, name))

    for path in [*places_of(body, ()), ("surprise",)]:
        changed = copy.deepcopy(body)
        inner = changed
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value
        yield "/".join(map(str, path)), changed


@pytest.mark.parametrize("route", JSON_ROUTES, ids=named)
def test_an_odd_value_in_any_place_gets_an_answer_that_says_what_is_wrong(places: Places, route: Route) -> None:
    good = places.good(route)
    wrong: list[Any] = []
    for value in ODD:
        for path, body in replaced(good, value):
            answer = places.call(route, json.dumps(body, ensure_ascii=False))
            if answer.status >= 500 or (answer.status >= 400 and not answer.code):
                wrong.append((path, repr(value)[:40], answer.status, answer.text[:200]))
            if path == "surprise":
                assert answer.status in (413, 422), (repr(value)[:40], answer.status, answer.text[:200])
            places.hub.pass_time(seconds=61)
    assert wrong == []


@pytest.mark.parametrize("route", JSON_ROUTES, ids=named)
def test_a_good_body_gets_further_than_its_form(places: Places, route: Route) -> None:
    answer = places.call(route, json.dumps(places.good(route)))
    pointers = [one["code"] for one in answer.json.get("errors", [])] if answer.status == 422 else []
    assert answer.status not in (400, 404, 413, 415), answer.text
    assert not {"unknown_field", "required", "wrong_type", "malformed_json"} & set(pointers), answer.text


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes is bytes], ids=named)
def test_a_hostile_file_is_refused(places: Places, route: Route) -> None:
    xml = {"content-type": "application/xml"}
    good = file(report("1")).decode()
    hostile = [
        *(
            "",
            " ",
            "<",
            "<a>",
            "{}",
            "\x00",
            "<a/>",
            "<a>" * 50_000,
            "<a>" * 2000 + "</a>" * 2000,
            good[:-20],
            "\ufeff",
        ),
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a/>',
        '<?xml version="1.0" encoding="no-such"?><a/>',
        '<?xml version="9.9"?><a/>',
        "<a " + " ".join(f'b{n}="1"' for n in range(5000)) + "/>",
    ]
    for text in hostile:
        answer = places.call(route, text, headers=xml)
        assert 400 <= answer.status < 500, (text[:60], answer.text[:300])
        assert answer.code, text[:60]
