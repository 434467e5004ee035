"""The next transfer comes when it is best, and says why."""

from datetime import UTC, datetime, timedelta

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.documents import DocumentKind
from erphub.platform.ids import derived_id
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.settings.dynamodb import sync_key
from erphub.sync.settings.models import TransferHistory
from erphub.sync.settings.pacing import FARTHEST, next_transfer, usual_pause, with_arrivals
from tests.support.sync import CLIENT, CONNECTION, SyncHub

NOW = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)
OSLO = "Europe/Oslo"
HOUR = timedelta(hours=1)


def daily(hour: int, minute: int, days: int, *, closed: int | None = None) -> TransferHistory:
    """Arrivals at the same UTC time on each of the days before now."""
    history = TransferHistory(last_at=NOW - HOUR)
    for back in range(days, 0, -1):
        at = (NOW - timedelta(days=back)).replace(hour=hour, minute=minute)
        if at.weekday() != closed:
            history = with_arrivals(history, [at], NOW)
    return history


def ahead(history: TransferHistory, sync: str = "a", **more: object) -> timedelta:
    return next_transfer(sync, history, NOW, zone=OSLO, **more).at - NOW  # pyright: ignore


def test_normally_a_day_lies_between_two() -> None:
    assert timedelta(hours=22) < ahead(TransferHistory(last_at=NOW)) < timedelta(hours=26)


def test_what_waits_goes_within_the_hour() -> None:
    assert ahead(TransferHistory(last_at=NOW), waiting=3, oldest=NOW) <= HOUR
    assert ahead(TransferHistory(last_at=NOW), waiting=3, oldest=NOW - 2 * HOUR) == timedelta(0)


def test_it_follows_shortly_after_the_usual_hour() -> None:
    plan = next_transfer("a", daily(20, 5, 10), NOW, zone=OSLO)
    assert timedelta(hours=8, minutes=5) <= plan.at - NOW <= timedelta(hours=9)
    assert "21:05" in plan.reason, "said in the till's own time"


def test_what_waits_just_before_the_usual_hour_waits_for_the_others() -> None:
    assert ahead(daily(13, 0, 10), waiting=1, oldest=NOW) > HOUR


def test_a_closed_sunday_is_left_out() -> None:
    saturday = NOW - timedelta(days=1)
    plan = next_transfer("a", daily(10, 0, 40, closed=6), saturday, zone=OSLO)
    assert plan.at.weekday() == 0


def test_a_till_that_closes_after_midnight_is_met_then() -> None:
    history = TransferHistory(last_at=NOW)
    for back, minute in zip(range(12, 0, -1), (30, -20, 10, 5, 40, -10, 0, 20, 15, -5, 25, 10), strict=True):
        at = (NOW - timedelta(days=back)).replace(hour=23, minute=0) + timedelta(minutes=minute)
        history = with_arrivals(history, [at], NOW)
    plan = next_transfer("a", history, NOW, zone=OSLO)
    assert timedelta(hours=11) < plan.at - NOW < timedelta(hours=12, minutes=30)


def test_irregular_arrivals_have_no_usual_hour() -> None:
    history = TransferHistory(last_at=NOW)
    for back, hour in zip(range(10, 0, -1), (3, 9, 15, 21, 6, 12, 18, 0, 5, 17), strict=True):
        history = with_arrivals(history, [(NOW - timedelta(days=back)).replace(hour=hour)], NOW)
    assert "usually" not in next_transfer("a", history, NOW, zone=OSLO).reason


def test_when_nothing_comes_it_moves_further_away_within_bounds() -> None:
    waits = [ahead(TransferHistory(last_at=NOW, empty_transfers=quiet)) for quiet in range(8)]
    assert waits == sorted(waits)
    assert waits[-1] <= FARTHEST * 1.06
    assert (
        "Nothing came in the last 5 transfers"
        in next_transfer("a", TransferHistory(last_at=NOW, empty_transfers=5), NOW, zone=OSLO).reason
    )


def test_it_backs_off_while_the_erp_is_down_and_comes_at_once_after() -> None:
    waits = [ahead(TransferHistory(last_at=NOW, failures=failures), waiting=5, oldest=NOW) for failures in range(1, 12)]
    assert waits[0] < timedelta(minutes=20)
    assert waits == sorted(waits)
    assert waits[-1] <= timedelta(hours=15)
    assert ahead(TransferHistory(last_at=NOW, failures=0, restored=True)) == timedelta(0)


def test_a_thousand_syncs_do_not_meet_at_the_same_minute() -> None:
    history = daily(23, 0, 10)
    minutes: dict[int, int] = {}
    for number in range(1000):
        at = next_transfer(f"sync{number}", history, NOW, zone=OSLO).at
        minutes[round(at.timestamp() / 60)] = minutes.get(round(at.timestamp() / 60), 0) + 1
    assert max(minutes.values()) < 100
    assert len(minutes) >= 19


def test_the_same_history_gives_the_same_plan() -> None:
    assert next_transfer("a", daily(20, 5, 10), NOW, zone=OSLO) == next_transfer("a", daily(20, 5, 10), NOW, zone=OSLO)


def test_summer_time_moves_with_the_till() -> None:
    history = TransferHistory()
    for day in range(18, 29):
        history = with_arrivals(
            history, [datetime(2026, 3, day, 19, 0, tzinfo=UTC)], datetime(2026, 3, 28, 20, tzinfo=UTC)
        )
    plan = next_transfer("a", history, datetime(2026, 3, 29, 12, 0, tzinfo=UTC), zone=OSLO)
    assert datetime(2026, 3, 29, 18, 0, tzinfo=UTC) < plan.at < datetime(2026, 3, 29, 18, 40, tzinfo=UTC)


