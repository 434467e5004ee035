"""Changes in the ERP reach the till once; where both sides changed the same, the master wins and nothing is lost."""

from itertools import product as every
from typing import Any

import pytest

from erphub.changes import merge
from erphub.errors import Conflict, Invalid
from erphub.models.document import Address, Customer, DocumentKind
from erphub.models.sync import Acknowledged, EntryState, Master

from .conftest import CLIENT, CONNECTION, World

K = DocumentKind.CUSTOMER


def feed(world: World, since: int = 0) -> list[Any]:
    return world.log.offers(CLIENT, CONNECTION, since, 100)


def acknowledge(world: World, sequence: int, external_id: str | None = None) -> bool:
    return world.changes.acknowledge(world.sync(), "till", Acknowledged(change=str(sequence), external_id=external_id))


@pytest.fixture
def both(world: World) -> World:
    """A customer that the till and the ERP both have; the ERP is the master."""
    world.save(customers="erp")
    world.hand_in("customer", "K1", name="Fjell", phone="1", email="a@example.test")
    world.transfer()
    world.clock.pass_(minutes=5)
    return world


# Each side may have left a field, changed it, or changed it to the same; the table is the rule.
SIDES = {"left": "old", "changed": None}


@pytest.mark.parametrize(
    ("till", "erp", "master"), list(every(["old", "T", "S"], ["old", "E", "S"], [Master.TILL, Master.ERP]))
)
def test_the_table_of_a_field(till: str, erp: str, master: Master) -> None:
    merged = merge({"f": "old"}, {"f": till}, {"f": erp}, master)
    if till == erp or erp == "old":
        assert (merged.fields["f"], merged.lost) == (till, {})
    elif till == "old":
        assert (merged.fields["f"], merged.lost) == (erp, {})
    elif master is Master.ERP:
        assert (merged.fields["f"], merged.lost) == (erp, {"f": till})
    else:
        assert (merged.fields["f"], merged.lost) == (till, {"f": erp})


def test_a_field_the_erp_does_not_tell_keeps_the_tills_value() -> None:
    assert merge({}, {"f": "T"}, {}, Master.ERP).fields == {"f": "T"}


def test_our_own_writes_do_not_come_back(both: World) -> None:
    both.transfer()
    assert feed(both) == []


def test_ten_idle_cycles_make_no_writes(both: World) -> None:
    both.hand_in("product", "P1", number="P1", name="Kaffe", price="40")
    both.transfer()
    both.transfer()
    before = {key: item for key, item in both.items().items() if "TRANSFER#" not in key[1] and "SYNC" not in key[1]}
    pushes = both.erp.calls["push"]
    for _ in range(10):
        both.clock.pass_(hours=24)
        both.transfer()
    after = {key: item for key, item in both.items().items() if "TRANSFER#" not in key[1] and "SYNC" not in key[1]}
    assert after == before
    assert both.erp.calls["push"] == pushes
    assert feed(both) == []


def test_a_change_in_the_erp_is_offered_until_it_is_acknowledged(both: World) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    assert (offer.external_id, offer.changed, offer.document["phone"]) == ("K1", ("phone",), "2")
    both.transfer()
    assert [one.sequence for one in feed(both)] == [offer.sequence], "offered once"
    assert acknowledge(both, offer.sequence)
    assert feed(both) == []
    assert both.hand_in("customer", "K1", name="Fjell", phone="2", email="a@example.test").outcome == "unchanged"


def test_both_sides_changed_different_fields_and_both_changes_survive(both: World) -> None:
    both.hand_in("customer", "K1", name="Fjell", phone="1", email="b@example.test")
    both.erp.edit("1", phone="2")
    both.transfer()
    record = both.erp.records["1"].document
    assert isinstance(record, Customer)
    assert (record.phone, record.email) == ("2", "b@example.test")
    [offer] = feed(both)
    assert offer.changed == ("phone",)
    assert offer.lost == {}


def test_both_changed_the_same_field_and_the_erp_is_master(both: World) -> None:
    both.hand_in("customer", "K1", name="Fjell", phone="T", email="a@example.test")
    both.erp.edit("1", phone="E")
    transfer = both.transfer()
    assert both.erp.records["1"].document.phone == "E"
    [offer] = feed(both)
    assert (offer.document["phone"], offer.lost) == ("E", {"phone": "T"})
    assert both.entry(K, "K1").lost == {"till": {"phone": "T"}}
    assert transfer.counts.conflicts == 1


def test_both_changed_the_same_field_and_the_till_is_master(both: World) -> None:
    both.save(customers="till")
    both.hand_in("customer", "K1", name="Fjell", phone="T", email="a@example.test")
    both.erp.edit("1", phone="E")
    both.transfer()
    assert both.erp.records["1"].document.phone == "T"
    assert both.entry(K, "K1").lost == {"erp": {"phone": "E"}}
    assert feed(both) == []


def test_a_customer_made_in_the_erp_is_offered_whole_and_bound_by_the_till(both: World) -> None:
    reference = both.erp.create(Customer(name="Kyst", address=Address(city="Bergen")))
    both.transfer()
    [offer] = feed(both)
    assert (offer.external_id, offer.document["name"], offer.document["address.city"]) == ("", "Kyst", "Bergen")
    with pytest.raises(Invalid) as caught:
        acknowledge(both, offer.sequence)
    assert caught.value.errors[0].code == "external_id_required"
    assert acknowledge(both, offer.sequence, "K2")
    assert (both.entry(K, "K2").state, both.entry(K, "K2").reference) == (EntryState.SENT, reference)
    both.hand_in("customer", "K2", name="Kyst", phone="9", address={"city": "Bergen"})
    both.transfer()
    assert len(both.erp.records) == 2
    assert both.erp.records[reference].document.phone == "9"


def test_when_the_till_is_master_its_list_is_not_filled_from_the_erp(world: World) -> None:
    world.erp.create(Customer(name="Kyst"))
    world.transfer()
    assert feed(world) == []


def test_a_newer_change_takes_the_place_of_an_older_one(both: World) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [old] = feed(both)
    both.clock.pass_(minutes=5)
    both.erp.edit("1", phone="3")
    both.transfer()
    [new] = feed(both)
    assert new.sequence > old.sequence
    assert not acknowledge(both, old.sequence), "superseded"
    assert acknowledge(both, new.sequence)


def test_a_reader_that_comes_back_sees_only_what_is_new(both: World) -> None:
    for number in range(3):
        both.erp.create(Customer(name=f"Kunde {number}"))
    both.transfer()
    first = feed(both)
    assert feed(both, since=first[1].sequence) == first[2:]


def test_the_till_cannot_bind_one_id_to_two_records(both: World) -> None:
    both.erp.create(Customer(name="Kyst"))
    both.transfer()
    with pytest.raises(Conflict) as caught:
        acknowledge(both, feed(both)[0].sequence, "K1")
    assert caught.value.code == "bound_otherwise"


def test_a_change_that_the_erp_takes_back_is_no_longer_offered(both: World) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    assert feed(both)
    both.clock.pass_(minutes=5)
    both.erp.edit("1", phone="1")
    both.transfer()
    assert feed(both) == []


def test_a_bond_that_a_crash_left_out_is_made_again(both: World) -> None:
    both.forget("BOND#")
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    assert offer.changed == ("phone",)
