"""Pausing and resuming a connection through the API: who may, and what the audit log says of it."""

import pytest

from tests.support.aws import on_both
from tests.wizards.test_service import Wizard


@pytest.fixture
def connection(hub):
    return hub.in_client(f"/connections/{Wizard(hub).until('finish').get()['connection_id']}")


@on_both
def test_a_connection_is_paused_and_resumed_and_the_audit_log_says_by_whom(hub, connection):
    paused = hub.call("POST", f"{connection}/pause")
    assert (paused.status, paused.json["status"], paused.json["status_since"]) == (
        200,
        "paused",
        "2026-11-22T08:00:00Z",
    )
    assert hub.call("POST", f"{connection}/pause").json["status"] == "paused"
    hub.pass_time(hours=3)
    assert hub.call("POST", f"{connection}/resume").json["status"] == "active"
    assert len(hub.catch_ups) == 1
    entries = hub.call("GET", f"{connection}/audit").json["items"]
    assert [one["action"] for one in entries[:2]] == ["connection.resumed", "connection.paused"]
    assert (entries[1]["actor"]["id"], entries[1]["old"], entries[1]["new"]) == (
        "administrator",
        {"status": "active"},
        {"status": "paused"},
    )
    assert entries[1]["source"]


def test_only_who_may_edit_a_connection_pauses_it(hub, connection):
    hub.join("neighbour", "administrator")
    for verb in ("pause", "resume"):
        assert hub.call("POST", f"{connection}/{verb}", user="viewer").code == "permission_missing"
        assert hub.call("POST", f"{connection}/{verb}", user="neighbour").code == "connection_not_shared"
    foreign = connection.replace(hub.client, hub.other_client)
    assert hub.call("POST", f"{foreign}/pause", user="neighbour").code == "connection_not_found"
