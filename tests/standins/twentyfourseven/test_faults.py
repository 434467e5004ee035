"""Faults switched on at the stand-in: what a caller sees, and that what was applied was applied once."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, Server, seed
from local.erps.twentyfourseven.faults import UnknownFaultError
from tests.standins.twentyfourseven.conftest import sign_in
from tests.standins.twentyfourseven.soap_client import Fault, Soap
from tests.standins.twentyfourseven.test_ledger import bundle, shop, voucher
from tests.support.integration import integration

POST = "rest:POST /transactions"


@pytest.mark.parametrize(
    ("kind", "seen", "applied"),
    [
        ("timeout_before", httpx.ReadTimeout, 0), ("timeout_after", httpx.ReadTimeout, 1),
        ("cut_before", httpx.RemoteProtocolError, 0), ("cut_after", httpx.RemoteProtocolError, 1),
        ("half", httpx.RemoteProtocolError, 1),
    ],
)  # fmt: skip
def test_a_lost_answer_leaves_the_ledger_as_it_says(
    app: App, rest: httpx.Client, kind: str, seen: type[Exception], applied: int
) -> None:
    app.faults.add(POST, kind)
    with pytest.raises(seen):
        rest.post("/transactions", json=voucher())
    assert len(shop(app).vouchers) == applied
    assert rest.post("/transactions", json=voucher()).status_code == 201


@pytest.mark.parametrize(
    ("kind", "status", "applied"), [("rate_limited", 429, 0), ("error_before", 500, 0), ("error_after", 500, 1)]
)
def test_an_error_leaves_the_ledger_as_it_says(
    app: App, rest: httpx.Client, kind: str, status: int, applied: int
) -> None:
    app.faults.add(POST, kind, seconds=17)
    answer = rest.post("/transactions", json=voucher())
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("17" if status == 429 else None)
    assert len(shop(app).vouchers) == applied


def test_a_fault_strikes_so_many_times_after_so_many_calls(app: App, rest: httpx.Client) -> None:
    app.faults.add("rest:GET /*", "error_before", times=2, after=1)
    assert [rest.get("/accounts").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    app.faults.add("*", "error_before", times=None)
    assert {rest.get("/accounts").status_code for _ in range(5)} == {500}
    app.faults.clear()
    assert rest.get("/accounts").status_code == 200
    with pytest.raises(UnknownFaultError):
        app.faults.add("*", "fire")


def test_too_many_soap_calls_are_quarantined_until_the_hour_is_over(app: App, soap: Soap) -> None:
    app.world.soap_per_hour = 3
    assert [soap("Authenticate", "HasSession") for _ in range(2)] == ["true", "true"]
    with pytest.raises(
        Fault, match=r"^Limit exceeded by 1\. Request is blocked\. Quarantine ends at \d{4}-\d\d-\d\d \d\d:00:00$"
    ):
        soap("Authenticate", "HasSession")
    with pytest.raises(Fault, match="Limit exceeded by 2"):
        soap("Authenticate", "HasSession")


def test_a_quarantine_can_be_switched_on(app: App, soap: Soap) -> None:
    app.faults.add("soap:SaveBundleList", "quarantine", seconds=60)
    with pytest.raises(Fault, match="Quarantine ends at"):
        soap("Account", "SaveBundleList", bundle(1))
    assert not shop(app).drafts


def test_a_session_or_token_can_end_in_the_middle(app: App, rest: httpx.Client, soap: Soap) -> None:
    app.faults.add(POST, "session_expired")
    assert rest.post("/transactions", json=voucher()).status_code == 401
    app.faults.add("soap:SaveBundleList", "session_expired")
    assert soap("Account", "SaveBundleList", bundle(1))["Type"] == "NotAuthenticated"
    assert soap("Authenticate", "HasSession") == "false"
    assert not shop(app).vouchers


def test_an_identity_can_be_blocked_for_a_call(app: App, soap: Soap) -> None:
    app.faults.add("soap:GetAccountList", "identity_blocked")
    with pytest.raises(Fault, match="The provided IdentityId is blocked"):
        soap("Account", "GetAccountList")
    assert soap("Account", "GetAccountList")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("duplicate_data", "DuplicateData"), ("data_already_saved", "DataAlreadySaved"), ("not_saved", "NotSaved")],
)
def test_saving_can_answer_what_it_likes(app: App, soap: Soap, kind: str, answer: str) -> None:
    app.faults.add("soap:SaveBundleList", kind)
    assert soap("Account", "SaveBundleList", bundle(1))["Type"] == answer
    assert not shop(app).drafts


@pytest.mark.parametrize(
    ("kind", "applied"), [("timeout_before", 0), ("timeout_after", 1), ("cut_after", 1), ("half", 1)]
)
def test_a_lost_answer_of_soap_leaves_the_drafts_as_it_says(app: App, soap: Soap, kind: str, applied: int) -> None:
    app.faults.add("soap:SaveBundleList", kind)
    with pytest.raises(httpx.TransportError):
        soap("Account", "SaveBundleList", bundle(1))
    assert len(shop(app).drafts) == applied


def test_calls_are_counted_by_what_they_are(app: App, rest: httpx.Client, soap: Soap) -> None:
    account = rest.get("/accounts").json()[0]["id"]
    rest.get(f"/accounts/{account}")
    assert app.world.calls["rest:GET /accounts/{id}"] == 1
    assert app.world.calls["soap:Login"] == app.world.logins == 1
    assert app.world.calls["token"] == app.world.tokens_given == 1


# --- over the wire ---------------------------------------------------------------------------------------------------


@pytest.fixture
@integration
def served(app: App) -> Iterator[httpx.Client]:
    with Server(app) as server, httpx.Client(base_url=server.url, timeout=10) as client:
        answer = client.post("/login/oauth/token", data={
            "grant_type": "client_credentials", "client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET,
            "login_organization": str(seed.SHOP), "audience": "https://api.24sevenoffice.com",
        })  # fmt: skip
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def test_on_the_wire_the_mounts_stand_for_the_hosts(served: httpx.Client) -> None:
    assert served.get("/rest/v1/organization/information").json()["name"] == "Fjellbutikken AS"
    url = served.post("/rest/v1/fileUpload", json={"contentType": "application/pdf"}).json()["uploadUrl"]
    put = httpx.Request("PUT", url, content=b"%PDF-1.7 x", headers={"Content-Type": "application/pdf"})
    assert served.send(put).status_code == 200


@pytest.mark.parametrize(("kind", "applied"), [("cut_before", 0), ("cut_after", 1), ("half", 1)])
def test_on_the_wire_an_answer_breaks_off(app: App, served: httpx.Client, kind: str, applied: int) -> None:
    app.faults.add(POST, kind)
    with pytest.raises(httpx.RemoteProtocolError):
        served.post("/rest/v1/transactions", json=voucher())
    assert len(shop(app).vouchers) == applied
    assert served.get("/rest/v1/accounts").status_code == 200


def test_on_the_wire_a_time_out_is_silence(app: App, served: httpx.Client) -> None:
    app.faults.add(POST, "timeout_after", seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        served.post("/rest/v1/transactions", json=voucher(), timeout=0.3)
    assert len(shop(app).vouchers) == 1


def test_on_the_wire_a_late_answer_comes_after_all(app: App, served: httpx.Client) -> None:
    app.faults.add(POST, "late", seconds=0.2)
    began = time.monotonic()
    assert served.post("/rest/v1/transactions", json=voucher()).status_code == 201
    assert time.monotonic() - began >= 0.2


def test_two_callers_at_once_get_two_numbers(app: App, served: httpx.Client) -> None:
    threads = [
        threading.Thread(target=served.post, args=("/rest/v1/transactions",), kwargs={"json": voucher()})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(v.number for v in shop(app).vouchers.values()) == list(range(1, 9))


@contextmanager
def program(*arguments: str) -> Iterator[dict[str, str]]:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "local.erps.twentyfourseven", "--port", "0", *arguments]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield json.loads(running.stdout.readline())
        finally:
            running.terminate()
        assert running.wait(10) == 0


def first_organisation(said: dict[str, str]) -> dict[str, Any]:
    return httpx.get(f"{said['admin']}/state").json()["organisations"][0]


@pytest.mark.usefixtures("fresh_python")
def test_the_program_says_where_it_is_and_ends_when_told() -> None:
    with program("--lines", "50") as said:
        assert first_organisation(said)["line_count"] >= 50
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", httpx.URL(said["url"]).port or 0)) != 0


@pytest.mark.usefixtures("fresh_python")
def test_the_program_goes_on_where_it_ended(tmp_path: Path) -> None:
    state = str(tmp_path / "erp.state")
    with program("--state", state) as said:
        httpx.post(f"{said['admin']}/ledger", json={"lines": 10}).raise_for_status()
        before = first_organisation(said)
    with program("--state", state) as said:
        assert first_organisation(said) == before
        httpx.post(f"{said['admin']}/ledger", json={"lines": 10}).raise_for_status()
        assert first_organisation(said)["line_count"] > before["line_count"]


# --- the admin view --------------------------------------------------------------------------------------------------


def test_the_administrator_mends_what_was_missing(served: httpx.Client) -> None:
    lines = [
        {"accountNumber": 3210, "amount": -10, "tax": {"number": 0}},
        {"accountNumber": 1900, "amount": 10, "tax": {"number": 0}},
    ]
    assert served.post("/rest/v1/transactions", json=voucher(*lines)).status_code == 400
    made = served.post("/_admin/accounts", json={"organisation": seed.SHOP, "number": 3210, "name": "Kaffesalg"})
    assert made.json()["number"] == 3210
    assert served.post("/rest/v1/transactions", json=voucher(*lines)).status_code == 201
    assert "Kaffesalg" in [kind["name"] for kind in served.get("/rest/v1/salestypes").json()]


def test_the_administrator_locks_a_year(served: httpx.Client) -> None:
    served.post("/_admin/years", json={"year": 2026, "locked": True})
    assert "is closed" in served.post("/rest/v1/transactions", json=voucher()).json()["error"]["message"]


def test_the_administrator_switches_faults_on_and_off(served: httpx.Client) -> None:
    served.post("/_admin/faults", json={"operation": POST, "kind": "error_before", "times": None})
    assert served.post("/rest/v1/transactions", json=voucher()).status_code == 500
    assert served.get("/_admin/state").json()["faults"][0]["hits"] == 1
    served.delete("/_admin/faults")
    assert served.post("/rest/v1/transactions", json=voucher()).status_code == 201
    assert served.post("/_admin/faults", json={"kind": "fire"}).status_code == 400


def test_the_state_shows_each_voucher_with_its_words(app: App, served: httpx.Client) -> None:
    served.post("/rest/v1/transactions", json=voucher())
    shown = served.get("/_admin/state").json()["organisations"][0]["vouchers"]
    assert [(v["comment"], v["sum"], len(v["lines"])) for v in shown] == [("Z 17", "0.00", 3)]
    assert "Z 17" in served.get("/_admin").text


def test_an_approval_that_cannot_be_posted_leaves_the_draft(app: App, soap: Soap, served: httpx.Client) -> None:
    soap("Account", "SaveBundleList", bundle(1))
    (draft,) = shop(app).drafts
    served.post("/_admin/years", json={"year": 2026, "locked": True})
    assert served.post("/_admin/drafts/approve", json={"draft": draft}).status_code == 400
    assert draft in shop(app).drafts
    served.post("/_admin/years", json={"year": 2026, "locked": False})
    assert served.post("/_admin/drafts/approve", json={"draft": draft}).json()["vouchers"][0]["comment"] == "Z 17"


def test_a_draft_is_edited_before_it_is_approved(app: App, soap: Soap, served: httpx.Client) -> None:
    soap("Account", "SaveBundleList", bundle(1))
    (draft,) = shop(app).drafts
    lines = [
        {"line": 0, "account": 3100, "tax": "0", "department": 2, "comment": "Moved"},
        {"line": 1, "account": 1920},
    ]
    edited = served.post(
        "/_admin/drafts/edit", json={"draft": draft, "number": 7, "date": "2026-03-09", "lines": lines}
    )
    shown = edited.json()["vouchers"][0]
    assert (shown["number"], {line["date"] for line in shown["lines"]}) == (7, {"2026-03-09"})
    (made,) = served.post("/_admin/drafts/approve", json={"draft": draft}).json()["vouchers"]
    assert (made["number"], made["date"]) == (7, "2026-03-09")
    said = [(line["account"], line["amount"], line["comment"], line["dimensions"]) for line in made["lines"]]
    assert said == [(3100, "-125.00", "Moved", [[2, "2"]]), (1920, "125.00", "Z 17", [])]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lines": [{"line": 2, "account": 3010}]}, "no line 2"),
        ({"lines": [{"account": 3010}]}, "Missing: line"),
        ({"lines": [{"line": 0, "amount": "much"}]}, "no value"),
        ({"lines": [{"line": 0, "account": 3010}], "date": "tomorrow"}, "no value"),
        ({"draft": 4711}, "no draft 4711"),
    ],
)
def test_an_edit_that_cannot_be_made_changes_nothing(
    app: App, soap: Soap, served: httpx.Client, change: dict[str, Any], said: str
) -> None:
    soap("Account", "SaveBundleList", bundle(1))
    (draft,) = shop(app).drafts
    before = served.get("/_admin/state").json()["organisations"][0]["drafts"]
    refused = served.post("/_admin/drafts/edit", json={"draft": draft} | change)
    assert (refused.status_code, said in refused.json()["error"]) == (400, True)
    assert served.get("/_admin/state").json()["organisations"][0]["drafts"] == before


def test_an_edit_that_does_not_balance_shows_when_it_is_approved(app: App, soap: Soap, served: httpx.Client) -> None:
    soap("Account", "SaveBundleList", bundle(1))
    (draft,) = shop(app).drafts
    served.post("/_admin/drafts/edit", json={"draft": draft, "lines": [{"line": 1, "amount": "124.00"}]})
    assert served.post("/_admin/drafts/approve", json={"draft": draft}).status_code == 400
    served.post("/_admin/drafts/edit", json={"draft": draft, "lines": [{"line": 1, "amount": "125.00"}]})
    assert served.post("/_admin/drafts/approve", json={"draft": draft}).status_code == 200


def test_a_discarded_draft_never_reaches_the_ledger(app: App, soap: Soap, served: httpx.Client) -> None:
    soap("Account", "SaveBundleList", bundle(1))
    (draft,) = shop(app).drafts
    assert served.post("/_admin/drafts/discard", json={"draft": draft}).json() == {"removed": True}
    assert served.post("/_admin/drafts/discard", json={"draft": draft}).json() == {"removed": False}
    assert served.post("/_admin/drafts/approve", json={"draft": draft}).status_code == 400
    assert not shop(app).vouchers


def test_the_administrator_changes_what_the_hub_will_fetch(served: httpx.Client, rest: httpx.Client) -> None:
    served.post("/_admin/customers", json={"id": 10001, "fields": {"phone": "99887766"}})
    served.post("/_admin/products", json={"fields": {"number": "NY", "name": "Ny vare", "salesPrice": 10}})
    assert rest.get("/customers/10001").json()["phone"] == "99887766"
    assert rest.get("/products", params={"productNumber": "NY"}).json()[0]["salesPrice"] == 10
    served.post("/_admin/sessions/expire")
    assert rest.get("/accounts").status_code == 401
    assert sign_in(rest).status_code == 200
    assert served.post("/_admin/nothing").status_code == 404
