"""`make smoke`: a deployment that answers otherwise than it should is told, and one that does not answer too."""

from typing import Any

import httpx
import pytest

from local.account.smoke import address, smoke

SOUND: dict[str, tuple[int, dict[str, Any]]] = {
    "/v/openapi.json": (200, {"openapi": "3.1.0"}),
    "/v/me": (401, {"code": "not_signed_in"}),
    "/v/no-such-address": (404, {"code": "route_not_found"}),
}


def said(answers: dict[str, tuple[int, dict[str, Any]] | None]) -> list[str]:
    def answer(request: httpx.Request) -> httpx.Response:
        given = answers[request.url.path]
        if given is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(given[0], json=given[1])

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        return list(smoke("https://api.example.com/v", http))


def test_a_deployment_that_answers_as_it_should_has_nothing_said_of_it() -> None:
    assert said({**SOUND}) == []


@pytest.mark.parametrize(("path", "answer", "wrong"), [
    ("/v/openapi.json", (503, {"code": "not_built"}), "GET /openapi.json: 503"),
    ("/v/me", (200, {"email": "somebody"}), "GET /me: 200"),
    ("/v/me", (500, {"message": "Internal server error"}), "GET /me: 500"),
    ("/v/no-such-address", (403, {"message": "Missing Authentication Token"}), "GET /no-such-address: 403"),
    ("/v/openapi.json", None, "GET /openapi.json: no answer (ConnectError)"),
])  # fmt: skip
def test_one_that_does_not_is_told(path: str, answer: tuple[int, dict[str, Any]] | None, wrong: str) -> None:
    (found,) = said({**SOUND, path: answer})
    assert found.startswith(wrong)


class Formation:
    def __init__(self, **outputs: str) -> None:
        self.outputs = outputs

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]}]}


def test_the_address_is_the_stack_s() -> None:
    assert address(lambda _: Formation(ApiUrl="https://api.example.com"), "hub") == "https://api.example.com"
    with pytest.raises(LookupError):
        address(lambda _: Formation(), "hub")
