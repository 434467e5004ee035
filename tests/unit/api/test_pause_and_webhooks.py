"""Pausing, notifications and webhooks at the API's door: who may, what is answered, what is kept of it."""

import json

import pytest

from erphub import app
from erphub.audit.service import AuditTrail
from erphub.connections.access import ConnectionAccess
from erphub.connections.health import HealthService, PauseService
from erphub.events.notifications import NotificationService
from erphub.events.publisher import EventPublisher, event
from erphub.imports.capability import IMPORT_FAILED
from erphub.platform.errors import ErpRefused
from erphub.platform.outbound import addresses as network
from erphub.webhooks.service import WebhookService
from tests.support import services
from tests.support.aws import on_both
from tests.support.hub import FakeBus
from tests.unit.api.test_wizard import Wizard

URL = "https://hooks.example.test/erp"


@pytest.fixture
def told(hub, monkeypatch):
    """The house behind these routes, with the hub's clock, a bus in memory and no name server."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.events.dynamodb import EventTable
    from erphub.webhooks.dynamodb import WebhookTable

    def clock():
        return hub.time[0]

    def must_not_fail(told, error):
        raise AssertionError(told) from error

    def reach(host):
        if host != "hooks.example.test":
            raise ErpRefused(f"{host} leads to an internal address.", code="address_not_allowed")
        return network.addresses(host, (), lambda _: ["8.8.8.8"])

    table, bus, missed = app.services().platform.table, FakeBus(), []
    notices = EventTable(table)
    announcer = EventPublisher(notices, bus, clock, must_not_fail)
    health = HealthService(ConnectionTable(table), announcer, lambda *made_up: missed.append(made_up), clock)
    pausing = PauseService(app.services().get(ConnectionAccess), health, app.services().get(AuditTrail))
    hooks = WebhookService(WebhookTable(table), hub.secrets, reach, clock, app.services().platform.new_id)
    given = [pausing, hooks, NotificationService(notices, clock)]
    services.use(monkeypatch, {type(one): one for one in given})
    bus.announcer, bus.missed = announcer, missed
    return bus


@pytest.fixture
def connection(hub):
    return hub.in_client(f"/connections/{Wizard(hub).until('finish').get()['connection_id']}")


@on_both
def test_a_connection_is_paused_and_resumed_and_the_trail_says_by_whom(hub, told, connection):
    paused = hub.call("POST", f"{connection}/pause")
    assert (paused.status, paused.json["status"], paused.json["status_since"]) == (
        200,
        "paused",
        "2026-11-22T08:00:00Z",
    )
    assert hub.call("POST", f"{connection}/pause").json["status"] == "paused"
    hub.pass_time(hours=3)
    assert hub.call("POST", f"{connection}/resume").json["status"] == "active"
    assert len(told.missed) == 1
    trail = hub.call("GET", f"{connection}/audit").json["items"]
    assert [one["action"] for one in trail[:2]] == ["connection.resumed", "connection.paused"]
    assert (trail[1]["actor"], trail[1]["old"], trail[1]["new"]) == (
        "administrator",
        {"status": "active"},
        {"status": "paused"},
    )
    assert trail[1]["source"]


def test_only_who_may_edit_a_connection_pauses_it(hub, told, connection):
    for verb in ("pause", "resume"):
        assert hub.call("POST", f"{connection}/{verb}", user="viewer").code == "permission_missing"
        hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "administrator"})
        assert hub.call("POST", f"{connection}/{verb}", user="neighbour").code == "connection_not_shared"
    foreign = connection.replace(hub.client, hub.other_client)
    assert hub.call("POST", f"{foreign}/pause", user="neighbour").code == "connection_not_found"


def test_people_read_what_happened_and_say_that_they_see_to_it(hub, told, connection):
    hub.call("POST", f"{connection}/pause")
    listed = hub.call("GET", hub.in_client("/notifications"), user="viewer").json["items"]
    assert [(one["type"], one["level"]) for one in listed] == [("connection.paused", "info")]
    assert listed[0]["detail"].startswith("Main office")
    path = hub.in_client(f"/notifications/{listed[0]['id']}/acknowledge")
    assert hub.call("POST", path, user="viewer").code == "permission_missing"
    assert hub.call("POST", path).json["acknowledged_by"] == "administrator"
    assert hub.call("GET", hub.in_client("/notifications"), query={"open": "true"}).json["items"] == []
    neighbour = f"/clients/{hub.other_client}/notifications"
    assert hub.call("GET", neighbour, user="neighbour").json["items"] == []
    foreign = hub.call("POST", f"{neighbour}/{listed[0]['id']}/acknowledge", user="neighbour")
    assert (foreign.status, foreign.code) == (404, "notification_not_found")


def test_a_webhooks_secret_is_in_its_first_answer_and_nowhere_else(hub, told):
    key = {"Idempotency-Key": "hook-1"}
    first = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}, headers=key)
    again = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}, headers=key)
    assert (first.status, first.json["secret"][:6]) == (201, "whsec_")
    assert (again.status, again.json["id"], again.json["secret"]) == (201, first.json["id"], None)
    shown = hub.call("GET", hub.in_client(f"/webhooks/{first.json['id']}"))
    listed = hub.call("GET", hub.in_client("/webhooks"))
    assert len(listed.json["items"]) == 1
    secret = first.json["secret"]
    for text in (shown.text, listed.text, again.text, json.dumps(hub.items(), default=str)):
        assert secret not in text
        assert secret.removeprefix("whsec_") not in text


@on_both
def test_a_webhook_is_changed_rotated_and_deleted(hub, told):
    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL, "events": ["import.failed"]}).json
    path = hub.in_client(f"/webhooks/{made['id']}")
    changed = hub.call("PATCH", path, {"events": "all", "description": "Our ERP watch", "version": 1}).json
    assert (changed["events"], changed["description"], changed["version"]) == ("all", "Our ERP watch", 2)
    stale = hub.call("PATCH", path, {"active": False, "version": 1})
    assert (stale.status, stale.code) == (409, "version_conflict")
    rotated = hub.call("PATCH", path, {"rotate_secret": True}).json
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["old_secret_until"] == "2026-11-23T08:00:00Z"
    assert hub.call("DELETE", path).status == 204
    assert hub.call("GET", path).code == "webhook_not_found"
    assert hub.secrets.kept == {}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://hooks.example.test/"}, "/url", "https_required"),
        ({"url": "https://10.0.0.1/"}, "/url", "address_not_allowed"),
        ({"url": URL, "events": ["import.exploded"]}, "/events", None),
        ({"url": URL, "events": []}, "/events", None),
        ({}, "/url", "missing"),
        ({"url": URL, "secret": "mine"}, "/secret", "extra_forbidden"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_with_the_reason(hub, told, body, pointer, code):
    answer = hub.call("POST", hub.in_client("/webhooks"), body)
    assert answer.status == 422
    wrong = [one for one in answer.json["errors"] if one["pointer"].startswith(pointer)]
    assert wrong
    assert code in (None, wrong[0]["code"])
    assert hub.call("GET", hub.in_client("/webhooks")).json["items"] == []


def test_a_webhook_of_another_client_is_not_there(hub, told):
    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}).json
    foreign = f"/clients/{hub.other_client}/webhooks/{made['id']}"
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries")):
        answer = hub.call(method, foreign + path, {}, user="neighbour")
        assert (answer.status, answer.code) == (404, "webhook_not_found")
    assert hub.call("GET", hub.in_client(f"/webhooks/{made['id']}")).status == 200


def test_the_log_of_a_webhook_is_a_list_of_messages_that_can_be_sent_again(hub, told):
    from erphub.webhooks.delivery import new_delivery
    from erphub.webhooks.dynamodb import WebhookTable

    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}).json
    store = WebhookTable(app.services().platform.table)
    webhook = store.get(hub.client, made["id"])
    happened = event(IMPORT_FAILED, hub.client, None, hub.time[0], "run-1", "It failed.")
    store.add_delivery(new_delivery(webhook, happened))
    path = hub.in_client(f"/webhooks/{made['id']}/deliveries")
    (listed,) = hub.call("GET", path).json["items"]
    assert (listed["event_id"], listed["state"], listed["payload"]["type"]) == (happened.id, "pending", "import.failed")
    again = hub.call("POST", f"{path}/{listed['id']}/replay")
    assert (again.status, again.json["next_try_at"]) == (202, "2026-11-22T08:00:00Z")
    assert hub.call("POST", f"{path}/{made['id']}/replay").code == "delivery_not_found"
    hub.call("PATCH", hub.in_client(f"/webhooks/{made['id']}"), {"active": False})
    assert hub.call("POST", f"{path}/{listed['id']}/replay").code == "webhook_off"