def test_arrivals_near_each_other_are_one_and_old_ones_are_forgotten() -> None:
    history = with_arrivals(
        TransferHistory(arrivals=(NOW - timedelta(days=100),)), [NOW + timedelta(minutes=n) for n in range(90)], NOW
    )
    assert len(history.arrivals) == 2


def test_silence_is_odd_only_where_there_is_a_habit() -> None:
    assert usual_pause(TransferHistory()) is None
    assert usual_pause(daily(20, 0, 10)) == timedelta(days=3)


def test_get_sync_says_when_next_and_why(hub: SyncHub) -> None:
    assert "A day after" in hub.sync().next_reason
    hub.settlement(1)
    assert hub.sync().next_reason == "One document waits."
    assert hub.sync().next_at - hub.clock() <= HOUR


def test_a_tick_starts_what_is_due_once(hub: SyncHub) -> None:
    hub.settlement(1)
    assert hub.tick() == {"due": 0, "started": 0, "failed": 0, "silent": 0}
    hub.clock.pass_(hours=1)
    assert hub.tick() == {"due": 1, "started": 1, "failed": 0, "silent": 0}
    assert hub.tick() == {"due": 0, "started": 0, "failed": 0, "silent": 0}
    assert len(hub.erp.records) == 1


def test_switched_off_nothing_starts_by_itself(hub: SyncHub) -> None:
    hub.save(is_automatic=False)
    hub.settlement(1)
    hub.clock.pass_(days=30)
    assert hub.tick()["due"] == 0
    assert hub.sync().next_at is None


def test_a_transfer_that_was_never_heard_of_again_is_started_anew(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.clock.pass_(hours=1)
    hub.erp.faults = ["die_before"]
    hub.tick()
    hub.clock.pass_(minutes=16)
    assert hub.tick()["started"] == 1
    assert len(hub.erp.records) == 1


def test_one_sync_that_cannot_be_started_does_not_keep_the_others_back(hub: SyncHub) -> None:
    from erphub.platform.errors import Unavailable

    def broken(task: object) -> None:
        raise Unavailable("Lambda is busy", code="busy")

    hub.settlement(1)
    hub.clock.pass_(hours=1)
    asked, hub.queue.ask = hub.queue.ask, broken  # pyright: ignore
    assert hub.tick()["failed"] == 1
    assert [str(error) for error in hub.surprises] == ["Lambda is busy"]
    hub.queue.ask = asked  # pyright: ignore
    hub.clock.pass_(minutes=16)
    assert hub.tick()["started"] == 1


def test_a_sync_that_cannot_be_read_keeps_no_other_from_starting(hub: SyncHub) -> None:
    spoilt = hub.sync().model_copy(update={"connection_id": derived_id("spoilt"), "rev": 0})
    hub.syncs.save(spoilt)
    hub.table.update(sync_key(CLIENT, spoilt.connection_id), "SET settings = :none", none={})
    hub.settlement(1)
    hub.clock.pass_(hours=25)
    assert hub.tick() == {"due": 2, "started": 1, "failed": 1, "silent": 0}
    assert hub.entry(DocumentKind.SETTLEMENT, "Z1").status is EntryStatus.SENT


@pytest.mark.parametrize("outage_hours", [2, 30])
def test_after_an_outage_everything_goes_once(hub: SyncHub, outage_hours: int) -> None:
    hub.settlement(1)
    hub.erp.down = True
    calls = 0
    for _ in range(outage_hours * 4):
        hub.clock.pass_(minutes=15)
        calls += hub.tick()["started"]
    assert calls <= 9, "it backs off"
    hub.erp.down = False
    for _ in range(70):
        hub.clock.pass_(minutes=15)
        hub.tick()
    assert len(hub.erp.records) == 1


def test_over_a_year_a_shop_waits_an_hour_for_as_many_calls_as_once_a_day() -> None:
    import random

    from benchmarks.pacing import adaptive, at_close, fixed

    arrivals = sorted(at_close(17, 5, closed=(6,))(random.Random(1)))
    end = arrivals[-1] + timedelta(days=1)
    ours, daily = adaptive("a", arrivals, end), fixed(timedelta(hours=24))("a", arrivals, end)
    assert ours.documents == len(arrivals), "every document went"
    assert ours.transfers <= daily.transfers * 1.1
    assert ours.median < 1
    assert ours.longest < 3


@pytest.mark.parametrize("paused", [True, False])
def test_while_the_connection_does_not_work_documents_start_no_transfers(hub: SyncHub, paused: bool) -> None:
    hub.settlement(1)
    connection = hub.connections.connection
    assert connection is not None
    if paused:
        hub.connections.connection = connection.model_copy(update={"status": ConnectionStatus.PAUSED})
    else:
        hub.erp.password = "changed"
    hub.clock.pass_(hours=2)
    hub.tick()
    assert (hub.sync().next_at, hub.sync().is_waiting_for_connection) == (None, True)
    hub.settlement(2)
    assert (hub.sync().next_at, hub.sync().next_reason) == (None, "It waits until the connection works again.")
    hub.exports.retry(CLIENT, CONNECTION, hub.entry(DocumentKind.SETTLEMENT, "Z1").id)
    hub.clock.pass_(hours=30)
    assert hub.tick()["due"] == 0

    hub.connections.connection, hub.erp.password = connection, "right"
    hub.planner.connection_restored(CLIENT, CONNECTION)
    assert hub.tick()["started"] == 1
    assert len(hub.erp.records) == 2
    hub.settlement(3)
    assert hub.sync().next_reason == "One document waits."
