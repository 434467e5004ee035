"""docs/signing-in.md, followed: every example for the shell, Python and TypeScript is run as it stands there."""

import os
import re
import shlex
import threading
import time
import webbrowser
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from string import Template
from typing import Any, override

import httpx
import pytest

from local.emulator import REGION, ROOT
from tests.support.typescript import Workspace

PAGE = (ROOT / "docs/signing-in.md").read_text("utf-8")
MINUTE = 60
# The library that the page names for SRP asks Python for the time in an old way.
by_srp = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def python(first_line: str) -> dict[str, Any]:
    """Run the example that begins with this line; gives its names."""
    (code,) = [one for one in examples("python") if one.startswith(f"# {first_line}")]
    names: dict[str, Any] = {}
    exec(compile(code, first_line, "exec"), names)
    return names


def curl(word: str, **variables: str) -> httpx.Response:
    """Do what the example with this word says."""
    (code,) = [one for one in examples("sh") if one.startswith("curl") and word in one]
    words = iter(shlex.split(Template(code.replace("\\\n", " ")).substitute(os.environ | variables))[1:])
    request: dict[str, Any] = {"method": "GET", "headers": {}, "content": None}
    for one in words:
        match one:
            case "-s":
                pass
            case "-X":
                request["method"] = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                request["headers"][name] = value
            case "-d":
                request["content"] = next(words)
            case _:
                request["url"] = one
    return httpx.request(**request, timeout=40)


