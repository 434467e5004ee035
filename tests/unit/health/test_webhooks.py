"""Webhooks: signed as Standard Webhooks says, tried again until taken, never sent twice at once, never lost."""

import base64
import hmac
import json
from collections import Counter
from datetime import timedelta
from threading import Lock

import pytest

from erphub.events.publisher import event
from erphub.events.schemas import NotificationQuery
from erphub.imports.capability import IMPORT_FAILED, IMPORT_FINISHED
from erphub.platform.errors import Conflict, Invalid, NotFound, Unavailable
from erphub.platform.outbound.https import Answer
from erphub.platform.wire import PageQuery
from erphub.webhooks import delivery as couriers
from erphub.webhooks.capability import WEBHOOK_FAILING
from erphub.webhooks.models import DeliveryState
from erphub.webhooks.schemas import ChangedWebhook, NewWebhook
from erphub.webhooks.service import signature
from tests.support.aws import on_both
from tests.support.receiver import HOST

FAILING = WEBHOOK_FAILING


def register(house, receiver, **values):
    return house.desk().create(house.member, NewWebhook(**{"url": receiver.url()} | values))


def happened(house, kind=IMPORT_FINISHED, about="run-1", **data):
    return event(kind, house.member.client_id, "connection-1", house.clock(), about, "Something happened.", **data)


def deliveries(house, webhook):
    return house.desk().deliveries(house.member, webhook.id, PageQuery()).items


def tick(house):
    return house.courier().tick(lambda: 60.0)


