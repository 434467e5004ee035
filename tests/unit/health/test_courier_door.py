"""The courier's door with real events: one from the bus, one from the clock."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from erphub.events.models import Event
from erphub.platform.wire import PageQuery
from erphub.webhooks.delivery import WebhookDelivery
from erphub.webhooks.schemas import NewWebhook
from tests.support import services

ROOT = Path(__file__).resolve().parents[3]
LONG = SimpleNamespace(get_remaining_time_in_millis=lambda: 58_000)


def given(name):
    return json.loads((ROOT / f"events/connections/{name}.json").read_text())


@pytest.fixture
def door(house, monkeypatch):
    spec = importlib.util.spec_from_file_location("door_courier", ROOT / "functions/connections/courier.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    services.use(monkeypatch, {WebhookDelivery: house.courier()})
    return module.handler


def test_an_event_from_the_bus_goes_to_the_webhooks_of_its_client(house, receiver, door):
    event = given("courier")
    event["detail"]["client_id"] = house.member.client_id
    house.desk().create(house.member, NewWebhook(url=receiver.url()))
    assert door(event, LONG) == {"tried": 1}
    assert json.loads(receiver.got[0][1])["data"]["run_id"] == "01JCG0RVN00000000000000000"
    assert door(event, LONG) == {"tried": 0}


def test_the_clock_finds_what_is_left(house, receiver, door):
    webhook = house.desk().create(house.member, NewWebhook(url=receiver.url()))
    event = given("courier")["detail"] | {"client_id": house.member.client_id}
    house.announcer.store.add(Event.model_validate(event))
    receiver.answers = [500]
    door(given("courier") | {"detail": event}, LONG)
    house.pass_time(minutes=5)
    assert door(given("courier-tick"), LONG) == {"told": 1, "tried": 1}
    assert house.desk().deliveries(house.member, webhook.id, PageQuery()).items[0].state == "delivered"


def test_a_round_that_has_no_time_left_begins_nothing(house, receiver, door):
    house.desk().create(house.member, NewWebhook(url=receiver.url()))
    receiver.answers = [500]
    door(given("courier") | {"detail": given("courier")["detail"] | {"client_id": house.member.client_id}}, LONG)
    house.pass_time(minutes=5)
    short = SimpleNamespace(get_remaining_time_in_millis=lambda: 9_000)
    assert door(given("courier-tick"), short)["tried"] == 0
