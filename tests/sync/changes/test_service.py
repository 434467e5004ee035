"""Changes in the ERP reach the till once; where both sides changed the same, the master wins and nothing is lost."""

from decimal import Decimal
from itertools import product as every
from typing import Any

import pytest

from erphub.erp.documents import Address, Customer, DocumentKind, Product
from erphub.platform.errors import Conflict, Invalid
from erphub.sync.changes.merge import merge
from erphub.sync.changes.schemas import AcknowledgedChange
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.settings.models import SyncDirection
from tests.support.aws import on_both
from tests.support.sync import CLIENT, CONNECTION, SyncHub

K, P = DocumentKind.CUSTOMER, DocumentKind.PRODUCT


def feed(hub: SyncHub, since: int = 0) -> list[Any]:
    return hub.feed.list_after(CLIENT, CONNECTION, since, 100)


def acknowledge(hub: SyncHub, sequence: int, external_id: str | None = None) -> bool:
    return hub.acknowledge(AcknowledgedChange(change_id=str(sequence), external_id=external_id)) is not None


@pytest.fixture
def both(hub: SyncHub) -> SyncHub:
    """A customer that the till and the ERP both have; the ERP is the master."""
    hub.save(customer_direction="erp")
    hub.submit("customer", "K1", name="Fjell", phone="1", email="a@example.test")
    hub.transfer()
    hub.clock.pass_(minutes=5)
    return hub


# Each side may have left a field, changed it, or changed it to the same; the table is the rule.
SIDES = {"left": "old", "changed": None}


@pytest.mark.parametrize(
    ("till", "erp", "master"),
    list(every(["old", "T", "S"], ["old", "E", "S"], [SyncDirection.TILL, SyncDirection.ERP])),
)
def test_the_table_of_a_field(till: str, erp: str, master: SyncDirection) -> None:
    merged = merge({"f": "old"}, {"f": till}, {"f": erp}, master)
    if till == erp or erp == "old":
        assert (merged.fields["f"], merged.overridden) == (till, {})
    elif till == "old":
        assert (merged.fields["f"], merged.overridden) == (erp, {})
    elif master is SyncDirection.ERP:
        assert (merged.fields["f"], merged.overridden) == (erp, {"f": till})
    else:
        assert (merged.fields["f"], merged.overridden) == (till, {"f": erp})


def test_a_field_the_erp_does_not_tell_keeps_the_tills_value() -> None:
    assert merge({}, {"f": "T"}, {}, SyncDirection.ERP).fields == {"f": "T"}


@pytest.fixture
def strangers(hub: SyncHub) -> SyncHub:
    """A product that the ERP has had all along, and the till hands over for the first time; the ERP is the master."""
    hub.save(product_direction="erp", customer_direction="erp")
    hub.erp.create(Product(number="100", name="ERP name", price=Decimal(79)))
    hub.erp.create(Customer(name="Fjell AS", organisation_no="922000001", phone="1"))
    hub.clock.pass_(minutes=5)
    return hub


COFFEE = {"number": "100", "name": "Till name", "price": "75", "ean": "7038010000010"}


def test_the_first_meeting_leaves_the_masters_record_alone_and_tells_the_till(strangers: SyncHub) -> None:
    strangers.submit("product", "100", **COFFEE)
    transfer = strangers.transfer()
    assert isinstance(there := strangers.erp.records["1"].document, Product)
    assert (there.name, there.price, there.ean) == ("ERP name", Decimal(79), "7038010000010"), "what it lacked came in"
    assert len(strangers.erp.records) == 2
    assert transfer.counts.conflicts == 1
    assert (transfer.counts.sent, strangers.entry(P, "100").overridden_values) == (
        1,
        {"till": {"name": "Till name", "price": "75"}},
    )
    [offer] = [one for one in feed(strangers) if one.kind is P]
    assert (offer.external_id, set(offer.changed)) == ("100", {"name", "price"})
    assert (offer.document["name"], offer.overridden_values) == ("ERP name", {"name": "Till name", "price": "75"})
    assert acknowledge(strangers, offer.sequence)
    after = strangers.submit("product", "100", **(COFFEE | {"name": "ERP name", "price": "79"}))
    assert after.outcome == "unchanged", "both have the same now"
    strangers.clock.pass_(minutes=5)
    strangers.transfer()
    assert [one for one in feed(strangers) if one.kind is P] == []


