"""Webhooks through the API: who may, what is answered, what is kept of it."""

import json

import pytest

from erphub import app
from erphub.events.publisher import make_event
from erphub.imports.capability import IMPORT_FAILED
from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable
from erphub.webhooks.service import new_delivery
from tests.support.aws import on_both

URL = "https://hooks.example.test/erp"


def test_a_webhooks_secret_is_in_its_first_answer_and_nowhere_else(hub):
    key = {"Idempotency-Key": "hook-1"}
    first = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}, headers=key)
    again = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}, headers=key)
    assert (first.status, first.json["secret"][:6]) == (201, "whsec_")
    assert first.json["created_by"] == {"id": "administrator", "name": "administrator@example.test", "kind": "person"}
    assert (again.status, again.json["id"], again.json["secret"]) == (201, first.json["id"], None)
    shown = hub.call("GET", hub.in_client(f"/webhooks/{first.json['id']}"))
    listed = hub.call("GET", hub.in_client("/webhooks"))
    assert [one["created_by"] for one in listed.json["items"]] == [first.json["created_by"]]
    secret = first.json["secret"]
    for text in (shown.text, listed.text, again.text, json.dumps(hub.items(), default=str)):
        assert secret not in text
        assert secret.removeprefix("whsec_") not in text


@on_both
def test_a_webhook_is_changed_rotated_and_deleted(hub):
    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL, "events": ["import.failed"]}).json
    path = hub.in_client(f"/webhooks/{made['id']}")
    changed = hub.call("PATCH", path, {"events": "all", "description": "Our ERP watch", "version": 1}).json
    assert (changed["events"], changed["description"], changed["version"]) == ("all", "Our ERP watch", 2)
    stale = hub.call("PATCH", path, {"is_enabled": False, "version": 1})
    assert (stale.status, stale.code) == (409, "version_conflict")
    rotated = hub.call("PATCH", path, {"rotate_secret": True}).json
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["old_secret_expires_at"] == "2026-11-23T08:00:00Z"
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
        ({}, "/url", "required"),
        ({"url": URL, "secret": "mine"}, "/secret", "unknown_field"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_with_the_reason(hub, body, pointer, code):
    answer = hub.call("POST", hub.in_client("/webhooks"), body)
    assert answer.status == 422
    wrong = [one for one in answer.json["errors"] if one["pointer"].startswith(pointer)]
    assert wrong
    assert code in (None, wrong[0]["code"])
    assert hub.call("GET", hub.in_client("/webhooks")).json["items"] == []


def test_a_webhook_of_another_client_is_not_there(hub):
    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}).json
    foreign = f"/clients/{hub.other_client}/webhooks/{made['id']}"
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries")):
        answer = hub.call(method, foreign + path, {}, user="neighbour")
        assert (answer.status, answer.code) == (404, "webhook_not_found")
    assert hub.call("GET", hub.in_client(f"/webhooks/{made['id']}")).status == 200


def test_the_log_of_a_webhook_is_a_list_of_messages_that_can_be_sent_again(hub):
    made = hub.call("POST", hub.in_client("/webhooks"), {"url": URL}).json
    table = app.services().platform.table
    webhook = WebhookTable(table).get(hub.client, made["id"])
    happened = make_event(IMPORT_FAILED, hub.client, None, hub.time[0], "run-1", "It failed.")
    DeliveryTable(table).add(new_delivery(webhook, happened))
    path = hub.in_client(f"/webhooks/{made['id']}/deliveries")
    (listed,) = hub.call("GET", path).json["items"]
    assert (listed["event_id"], listed["status"], listed["payload"]["type"]) == (
        happened.id,
        "pending",
        "import.failed",
    )
    again = hub.call("POST", f"{path}/{listed['id']}/replay")
    assert (again.status, again.json["next_attempt_at"]) == (202, "2026-11-22T08:00:00Z")
    assert hub.call("POST", f"{path}/{made['id']}/replay").code == "delivery_not_found"
    hub.call("PATCH", hub.in_client(f"/webhooks/{made['id']}"), {"is_enabled": False})
    assert hub.call("POST", f"{path}/{listed['id']}/replay").code == "webhook_off"
