"""The handler of deliveries with real events: one from the bus, one from the clock."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from erphub.events.models import Event
from erphub.platform.wire import PageQuery
from erphub.webhooks.delivery import WebhookDelivery
from erphub.webhooks.schemas import NewWebhook
from tests.support import services
from tests.support.hub import handler_module

ROOT = Path(__file__).resolve().parents[2]
LONG = SimpleNamespace(get_remaining_time_in_millis=lambda: 58_000)


def given(name):
    return json.loads((ROOT / f"events/connections/{name}.json").read_text())


@pytest.fixture
def handler(webhooks, monkeypatch):
    services.use(monkeypatch, {WebhookDelivery: webhooks.delivery()})
    return handler_module("deliveries").handler


def test_an_event_from_the_bus_goes_to_the_webhooks_of_its_client(webhooks, receiver, handler):
    event = given("deliveries")
    event["detail"]["client_id"] = webhooks.member.client_id
    webhooks.event_store.add(Event.model_validate(event["detail"]))
    webhooks.service().create(webhooks.member, NewWebhook(url=receiver.url()))
    assert handler(event, LONG) == {"attempted": 1}
    assert json.loads(receiver.got[0][1])["data"]["run_id"] == "01JCG0RVN00000000000000000"
    assert handler(event, LONG) == {"attempted": 0}


def test_the_clock_finds_what_is_left(webhooks, receiver, handler):
    webhook = webhooks.service().create(webhooks.member, NewWebhook(url=receiver.url()))
    event = given("deliveries")["detail"] | {"client_id": webhooks.member.client_id}
    webhooks.event_store.add(Event.model_validate(event))
    receiver.answers = [500]
    handler(given("deliveries") | {"detail": event}, LONG)
    webhooks.pass_time(minutes=5)
    assert handler(given("deliveries-clock"), LONG) == {"published": 1, "attempted": 1}
    assert webhooks.service().list_deliveries(webhooks.member, webhook.id, PageQuery()).items[0].status == "delivered"


def test_a_round_that_has_no_time_left_begins_nothing(webhooks, receiver, handler):
    webhooks.service().create(webhooks.member, NewWebhook(url=receiver.url()))
    receiver.answers = [500]
    event = given("deliveries")["detail"] | {"client_id": webhooks.member.client_id}
    webhooks.event_store.add(Event.model_validate(event))
    assert handler(given("deliveries") | {"detail": event}, LONG) == {"attempted": 1}
    webhooks.pass_time(minutes=5)
    short = SimpleNamespace(get_remaining_time_in_millis=lambda: 9_000)
    assert handler(given("deliveries-clock"), short)["attempted"] == 0