@pytest.fixture(autouse=True)
def _environment(hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says to export first."""
    administrator = hub.user("administrator")
    for name, value in {
        "API": hub.described["api_url"],
        "USER_POOL_ID": hub.outputs["UserPoolId"],
        "APP_CLIENT_ID": hub.outputs["UserPoolClientId"],
        "SIGN_IN_URL": hub.aws.endpoint,
        "AWS_ENDPOINT_URL": hub.aws.endpoint,
        "AWS_REGION": REGION,
        "HUB_USER": administrator["name"],
        "HUB_PASSWORD": administrator["password"],
        "CLIENT": administrator["clients"][0]["id"],
        "TOKEN": administrator["id_token"],
    }.items():
        assert f"{name}=" in PAGE or f"${name}" in PAGE or f'"{name}"' in PAGE or name == "AWS_ENDPOINT_URL"
        monkeypatch.setenv(name, value)


@pytest.fixture
def key(hub) -> Generator[dict[str, Any]]:
    """A key as the page makes one."""
    made = curl("Till 7").json()
    yield made
    hub.call("DELETE", f"/clients/{os.environ['CLIENT']}/api-keys/{made['id']}")


def me(token: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{os.environ['API']}/me", headers={"Authorization": f"Bearer {token}", **headers}, timeout=40)


def within_a_minute(ask: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """Ask until it is answered so; fails when a minute was not enough."""
    ends = time.monotonic() + MINUTE
    while True:
        answer = ask()
        if answer.status_code == status:
            return answer
        assert time.monotonic() < ends, f"still {answer.status_code} after a minute"
        time.sleep(1)


class Form(HTMLParser):
    """The fields of a page's form with their values."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "input" and said.get("name"):
            self.fields[str(said["name"])] = said.get("value") or ""


@pytest.fixture
def browser(hub, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody who fills in the sign-in page and is sent back."""
    opened: list[str] = []

    def fill_in(address: str) -> None:
        with httpx.Client(base_url=hub.aws.endpoint, timeout=40) as person:
            fields = Form(person.get(address).text).fields
            fields |= {"username": os.environ["HUB_USER"], "password": os.environ["HUB_PASSWORD"]}
            sent_back = person.post("/login", data=fields).headers["location"]
        httpx.get(sent_back, timeout=40)

    def open_page(address: str) -> bool:
        opened.append(address)
        threading.Thread(target=fill_in, args=(address,), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    return opened


def test_a_person_signs_in_by_the_page_with_a_code_that_only_they_can_redeem_and_renews(browser: list[str]):
    done = python("sign_in.py")
    assert "code_challenge_method=S256" in browser[0]
    for token, method in (("id_token", "id_token"), ("access_token", "access_token")):
        for tokens in (done["tokens"], done["renewed"]):
            answer = me(tokens[token])
            assert answer.status_code == 200, answer.text
            seen = answer.json()
            assert (seen["kind"], seen["signed_in_with"], seen["email"]) == ("person", method, os.environ["HUB_USER"])
            assert seen["clients"]
    with pytest.raises(Exception, match="400"):
        done["ask"](
            grant_type="authorization_code",
            code=done["received"]["code"],
            redirect_uri=done["callback"],
            code_verifier="another",
        )


@by_srp
def test_a_person_signs_in_by_srp_and_renews(hub):
    done = python("sign_in_by_srp.py")
    for token, method in (("IdToken", "id_token"), ("AccessToken", "access_token")):
        for tokens in (done["tokens"], done["renewed"]):
            seen = me(tokens[token]).json()
            assert (seen["signed_in_with"], seen["email"]) == (method, os.environ["HUB_USER"])


@by_srp
def test_a_person_with_a_wrong_password_gets_no_token(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_PASSWORD", "Hub-something-else-7a")
    with pytest.raises(Exception, match="NotAuthorized"):
        python("sign_in_by_srp.py")


def test_a_program_uses_its_key_from_the_shell_and_from_python(key, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEY", key["key"])
    answer = curl('Bearer $KEY"', KEY=key["key"])
    assert answer.status_code == 200, answer.text
    assert python("program.py")["connections"] == answer.json()["items"]
    seen = me(key["key"]).json()
    assert (seen["kind"], seen["signed_in_with"], seen["id"]) == ("program", "api_key", key["id"])
    assert (seen["api_key"]["prefix"], seen["api_key"]["role"]) == (key["prefix"], "viewer")
    assert seen["api_key"]["expires_at"] == "2030-01-31T00:00:00Z"


def test_a_program_uses_its_key_from_typescript(key, typescript: Workspace):
    (code,) = [one for one in examples("typescript") if one.startswith("// program.ts")]
    (typescript.folder / "program.ts").write_text(code)
    typescript.compile("program.ts")
    variables = {"API": os.environ["API"], "CLIENT": os.environ["CLIENT"], "KEY": key["key"]}
    count = len(curl('Bearer $KEY"', KEY=key["key"]).json()["items"])
    assert typescript.run("compiled/program.js", **variables) == f"{count}\n"


def test_old_and_new_secret_work_while_a_key_is_rotated(key):
    new = curl("overlap_seconds", KEY_ID=key["id"]).json()["key"]
    assert [me(one).status_code for one in (key["key"], new)] == [200, 200]


def test_an_overlap_that_is_over_or_none_ends_the_old_secret_although_the_gateway_remembers_it(hub, key):
    keys = f"/clients/{os.environ['CLIENT']}/api-keys"
    other = hub.call("POST", keys, json={"name": "Without overlap", "role": "viewer"}).json()
    old = {2: key, 0: other}
    assert [me(one["key"]).status_code for one in old.values()] == [200, 200]
    new = {
        overlap: hub.call("POST", f"{keys}/{one['id']}/rotate", json={"overlap_seconds": overlap}).json()["key"]
        for overlap, one in old.items()
    }
    assert [me(one).status_code for one in new.values()] == [200, 200]
    for one in old.values():
        within_a_minute(lambda shown=one["key"]: me(shown), 401)
    assert [me(one).status_code for one in new.values()] == [200, 200]
    hub.call("DELETE", f"{keys}/{other['id']}")


def test_a_key_is_refused_from_a_network_that_it_is_not_for(hub, key):
    assert me(key["key"], **{"X-Forwarded-For": "127.0.0.9"}).status_code == 200
    # The local AWS takes this header for where somebody calls from; AWS's own gateway takes the connection's address.
    answer = me(key["key"], **{"X-Forwarded-For": "198.51.100.7"})
    assert (answer.status_code, answer.json()["code"]) == (403, "network_not_allowed")
    audit = hub.call("GET", f"/clients/{os.environ['CLIENT']}/audit?action=api_key.network_refused").json()["items"]
    assert audit[0]["actor"] == {"id": key["id"], "name": "Till 7", "kind": "program"}
    assert audit[0]["source"] == "198.51.100.7"


def test_an_expired_key_is_refused(hub):
    ends = datetime.now(UTC) + timedelta(seconds=4)
    body = {"name": "For a moment", "role": "viewer", "expires_at": ends.isoformat()}
    made = hub.call("POST", f"/clients/{os.environ['CLIENT']}/api-keys", json=body).json()
    assert me(made["key"]).status_code == 200
    refused = within_a_minute(lambda: me(made["key"]), 401)
    assert refused.json()["code"] in ("sign_in_expired", "not_signed_in")
    hub.call("DELETE", f"/clients/{os.environ['CLIENT']}/api-keys/{made['id']}")


def test_a_revoked_key_is_refused_by_its_next_request(key):
    assert curl('Bearer $KEY"', KEY=key["key"]).status_code == 200
    assert curl("DELETE", KEY_ID=key["id"]).status_code == 204
    refused = curl('Bearer $KEY"', KEY=key["key"])
    assert (refused.status_code, refused.json()["code"]) == (401, "api_key_revoked")
    assert me(key["key"]).status_code == 401


def test_what_is_neither_token_nor_key_is_refused_as_a_problem(hub):
    for shown in ("nothing", hub.user("administrator")["id_token"][:-4] + "AAAA", "ehk_" + "0" * 76):
        answer = me(shown)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


def test_no_key_is_anywhere_but_in_its_answer(hub, key):
    new = curl("overlap_seconds", KEY_ID=key["id"]).json()["key"]
    me(new)
    me(key["key"], **{"X-Forwarded-For": "198.51.100.8"})
    places = {
        "the tables": str(hub.items()),
        "the lake": str(hub.objects()),
        "the histories": str(hub.histories()),
        "the logs": "".join(hub.logs()),
        "the audit": hub.call("GET", f"/clients/{os.environ['CLIENT']}/audit?limit=200").text,
        "the notifications": hub.call("GET", f"/clients/{os.environ['CLIENT']}/notifications?limit=200").text,
    }
    secrets = [one.rpartition("_")[2] for one in (key["key"], new)]
    assert [
        place for place, text in places.items() for secret in secrets if secret in text or secret[:20] in text
    ] == []
