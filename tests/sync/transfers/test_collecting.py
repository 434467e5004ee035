"""Reading what changed in the ERP and sending what the till handed over do not stand in each other's way."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.documents import Customer, DocumentKind, Product
from erphub.erp.posting import Change
from erphub.platform.errors import CredentialsRefused, ErpRefused, Unavailable
from erphub.sync.export_log.models import EntryStatus
from tests.support.sync import CLIENT, CONNECTION, SyncHub

Z, K = DocumentKind.SETTLEMENT, DocumentKind.CUSTOMER


def reading_fails(hub: SyncHub, error: Exception, kind: DocumentKind = K) -> None:
    read: Callable[..., Iterator[Change]] = hub.erp.changed_since

    def fails(asked: DocumentKind, *more: Any) -> Iterator[Change]:
        if asked is kind:
            raise error
        return read(asked, *more)

    hub.erp.changed_since = fails


@pytest.mark.parametrize(
    "error",
    [
        ErpRefused("You may not read customers.", code="permission_denied"),
        Unavailable("500 Internal Server Error", code="erp_error"),
        RuntimeError("a bug"),
    ],
)
def test_customers_that_cannot_be_read_keep_no_z_report_back(hub: SyncHub, error: Exception) -> None:
    hub.save(product_direction="erp")
    reading_fails(hub, error)
    hub.erp.create(Product(number="1", name="Kaffe", price=Decimal(40)))
    hub.settlement(1)
    transfer = hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT
    assert "customer" in (transfer.problem or {}).get("detail", ""), "people are told what could not be read"
    assert (transfer.status, transfer.counts.changes) == ("partially_succeeded", 1), "products were read"


def test_a_transfer_that_could_read_nothing_and_had_nothing_to_send_failed(hub: SyncHub) -> None:
    reading_fails(hub, ErpRefused("You may not read customers.", code="permission_denied"))
    transfer = hub.transfer()
    assert (transfer.status, (transfer.problem or {})["code"]) == ("failed", "permission_denied")


@pytest.mark.parametrize(
    "error", [CredentialsRefused("The password is wrong."), Unavailable("Too many.", code="erp_busy", retry_after=60)]
)
def test_an_erp_that_asks_for_peace_while_it_is_read_is_left_alone(hub: SyncHub, error: Exception) -> None:
    reading_fails(hub, error)
    hub.settlement(1)
    hub.erp.calls.clear()
    transfer = hub.transfer()
    assert transfer.status == "failed"
    assert not hub.erp.calls


def test_an_erp_that_is_down_and_has_nothing_to_be_sent_is_asked_less_and_less(hub: SyncHub) -> None:
    hub.erp.down = True
    for _ in range(3):
        hub.transfer()
    assert hub.sync().history.failures == 3


def test_a_first_fetch_that_one_call_cannot_finish_goes_on_at_once(hub: SyncHub) -> None:
    hub.save(customer_direction="erp")
    for number in range(20):
        hub.erp.create(Customer(name=f"C{number}"))
        hub.clock.pass_(seconds=1)
    left = iter([280] * 5)
    transfer = hub.transfer(lambda: next(left, 10))
    [(_, task)] = hub.queue.machines
    while hub.executor.collect(task, "m", lambda: 280)["outcome"] == "more":
        pass
    hub.executor.send(task, "m", lambda: 280)
    hub.executor.complete(task, "m")
    assert len(hub.feed.list_after(CLIENT, CONNECTION, 0, 100)) == 20
    assert hub.reread(transfer).status == "succeeded"
