"""People sign in by the page with a code that only this program can redeem; tokens are renewed before they end."""

import base64
import dataclasses
import hashlib
import json
import socket
import threading
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from erphub_client import problems
from erphub_client.command.login import by_page
from erphub_client.command.output import Output
from erphub_client.sign_in import PersonToken, Question, SignInPage, Tokens

from tests.support.integration import integration

NOW = 1_000_000.0


def id_token(ends_at: float, name: str = "t") -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": ends_at, "name": name}).encode()).rstrip(b"=").decode()
    return f"header.{claims}.signature"


class Pool:
    """A sign-in page that hands out tokens for the code that goes with the verifier."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.challenge = ""
        self.answer = httpx.Response(200, json={"id_token": id_token(NOW + 3600, "new")})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(parse_qsl(request.content.decode()))
        self.forms.append(form)
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:
                return httpx.Response(400, json={"error": "invalid_grant"})
            return httpx.Response(200, json={"id_token": id_token(NOW + 3600), "refresh_token": "r1"})
        return self.answer

    def page(self) -> SignInPage:
        return SignInPage("https://sign-in.example.test", "app", transport=httpx.MockTransport(self))


@pytest.fixture
def pool() -> Pool:
    return Pool()


def came_back(question: Question, **changed: str) -> str:
    return f"/signed-in?{urlencode({'code': 'c0de', 'state': question.state} | changed)}"


def test_a_code_is_redeemed_with_the_verifier_that_only_we_know(pool):
    question = Question(pool.page())
    asked = parse_qs(urlsplit(question.address).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    (pool.challenge,) = asked["code_challenge"]
    assert question.verifier not in question.address
    tokens = question.answered(came_back(question))
    assert (tokens.ends_at, tokens.refresh_token) == (NOW + 3600, "r1")
    assert "r1" not in repr(tokens)
    with pytest.raises(problems.NotSignedIn):
        Question(pool.page(), state=question.state).answered(came_back(question))


@pytest.mark.parametrize("changed", [{"state": "another"}, {"state": ""}])
def test_an_answer_to_another_question_is_not_redeemed(pool, changed):
    question = Question(pool.page())
    with pytest.raises(problems.NotSignedIn):
        question.answered(came_back(question, **changed))
    assert pool.forms == []


def test_a_refusal_of_the_page_is_told(pool):
    question = Question(pool.page())
    with pytest.raises(problems.NotSignedIn, match="may not"):
        question.answered(f"/signed-in?{urlencode({'state': question.state, 'error_description': 'You may not.'})}")


@pytest.mark.parametrize(("left", "is_renewed"), [(3600, False), (61, False), (59, True), (-5, True)])
def test_a_token_is_renewed_before_it_ends_and_kept(pool, left, is_renewed):
    kept: list[Tokens] = []
    token = PersonToken(pool.page(), Tokens(id_token(NOW + left), "r1"), kept.append, lambda: NOW)
    assert (json.dumps("new") in claims_of(token.current())) == is_renewed
    assert [one.refresh_token for one in kept] == ["r1"] * is_renewed


def test_a_token_that_was_refused_is_renewed_and_another_only_shown(pool):
    token = PersonToken(pool.page(), Tokens(id_token(NOW + 3600), "r1"), clock=lambda: NOW)
    first = token.current()
    assert token.renewed(first) == token.current() != first
    assert token.renewed("of somebody else") is None


def test_who_has_nothing_to_renew_with_signs_in_again(pool):
    token = PersonToken(pool.page(), Tokens(id_token(NOW - 5)), clock=lambda: NOW)
    assert token.renewed(token.current()) is None
    pool.answer = httpx.Response(400, json={"error": "invalid_grant"})
    ended = PersonToken(pool.page(), Tokens(id_token(NOW - 5), "r0"), clock=lambda: NOW)
    with pytest.raises(problems.NotSignedIn):
        ended.current()
    pool.answer = httpx.Response(503)
    with pytest.raises(problems.Unavailable):
        ended.current()


def claims_of(token: str) -> str:
    return base64.urlsafe_b64decode(token.split(".")[1] + "==").decode()


@pytest.fixture
@integration
def free_port() -> int:
    """A port for the browser to come back to."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_the_browser_comes_back_to_the_command(pool, free_port, monkeypatch, capsys):
    """Something else that the browser asks for first, as browsers do, is not taken for the answer."""
    page = dataclasses.replace(pool.page(), callback=f"http://localhost:{free_port}/signed-in")
    question = Question(page)
    seen: list[int] = []

    def browse() -> None:
        with httpx.Client(base_url=f"http://localhost:{free_port}", trust_env=False) as browser:
            seen.append(browser.get("/favicon.ico").status_code)
            seen.append(browser.get(came_back(question)).status_code)

    def open_page(address: str) -> bool:
        (pool.challenge,) = parse_qs(urlsplit(address).query)["code_challenge"]
        thread.start()
        return True

    thread = threading.Thread(target=browse)
    monkeypatch.setattr("webbrowser.open", open_page)
    tokens = by_page(question, Output(as_json=False), opens=True)
    thread.join()
    assert (tokens.refresh_token, seen) == ("r1", [404, 200])
    assert question.verifier not in capsys.readouterr().err
