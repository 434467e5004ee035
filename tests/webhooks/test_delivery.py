"""Webhooks: signed as Standard Webhooks says, attempted again until accepted, never sent twice at once, never lost."""

import base64
import hmac
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock

import pytest
import standardwebhooks

from erphub.events.dynamodb import event_item_key
from erphub.events.publisher import make_event
from erphub.events.schemas import NotificationQuery
from erphub.imports.capability import IMPORT_FAILED, IMPORT_FINISHED
from erphub.platform.errors import Conflict, Invalid, NotFound, Unavailable
from erphub.platform.outbound.https import Answer
from erphub.platform.wire import PageQuery
from erphub.webhooks import delivery as delivery_module
from erphub.webhooks.capability import WEBHOOK_FAILING
from erphub.webhooks.models import DeliveryStatus
from erphub.webhooks.schemas import ChangedWebhook, NewWebhook
from erphub.webhooks.service import new_delivery, sign
from tests.support.aws import on_both
from tests.support.receiver import HOST

FAILING = WEBHOOK_FAILING


def register(webhooks, receiver, **values):
    return webhooks.service().create(webhooks.member, NewWebhook(**{"url": receiver.url()} | values))


def new_event(webhooks, kind=IMPORT_FINISHED, about="run-1", **data):
    return make_event(
        kind, webhooks.member.client_id, "connection-1", webhooks.clock(), about, "Something happened.", **data
    )


def happened(webhooks, kind=IMPORT_FINISHED, about="run-1", **data):
    event = new_event(webhooks, kind, about, **data)
    webhooks.event_store.add(event)
    webhooks.event_store.mark_published(event)
    return event


def deliveries(webhooks, webhook):
    return webhooks.service().list_deliveries(webhooks.member, webhook.id, PageQuery()).items


def run_round(webhooks):
    return webhooks.delivery().run_round(lambda: 60.0)


