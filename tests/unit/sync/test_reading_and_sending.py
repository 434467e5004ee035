"""Reading what changed in the ERP and sending what the till handed over do not stand in each other's way."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.documents import Customer, DocumentKind, Product
from erphub.erp.posting import Change
from erphub.platform.errors import CredentialsRefused, ErpRefused, Unavailable
from erphub.sync.export_log.models import EntryState

from .conftest import CLIENT, CONNECTION, World

Z, K = DocumentKind.SETTLEMENT, DocumentKind.CUSTOMER


def reading_fails(world: World, error: Exception, kind: DocumentKind = K) -> None:
    read: Callable[..., Iterator[Change]] = world.erp.changed_since

    def fails(asked: DocumentKind, *more: Any) -> Iterator[Change]:
        if asked is kind:
            raise error
        return read(asked, *more)

    world.erp.changed_since = fails


@pytest.mark.parametrize(
    "error",
    [
        ErpRefused("You may not read customers.", code="permission_denied"),
        Unavailable("500 Internal Server Error", code="erp_error"),
        RuntimeError("a bug"),
    ],
)
def test_customers_that_cannot_be_read_keep_no_z_report_back(world: World, error: Exception) -> None:
    world.save(products="erp")
    reading_fails(world, error)
    world.erp.create(Product(number="1", name="Kaffe", price=Decimal(40)))
    world.settlement(1)
    transfer = world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT
    assert "customer" in (transfer.problem or {}).get("detail", ""), "people are told what could not be read"
    assert (transfer.state, transfer.counts.changes) == ("partially_succeeded", 1), "products were read"


def test_a_transfer_that_could_read_nothing_and_had_nothing_to_send_failed(world: World) -> None:
    reading_fails(world, ErpRefused("You may not read customers.", code="permission_denied"))
    transfer = world.transfer()
    assert (transfer.state, (transfer.problem or {})["code"]) == ("failed", "permission_denied")


@pytest.mark.parametrize(
    "error", [CredentialsRefused("The password is wrong."), Unavailable("Too many.", code="erp_busy", retry_after=60)]
)
def test_an_erp_that_asks_for_peace_while_it_is_read_is_left_alone(world: World, error: Exception) -> None:
    reading_fails(world, error)
    world.settlement(1)
    world.erp.calls.clear()
    transfer = world.transfer()
    assert transfer.state == "failed"
    assert not world.erp.calls


def test_an_erp_that_is_down_and_has_nothing_to_be_sent_is_asked_less_and_less(world: World) -> None:
    world.erp.down = True
    for _ in range(3):
        world.transfer()
    assert world.sync().rhythm.failures == 3


def test_a_first_fetch_that_one_call_cannot_finish_goes_on_at_once(world: World) -> None:
    world.save(customers="erp")
    for number in range(20):
        world.erp.create(Customer(name=f"C{number}"))
        world.clock.pass_(seconds=1)
    left = iter([280] * 5)
    transfer = world.transfer(lambda: next(left, 10))
    [(_, task)] = world.queue.machines
    while world.carrier.collect(task, "m", lambda: 280)["outcome"] == "more":
        pass
    world.carrier.send(task, "m", lambda: 280)
    world.carrier.settle(task, "m")
    assert len(world.log.offers(CLIENT, CONNECTION, 0, 100)) == 20
    assert world.reread(transfer).state == "succeeded"
