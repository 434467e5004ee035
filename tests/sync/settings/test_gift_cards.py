"""The product of gift cards is made in the ERP when somebody asks for it, and never twice."""

from decimal import Decimal

import pytest

from erphub.erp.documents import Product
from erphub.platform.errors import Conflict, ErpRefused, Unavailable, Uncertain
from tests.support.ledger import LedgerErp
from tests.support.sync import CLIENT, CONNECTION, SyncHub


def gift_cards(erp: LedgerErp) -> list[Product]:
    products = [record.document for record in erp.records.values() if isinstance(record.document, Product)]
    return [one for one in products if one.number == "GIFTCARD"]


def test_it_is_made_once_however_often_it_is_asked_for(hub: SyncHub) -> None:
    first = hub.gift_cards.create(CLIENT, CONNECTION, "1")
    again = hub.gift_cards.create(CLIENT, CONNECTION, "1")
    assert (first.is_new, again.is_new, first.reference) == (True, False, again.reference)
    [made] = gift_cards(hub.erp)
    assert (made.name, made.price, made.vat_rate) == ("Gavekort", Decimal(0), Decimal(0))


def test_one_that_is_there_is_left_as_it_is(hub: SyncHub) -> None:
    hub.erp.create(Product(number="GIFTCARD", name="Vårt gavekort", price=Decimal(500)))
    assert hub.gift_cards.create(CLIENT, CONNECTION, "1").is_new is False
    assert [one.name for one in gift_cards(hub.erp)] == ["Vårt gavekort"]


@pytest.mark.parametrize(
    ("fault", "error"), [("down", Unavailable), ("refuse", ErpRefused), ("busy", Unavailable), ("boom", RuntimeError)]
)
def test_what_was_not_made_can_be_asked_for_again_at_once(hub: SyncHub, fault: str, error: type[Exception]) -> None:
    hub.erp.faults = [fault]
    with pytest.raises(error):
        hub.gift_cards.create(CLIENT, CONNECTION, "1")
    assert hub.gift_cards.create(CLIENT, CONNECTION, "1").is_new


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "late"])
def test_while_its_answer_is_lost_nobody_makes_another_and_then_it_is_looked_for(hub: SyncHub, fault: str) -> None:
    hub.erp.faults = [fault]
    with pytest.raises(Uncertain):
        hub.gift_cards.create(CLIENT, CONNECTION, "1")
    with pytest.raises(Conflict) as busy:
        hub.gift_cards.create(CLIENT, CONNECTION, "1")
    assert busy.value.code == "transfer_running"
    hub.clock.pass_(minutes=5)
    hub.erp.let_late_requests_through()
    hub.clock.pass_(minutes=2)
    assert hub.gift_cards.create(CLIENT, CONNECTION, "1").is_new is (fault == "lost_before")
    assert len(gift_cards(hub.erp)) == 1


def test_two_at_once_make_one(hub: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LedgerErp.push

    def meanwhile(*args: object) -> object:
        monkeypatch.setattr(LedgerErp, "push", real)
        with pytest.raises(Conflict):
            hub.gift_cards.create(CLIENT, CONNECTION, "1")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(LedgerErp, "push", meanwhile)
    assert hub.gift_cards.create(CLIENT, CONNECTION, "1").is_new
    assert len(gift_cards(hub.erp)) == 1


def test_it_is_never_made_by_itself(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.transfer()
    assert gift_cards(hub.erp) == []