def verified(headers, body, secret):
    """As a receiver checks a message, from the words of the specification."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return wanted in headers["webhook-signature"].split(" ")


def test_the_signature_is_that_of_the_published_example():
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_arrives_signed_and_is_logged(house, receiver):
    webhook = register(house, receiver)
    told = happened(house, run_id="run-1")
    assert house.courier().take(told) == 1
    ((headers, body),) = receiver.got
    assert headers["webhook-id"] == told.id
    assert webhook.secret is not None
    assert verified(headers, body, webhook.secret)
    assert int(headers["webhook-timestamp"]) == int(house.clock().timestamp())
    assert json.loads(body) == {
        "type": "import.finished",
        "timestamp": "2026-11-22T08:00:00Z",
        "data": {
            "client_id": house.member.client_id,
            "connection_id": "connection-1",
            "detail": "Something happened.",
            "run_id": "run-1",
        },
    }
    (delivery,) = deliveries(house, webhook)
    assert (delivery.state, delivery.attempts[0].status, delivery.next_try_at) == ("delivered", 204, None)


def test_the_secret_is_shown_once_and_kept_where_passwords_are(house, receiver):
    webhook = register(house, receiver)
    assert webhook.secret is not None
    assert webhook.secret.startswith("whsec_")
    assert len(base64.b64decode(webhook.secret.removeprefix("whsec_"))) == 32
    assert house.desk().get(house.member, webhook.id).secret is None
    assert house.desk().page(house.member, PageQuery()).items[0].secret is None
    house.courier().take(happened(house))
    items = json.dumps(list(house.table.all(f"CLIENT#{house.member.client_id}")), default=str)
    assert webhook.secret not in items


def test_only_what_a_webhook_wants_is_sent_to_it(house, receiver):
    register(house, receiver, events=(IMPORT_FAILED,))
    assert house.courier().take(happened(house)) == 0
    assert house.courier().take(happened(house, IMPORT_FAILED)) == 1
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["import.failed"]


def test_another_client_gets_nothing(house, receiver):
    register(house, receiver)
    foreign = happened(house).model_copy(update={"client_id": "somebody-else"})
    assert house.courier().take(foreign) == 0
    assert receiver.got == []


def test_an_event_that_comes_twice_is_sent_once(house, receiver):
    register(house, receiver)
    house.courier().take(happened(house))
    house.courier().take(happened(house))
    tick(house)
    assert len(receiver.got) == 1


@on_both
def test_a_receiver_in_trouble_is_tried_again_after_ever_longer_pauses_under_the_same_id(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [500, (302, {"location": "https://elsewhere.example.test/"}), 429]
    told = happened(house)
    house.courier().take(told)
    for pause in couriers.RETRY_DELAYS[:3]:
        (delivery,) = deliveries(house, webhook)
        assert delivery.next_try_at == house.clock() + pause
        tick(house)  # too early: nothing happens
        house.time[0] += pause
        tick(house)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [told.id] * 4
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == 4
    assert len({body for _, body in receiver.got}) == 1
    (delivery,) = deliveries(house, webhook)
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 429, 204]
    assert [attempt.code for attempt in delivery.attempts] == ["receiver_refused", "redirected", "receiver_refused", ""]
    assert delivery.state == "delivered"


def test_a_receiver_that_asks_for_more_time_gets_it(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [(503, {"retry-after": "7200"})]
    house.courier().take(happened(house))
    (delivery,) = deliveries(house, webhook)
    assert delivery.next_try_at == house.clock() + timedelta(hours=2)


def test_a_message_nobody_takes_is_given_up_after_days_and_people_are_told(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [500] * 20
    house.courier().take(happened(house))
    for pause in couriers.RETRY_DELAYS:
        house.time[0] += pause
        tick(house)
    (delivery,) = deliveries(house, webhook)
    assert (delivery.state, len(delivery.attempts), delivery.next_try_at) == (
        "failed",
        1 + len(couriers.RETRY_DELAYS),
        None,
    )
    assert house.told() == ["webhook.failing"]
    assert_no_address(house, webhook)
    house.pass_time(days=2)
    assert tick(house)["tried"] == 0
    assert sum(couriers.RETRY_DELAYS, timedelta()) > timedelta(days=3)


def assert_no_address(house, webhook):
    """Whoever may read notifications may not read addresses: many are a credential."""
    (shown,) = [one for one in house.people.page(house.member, NotificationQuery()).items if one.type == FAILING]
    for part in (webhook.url, HOST, "hook"):
        assert part not in shown.model_dump_json().replace("webhook", "")
    assert shown.data["webhook_id"] == webhook.id


def test_that_a_webhook_fails_is_not_sent_to_webhooks(house, receiver):
    register(house, receiver)
    assert house.courier().take(happened(house, WEBHOOK_FAILING)) == 0


def test_a_receiver_that_is_gone_for_good_is_switched_off(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [410]
    house.courier().take(happened(house))
    shown = house.desk().get(house.member, webhook.id)
    assert (shown.active, "410" in shown.off_because) == (False, True)
    assert_no_address(house, webhook)
    assert house.courier().take(happened(house, about="run-2")) == 0
    house.desk().change(house.member, webhook.id, ChangedWebhook(active=True))
    assert house.courier().take(happened(house, about="run-3")) == 1


def test_a_slow_receiver_keeps_no_other_waiting(house, receiver, monkeypatch):
    monkeypatch.setattr(couriers, "EACH", 2)
    slow, quick = register(house, receiver), register(house, receiver, url=receiver.url(path="/quick"))
    told = [happened(house, about=f"run-{number}") for number in range(10)]
    due = [couriers.new_delivery(house.hooks.get(house.member.client_id, slow.id), one) for one in told]
    due.append(couriers.new_delivery(house.hooks.get(house.member.client_id, quick.id), told[0]))
    taken = couriers._fair(due, lambda: True)
    assert [delivery.webhook_id for delivery in taken] == [slow.id, quick.id, slow.id]


class Hours:
    """A function's time, of which each of sixteen tries at once uses up its share."""

    def __init__(self, seconds):
        self.left, self.each, self.lock = 58.0, seconds / couriers.AT_ONCE, Lock()

    def __call__(self):
        return self.left

    def spend(self):
        with self.lock:
            self.left -= self.each


def crowded(house, receiver, webhooks, messages):
    """So many messages due at each of so many webhooks, none of which has been tried."""
    made = [register(house, receiver, url=receiver.url(path=f"/{number}")) for number in range(webhooks)]
    for number in range(messages):
        house.pass_time(seconds=1)
        told = happened(house, about=f"run-{number}")
        for one in made:
            delivery = couriers.new_delivery(house.hooks.get(house.member.client_id, one.id), told)
            house.hooks.add_delivery(delivery.model_copy(update={"due_at": house.clock()}))
    return made


def test_a_round_of_slow_receivers_ends_with_the_functions_time_and_the_rest_is_due_the_next_minute(house, receiver):
    crowded(house, receiver, 8, 20)
    hours = Hours(9.0)

    def slow(*_):
        hours.spend()
        return Answer(204)

    house.post = slow
    tried = house.courier().tick(hours)["tried"]
    assert 0 < tried < 160
    assert hours.left >= couriers.SPARE - 9.0
    assert len(list(house.hooks.due(house.clock()))) == 160 - tried, "nothing was claimed that was not tried"
    house.post = lambda *_: Answer(204)
    assert house.courier().tick(lambda: 58.0)["tried"] == 160 - tried