def test_a_record_that_the_till_does_not_know_is_offered_whole_as_the_erp_has_it_last(hub: SyncHub) -> None:
    hub.save(product_direction="erp")
    reference = hub.erp.create(Product.model_validate({"number": "2", "name": "Theirs", "price": 20, "ean": "1"}))
    for ean in ("1", "2", "1"):
        hub.clock.pass_(hours=1)
        hub.erp.edit(reference, ean=ean)
        hub.transfer()
    [offer] = hub.feed.list_after(CLIENT, CONNECTION, 0, 100)
    assert offer.document["ean"] == "1"
    assert {"number", "name", "price", "ean"} <= set(offer.changed), "the till has seen none of it"
    done = hub.acknowledge(AcknowledgedChange(change_id=str(offer.sequence), external_id="P2"))
    assert done is not None
    assert '"ean":"1"' in done.body


def test_what_the_erp_has_from_a_lost_answer_does_not_win_over_what_the_till_says_next(hub: SyncHub) -> None:
    hub.save(product_direction="erp")
    hub.submit("product", "P1", number="1", name="First", price="10")
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    hub.clock.pass_(minutes=11)
    hub.erp.faults = ["down"]
    hub.transfer()
    hub.submit("product", "P1", number="1", name="Second", price="10")
    hub.clock.pass_(days=1)
    hub.transfer()
    [record] = hub.erp.records.values()
    assert record.document.name == "Second"
    assert hub.feed.list_after(CLIENT, CONNECTION, 0, 100) == []


def test_a_dry_run_shows_what_comes_of_the_first_meeting_and_binds_nothing(strangers: SyncHub) -> None:
    strangers.submit("product", "100", **COFFEE)
    before = strangers.records.get(CLIENT, CONNECTION, P, "1")
    transfer = strangers.transfer(dry_run=True)
    [shown] = strangers.transfers.previews(CLIENT, CONNECTION, transfer.id)
    assert (shown["action"], shown["postings"][0]["name"]) == ("post", "ERP name")
    assert strangers.records.get(CLIENT, CONNECTION, P, "1") == before


def test_a_company_that_the_erp_knows_is_met_by_its_organisation_number(strangers: SyncHub) -> None:
    strangers.submit("customer", "K1", name="Fjell", organisation_no="922000001", phone="2", email="a@example.test")
    strangers.transfer()
    assert isinstance(there := strangers.erp.records["2"].document, Customer)
    assert (there.name, there.phone, there.email) == ("Fjell AS", "1", "a@example.test")
    assert strangers.entry(K, "K1").overridden_values == {"till": {"name": "Fjell", "phone": "2"}}
    assert {one.external_id for one in feed(strangers) if one.kind is K} == {"K1"}


def test_at_the_first_meeting_the_tills_word_counts_when_it_is_the_master_and_what_gave_way_is_shown(
    strangers: SyncHub,
) -> None:
    strangers.save(product_direction="till")
    strangers.submit("product", "100", **COFFEE)
    strangers.transfer()
    assert isinstance(there := strangers.erp.records["1"].document, Product)
    assert (there.name, there.price) == ("Till name", Decimal(75))
    assert strangers.entry(P, "100").overridden_values == {"erp": {"name": "ERP name", "price": "79"}}
    assert [one for one in feed(strangers) if one.kind is P] == []


def test_a_record_met_while_the_worker_died_is_neither_overwritten_nor_made_twice(strangers: SyncHub) -> None:
    strangers.submit("product", "100", **COFFEE)
    strangers.erp.faults = ["die_after"]
    strangers.transfer()
    strangers.clock.pass_(minutes=15)
    strangers.transfer()
    assert strangers.entry(P, "100").status is EntryStatus.SENT
    assert [record.document.name for record in strangers.erp.records.values()] == ["ERP name", "Fjell AS"]
    assert strangers.entry(P, "100").overridden_values == {"till": {"name": "Till name", "price": "75"}}


def test_two_of_the_tills_products_cannot_be_one_in_the_erp(strangers: SyncHub) -> None:
    strangers.submit("product", "100", **COFFEE)
    strangers.transfer()
    strangers.submit("product", "100-old", **COFFEE)
    strangers.transfer()
    assert strangers.entry(P, "100-old").code == "bound_otherwise"


