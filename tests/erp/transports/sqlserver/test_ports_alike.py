"""A wizard is no port scanner: whatever is wrong with a port that is no SQL Server is told alike, at the same time."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from erphub.erp.probes import Outcome, Probe
from erphub.erp.transports.sqlserver import driver, reaching
from erphub.platform.errors import HubError
from local.sqlserver import Catalogue, Database, StandIn, certificate

from .conftest import Site

FLOOR = 1.2
TOLERANCE = 0.5

type Behaviour = Callable[[socket.socket], None]


def silent(client: socket.socket) -> None:
    while client.recv(1024):
        pass


def hangs_up(client: socket.socket) -> None:
    client.recv(1)


def resets(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def web_server(client: socket.socket) -> None:
    client.recv(1024)
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")


def greets(client: socket.socket) -> None:
    client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    silent(client)


def drips(client: socket.socket) -> None:
    while True:
        client.sendall(b"\x04")
        time.sleep(0.05)


def secure_web_server(client: socket.socket) -> None:
    if client.recv(1, socket.MSG_PEEK) == b"\x16":
        with suppress(OSError), CONTEXT.wrap_socket(client, server_side=True) as secure:
            secure.recv(1024)
            secure.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


CONTEXT = certificate(["127.0.0.1"]).context()
OPEN: Mapping[str, Behaviour] = {
    one.__name__: one for one in (silent, hangs_up, resets, web_server, greets, drips, secure_web_server)
}
PORTS = ("closed", "filtered", "forbidden", "forbidden name", *OPEN)


@contextmanager
def listening(behaviour: Behaviour) -> Iterator[int]:
    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            behaviour(client)

    def accept() -> None:
        with suppress(OSError):  # the listener is closed when the test is over
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def named(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A host and a port that behave so."""
    with ExitStack() as opened:
        if kind in OPEN:
            yield "db.example", opened.enter_context(listening(OPEN[kind]))
            return
        if kind == "filtered":  # nobody answers the first packet

            def dial(*_: Any, **__: Any) -> socket.socket:
                time.sleep(0.3)
                raise TimeoutError

            monkeypatch.setattr(driver.Route, "dial", dial)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        yield "inside.example" if kind.startswith("forbidden") else "db.example", port


def resolve(host: str) -> list[str]:
    return ["10.0.0.5"] if host == "inside.example" else ["127.0.0.1"]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "REACH_SECONDS", FLOOR)
    monkeypatch.setattr(reaching, "ANSWERED_AFTER_SECONDS", FLOOR)


def told(site: Site, kind: str, monkeypatch: pytest.MonkeyPatch, encryption: str) -> tuple[list[Any], float]:
    """All that a person is told, but for the port's own number, and after how long."""
    with named(kind, monkeypatch) as (host, port):
        server = f"10.0.0.5,{port}" if kind == "forbidden" else f"{host},{port}"
        began = time.monotonic()
        transport = driver.Transport(resolve=resolve)
        probes = site.probes(server=server, transport=transport, networks=("127.0.0.0/8",), encryption=encryption)
        took = time.monotonic() - began
    return [_shown(probe, server) for probe in probes.values()], took


def _shown(probe: Probe, server: str) -> tuple[Any, ...]:
    detail = probe.detail.replace(server, "<server>").replace(server.partition(",")[0], "<host>")
    return probe.stage, probe.outcome, probe.code, detail, probe.refused


@pytest.mark.parametrize("encryption", ["trust", "verify"])
@pytest.mark.parametrize("kind", PORTS)
def test_every_port_that_is_no_sql_server_is_answered_alike(
    site: Site, kind: str, encryption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, took = told(site, kind, monkeypatch, encryption)
    with monkeypatch.context() as patch:
        patch.setattr(reaching, "ANSWERED_AFTER_SECONDS", 0.0)
        assert shown == told(site, "closed", patch, encryption)[0]
    assert [one[2] for one in shown if one[1] is Outcome.FAILED] == ["server_unreachable"]
    assert FLOOR - 0.01 <= took <= FLOOR + TOLERANCE


@pytest.mark.parametrize("kind", [kind for kind in PORTS if kind != "forbidden"])
def test_a_server_that_sends_us_to_a_port_learns_as_little(
    catalogue: Catalogue, many: Database, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs a SQL Server could have the hub try ports by its order to go elsewhere."""
    transport = driver.Transport(resolve=resolve)
    dial = driver.Route.dial
    with named(kind, monkeypatch) as (host, port), StandIn(catalogue, redirect_to=(host, port)) as standin:
        slow = driver.Route.dial
        monkeypatch.setattr(driver.Route, "dial", lambda route: (dial if route.port == standin.port else slow)(route))
        opened = Site(standin).open(transport=transport, networks=("127.0.0.0/8",))
        began = time.monotonic()
        with pytest.raises(HubError) as refused:
            opened.companies()
        took = time.monotonic() - began
    assert refused.value.code == "server_unreachable"
    assert refused.value.detail.replace(host, "<host>") == reaching.unreachable(f"<host>,{port}").detail
    assert FLOOR - 0.01 <= took <= FLOOR + TOLERANCE + 0.5


def test_a_name_that_nobody_knows_is_told_at_once(site: Site) -> None:
    began = time.monotonic()
    probes = site.probes(server="nosuch.invalid", transport=driver.Transport(resolve=lambda _: []))
    assert probes["dns"].code == "host_unknown"
    assert time.monotonic() - began < FLOOR


def test_a_right_server_is_not_kept_waiting(site: Site, many: Database) -> None:
    probes = site.probes()
    assert all(probe.outcome is not Outcome.FAILED for probe in probes.values())
    assert probes["tcp"].duration_ms < 1000 * FLOOR
