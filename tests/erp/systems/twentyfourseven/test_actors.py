"""Customers and suppliers as actors over both transports: read, made, changed field by field, found when lost."""

from datetime import timedelta
from typing import Any

import pytest

from erphub.erp.actors import MARKER_PREFIX, Actor, ActorSupport, ActorType, FieldAccess
from erphub.erp.documents import Customer
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import ErpRefused, Uncertain
from local.erps.twentyfourseven import App, seed
from tests.erp.systems.twentyfourseven.conftest import Time, posting

SHOP = FoundCompany(str(seed.SHOP), "The shop")
MARKER = MARKER_PREFIX + "01JD8ZK4M2X7Q9T3V5W6Y8A0BC"
COMPANY: dict[str, str | None] = {
    "NAME": "Kystkaffe AS",
    "VATNO": "923609016",
    "EMAIL": "post@kystkaffe.test",
    "EMAIL_INVOICE": "faktura@kystkaffe.test",
    "PHONE": "+47 22 33 44 55",
    "PHONE_MOBILE": "+47 99 88 77 66",
    "STREETAD1": "Strandgata 1 <b> & co",
    "STREETZIP": "5003",
    "STREETCITY": "Bergen",
    "COUNTRY": "NO",
    "POSTALAD1": "Postboks 7",
    "POSTALZIP": "5004",
    "POSTALCITY": "Bergen",
}
LINKED = (ActorType.CUSTOMER, ActorType.SUPPLIER)


def one(system: TwentyFourSevenOffice, actor_type: ActorType, key: str) -> Actor:
    return system.actors(actor_type, [key], SHOP)[key]


@pytest.mark.parametrize("actor_type", LINKED)
def test_an_actor_is_made_and_reads_back_the_same(system: TwentyFourSevenOffice, actor_type: ActorType):
    key = system.create_actor(actor_type, COMPANY, MARKER, SHOP)
    actor = one(system, actor_type, key)
    assert {name: actor.values[name] for name in COMPANY} == COMPANY
    assert (actor.values["NUMBER2"], actor.values["IS_COMPANY"]) == (key, "true")
    assert actor.changed_at is not None


def test_a_person_is_made_by_their_names_and_renamed_in_both(system: TwentyFourSevenOffice):
    key = system.create_actor(
        ActorType.CUSTOMER, {"NAME": None, "FIRSTNAME": "Kari Anne", "LASTNAME": "Moen"}, MARKER, SHOP
    )
    person = one(system, ActorType.CUSTOMER, key).values
    assert (person["NAME"], person["IS_COMPANY"]) == ("Kari Anne Moen", "false")
    system.save_actor(ActorType.CUSTOMER, key, {"NAME": "Kari Anne Bakke"}, SHOP)
    person = one(system, ActorType.CUSTOMER, key).values
    assert (person["NAME"], person["FIRSTNAME"], person["LASTNAME"]) == ("Kari Anne Bakke", "Kari Anne", "Bakke")


@pytest.mark.parametrize("field", [name for name in COMPANY if name != "NAME"])
@pytest.mark.parametrize("value", ["55", None], ids=["changed", "cleared"])
def test_one_field_is_changed_and_no_other(system: TwentyFourSevenOffice, field: str, value: str | None):
    key = system.create_actor(ActorType.CUSTOMER, COMPANY, MARKER, SHOP)
    before = one(system, ActorType.CUSTOMER, key).values
    system.save_actor(ActorType.CUSTOMER, key, {field: value}, SHOP)
    assert one(system, ActorType.CUSTOMER, key).values == {**before, field: value}


def test_a_change_keeps_whose_the_record_is(system: TwentyFourSevenOffice, app: App):
    reference = system.push(Customer(name="Till's own AS"), posting()).reference
    system.save_actor(ActorType.CUSTOMER, reference, {"PHONE": "1"}, SHOP)
    record = app.world.organisation(seed.SHOP).customers[int(reference)].fields
    assert (record["externalReference"], record["phone"]) == (posting().key, "1")


def test_suppliers_are_told_from_customers_and_lie_in_one_register(system: TwentyFourSevenOffice):
    customer = system.create_actor(ActorType.CUSTOMER, COMPANY, MARKER + "1", SHOP)
    supplier = system.create_actor(ActorType.SUPPLIER, COMPANY, MARKER + "2", SHOP)
    assert system.actors(ActorType.SUPPLIER, [customer, supplier], SHOP).keys() == {supplier}
    assert customer in set(system.actor_keys(ActorType.CUSTOMER, SHOP))
    assert supplier in set(system.actor_keys(ActorType.SUPPLIER, SHOP))
    types = system.actor_types()
    registers = {support.register for support in types.values() if isinstance(support, ActorSupport)}
    assert len(registers) == 1


