"""Asking SQL Browser for an instance's port, when its answer is not what one hopes for."""

import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from erphub.erp.transports.sqlserver import browser
from erphub.platform.errors import HubError
from tests.support.integration import integration

type Answer = Callable[[bytes], bytes | None]
LOOPBACK = ip_address("127.0.0.1")


@pytest.fixture
@integration
def answering() -> Iterator[Callable[[Answer], int]]:
    """Starts a browser that answers as told; returns its port."""
    sockets: list[socket.socket] = []

    def start(answer: Answer) -> int:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        sockets.append(udp)

        def serve() -> None:
            while True:
                try:
                    question, client = udp.recvfrom(1024)
                except OSError:
                    return
                if not question:
                    return
                data = answer(question)
                if data is not None:
                    udp.sendto(data, client)

        threading.Thread(target=serve, daemon=True).start()
        return int(udp.getsockname()[1])

    yield start
    for udp in sockets:
        port = udp.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", port))
        udp.close()


def told(text: str) -> bytes:
    data = text.encode()
    return b"\x05" + len(data).to_bytes(2, "little") + data


def entry(port: str, name: str = "VISMA", host: str = "DB01") -> str:
    return f"ServerName;{host};InstanceName;{name};IsClustered;No;Version;15.0.2000.5;tcp;{port};np;\\\\DB01\\pipe;;"


def test_only_the_port_of_the_answer_is_used(answering: Callable[[Answer], int]) -> None:
    port = answering(lambda _: told(entry("50123", host="evil.example.com")))
    assert browser.port_of("visma", LOOPBACK, port) == 50123


@pytest.mark.parametrize(
    "answer",
    [
        told(entry("0")),
        told(entry("65536")),
        told(entry("x")),
        told(entry("1433", name="OTHER")),
        told("ServerName;DB01;InstanceName;VISMA;IsClustered;No;;"),
        told(";;;;;"),
        told(""),
        b"\x05\xff\xff",
    ],
)
def test_an_answer_without_a_usable_port_for_it_is_no_instance(
    answering: Callable[[Answer], int], answer: bytes
) -> None:
    with pytest.raises(HubError) as refused:
        browser.port_of("VISMA", LOOPBACK, answering(lambda _: answer))
    assert refused.value.code == "instance_not_found"


@pytest.mark.parametrize("answer", [None, b"", b"\x05", b"\x07\x00\x00nonsense"])
def test_silence_and_nonsense_are_an_unreachable_browser(
    answering: Callable[[Answer], int], answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "SECONDS", 0.05)
    with pytest.raises(HubError) as refused:
        browser.port_of("VISMA", LOOPBACK, answering(lambda _: answer))
    assert refused.value.code == "browser_unreachable"


def test_a_browser_that_only_answers_about_everything_is_understood(
    answering: Callable[[Answer], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "SECONDS", 0.2)
    everything = told(entry("50123") + entry("50124", name="OTHER"))
    port = answering(lambda question: everything if question == b"\x03" else None)
    assert browser.port_of("other", LOOPBACK, port) == 50124