def test_a_receiver_that_does_not_answer_is_not_asked_on_and_on_while_others_wait(house, receiver):
    silent, *others = crowded(house, receiver, 4, 20)
    asked = Counter()

    def post(url, *_):
        asked[url] += 1
        if url == silent.url:
            raise Unavailable("It did not answer within 10 seconds.", code="timed_out")
        return Answer(204)

    house.post = post
    house.courier().tick(lambda: 58.0)
    assert all(asked[one.url] == 20 for one in others)
    assert asked[silent.url] <= couriers.AT_ONCE, "not one after the other"
    asked.clear()
    house.pass_time(minutes=1)
    house.courier().tick(lambda: 58.0)
    assert asked[silent.url], "the next minute it is asked again"


def test_what_was_never_told_leaves_time_to_try_what_is_due(house, receiver):
    (webhook,) = crowded(house, receiver, 1, 1)
    for number in range(50):
        house.notices.add(happened(house, about=f"untold-{number}"))
    house.pass_time(minutes=5)
    left, put = [58.0], house.bus.put

    def slowly(told):
        left[0] -= 1.0
        put(told)

    house.bus.put = slowly
    done = house.courier().tick(lambda: left[0])
    assert 0 < done["told"] < 50
    assert deliveries(house, webhook)[0].state == "delivered"
    left[0] = 90.0
    assert house.courier().tick(lambda: left[0])["told"] == 50 - done["told"]


def test_two_couriers_do_not_send_at_once(house, receiver):
    webhook = register(house, receiver)
    house.post = lambda *_: (_ for _ in ()).throw(Unavailable("away"))
    house.courier().take(happened(house))
    (known,) = list(house.hooks.due(house.clock() + timedelta(hours=1)))
    assert house.hooks.claim(known, house.clock() + couriers.LEASE_DURATION)
    assert not house.hooks.claim(known, house.clock() + couriers.LEASE_DURATION)
    assert len(deliveries(house, webhook)) == 1


def test_a_courier_that_dies_with_a_message_in_hand_is_replaced_and_the_id_is_the_same(house, receiver):
    webhook = register(house, receiver)
    sends = house.post

    class Died(BaseException):
        """The courier's process ended."""

    def dies(*given):
        sends(*given)
        raise Died

    house.post = dies
    with pytest.raises(Died):
        house.courier().take(happened(house))
    house.post = sends
    assert tick(house)["tried"] == 0, "the claim still holds"
    house.time[0] += couriers.LEASE_DURATION
    assert tick(house)["tried"] == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert deliveries(house, webhook)[0].state == "delivered"


def test_a_courier_that_dies_between_two_webhooks_forgets_none(house, receiver):
    register(house, receiver)
    register(house, receiver)
    add, kept = house.hooks.add_delivery, []

    def dies(delivery):
        if kept:
            raise Unavailable("The table is busy.")
        kept.append(delivery)
        return add(delivery)

    house.hooks.add_delivery = dies
    with pytest.raises(Unavailable):
        house.courier().take(happened(house))
    house.hooks.add_delivery = add
    house.courier().take(happened(house))  # the bus brings it again
    tick(house)
    assert len(receiver.got) == 2


def test_something_unforeseen_with_one_message_stops_no_other(house, receiver):
    broken, fine = register(house, receiver), register(house, receiver)
    del house.secrets.kept[f"{house.member.client_id}/webhook-{broken.id}"]["current"]
    house.courier().take(happened(house))
    assert [type(error) for error in house.troubles] == [KeyError]
    assert deliveries(house, fine)[0].state == "delivered"
    assert deliveries(house, broken)[0].state == "pending"


def test_a_name_that_leads_inside_later_on_is_not_called(house, receiver):
    webhook = register(house, receiver)
    house.post = type(house.post)((), receiver.authority, lambda _: ["127.0.0.1"])
    house.courier().take(happened(house))
    (delivery,) = deliveries(house, webhook)
    assert (delivery.state, delivery.attempts[0].code) == ("pending", "address_not_allowed")
    assert receiver.got == []


def test_an_address_that_leads_inside_is_not_registered(house, receiver):
    desk = house.desk(lambda _: ["10.1.2.3"])
    with pytest.raises(Invalid) as refused:
        desk.create(house.member, NewWebhook(url=f"https://{HOST}/"))
    assert [(wrong.pointer, wrong.code) for wrong in refused.value.errors] == [("/url", "address_not_allowed")]
    webhook = register(house, receiver)
    with pytest.raises(Invalid):
        desk.change(house.member, webhook.id, ChangedWebhook(url=f"https://{HOST}/"))


