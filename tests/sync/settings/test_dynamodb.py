"""The stores of syncs and of their leases keep their promises, in memory and in DynamoDB alike."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict
from erphub.platform.ids import derived_id
from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
from erphub.sync.settings.models import Sync, SyncSettings

C, N = derived_id("client"), derived_id("connection")
NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
SETTINGS = SyncSettings.model_validate(
    {"from_date": "2026-01-01", "is_automatic": True, "accounts": {"payment_means": {"cash": "1900"}}}
)


@pytest.fixture
def syncs(table: Table) -> SyncTable:
    return SyncTable(table)


@pytest.fixture
def leases(table: Table) -> TransferLeaseTable:
    return TransferLeaseTable(table)


def sync(number: int = 0, **more: Any) -> Sync:
    name = derived_id("connection", str(number)) if number else N
    fields: dict[str, Any] = {
        "client_id": C,
        "connection_id": name,
        "settings": SETTINGS,
        "saved_at": NOW,
        "saved_by": "ada",
    }
    return Sync.model_validate(fields | more)


def test_what_is_kept_comes_back_as_it_was(syncs: SyncTable) -> None:
    history = {"arrivals": [NOW], "empty_transfers": 2}
    saved = syncs.save(sync(next_at=NOW, cursors={"customer": NOW}, history=history, notified_codes=["x"]))
    assert syncs.get(C, N) == saved


def test_who_comes_second_is_refused(syncs: SyncTable) -> None:
    syncs.save(sync())
    with pytest.raises(Conflict):
        syncs.save(sync())


def test_a_sync_is_due_for_its_transfer_or_for_its_silence_whichever_comes_first(syncs: SyncTable) -> None:
    hour = timedelta(hours=1)
    syncs.save(sync(1, next_at=NOW + hour, silence_alert_at=NOW))
    syncs.save(sync(2, next_at=NOW, silence_alert_at=NOW + hour))
    syncs.save(sync(3, silence_alert_at=NOW))
    syncs.save(sync(4, next_at=NOW + hour, silence_alert_at=NOW + hour))
    syncs.save(sync(5))
    assert {one.read().connection_id for one in syncs.due(NOW)} == {sync(n).connection_id for n in (1, 2, 3)}


def test_only_what_is_due_is_found(syncs: SyncTable) -> None:
    for number in range(1, 6):
        syncs.save(sync(number, next_at=NOW + timedelta(minutes=number)))
    syncs.save(sync(7))
    due = list(syncs.due(NOW + timedelta(minutes=3)))
    assert {one.read().connection_id for one in due} == {derived_id("connection", str(number)) for number in (1, 2, 3)}
    syncs.save(due[0].read().model_copy(update={"next_at": None}))
    assert len(list(syncs.due(NOW + timedelta(minutes=3)))) == 2


def test_who_acquires_the_lease_learns_whose_it_was_and_never_released(leases: TransferLeaseTable) -> None:
    hour = timedelta(hours=1)
    assert leases.acquire(C, N, "one", "w", NOW + hour, NOW) == ""
    assert leases.acquire(C, N, "one", "w", NOW + hour, NOW) == ""
    later = NOW + 2 * hour
    assert leases.acquire(C, N, "two", "w", later + hour, later) == "one"
    leases.release(C, N, "two", later)
    assert leases.acquire(C, N, "three", "w", later + hour, later) == ""


def test_one_transfer_and_one_worker_of_it_hold_the_lease(leases: TransferLeaseTable) -> None:
    until = NOW + timedelta(minutes=6)
    leases.acquire(C, N, "T1", "", until, NOW)
    leases.acquire(C, N, "T1", "w1", until, NOW)
    for holder, worker in (("T2", ""), ("T1", "w2")):
        with pytest.raises(Conflict) as caught:
            leases.acquire(C, N, holder, worker, until, NOW)
        assert caught.value.members["transfer_id"] == "T1"
    assert leases.holder(C, N, NOW) == "T1"
    leases.release(C, N, "T2", NOW)
    assert leases.holder(C, N, NOW) == "T1"
    leases.acquire(C, N, "T2", "w", until + timedelta(minutes=6), until)
    leases.release(C, N, "T1", until)
    assert leases.holder(C, N, until) == "T2"
    leases.release(C, N, "T2", until)
    assert leases.holder(C, N, until) is None