def verified(headers, body, secret):
    """As a receiver checks a message, from the words of the specification."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return wanted in headers["webhook-signature"].split(" ")


def test_the_signature_is_that_of_the_published_example():
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_arrives_signed_and_is_logged(webhooks, receiver):
    webhook = register(webhooks, receiver)
    event = happened(webhooks, run_id="run-1")
    assert webhooks.delivery().deliver(event) == 1
    ((headers, body),) = receiver.got
    assert headers["webhook-id"] == event.id
    assert webhook.secret is not None
    assert verified(headers, body, webhook.secret)
    assert int(headers["webhook-timestamp"]) == int(webhooks.clock().timestamp())
    assert json.loads(body) == {
        "type": "import.finished",
        "timestamp": "2026-11-22T08:00:00Z",
        "data": {
            "client_id": webhooks.member.client_id,
            "connection_id": "connection-1",
            "detail": "Something happened.",
            "run_id": "run-1",
        },
    }
    (delivery,) = deliveries(webhooks, webhook)
    assert (delivery.status, delivery.attempts[0].http_status, delivery.next_attempt_at) == ("delivered", 204, None)


def test_the_published_library_verifies_a_message_and_nothing_that_was_altered(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.time[0] = datetime.now(UTC)  # the library refuses what is older than five minutes
    webhooks.delivery().deliver(happened(webhooks))
    ((headers, body),) = receiver.got
    library = standardwebhooks.Webhook(webhook.secret)
    assert library.verify(body, headers)["type"] == "import.finished"
    for altered in (body + b" ", body.replace(b"finished", b"failed")):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            library.verify(altered, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        library.verify(body, headers | {"webhook-id": "another"})


def test_while_a_secret_is_changed_the_published_library_verifies_by_both(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.time[0] = datetime.now(UTC)
    body = ChangedWebhook.model_validate({"rotate_secret": True})
    changed = webhooks.service().update(webhooks.member, webhook.id, body)
    webhooks.delivery().deliver(happened(webhooks))
    ((headers, body),) = receiver.got
    for secret in (webhook.secret, changed.secret):
        assert standardwebhooks.Webhook(secret).verify(body, headers)["type"] == "import.finished"
    assert len(headers["webhook-signature"].split(" ")) == 2
    webhooks.pass_time(days=1, seconds=1)
    webhooks.delivery().deliver(happened(webhooks, run_id="later"))
    headers, body = receiver.got[-1]
    assert len(headers["webhook-signature"].split(" ")) == 1, "the old secret's day is over"


def test_retries_follow_the_schedule_of_the_specification():
    hours = [round(one.total_seconds() / 3600, 2) for one in delivery_module.RETRY_DELAYS]
    assert delivery_module.RETRY_DELAYS[0] == timedelta(seconds=5)
    assert hours[1:] == [0.08, 0.5, 2, 5, 10, 14, 20, 24]
    assert len(hours) + 1 == 10, "tries"


def test_a_test_message_goes_whatever_the_webhook_is_subscribed_to(webhooks, receiver):
    webhook = register(webhooks, receiver, events=(IMPORT_FAILED,))
    asked = webhooks.service().test(webhooks.member, webhook.id)
    assert (asked.type, asked.status) == ("webhook.test", "pending")
    run_round(webhooks)
    ((headers, body),) = receiver.got
    assert json.loads(body)["type"] == "webhook.test"
    assert headers["webhook-id"] == asked.event_id
    (delivery,) = deliveries(webhooks, webhook)
    assert delivery.status == "delivered"
    webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook.model_validate({"is_enabled": False}))
    with pytest.raises(Conflict) as refused:
        webhooks.service().test(webhooks.member, webhook.id)
    assert refused.value.code == "webhook_off"


def test_the_secret_is_shown_once_and_kept_where_passwords_are(webhooks, receiver):
    webhook = register(webhooks, receiver)
    assert webhook.secret is not None
    assert webhook.secret.startswith("whsec_")
    assert len(base64.b64decode(webhook.secret.removeprefix("whsec_"))) == 32
    assert webhooks.service().get(webhooks.member, webhook.id).secret is None
    assert webhooks.service().list_webhooks(webhooks.member, PageQuery()).items[0].secret is None
    webhooks.delivery().deliver(happened(webhooks))
    items = json.dumps(list(webhooks.table.read_all(f"CLIENT#{webhooks.member.client_id}")), default=str)
    assert webhook.secret not in items


def test_only_what_a_webhook_is_subscribed_to_is_sent_to_it(webhooks, receiver):
    register(webhooks, receiver, events=(IMPORT_FAILED,))
    assert webhooks.delivery().deliver(happened(webhooks)) == 0
    assert webhooks.delivery().deliver(happened(webhooks, IMPORT_FAILED)) == 1
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["import.failed"]


def test_another_client_gets_nothing(webhooks, receiver):
    register(webhooks, receiver)
    foreign = happened(webhooks).model_copy(update={"client_id": "somebody-else"})
    assert webhooks.delivery().deliver(foreign) == 0
    assert receiver.got == []


def test_an_event_that_comes_after_its_connection_is_gone_leaves_nothing(webhooks, receiver):
    webhook = register(webhooks, receiver)
    event = happened(webhooks)
    webhooks.table.delete(event_item_key(event.client_id, event.id))
    assert webhooks.delivery().deliver(event) == 0
    assert receiver.got == []
    assert deliveries(webhooks, webhook) == []


def test_an_event_that_comes_twice_is_sent_once(webhooks, receiver):
    register(webhooks, receiver)
    webhooks.delivery().deliver(happened(webhooks))
    webhooks.delivery().deliver(happened(webhooks))
    run_round(webhooks)
    assert len(receiver.got) == 1


@on_both
def test_a_receiver_in_trouble_is_asked_again_after_ever_longer_pauses_under_the_same_id(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [500, (302, {"location": "https://elsewhere.example.test/"}), 429]
    event = happened(webhooks)
    webhooks.delivery().deliver(event)
    for pause in delivery_module.RETRY_DELAYS[:3]:
        (delivery,) = deliveries(webhooks, webhook)
        assert delivery.next_attempt_at == webhooks.clock() + pause
        run_round(webhooks)  # too early: nothing happens
        webhooks.time[0] += pause
        run_round(webhooks)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [event.id] * 4
    assert len({headers["webhook-timestamp"] for headers, _ in receiver.got}) == 4
    assert len({body for _, body in receiver.got}) == 1
    (delivery,) = deliveries(webhooks, webhook)
    assert [attempt.http_status for attempt in delivery.attempts] == [500, 302, 429, 204]
    assert [attempt.code for attempt in delivery.attempts] == ["receiver_refused", "redirected", "receiver_refused", ""]
    assert delivery.status == "delivered"


def test_a_receiver_that_asks_for_more_time_gets_it(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [(503, {"retry-after": "7200"})]
    webhooks.delivery().deliver(happened(webhooks))
    (delivery,) = deliveries(webhooks, webhook)
    assert delivery.next_attempt_at == webhooks.clock() + timedelta(hours=2)


def test_a_message_nobody_accepts_is_given_up_after_days_and_people_are_notified(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [500] * 20
    webhooks.delivery().deliver(happened(webhooks))
    for pause in delivery_module.RETRY_DELAYS:
        webhooks.time[0] += pause
        run_round(webhooks)
    (delivery,) = deliveries(webhooks, webhook)
    assert (delivery.status, len(delivery.attempts), delivery.next_attempt_at) == (
        "failed",
        1 + len(delivery_module.RETRY_DELAYS),
        None,
    )
    assert webhooks.notified() == ["import.finished", "webhook.failing"]
    assert_no_address(webhooks, webhook)
    webhooks.pass_time(days=2)
    assert run_round(webhooks)["attempted"] == 0
    assert sum(delivery_module.RETRY_DELAYS, timedelta()) > timedelta(days=3)


def assert_no_address(webhooks, webhook):
    """Whoever may read notifications may not read addresses: many are a credential."""
    (shown,) = [
        one
        for one in webhooks.notifications.list_notifications(webhooks.member, NotificationQuery()).items
        if one.type == FAILING
    ]
    for part in (webhook.url, HOST, "hook"):
        assert part not in shown.model_dump_json().replace("webhook", "")
    assert shown.data["webhook_id"] == webhook.id


def test_that_a_webhook_fails_is_not_sent_to_webhooks(webhooks, receiver):
    register(webhooks, receiver)
    assert webhooks.delivery().deliver(happened(webhooks, WEBHOOK_FAILING)) == 0


def test_a_receiver_that_is_gone_for_good_is_disabled(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [410]
    webhooks.delivery().deliver(happened(webhooks))
    shown = webhooks.service().get(webhooks.member, webhook.id)
    assert (shown.is_enabled, "410" in shown.disabled_reason) == (False, True)
    assert_no_address(webhooks, webhook)
    assert webhooks.delivery().deliver(happened(webhooks, about="run-2")) == 0
    webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook(is_enabled=True))
    assert webhooks.delivery().deliver(happened(webhooks, about="run-3")) == 1


def test_a_slow_receiver_keeps_no_other_waiting(webhooks, receiver, monkeypatch):
    monkeypatch.setattr(delivery_module, "MAX_DELIVERIES_PER_WEBHOOK", 2)
    slow, *_ = crowded(webhooks, receiver, 1, 10)
    quick, *_ = crowded(webhooks, receiver, 1, 1)
    due = webhooks.delivery_store.find_due(webhooks.clock())
    chosen = delivery_module._interleave(due, lambda: True)
    assert [delivery.webhook_id for delivery in chosen] == [slow.id, quick.id, slow.id]


def test_a_delivery_that_cannot_be_read_stops_no_other(webhooks, receiver, caplog):
    broken, fine = crowded(webhooks, receiver, 2, 1)
    (item,) = webhooks.table.read_all(f"CLIENT#{webhooks.member.client_id}", f"WEBHOOK-DELIVERY#{broken.id}")
    webhooks.table.put(item | {"data": "{}"})
    assert run_round(webhooks)["attempted"] == 1
    assert deliveries(webhooks, fine)[0].status == "delivered"
    assert {record.message for record in caplog.records if record.exc_info} == {"a delivery cannot be read"}


class FunctionTime:
    """A function's time, of which each of sixteen attempts at once uses up its share."""

    def __init__(self, seconds):
        self.left, self.each, self.lock = 58.0, seconds / delivery_module.MAX_CONCURRENT_ATTEMPTS, Lock()

    def __call__(self):
        return self.left

    def spend(self):
        with self.lock:
            self.left -= self.each


