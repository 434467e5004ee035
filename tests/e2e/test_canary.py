"""A secret goes in and never comes out: a known one is sent through everything, and then looked for everywhere."""

import base64
import json
from urllib.parse import quote

import httpx
import pytest

from tests.e2e.wizard import WizardUser

RIGHT = 'cAnary-"right\\å{}%s-7Q'
WRONG = "cAnary-wrong'; SELECT 1;--9Z"


def disguises(secret):
    """The forms in which code, drivers and encoders write a text."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(json.dumps(secret))[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(secret.encode())[2:-1],
        repr(secret.encode("utf-16-le"))[2:-1],
        quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
        secret.encode().hex(),
        secret.encode("utf-16-le").hex(),
    }


MARKS = {"cAnary", base64.b64encode(b"cAnary").decode()[:8], b"cAnary".hex(), "cAnary".encode("utf-16-le").hex()}
NEEDLES = disguises(RIGHT) | disguises(WRONG) | MARKS


def found_in(text):
    return sorted(needle for needle in NEEDLES if needle in text)


@pytest.fixture(scope="module")
def driven(hub, eventually):
    """Everything a secret can go through: refused, cut, accepted, stored, tested, imported with, cancelled."""
    user = WizardUser.of_a_new_customer(hub)
    admin = user.stand_in["admin_url"]
    databases = ["F0001", "F0002", "vbsys"]
    login = {"name": "canary", "password": RIGHT, "databases": databases}
    httpx.post(f"{admin}/logins", json=login).raise_for_status()
    server = user.server | {"login": "canary"}

    user.start()
    user.put("server", server | {"password": WRONG, "unknown": WRONG})
    user.put("server", json.dumps(server | {"password": WRONG}))
    user.put("server", server | {"password": WRONG, "authentication": "windows"})
    user.answer("server", server | {"password": WRONG})
    for fault in (
        {"kind": "cut", "statement": "login", "times": 1},
        {"kind": "error", "statement": "login", "number": 18456, "text": f"Login failed, it was {RIGHT}.", "times": 1},
        {"kind": "reset", "times": 1},
    ):
        httpx.post(f"{admin}/faults", json=fault).raise_for_status()
        user.answer("server", server | {"password": RIGHT})
        httpx.delete(f"{admin}/faults").raise_for_status()
    assert user.answer("server", server | {"password": RIGHT})["step"] == "companies", user.get()
    user.answer("companies", {"companies": ["F0001"]})
    user.answer("name", {"name": user.unused("Bird")})
    user.answer("vouchers", {})
    connection = user.answer("finish", {})["connection_id"]
    assert RIGHT in json.loads(user.secret() or "{}").values()

    def imported():
        jobs = user.call("GET", "/import-jobs?limit=200").json()["items"]
        runs = [
            run
            for job in jobs
            if job["connection_id"] == connection
            for run in user.call("GET", f"/import-jobs/{job['id']}/runs").json()["items"]
        ]
        return runs if runs and all(run["status"] not in {"queued", "running"} for run in runs) else None

    eventually(imported)
    user.call("PATCH", f"/connections/{connection}", json={"password": WRONG})
    httpx.post(f"{admin}/faults", json={"kind": "cut", "statement": "login", "times": 1}).raise_for_status()
    user.call("POST", f"/connections/{connection}/test")
    eventually(
        lambda: (
            one if (one := user.call("GET", f"/connections/{connection}").json())["last_test"]["finished_at"] else None
        )
    )
    httpx.delete(f"{admin}/faults").raise_for_status()

    user.start("sqlserver-generic")
    user.answer("server", server | {"password": RIGHT})
    user.call("DELETE", user.path)
    user.start()
    user.answer("server", server | {"password": RIGHT})
    return user


def test_no_answer_repeats_a_secret(driven):
    assert len(driven.said) > 30
    assert [(said[:300], found_in(said)) for said in driven.said if found_in(said)] == []


def test_no_item_of_the_table_holds_a_secret(driven, hub):
    assert [(item["sk"], found_in(str(item))) for item in hub.items() if found_in(str(item))] == []


def test_no_object_of_the_lake_holds_a_secret(driven, hub):
    objects = hub.objects()
    assert objects
    needles = {needle.encode() for needle in NEEDLES} | {"cAnary".encode("utf-16-le")}
    assert [key for key, content in objects.items() if any(needle in content for needle in needles)] == []


def test_no_execution_history_holds_a_secret_or_an_answer(driven, hub):
    events = [json.dumps(event, default=str) for event in hub.histories()]
    assert len(events) > 50
    assert [(event[:300], found_in(event)) for event in events if found_in(event)] == []
    connecting = [event for event in events if driven.id in event]
    assert connecting
    assert not any("127.0.0.1" in event for event in connecting)


def test_no_log_line_holds_a_secret(driven, hub):
    lines = hub.logs()
    assert any("ConnectionsApi" in line for line in lines)
    assert any("WizardTasks" in line for line in lines)
    assert [(line[:300], found_in(line)) for line in lines if found_in(line)] == []
