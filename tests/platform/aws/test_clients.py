"""An answer of AWS that ended in the middle is none, whatever was in it."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pytest

from erphub.platform.aws import clients
from erphub.platform.aws.table import Table
from erphub.platform.errors import ServiceBusy
from tests.support.integration import integration

ITEM = {"pk": "P", "sk": "S", "text": "x" * 50}
BODY = json.dumps({"Item": {name: {"S": value} for name, value in ITEM.items()}}).encode()


@dataclass
class Service:
    """A DynamoDB that answers each request with the next of these bodies, said to be as long as the whole one."""

    bodies: list[bytes]
    says: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for number in range(len(self.bodies)):
            connection, _ = self.listener.accept()
            with connection:
                connection.recv(65_536)
                self.asked = number + 1
                head = {"content-length": str(len(BODY)), "content-type": "application/x-amz-json-1.0", **self.says}
                lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                connection.sendall(
                    f"HTTP/1.1 200 OK\r\n{lines}connection: close\r\n\r\n".encode() + self.bodies[number]
                )


@pytest.fixture
@integration
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the service that the clients ask."""
    made: list[Service] = []

    def make(*bodies: bytes, **says: str) -> Service:
        service = Service(list(bodies), {name.replace("_", "-"): value for name, value in says.items()})
        made.append(service)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{service.listener.getsockname()[1]}")
        return service

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    clients.client.cache_clear()
    yield make
    clients.client.cache_clear()
    for service in made:
        service.listener.close()


def got() -> Any:
    return Table("tenants").get({"pk": "P", "sk": "S"})


def test_a_whole_answer_is_taken(asked: Any):
    service = asked(BODY, x_amz_crc32=str(crc32(BODY)))
    assert got() == ITEM
    assert service.asked == 1


@pytest.mark.parametrize("end", [0, 1, len(BODY) // 2, len(BODY) - 1])
def test_an_answer_that_was_cut_is_asked_for_again_and_never_read_as_nothing_there(asked: Any, end: int):
    service = asked(BODY[:end], BODY)
    assert got() == ITEM
    assert service.asked == 2


def test_an_answer_with_another_check_sum_is_asked_for_again(asked: Any):
    service = asked(BODY.replace(b"x", b"y", 1), BODY, x_amz_crc32=str(crc32(BODY)))
    assert got() == ITEM
    assert service.asked == 2


def test_answers_that_are_always_cut_are_a_busy_service_and_not_an_empty_table(asked: Any):
    service = asked(*[BODY[:20]] * 6)
    with pytest.raises(ServiceBusy):
        got()
    assert service.asked == 6, "five more times than once"