def crowded(webhooks, receiver, count, messages):
    """So many messages due at each of so many webhooks, none of which has been attempted."""
    made = [register(webhooks, receiver, url=receiver.url(path=f"/{number}")) for number in range(count)]
    for number in range(messages):
        webhooks.pass_time(seconds=1)
        event = happened(webhooks, about=f"run-{number}")
        for one in made:
            delivery = new_delivery(webhooks.store.get(webhooks.member.client_id, one.id), event)
            webhooks.delivery_store.add(delivery.model_copy(update={"due_at": webhooks.clock()}))
    return made


def test_a_round_of_slow_receivers_ends_with_the_functions_time_and_the_rest_is_due_the_next_minute(webhooks, receiver):
    crowded(webhooks, receiver, 8, 20)
    time_left = FunctionTime(9.0)

    def slow(*_):
        time_left.spend()
        return Answer(204)

    webhooks.post = slow
    attempted = webhooks.delivery().run_round(time_left)["attempted"]
    assert 0 < attempted < 160
    assert time_left.left >= delivery_module.ATTEMPT_SECONDS - 9.0
    assert len(list(webhooks.delivery_store.find_due(webhooks.clock()))) == 160 - attempted, (
        "nothing was leased that was not attempted"
    )
    webhooks.post = lambda *_: Answer(204)
    assert webhooks.delivery().run_round(lambda: 58.0)["attempted"] == 160 - attempted


