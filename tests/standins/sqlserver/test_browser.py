"""A named instance is found over UDP, an unknown one is met with silence."""

import random
import socket
import time

import pytest

from erphub.erp.transports.sqlserver import statements
from local.sqlserver import StandIn

from .clients import PYMSSQL, rows
from .conftest import PASSWORD, READER, make_catalogue


def ask(server: StandIn, message: bytes) -> bytes | None:
    """One datagram to the browser, and its answer within a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(1)
        line.sendto(message, (server.host, server.browser_port))
        try:
            return line.recv(4096)
        except TimeoutError:
            return None


@pytest.mark.parametrize("name", [b"VISMA", b"visma", b"Visma\0"])
def test_a_known_instance_is_answered_with_its_port(quiet: StandIn, name: bytes) -> None:
    answer = ask(quiet, b"\x04" + name)
    assert answer is not None
    assert answer[0] == 5
    assert int.from_bytes(answer[1:3], "little") == len(answer) - 3
    assert f";tcp;{quiet.port};;" in answer[3:].decode()


def test_everybody_may_ask_for_all_instances(quiet: StandIn) -> None:
    answer = ask(quiet, b"\x03")
    assert answer is not None
    assert b"InstanceName;VISMA" in answer


def test_an_unknown_instance_is_met_with_silence(quiet: StandIn) -> None:
    assert ask(quiet, b"\x04NOSUCH") is None


def test_a_browser_may_be_silent_altogether(standin: StandIn) -> None:
    assert standin.browser is not None
    standin.browser.silent = True
    assert ask(standin, b"\x04VISMA") is None
    assert standin.browser.asked == 1


def test_pymssql_finds_the_instance_where_the_browser_has_its_real_port() -> None:
    import pymssql

    # each of the 16 million loopback addresses has a port 1434 of its own
    host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
    with StandIn(make_catalogue(), host=host, browser_port=1434) as server:
        begun = time.monotonic()
        connection = pymssql.connect(f"{host}\\visma", READER, PASSWORD, **PYMSSQL)
        try:
            assert rows(connection.cursor(), statements.IDENTITY())[0][0] == server.server_name
        finally:
            connection.close()
        assert time.monotonic() - begun < 5
