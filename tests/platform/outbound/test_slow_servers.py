"""A slow server holds a worker for a set time: each road out × each way of being slow ends within its bound.

Whoever adds a road adds it to `ROADS`; the real bounds are in docs/security.md and beside the code.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from erphub.erp import catalogue
from erphub.erp.resources import AdapterResources
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore, utc_now
from erphub.erp.transports.http import client
from erphub.erp.transports.sqlserver import driver, tls
from erphub.erp.transports.sqlserver.statements import DATABASES, Sql
from erphub.platform.errors import HubError, Unavailable
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound import deadlines
from erphub.platform.outbound.https import HttpsPost
from local.sqlserver import Catalogue, StandIn
from tests.support.integration import integration
from tests.support.slow import SlowServer, slow_server

BOUND = 0.6
"""What every bound is shrunk to; all tries of an HTTP adapter come to it together."""
SLACK = 1.5
TRIES = 3
"""How often an HTTP adapter asks again what it only reads."""


@pytest.fixture(autouse=True)
@integration
def _short_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (driver, "ANSWER_SECONDS"),
        (driver, "LOGIN_SECONDS"),
        (tls, "HANDSHAKE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, BOUND)
    monkeypatch.setattr(client, "EXCHANGE_SECONDS", BOUND / TRIES)


# --- roads ---------------------------------------------------------------------------------------------------------


@contextmanager
def _sql(drips: bool, at_once: int | None = None) -> Iterator[tuple[Any, SlowServer]]:
    known = Catalogue()
    known.login("reader", "Hunter2-x")
    known.database("vbsys", grant=["reader"]).table("T", {"A": "nvarchar(400)"}, [("x" * 400,)] * 2000)
    with StandIn(known) as standin, slow_server(drips=drips, upstream=standin.port, at_once=at_once) as slow:
        settings = {
            "server": f"127.0.0.1,{slow.port}",
            "database": "vbsys",
            "authentication": "sql",
            "login": "reader",
            "encryption": "trust",
        }
        opened: Any = catalogue.open_system(
            "visma-business", settings, {"password": "Hunter2-x"}, networks=["127.0.0.0/8"]
        )
        yield opened._server, slow


def _before_tls(drips: bool) -> None:
    with _sql(drips, at_once=0) as (server, _):
        server.session()


def _in_the_handshake(drips: bool) -> None:
    with _sql(drips, at_once=100) as (server, _):
        server.session()


def _at_the_login(drips: bool) -> None:
    with _sql(drips) as (server, slow):
        route, channel = server.reach()
        slow.become_slow()
        server.login(route, channel)


def _a_short_answer(drips: bool) -> None:
    with _sql(drips) as (server, slow), server.session() as session:
        slow.become_slow()
        session.rows(DATABASES())


def _in_the_rows(drips: bool, drip_bytes: int = 1) -> None:
    with _sql(drips) as (server, slow), server.session("vbsys") as session:
        slow.drip_bytes = drip_bytes
        slow.become_slow(after=30_000)
        stream = session.stream(Sql("SELECT [A] FROM [dbo].[T]"))
        while stream.rows(100):
            pass


_TOKEN = b'{"access_token": "t", "expires_in": 3600}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nx-slow: 1\r\ncontent-length: %d\r\n\r\n"


def _http(body: bytes, at_once: int | None) -> Callable[[bytes], tuple[bytes, int | None]]:
    """Signs everybody in, and answers anything else slowly."""

    def answer(asked: bytes) -> tuple[bytes, int | None]:
        signs_in = asked.startswith(b"POST /login/oauth/token") and at_once is not None
        data = _TOKEN if signs_in else body
        whole = _HEAD % len(data) + data
        return whole, None if signs_in else (at_once or 0)

    return answer


def _resources(port: int) -> AdapterResources:
    return AdapterResources(
        InProcessTokenStore(),
        InProcessRateLimiter(utc_now),
        utc_now,
        addresses={"24sevenoffice": f"http://127.0.0.1:{port}"},
        applications={"24sevenoffice": "app"},
        pause=lambda _: None,
    )


def _office(settings: Mapping[str, Any], secret: Mapping[str, str], port: int) -> Any:
    return catalogue.open_system("24sevenoffice", settings, secret, resources=_resources(port))


def _rest(drips: bool, at_once: int | None) -> None:
    with slow_server(drips=drips, answer=_http(b"[" + b" " * 500 + b"]", at_once)) as slow:
        settings = {"sign_in": "organisation", "organisation_id": "1", "client_id": "c"}
        _office(settings, {"client_secret": "Hunter2-x"}, slow.port).companies()


def _token_endpoint(drips: bool) -> None:
    _rest(drips, None)


def _rest_headers(drips: bool) -> None:
    _rest(drips, 20)


def _rest_body(drips: bool) -> None:
    _rest(drips, 120)


def _soap_body(drips: bool) -> None:
    with slow_server(drips=drips, answer=_http(b"<Envelope>" + b" " * 500 + b"</Envelope>", 120)) as slow:
        settings = {"sign_in": "user", "username": "me"}
        _office(settings, {"password": "Hunter2-x"}, slow.port).companies()


def _webhook(drips: bool) -> None:
    with slow_server(drips=drips, answer=lambda _: (b"\x16\x03\x03\x00\x7a" + bytes(200), 0)) as slow:
        post = HttpsPost(allowed=network.networks(["127.0.0.0/8"]), seconds=BOUND)
        post(f"https://127.0.0.1:{slow.port}/x", {}, b"{}")


def _slow_names(drips: bool) -> None:
    del drips
    network.addresses("slow.example", (), lambda host: network.in_time(lambda _: time.sleep(5) or [], host, BOUND))


ROADS: Mapping[str, Callable[[bool], None]] = {
    "a name server": _slow_names,
    "SQL Server before TLS": _before_tls,
    "SQL Server in the TLS handshake": _in_the_handshake,
    "SQL Server at the login": _at_the_login,
    "SQL Server in a short answer": _a_short_answer,
    "SQL Server in the rows": _in_the_rows,
    "a token endpoint": _token_endpoint,
    "REST in the headers": _rest_headers,
    "REST in the body": _rest_body,
    "SOAP in the body": _soap_body,
    "a receiver of webhooks": _webhook,
}


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize("road", ROADS)
def test_one_that_is_slow_is_given_up_within_the_bound(road: str, drips: bool) -> None:
    go = ROADS[road]
    began = time.monotonic()
    with pytest.raises(Unavailable) as told:
        go(drips)
    took = time.monotonic() - began
    assert took < BOUND + SLACK, (took, told.value.code)
    assert took > BOUND / 2, "it was not waited for at all"


@pytest.mark.parametrize("road", ["SQL Server in the rows", "a token endpoint", "REST in the body", "SOAP in the body"])
def test_all_tries_together_end_with_the_work_they_are_part_of(road: str) -> None:
    began = time.monotonic()
    with pytest.raises(HubError), deadlines.at_most(BOUND / 2):
        ROADS[road](True)
    assert time.monotonic() - began < BOUND / 2 + SLACK


def test_rows_that_come_too_slowly_are_given_up_though_each_answer_is_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "ANSWER_SECONDS", 30.0)
    monkeypatch.setattr(driver, "PROGRESS_SECONDS", 0.5)
    monkeypatch.setattr(driver, "PROGRESS_BYTES", 1_000_000)
    with pytest.raises(Unavailable, match="too slow to go on") as told:
        _in_the_rows(True, drip_bytes=4000)
    assert told.value.code == "query_timeout"


def test_an_inner_bound_never_outlasts_the_outer_one() -> None:
    now = [0.0]
    assert deadlines.current().left == float("inf")
    with deadlines.at_most(10) as outer, deadlines.at_most(60) as inner:
        assert inner.left <= 10
        assert outer.left <= 10
        assert deadlines.current() is inner
    assert deadlines.current().left == float("inf")
    assert deadlines.Deadline(5, lambda: now[0]).within(60).left == 5