def test_a_receiver_that_does_not_answer_is_not_asked_on_and_on_while_others_wait(webhooks, receiver):
    silent, *others = crowded(webhooks, receiver, 4, 20)
    asked = Counter()

    def post(url, *_):
        asked[url] += 1
        if url == silent.url:
            raise Unavailable("It did not answer within 10 seconds.", code="timed_out")
        return Answer(204)

    webhooks.post = post
    webhooks.delivery().run_round(lambda: 58.0)
    assert all(asked[one.url] == 20 for one in others)
    assert asked[silent.url] <= delivery_module.MAX_CONCURRENT_ATTEMPTS, "not one after the other"
    asked.clear()
    webhooks.pass_time(minutes=1)
    webhooks.delivery().run_round(lambda: 58.0)
    assert asked[silent.url], "the next minute it is asked again"


def test_what_was_never_published_leaves_time_for_what_is_due(webhooks, receiver):
    (webhook,) = crowded(webhooks, receiver, 1, 1)
    for number in range(50):
        webhooks.event_store.add(new_event(webhooks, about=f"unpublished-{number}"))
    webhooks.pass_time(minutes=5)
    left, put = [58.0], webhooks.bus.put

    def slowly(event):
        left[0] -= 1.0
        put(event)

    webhooks.bus.put = slowly
    done = webhooks.delivery().run_round(lambda: left[0])
    assert 0 < done["published"] < 50
    assert deliveries(webhooks, webhook)[0].status == "delivered"
    left[0] = 90.0
    assert webhooks.delivery().run_round(lambda: left[0])["published"] == 50 - done["published"]


def test_two_rounds_do_not_send_at_once(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.post = lambda *_: (_ for _ in ()).throw(Unavailable("away"))
    webhooks.delivery().deliver(happened(webhooks))
    (due,) = webhooks.delivery_store.find_due(webhooks.clock() + timedelta(hours=1))
    known = due.read()
    assert webhooks.delivery_store.acquire(known, webhooks.clock() + delivery_module.LEASE_DURATION)
    assert not webhooks.delivery_store.acquire(known, webhooks.clock() + delivery_module.LEASE_DURATION)
    assert len(deliveries(webhooks, webhook)) == 1


def test_a_round_that_dies_with_a_message_in_hand_is_replaced_and_the_id_is_the_same(webhooks, receiver):
    webhook = register(webhooks, receiver)
    sends = webhooks.post

    class Died(BaseException):
        """The function's process ended."""

    def dies(*given):
        sends(*given)
        raise Died

    webhooks.post = dies
    with pytest.raises(Died):
        webhooks.delivery().deliver(happened(webhooks))
    webhooks.post = sends
    assert run_round(webhooks)["attempted"] == 0, "it is still leased"
    webhooks.time[0] += delivery_module.LEASE_DURATION
    assert run_round(webhooks)["attempted"] == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert deliveries(webhooks, webhook)[0].status == "delivered"


def test_a_round_that_dies_between_two_webhooks_forgets_none(webhooks, receiver):
    register(webhooks, receiver)
    register(webhooks, receiver)
    add, kept = webhooks.delivery_store.add, []

    def dies(delivery):
        if kept:
            raise Unavailable("The table is busy.")
        kept.append(delivery)
        return add(delivery)

    webhooks.delivery_store.add = dies
    with pytest.raises(Unavailable):
        webhooks.delivery().deliver(happened(webhooks))
    webhooks.delivery_store.add = add
    webhooks.delivery().deliver(happened(webhooks))  # the bus brings it again
    run_round(webhooks)
    assert len(receiver.got) == 2


def test_something_unforeseen_with_one_message_stops_no_other(webhooks, receiver, caplog):
    broken, fine = register(webhooks, receiver), register(webhooks, receiver)
    del webhooks.secrets.kept[f"{webhooks.member.client_id}/webhook-{broken.id}"]["current"]
    webhooks.delivery().deliver(happened(webhooks))
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [KeyError]
    assert deliveries(webhooks, fine)[0].status == "delivered"
    assert deliveries(webhooks, broken)[0].status == "pending"


def test_a_name_that_leads_inside_later_on_is_not_called(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.post = type(webhooks.post)((), receiver.authority, lambda _: ["127.0.0.1"], seconds=0.5)
    webhooks.delivery().deliver(happened(webhooks))
    (delivery,) = deliveries(webhooks, webhook)
    assert (delivery.status, delivery.attempts[0].code) == ("pending", "not_reached")
    assert receiver.got == []


def test_an_address_that_leads_inside_is_not_registered(webhooks, receiver):
    service = webhooks.service(lambda _: ["10.1.2.3"])
    with pytest.raises(Invalid) as refused:
        service.create(webhooks.member, NewWebhook(url=f"https://{HOST}/"))
    assert [(wrong.pointer, wrong.code) for wrong in refused.value.errors] == [("/url", "address_not_allowed")]
    webhook = register(webhooks, receiver)
    with pytest.raises(Invalid):
        service.update(webhooks.member, webhook.id, ChangedWebhook(url=f"https://{HOST}/"))


def test_while_a_secret_is_changed_both_sign_and_then_only_the_new_one(webhooks, receiver):
    webhook = register(webhooks, receiver)
    changed = webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook(rotate_secret=True, version=1))
    assert changed.secret not in (None, webhook.secret)
    webhooks.delivery().deliver(happened(webhooks))
    webhooks.pass_time(days=1)
    webhooks.delivery().deliver(happened(webhooks, about="run-2"))
    (first, then) = receiver.got
    assert verified(*first, webhook.secret)
    assert verified(*first, changed.secret)
    assert not verified(*then, webhook.secret)
    assert verified(*then, changed.secret)


def test_of_two_who_change_a_webhook_the_second_is_refused(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook(description="one", version=1))
    with pytest.raises(Conflict):
        webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook(rotate_secret=True, version=1))
    assert "previous" not in webhooks.secrets.kept[f"{webhooks.member.client_id}/webhook-{webhook.id}"]


