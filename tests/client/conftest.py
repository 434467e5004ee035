"""A client whose hub is a function of the test, and which waits for nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from erphub_client import Hub, Retries

from tests.support.hub import Hub as WholeHub
from tests.support.integration import integration
from tests.support.sockets import served

type Answer = httpx.Response | Exception


@dataclass
class FakeHub:
    """Answers one after the other, and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        self.asked.append(httpx.Request(request.method, request.url, headers=request.headers, content=content))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, token: Any = "ehk_key", **more: Any) -> Hub:
        retries = Retries(chance=lambda: 1.0)
        transport = httpx.MockTransport(self)
        return Hub(
            "https://hub.example.test/prod/",
            token,
            transport=transport,
            sleep=self.waited.append,
            retries=retries,
            **more,
        )


@pytest.fixture
def fake() -> FakeHub:
    return FakeHub()


@pytest.fixture
@integration
def signed_in(whole: WholeHub, connection: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The command's environment: a hub on loopback, and somebody who is signed in by the environment; its address."""
    with served(whole) as address:
        monkeypatch.setenv("ERPHUB_CONFIG_DIR", str(tmp_path / "config"))
        monkeypatch.setenv("ERPHUB_URL", address)
        monkeypatch.setenv("ERPHUB_API_KEY", "ehk_of_the_administrator")
        monkeypatch.setenv("ERPHUB_CLIENT", whole.client)
        yield address


def problem(status: int, code: str = "a_code", headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    body = {"type": f"/problems/{code}", "title": "A title", "status": status, "detail": "What to do.", "code": code}
    return httpx.Response(status, json=body | members, headers=headers)


@pytest.fixture
def refused() -> Callable[..., httpx.Response]:
    return problem
