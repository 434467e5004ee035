"""`Prefer: wait=20` at every route that begins work: answered with its end, or at once when that does not come."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from erphub import app, openapi
from erphub.platform.capability import LimitScope
from erphub.platform.errors import Unavailable
from erphub.platform.http.gateway import Request
from erphub.platform.http.router import Awaited, Route
from erphub.platform.http.waiting import LONGEST_SECONDS, PreferredWait, preferred_seconds
from erphub.platform.limits import Owner
from erphub.tenancy.capability import WAITS
from erphub.tenancy.limits import TenantLimits
from local import api_definition
from tests.support.hub import Answer, Hub

ROUTES = openapi.routes()
AT_ONCE = {
    "delete_connection": "The end is a month away.",
    "request_access": "A person has to let the caller in.",
    "send_test_event": "It goes within a minute, and is shown in a list alone.",
    "replay_delivery": "It goes within a minute, and is shown in a list alone.",
    "retry_export": "It goes with the next transfer, which is what can be waited for.",
    "retry_exports": "They go with the next transfer, which is what can be waited for.",
}
"""What is answered 202 and cannot be waited for, by operation."""


def named(route: Route) -> str:
    return route.operation


def test_whatever_is_begun_can_be_waited_for_or_has_a_reason():
    assert {route.operation for route in ROUTES if route.status == 202 and route.awaited is None} == set(AT_ONCE)
    assert {route.status for route in ROUTES if route.awaited is not None} == {202}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.awaited is not None], ids=named)
def test_the_same_function_shows_the_end_with_all_that_the_route_gives(route: Route):
    assert route.awaited is not None
    for module in api_definition.MODULES:
        routes = api_definition.dispatcher(module).routes
        if (found := routes.find(route.method, route.path)) is not None:
            shown = routes.find("GET", route.awaited.shown_at)
            assert shown is not None
            assert set(found.gives.model_fields) <= set(shown.gives.model_fields)
            assert len(set(shown.names) - set(route.names)) <= 1
            assert "id" in found.gives.model_fields
            return
    pytest.fail("no function has it")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=20", 20),
        ("respond-async, wait=10", 10),
        ("WAIT = 5", 5),
        ('wait="7"; foo', 7),
        ("return=minimal", 0),
        ("wait", 0),
        ("wait=x", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("", 0),
        ("wait=3, wait=9", 3),
    ],
)
def test_a_preference_is_read_and_one_that_is_not_understood_is_none(header: str, seconds: int):
    assert preferred_seconds(Request({"headers": {"PREFER": header}})) == seconds


class Time:
    """A clock that goes on with what is waited, and what happens meanwhile."""

    def __init__(self, now: datetime, after: float = 1e9, happens: Any = None) -> None:
        self.now, self.until, self.happens = now, now + timedelta(seconds=min(after, 1e6)), happens
        self.pauses: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def pause(self, seconds: float, /) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)
        if self.happens is not None and self.now >= self.until:
            happens, self.happens = self.happens, None
            happens()


def test_looks_become_rarer_and_end_with_the_time():
    time = Time(datetime(2026, 3, 5).astimezone())
    looks: list[int] = []
    awaited = Awaited("/", lambda shown: shown)
    assert PreferredWait(time, time.pause).wait(awaited, lambda: looks.append(1), 20) is None
    assert len(looks) <= 15
    assert sum(time.pauses) == pytest.approx(20)
    assert time.pauses[0] == 0.25
    assert max(time.pauses) == 2


def test_what_cannot_be_looked_at_has_begun_all_the_same():
    time = Time(datetime(2026, 3, 5).astimezone())

    def look() -> Any:
        raise Unavailable("The table is busy.")

    assert PreferredWait(time, time.pause).wait(Awaited("/", bool), look, 20) is None


def started(hub: Hub, path: str, after: float, **headers: str) -> tuple[Answer, Time]:
    """A test of a connection, whose machine has worked on after so many seconds."""
    time = Time(hub.time[0], after, hub.machine.work_on)
    hub.api.handler = replace(hub.api.handler, preferred_wait=PreferredWait(time, time.pause))
    hub.machine.slow = True
    return hub.call("POST", path, headers={name.replace("_", "-"): value for name, value in headers.items()}), time


def test_whoever_waits_gets_the_end(whole: Hub, connection: str):
    path = whole.in_client(f"/connections/{connection}/test")
    answer, time = started(whole, path, 3, Prefer="wait=20")
    assert (answer.status, answer.json["last_test"]["has_passed"]) == (200, True)
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert sum(time.pauses) < 6
    assert answer.headers["ETag"] == whole.call("GET", path.removesuffix("/test")).headers["ETag"]


def test_what_takes_longer_is_answered_as_without_the_preference(whole: Hub, connection: str):
    path = whole.in_client(f"/connections/{connection}/test")
    answer, time = started(whole, path, 60, Prefer="wait=900")
    assert (answer.status, answer.json["last_test"]["finished_at"]) == (202, None)
    assert answer.headers["Preference-Applied"] == f"wait={LONGEST_SECONDS}"
    assert sum(time.pauses) == pytest.approx(LONGEST_SECONDS)


def test_nobody_waits_who_did_not_ask_to(whole: Hub, connection: str):
    answer, time = started(whole, whole.in_client(f"/connections/{connection}/test"), 3)
    assert (answer.status, time.pauses) == (202, [])
    assert "Preference-Applied" not in answer.headers


def test_a_repetition_waits_for_the_same_work(whole: Hub, connection: str):
    path = whole.in_client(f"/connections/{connection}/test")
    first, _ = started(whole, path, 60, Prefer="wait=2", Idempotency_Key="k")
    again, _ = started(whole, path, 1, Prefer="wait=5", Idempotency_Key="k")
    assert (first.status, again.status) == (202, 200)
    assert again.json["last_test"]["id"] == first.json["last_test"]["id"], "one test"


def test_a_client_that_waits_too_often_is_answered_at_once(whole: Hub, connection: str):
    app.services().get(TenantLimits).set_maximum(WAITS, Owner(LimitScope.CLIENT, whole.client), 1)
    path = whole.in_client(f"/connections/{connection}/test")
    first, _ = started(whole, path, 1, Prefer="wait=5")
    second, time = started(whole, path, 1, Prefer="wait=5")
    assert (first.status, second.status, time.pauses) == (200, 202, [])
    assert "Preference-Applied" not in second.headers


def test_a_request_that_was_long_on_its_way_waits_no_longer_than_the_gateway(whole: Hub, connection: str):
    path = whole.in_client(f"/connections/{connection}/test")
    time = Time(whole.time[0] + timedelta(seconds=20))
    whole.api.handler = replace(whole.api.handler, preferred_wait=PreferredWait(time, time.pause))
    whole.machine.slow = True
    answer = whole.call("POST", path, headers={"Prefer": "wait=20"})
    assert (answer.status, answer.headers["Preference-Applied"]) == (202, "wait=5")