@on_both
def test_a_message_is_sent_again_by_hand_under_the_same_id(webhooks, receiver):
    webhook = register(webhooks, receiver)
    webhooks.delivery().deliver(happened(webhooks))
    (delivery,) = deliveries(webhooks, webhook)
    again = webhooks.service().replay(webhooks.member, webhook.id, delivery.id)
    assert (again.status, len(again.attempts)) == ("pending", 1)
    run_round(webhooks)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 2
    assert [one.http_status for one in deliveries(webhooks, webhook)[0].attempts] == [204, 204]
    with pytest.raises(NotFound):
        webhooks.service().replay(webhooks.member, webhook.id, webhook.id)


@on_both
def test_a_deleted_webhook_leaves_nothing_and_gets_nothing(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [500]
    webhooks.delivery().deliver(happened(webhooks))
    webhooks.service().delete(webhooks.member, webhook.id)
    webhooks.pass_time(days=1)
    assert run_round(webhooks)["attempted"] == 0
    assert len(receiver.got) == 1
    assert webhooks.secrets.kept == {}
    left = [item["sk"] for item in webhooks.table.read_all(f"CLIENT#{webhooks.member.client_id}")]
    assert not [key for key in left if key.startswith("WEBHOOK")]


def test_a_message_that_was_made_while_its_webhook_went_goes_too(webhooks, receiver):
    webhook = register(webhooks, receiver)
    event = happened(webhooks)
    late = new_delivery(webhooks.store.get(webhooks.member.client_id, webhook.id), event)
    webhooks.service().delete(webhooks.member, webhook.id)
    webhooks.delivery_store.add(late.model_copy(update={"due_at": webhooks.clock()}))
    assert run_round(webhooks)["attempted"] == 0
    left = [item["sk"] for item in webhooks.table.read_all(f"CLIENT#{webhooks.member.client_id}")]
    assert not [key for key in left if key.startswith("WEBHOOK")]
    assert receiver.got == []


def test_webhooks_are_listed_in_pages(webhooks, receiver):
    made = [register(webhooks, receiver).id for _ in range(3)]
    first = webhooks.service().list_webhooks(webhooks.member, PageQuery(limit=2))
    rest = webhooks.service().list_webhooks(webhooks.member, PageQuery(limit=2, next=first.next))
    assert sorted(one.id for one in first.items + rest.items) == sorted(made)
    assert (len(first.items), rest.next) == (2, None)


def test_messages_of_a_webhook_that_was_disabled_are_not_sent(webhooks, receiver):
    webhook = register(webhooks, receiver)
    receiver.answers = [500]
    webhooks.delivery().deliver(happened(webhooks))
    webhooks.service().update(webhooks.member, webhook.id, ChangedWebhook(is_enabled=False))
    webhooks.pass_time(hours=1)
    run_round(webhooks)
    assert deliveries(webhooks, webhook)[0].status is DeliveryStatus.FAILED
    assert len(receiver.got) == 1
