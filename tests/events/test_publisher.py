"""Every event is kept first: none is lost on the way to the bus, and none is published twice."""

import pytest

from erphub.events.dynamodb import event_item_key
from erphub.events.publisher import PUBLISHING_TIME
from erphub.events.schemas import NotificationQuery
from erphub.platform.errors import NotFound
from tests.support.aws import on_both


@on_both
def test_an_event_the_bus_did_not_take_is_published_later_and_once(events):
    failed = events.happened()
    events.bus.is_away = True
    events.publisher.publish(failed)
    assert [one.id for one in events.notifications.list_notifications(events.member, NotificationQuery()).items] == [
        failed.id
    ], "people read it all the same"
    assert events.on_the_bus() == []
    events.bus.is_away = False
    assert events.publisher.publish_pending() == 0, "whoever kept it has its time first"
    events.time[0] += PUBLISHING_TIME
    assert events.publisher.publish_pending() == 1
    assert events.publisher.publish_pending() == 0
    assert events.on_the_bus() == [failed]


def test_whoever_dies_between_keeping_and_publishing_loses_no_event(events):
    failed = events.happened()
    events.store.add(failed)  # and then the worker died; its task is done again
    events.publisher.publish(failed)
    events.publisher.publish(failed)
    assert events.on_the_bus() == [failed]


def test_under_one_key_a_connection_has_one_event(events):
    events.publisher.publish_once(events.happened("first"), "the same day")
    events.pass_time(hours=1)
    events.publisher.publish_once(events.happened("second"), "the same day")
    events.publisher.publish_once(events.happened("third"), "the next day")
    assert len(events.on_the_bus()) == 2


def test_an_event_that_cannot_be_read_stops_no_other(events, caplog):
    broken, fine = events.happened("broken"), events.happened("fine")
    for one in (broken, fine):
        events.store.add(one)
    key = event_item_key(broken.client_id, broken.id)
    events.table.update(key, "SET #type = :none", names={"#type": "type"}, none="no.such.event")
    events.time[0] += PUBLISHING_TIME
    assert events.publisher.publish_pending() == 1
    assert events.on_the_bus() == [fine]
    assert [record.message for record in caplog.records if record.exc_info] == ["an event cannot be read"]


@on_both
def test_people_see_the_newest_first_and_say_that_they_see_to_it(events):
    for number in range(3):
        events.pass_time(minutes=1)
        events.publisher.publish(events.happened(f"run-{number}"))
    first = events.notifications.list_notifications(events.member, NotificationQuery(limit=1))
    assert first.items[0].occurred_at == events.clock()
    assert first.items[0].level == "error"
    seen = events.notifications.acknowledge(events.member, first.items[0].id)
    assert (seen.acknowledged_by.id, seen.acknowledged_at) == ("owner", events.clock())
    events.pass_time(minutes=1)
    again = events.notifications.acknowledge(events.member, first.items[0].id)
    assert again.acknowledged_at == seen.acknowledged_at
    query = NotificationQuery(only_unacknowledged=True, limit=2)
    left = events.notifications.list_notifications(events.member, query)
    query = NotificationQuery(limit=2, next=first.next)
    assert left.items == events.notifications.list_notifications(events.member, query).items
    with pytest.raises(NotFound):
        events.notifications.acknowledge(events.member, "01JCG0W1ZARD0000000000000A")
