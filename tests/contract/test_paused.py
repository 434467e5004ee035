"""A paused connection looks paused wherever it is shown, nothing is done with it, and nothing that comes is lost.

Every route that names a connection has its place in the table; one that is new has none, and fails.
"""

import json
from typing import Any

import pytest

from erphub import openapi
from erphub.platform.http.router import Route
from tests.support.connect import FakeSystem
from tests.support.hub import ADMINISTRATOR, Answer
from tests.support.places import Places
from tests.support.saft import file, report

REFUSED = {
    "create_gift_card_product", "start_transfer", "start_run",
}  # fmt: skip
"""Would do something with the ERP now: 409 `connection_paused`, and the ERP is not asked."""
TAKEN = {
    "submit_document", "submit_document_pdf", "submit_cash_register_file", "create_upload", "process_upload",
    "acknowledge_changes", "retry_exports", "retry_export", "skip_export", "post_manually",
}  # fmt: skip
"""What people and tills hand in or decide is kept, and waits."""
CHANGED = {
    "update_connection", "transfer_ownership", "pause_connection", "resume_connection", "preview_deletion",
    "delete_connection", "restore_connection", "create_import_job", "update_import_job", "delete_import_job",
    "cancel_run", "update_actor", "create_actor",
}  # fmt: skip
"""Changes what is kept of it; nothing goes to the ERP."""
ASKED = {"test_connection", "update_sync", "test_sync", "refresh_sync", "save_mapping", "get_mapping"}
"""Somebody sets something up and has it checked, as is done before resuming: the ERP is read, and it stays paused."""
BODIES: dict[str, Any] = {
    "submit_document": {
        "date": "2026-01-31", "number": 1, "sales": [{"vat_rate": "25", "amount": "125.00", "vat": "25.00"}],
        "payments": [{"means": "cash", "amount": "125.00"}],
    },
    "submit_document_pdf": b"%PDF-1.4",
    "submit_cash_register_file": file(report()),
    "start_transfer": {},
    "acknowledge_changes": {"changes": [{"change_id": "7"}]},
}  # fmt: skip


def routes() -> list[Route]:
    found = [one for one in openapi.routes() if "connection_id" in one.names or "/import-jobs" in one.path]
    assert len(found) > 40
    return found


def changing() -> list[Route]:
    return [one for one in routes() if one.method != "GET"]


@pytest.fixture
def asked(places: Places, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the ERP, where only one thing may be."""
    calls = list[str]()

    def connected(*_: Any) -> None:
        calls.append("connected")
        raise AssertionError("the ERP was asked")

    monkeypatch.setattr(FakeSystem, "connected", connected, raising=False)
    return calls


def call(places: Places, route: Route) -> Answer:
    path = route.path
    for name in route.names:
        path = path.replace(f"{{{name}}}", places.names.get(name, "unknown"))
    body = BODIES.get(route.operation, places.good(route) if route.takes not in (None, bytes) else None)
    if isinstance(body, bytes):
        headers = {"content-type": "application/octet-stream"}
        return places.hub.call(route.method, path, body.decode(), user=ADMINISTRATOR, headers=headers)
    text = None if body is None else json.dumps(body)
    return places.hub.call(route.method, path, text, user=ADMINISTRATOR)


def of_connection(places: Places) -> str:
    return places.hub.in_client(f"/connections/{places.names['connection_id']}")


@pytest.fixture
def paused(places: Places, asked: list[str]) -> Places:
    """One of everything, of a connection that was paused."""
    assert places.hub.call("POST", of_connection(places) + "/pause", None, user=ADMINISTRATOR).status == 200
    return places


def test_every_route_of_a_connection_has_its_place() -> None:
    every = [REFUSED, TAKEN, CHANGED, ASKED]
    known = set[str]().union(*every)
    assert sum(map(len, every)) == len(known), "in one of them"
    assert {one.operation for one in changing()} - known == set()


@pytest.mark.parametrize("route", changing(), ids=lambda route: route.operation)
def test_what_a_paused_connection_does(paused: Places, asked: list[str], route: Route) -> None:
    answer = call(paused, route)
    code = answer.json.get("code") if answer.text.startswith("{") and answer.status >= 400 else None
    assert asked == [] or route.operation in ASKED
    if route.operation in REFUSED:
        assert (answer.status, code) == (409, "connection_paused")
    elif route.operation not in ASKED:
        assert answer.status < 500 or code == "lake_unavailable", answer.text
        assert code != "connection_paused"
    if route.operation in TAKEN and code is not None:
        assert (answer.status, code) in {(404, "not_found"), (404, "document_not_found")}, answer.text
    if route.operation not in ("resume_connection", "delete_connection"):
        shown = paused.hub.call("GET", of_connection(paused), None, user=ADMINISTRATOR)
        assert shown.json["status"] == "paused"


@pytest.mark.parametrize(
    "route",
    [one for one in routes() if one.method == "GET" and one.operation not in ASKED],
    ids=lambda route: route.operation,
)
def test_what_is_shown_of_it_asks_nobody(paused: Places, asked: list[str], route: Route) -> None:
    assert call(paused, route).status in (200, 404)
    assert asked == []


def test_it_looks_paused_wherever_it_is_shown(paused: Places) -> None:
    hub, base = paused.hub, of_connection(paused)

    def get(path: str) -> Any:
        return hub.call("GET", path, None, user=ADMINISTRATOR).json

    handed = hub.call(
        "PUT", base + "/documents/settlement/S1", json.dumps(BODIES["submit_document"]), user=ADMINISTRATOR
    )
    waits = ("connection_paused", "It waits until somebody resumes the connection.")
    assert handed.json["status"] == "pending"
    assert get(base)["status"] == "paused"
    assert [one["status"] for one in get(hub.in_client("/connections"))["items"] if one["id"] in base] == ["paused"]
    sync = get(base + "/sync")
    assert sync["next_transfer_at"] is None
    assert "paused" in sync["next_transfer_reason"]
    log = get(base + "/export-log")["items"]
    assert {(one["code"], one["detail"]) for one in log if one["status"] == "pending"} == {waits}
    assert {(one["code"], one["detail"]) for one in get(base + "/documents")["items"]} == {waits}
    one = get(base + "/documents/settlement/S1")
    assert (one["code"], one["detail"]) == waits
    assert "It waits until somebody resumes" in hub.call("GET", base + "/export-log/csv", None, user=ADMINISTRATOR).text
    groups = get(base + "/export-log/codes")["items"]
    assert {(group["code"], group["detail"]) for group in groups} == {waits}
    jobs = get(hub.in_client("/import-jobs"))["items"]
    assert jobs
    for job in jobs:
        assert job["next_run_at"] is None, job