def test_a_record_that_the_till_takes_over_under_an_id_it_has_sent_nothing_of_yet_keeps_the_masters_words(
    strangers: SyncHub,
) -> None:
    strangers.erp.faults = ["refuse"]
    strangers.submit("customer", "K1", name="Fjell", phone="2")
    strangers.transfer()
    [offer] = [one for one in feed(strangers) if one.kind is K]
    assert acknowledge(strangers, offer.sequence, "K1")
    strangers.exports.retry(CLIENT, CONNECTION, strangers.entry(K, "K1").id)
    strangers.transfer()
    assert isinstance(there := strangers.erp.records["2"].document, Customer)
    assert (there.name, there.phone, len(strangers.erp.records)) == ("Fjell AS", "1", 2)
    assert strangers.entry(K, "K1").overridden_values == {"till": {"name": "Fjell", "phone": "2"}}


def test_acknowledging_leaves_what_the_till_changed_meanwhile(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    both.submit("customer", "K1", name="Fjell Nytt Navn", phone="1", email="a@example.test")
    assert acknowledge(both, offer.sequence)
    assert both.entry(K, "K1").status is EntryStatus.PENDING
    both.transfer()
    assert isinstance(there := both.erp.records["1"].document, Customer)
    assert (there.name, there.phone) == ("Fjell Nytt Navn", "2")
    assert feed(both) == []


def test_where_the_till_changed_the_acknowledged_field_too_the_master_wins_and_it_is_shown(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    both.submit("customer", "K1", name="Fjell", phone="3", email="a@example.test")
    assert acknowledge(both, offer.sequence)
    both.transfer()
    assert isinstance(there := both.erp.records["1"].document, Customer)
    assert there.phone == "2"
    assert both.entry(K, "K1").overridden_values == {"till": {"phone": "3"}}


def test_a_field_that_the_till_changed_over_a_standing_offer_is_shown_as_lost(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    both.submit("customer", "K1", name="Fjell", phone="3", email="a@example.test")
    both.transfer()
    assert isinstance(there := both.erp.records["1"].document, Customer)
    assert there.phone == "2"
    assert both.entry(K, "K1").overridden_values == {"till": {"phone": "3"}}
    [offer] = feed(both)
    assert (offer.changed, offer.document["phone"]) == (("phone",), "2"), "it still has to take it over"


def test_an_offer_that_the_till_has_overruled_is_taken_back(both: SyncHub) -> None:
    both.save(customer_direction="till")
    both.erp.edit("1", phone="2")
    both.transfer()
    both.submit("customer", "K1", name="Fjell", phone="3", email="a@example.test")
    both.transfer()
    assert isinstance(there := both.erp.records["1"].document, Customer)
    assert there.phone == "3"
    assert both.entry(K, "K1").overridden_values == {"erp": {"phone": "2"}}
    assert feed(both) == []


def test_a_second_conflict_does_not_wipe_out_what_was_lost_in_the_first(both: SyncHub) -> None:
    for field, offered in (("phone", "E1"), ("email", "e2@example.test")):
        record = {"name": "Fjell", "phone": "1", "email": "a@example.test"}
        both.submit("customer", "K1", **(record | {field: "T"}))
        both.erp.edit("1", **{field: offered})
        both.transfer()
        both.clock.pass_(minutes=5)
    assert both.entry(K, "K1").overridden_values["till"] == {"phone": "T", "email": "T"}


def test_what_is_on_its_way_cannot_be_acknowledged_over(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    both.submit("customer", "K1", name="Fjell Nytt", phone="1", email="a@example.test")
    both.erp.faults = ["lost_after"]
    both.transfer()
    with pytest.raises(Conflict) as caught:
        acknowledge(both, offer.sequence)
    assert caught.value.code == "being_sent"
    both.clock.pass_(minutes=30)
    both.transfer()
    assert acknowledge(both, feed(both)[0].sequence)
    assert feed(both) == []


def test_our_own_writes_do_not_come_back(both: SyncHub) -> None:
    both.transfer()
    assert feed(both) == []


def test_ten_idle_cycles_make_no_writes(both: SyncHub) -> None:
    both.submit("product", "P1", number="P1", name="Kaffe", price="40")
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


@on_both
def test_a_change_in_the_erp_is_offered_until_it_is_acknowledged(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    assert (offer.external_id, offer.changed, offer.document["phone"]) == ("K1", ("phone",), "2")
    both.transfer()
    assert [one.sequence for one in feed(both)] == [offer.sequence], "offered once"
    assert acknowledge(both, offer.sequence)
    assert feed(both) == []
    assert both.submit("customer", "K1", name="Fjell", phone="2", email="a@example.test").outcome == "unchanged"


def test_both_sides_changed_different_fields_and_both_changes_survive(both: SyncHub) -> None:
    both.submit("customer", "K1", name="Fjell", phone="1", email="b@example.test")
    both.erp.edit("1", phone="2")
    both.transfer()
    record = both.erp.records["1"].document
    assert isinstance(record, Customer)
    assert (record.phone, record.email) == ("2", "b@example.test")
    [offer] = feed(both)
    assert offer.changed == ("phone",)
    assert offer.overridden_values == {}


def test_both_changed_the_same_field_and_the_erp_is_master(both: SyncHub) -> None:
    both.submit("customer", "K1", name="Fjell", phone="T", email="a@example.test")
    both.erp.edit("1", phone="E")
    transfer = both.transfer()
    assert both.erp.records["1"].document.phone == "E"
    [offer] = feed(both)
    assert (offer.document["phone"], offer.overridden_values) == ("E", {"phone": "T"})
    assert both.entry(K, "K1").overridden_values == {"till": {"phone": "T"}}
    assert transfer.counts.conflicts == 1


def test_both_changed_the_same_field_and_the_till_is_master(both: SyncHub) -> None:
    both.save(customer_direction="till")
    both.submit("customer", "K1", name="Fjell", phone="T", email="a@example.test")
    both.erp.edit("1", phone="E")
    both.transfer()
    assert both.erp.records["1"].document.phone == "T"
    assert both.entry(K, "K1").overridden_values == {"erp": {"phone": "E"}}
    assert feed(both) == []


def test_a_customer_made_in_the_erp_is_offered_whole_and_bound_by_the_till(both: SyncHub) -> None:
    reference = both.erp.create(Customer(name="Kyst", address=Address(city="Bergen")))
    both.transfer()
    [offer] = feed(both)
    assert (offer.external_id, offer.document["name"], offer.document["address.city"]) == ("", "Kyst", "Bergen")
    with pytest.raises(Invalid) as caught:
        acknowledge(both, offer.sequence)
    assert caught.value.errors[0].code == "external_id_required"
    assert acknowledge(both, offer.sequence, "K2")
    assert (both.entry(K, "K2").status, both.entry(K, "K2").reference) == (EntryStatus.SENT, reference)
    both.submit("customer", "K2", name="Kyst", phone="9", address={"city": "Bergen"})
    both.transfer()
    assert len(both.erp.records) == 2
    assert both.erp.records[reference].document.phone == "9"


def test_when_the_till_is_master_its_list_is_not_filled_from_the_erp(hub: SyncHub) -> None:
    hub.erp.create(Customer(name="Kyst"))
    hub.transfer()
    assert feed(hub) == []


def test_a_newer_change_takes_the_place_of_an_older_one(both: SyncHub) -> None:
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


def test_a_reader_that_comes_back_sees_only_what_is_new(both: SyncHub) -> None:
    for number in range(3):
        both.erp.create(Customer(name=f"Kunde {number}"))
    both.transfer()
    first = feed(both)
    assert feed(both, since=first[1].sequence) == first[2:]


def test_the_till_cannot_bind_one_id_to_two_records(both: SyncHub) -> None:
    both.erp.create(Customer(name="Kyst"))
    both.transfer()
    with pytest.raises(Conflict) as caught:
        acknowledge(both, feed(both)[0].sequence, "K1")
    assert caught.value.code == "bound_otherwise"


def test_a_change_that_the_erp_takes_back_is_no_longer_offered(both: SyncHub) -> None:
    both.erp.edit("1", phone="2")
    both.transfer()
    assert feed(both)
    both.clock.pass_(minutes=5)
    both.erp.edit("1", phone="1")
    both.transfer()
    assert feed(both) == []


def test_a_synced_record_that_a_crash_left_out_is_made_again(both: SyncHub) -> None:
    both.forget("RECORD#")
    both.erp.edit("1", phone="2")
    both.transfer()
    [offer] = feed(both)
    assert offer.changed == ("phone",)