def test_what_changed_comes_the_longest_ago_first_and_all_of_it_without_an_instant(
    system: TwentyFourSevenOffice, clock: Time
):
    before = {actor.key for actor in system.actors_changed_since(ActorType.CUSTOMER, None, SHOP)}
    clock.sleep(3600)
    since = clock.now
    keys = []
    for number in range(3):
        clock.sleep(60)
        keys.append(system.create_actor(ActorType.CUSTOMER, COMPANY, f"{MARKER}{number}", SHOP))
    clock.sleep(60)
    system.save_actor(ActorType.CUSTOMER, keys[0], {"PHONE": "7"}, SHOP)
    found = [actor.key for actor in system.actors_changed_since(ActorType.CUSTOMER, since, SHOP)]
    assert list(dict.fromkeys(found)) == [keys[1], keys[2], keys[0]]
    assert {actor.key for actor in system.actors_changed_since(ActorType.CUSTOMER, None, SHOP)} == before | set(keys)
    later = clock.now + timedelta(hours=1)
    assert list(system.actors_changed_since(ActorType.CUSTOMER, later, SHOP)) == []


def test_one_that_was_removed_is_in_no_list_and_cannot_be_changed(system: TwentyFourSevenOffice, app: App):
    key = system.create_actor(ActorType.CUSTOMER, COMPANY, MARKER, SHOP)
    app.world.organisation(seed.SHOP).customers[int(key)].active = False
    assert system.actors(ActorType.CUSTOMER, [key], SHOP) == {}
    assert key not in set(system.actor_keys(ActorType.CUSTOMER, SHOP))
    with pytest.raises(ErpRefused) as refused:
        system.save_actor(ActorType.CUSTOMER, key, {"PHONE": "1"}, SHOP)
    assert refused.value.code == "not_in_erp"


@pytest.mark.parametrize("fault", ["error_after", "timeout_after", "cut_after", "half"])
@pytest.mark.parametrize("actor_type", LINKED)
def test_one_whose_answer_was_lost_is_found_by_its_marker(
    system: TwentyFourSevenOffice, app: App, actor_type: ActorType, fault: str
):
    assert system.find_created(actor_type, MARKER, SHOP) is None
    for operation in ("rest:POST /customers", "soap:SaveCompanies"):
        app.faults.add(operation, fault)
    with pytest.raises(Uncertain):
        system.create_actor(actor_type, COMPANY, MARKER, SHOP)
    key = system.find_created(actor_type, MARKER, SHOP)
    assert key is not None
    assert one(system, actor_type, key).values["NAME"] == COMPANY["NAME"]


def test_a_customer_that_was_made_for_a_link_is_the_tills_too_when_it_has_its_number(system: TwentyFourSevenOffice):
    key = system.create_actor(ActorType.CUSTOMER, COMPANY, MARKER, SHOP)
    there = system.find_matching_record(Customer(name="Kystkaffe", organisation_no="923609016"), posting())
    assert there is not None
    assert there.reference == key


def test_what_it_does_not_have_is_said_in_words(system: TwentyFourSevenOffice):
    unknown = {name: words for name, words in system.actor_types().items() if isinstance(words, str)}
    assert unknown.keys() == {ActorType.PARTNER, ActorType.PERSON, ActorType.PROJECT}
    calls: list[Any] = [
        lambda name: system.actors(name, ["1"], SHOP),
        lambda name: system.actor_fields(name, SHOP),
        lambda name: system.create_actor(name, {}, MARKER, SHOP),
    ]
    for name, words in unknown.items():
        for call in calls:
            with pytest.raises(ErpRefused) as refused:
                call(name)
            assert (refused.value.code, refused.value.detail) == ("actor_type_not_supported", words)


@pytest.mark.parametrize("actor_type", LINKED)
def test_every_field_that_is_told_of_is_read_and_every_one_that_may_be_written_is(
    system: TwentyFourSevenOffice, actor_type: ActorType
):
    key = system.create_actor(actor_type, COMPANY, MARKER, SHOP)
    fields = system.actor_fields(actor_type, SHOP)
    assert one(system, actor_type, key).values.keys() == {field.key for field in fields}
    writable = [field.key for field in fields if field.access is not FieldAccess.READ_ONLY]
    system.save_actor(actor_type, key, dict.fromkeys(writable, "9"), SHOP)
    kept = one(system, actor_type, key).values
    assert {name: kept[name] for name in writable} == dict.fromkeys(writable, "9")
