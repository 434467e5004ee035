"""`Idempotency-Key` at every POST of the API (draft-ietf-httpapi-idempotency-key-header): done once, answered alike.

The handlers are replaced: what a use case stores is met again by its repetition (`tests/platform/test_idempotency.py`);
here every route is held to the same rules before and behind them. No POST is excepted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, override

import pytest

from erphub import openapi
from erphub.openapi_examples import BODIES
from erphub.platform.aws.idempotency import IdempotencyRecords
from erphub.platform.errors import Unavailable
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.router import RawJson, Route
from erphub.platform.ids import new_id
from tests.support.aws import make_table
from tests.support.gateway import NoServices, said_of

POSTS = [route for route in openapi.routes() if route.method == "POST"]
HERE, ELSEWHERE = "01JCG0C1H3NT0000000000000A", "01JCG0C1H3NT0000000000000B"


class EverybodyMay:
    """Access that asks nobody anything."""

    def require(self, client_id: str, *_: object) -> str:
        return client_id

    def require_level(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Keeping(NoServices):
    """A function that keeps answers."""

    kept: Any = None

    @override
    def service(self, kind: type[Any]) -> Any:
        return None

    @override
    def idempotency(self) -> Any:
        return self.kept


@dataclass
class Place:
    """One POST, whose handler makes something new each time."""

    route: Route
    fails: list[Exception] = field(default_factory=list)
    meanwhile: Callable[[], Any] | None = None
    ids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def make(**_: Any) -> RawJson | None:
            self.ids.append(new_id())
            if self.meanwhile is not None:
                self.meanwhile()
            if self.fails:
                raise self.fails.pop()
            return RawJson(json.dumps({"id": self.ids[-1]})) if self.route.status != 204 else None

        decides: Any = EverybodyMay()
        kept = IdempotencyRecords(make_table({}), lambda: datetime(2026, 3, 5, tzinfo=UTC))
        changed = replace(self.route, handler=make, audited=None, limit=None, awaited=None, services={})
        self.api = Dispatcher(_Only(changed), Keeping(decides, kept=kept))

    def call(self, key: str | None, user: str = "somebody", client: str = HERE, **more: Any) -> tuple[int, Any]:
        body = more.get("body", self.body())
        is_file = self.route.takes is bytes
        event = {
            "httpMethod": "POST",
            "resource": self.route.path,
            "pathParameters": dict.fromkeys(self.route.names, HERE)
            | ({"client_id": client} if "client_id" in self.route.names else {}),
            "headers": {"content-type": "application/xml" if is_file else "application/json"}
            | ({} if key is None else {"IDEMPOTENCY-KEY": key}),
            "multiValueHeaders": more.get("lines", {}),
            "queryStringParameters": more.get("query"),
            "body": body,
            "requestContext": {"authorizer": said_of(user)},
        }
        answer = self.api(event, None)
        return answer["statusCode"], json.loads(answer["body"] or "null")

    def body(self) -> str | None:
        if self.route.takes is None:
            return None
        return "<a/>" if self.route.takes is bytes else json.dumps(next(iter(BODIES[self.route.operation].values())))


@dataclass(frozen=True)
class _Only:
    route: Route

    def find(self, method: str, resource: str) -> Route:
        return self.route

    def methods(self, resource: str) -> list[str]:
        return [self.route.method]


def named(route: Route) -> str:
    return route.operation


@pytest.fixture(params=POSTS, ids=named)
def place(request: pytest.FixtureRequest, aws: None) -> Place:
    return Place(request.param)


def test_the_same_request_is_done_once_and_answered_alike(place: Place):
    first = place.call("k")
    assert first[0] == place.route.status, first
    assert [place.call("k"), place.call('"k"')] == [first, first], "quotes are no part of a key"
    assert len(place.ids) == 1
    place.call(None)
    place.call("other")
    assert len(place.ids) == 3


def test_another_body_or_query_is_no_repetition(place: Place):
    place.call("k")
    given = place.body()
    if given is not None and place.route.takes is not bytes:
        spaced = json.dumps(dict(reversed(json.loads(given).items())), indent=3)
        assert place.call("k", body=spaced)[0] == place.route.status, "spaces and order are no other body"
    if place.route.takes is bytes:
        status, problem = place.call("k", body="<b/>")
        assert (status, problem["code"]) == (422, "idempotency_key_reused")
    if place.route.takes is None:
        status, problem = place.call("k", body='{"more": 1}')
        assert (status, problem["code"]) == (422, "idempotency_key_reused")
    for name in getattr(place.route.query, "model_fields", ()):
        sent = "true" if name == "resend_discarded" else "F0002"
        status, problem = place.call("k", query={name: sent})
        assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert len(place.ids) == 1


def test_a_key_counts_within_the_caller_and_the_client(place: Place):
    place.call("k")
    place.call("k", user="somebody-else")
    assert len(place.ids) == 2
    if "client_id" in place.route.names:
        place.call("k", client=ELSEWHERE)
        assert len(place.ids) == 3


def test_what_is_still_going_on_is_said_to_be(place: Place):
    seen: list[tuple[int, Any]] = []

    def again() -> None:
        place.meanwhile = None
        seen.append(place.call("k"))

    place.meanwhile = again
    assert place.call("k")[0] == place.route.status
    assert [(status, problem["code"]) for status, problem in seen] == [(409, "idempotency_key_in_use")]
    assert len(place.ids) == 1


@pytest.mark.parametrize("key", ["", " ", "has space", "x" * 256, "æ", '"open', '""', 'a"b"c d', f'"{"x" * 256}"'])
def test_a_key_that_is_none_is_refused_before_anything_is_done(place: Place, key: str):
    status, problem = place.call(key)
    assert (status, problem["code"], problem["header"]) == (400, "idempotency_key_invalid", "Idempotency-Key")
    assert place.ids == []


def test_two_keys_are_none(place: Place):
    status, problem = place.call("a", lines={"idempotency-Key": ["a", "b"]})
    assert (status, problem["code"]) == (400, "idempotency_key_invalid")


def test_what_failed_here_is_done_anew_with_the_same_identifiers(place: Place):
    place.fails = [Unavailable("The table is busy.")]
    assert place.call("k")[0] == 503
    assert place.call("k")[0] == place.route.status
    assert place.ids[0] == place.ids[1], "whatever was stored is met again"


def test_an_answer_that_was_lost_is_given_by_doing_it_anew_with_the_same_identifiers(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    kept: Any = place.api.function.idempotency()
    update = kept.table.update

    def lose(*_: Any, **__: Any) -> Any:
        monkeypatch.setattr(type(kept.table), "update", lambda _self, *given, **more: update(*given, **more))
        raise Unavailable("The table is busy.")

    monkeypatch.setattr(type(kept.table), "update", lose)
    assert place.call("k")[0] == 503
    assert place.call("k")[1]["code"] == "idempotency_key_in_use", "nobody knows yet that the first is dead"
    late = IdempotencyRecords(kept.table, lambda: datetime(2026, 3, 5, 0, 1, tzinfo=UTC))
    place.api = replace(place.api, function=replace(place.api.function, kept=late))
    assert place.call("k")[0] == place.route.status
    assert place.ids == [place.ids[0]] * 2