def test_while_a_secret_is_changed_both_sign_and_then_only_the_new_one(house, receiver):
    webhook = register(house, receiver)
    changed = house.desk().change(house.member, webhook.id, ChangedWebhook(rotate_secret=True, version=1))
    assert changed.secret not in (None, webhook.secret)
    house.courier().take(happened(house))
    house.pass_time(days=1)
    house.courier().take(happened(house, about="run-2"))
    (first, then) = receiver.got
    assert verified(*first, webhook.secret)
    assert verified(*first, changed.secret)
    assert not verified(*then, webhook.secret)
    assert verified(*then, changed.secret)


def test_of_two_who_change_a_webhook_the_second_is_told(house, receiver):
    webhook = register(house, receiver)
    house.desk().change(house.member, webhook.id, ChangedWebhook(description="one", version=1))
    with pytest.raises(Conflict):
        house.desk().change(house.member, webhook.id, ChangedWebhook(rotate_secret=True, version=1))
    assert "previous" not in house.secrets.kept[f"{house.member.client_id}/webhook-{webhook.id}"]


@on_both
def test_a_message_is_sent_again_by_hand_under_the_same_id(house, receiver):
    webhook = register(house, receiver)
    house.courier().take(happened(house))
    (delivery,) = deliveries(house, webhook)
    again = house.desk().replay(house.member, webhook.id, delivery.id)
    assert (again.state, len(again.attempts)) == ("pending", 1)
    tick(house)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 2
    assert [one.status for one in deliveries(house, webhook)[0].attempts] == [204, 204]
    with pytest.raises(NotFound):
        house.desk().replay(house.member, webhook.id, webhook.id)


@on_both
def test_a_deleted_webhook_leaves_nothing_and_gets_nothing(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [500]
    house.courier().take(happened(house))
    house.desk().delete(house.member, webhook.id)
    house.pass_time(days=1)
    assert tick(house)["tried"] == 0
    assert len(receiver.got) == 1
    assert house.secrets.kept == {}
    left = [item["sk"] for item in house.table.all(f"CLIENT#{house.member.client_id}")]
    assert not [key for key in left if key.startswith("WEBHOOK")]


def test_a_message_that_was_made_while_its_webhook_went_goes_too(house, receiver):
    webhook = register(house, receiver)
    told = happened(house)
    late = couriers.new_delivery(house.hooks.get(house.member.client_id, webhook.id), told)
    house.desk().delete(house.member, webhook.id)
    house.hooks.add_delivery(late.model_copy(update={"due_at": house.clock()}))
    assert tick(house)["tried"] == 0
    left = [item["sk"] for item in house.table.all(f"CLIENT#{house.member.client_id}")]
    assert not [key for key in left if key.startswith("WEBHOOK")]
    assert receiver.got == []


def test_of_two_who_register_the_last_webhook_at_once_there_is_not_one_too_many(house, receiver, monkeypatch):
    monkeypatch.setattr("erphub.webhooks.service.MOST", 1)
    add = house.hooks.add

    def meanwhile(webhook):
        house.hooks.add = add
        register(house, receiver)
        add(webhook)

    house.hooks.add = meanwhile
    desk = house.desk()
    with pytest.raises(Conflict) as refused:
        desk.create(house.member, NewWebhook(url=receiver.url()))
    assert refused.value.code == "too_many_webhooks"
    (kept,) = house.desk().page(house.member, PageQuery()).items
    assert f"{house.member.client_id}/webhook-{kept.id}" in house.secrets.kept
    assert len(house.secrets.kept) == 1


def test_webhooks_are_listed_in_pages(house, receiver):
    made = [register(house, receiver).id for _ in range(3)]
    first = house.desk().page(house.member, PageQuery(limit=2))
    rest = house.desk().page(house.member, PageQuery(limit=2, next=first.next))
    assert sorted(one.id for one in first.items + rest.items) == sorted(made)
    assert (len(first.items), rest.next) == (2, None)


def test_a_client_has_so_many_webhooks_and_no_more(house, receiver, monkeypatch):
    monkeypatch.setattr("erphub.webhooks.service.MOST", 1)
    register(house, receiver)
    with pytest.raises(Conflict) as refused:
        register(house, receiver)
    assert refused.value.code == "too_many_webhooks"


def test_messages_of_a_webhook_that_was_switched_off_are_not_sent(house, receiver):
    webhook = register(house, receiver)
    receiver.answers = [500]
    house.courier().take(happened(house))
    house.desk().change(house.member, webhook.id, ChangedWebhook(active=False))
    house.pass_time(hours=1)
    tick(house)
    assert deliveries(house, webhook)[0].state is DeliveryState.FAILED
    assert len(receiver.got) == 1
