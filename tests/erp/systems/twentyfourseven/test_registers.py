"""Customers and products: found again, changed in place, never twice; and what changed in the ERP comes back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.documents import Address, Customer, DocumentKind, Product
from erphub.erp.posting import Posting
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import ErpRefused, Unavailable, Uncertain
from local.erps.twentyfourseven import App, seed
from tests.erp.systems.twentyfourseven.conftest import KEY, Connect, Time, posting

CUSTOMER = Customer(
    name="Øya Æsj & Sønn AS",
    organisation_no="987654321",
    email="post@oya.example",
    phone="+47 22 33 44 55",
    address=Address(street="Strandgata 1 <b>", postal_code="5003", city="Bergen", country="NO"),
)
PERSON = Customer(name="Per Ås Hansen", is_company=False, email="per@example.com")
PRODUCT = Product(
    number="TE-1",
    name="Grønn te 100 g",
    price=Decimal("59.90"),
    cost=Decimal("21.05"),
    vat_rate=Decimal(15),
    ean="7038010000010",
    stock=Decimal("12.5"),
)


def customers(app: App) -> dict[int, Any]:
    return app.world.organisation(seed.SHOP).customers


def products(app: App) -> dict[int, Any]:
    return app.world.organisation(seed.SHOP).products


@pytest.mark.parametrize("customer", [CUSTOMER, PERSON], ids=["company", "person"])
def test_a_customer_is_made_found_and_reads_back_the_same(
    system: TwentyFourSevenOffice, app: App, customer: Customer
) -> None:
    before = len(customers(app))
    posted = system.push(customer, posting())
    assert len(customers(app)) == before + 1
    assert customers(app)[int(posted.reference)].fields["externalReference"] == KEY
    found = system.find(DocumentKind.CUSTOMER, posting(), customer)
    assert found is not None
    assert found.reference == posted.reference
    change = next(one for one in changes(system, DocumentKind.CUSTOMER) if one.reference == posted.reference)
    assert change.document == customer
    assert change.external_id == KEY
    assert change.version == posted.details["version"]


def changes(system: TwentyFourSevenOffice, kind: DocumentKind, since: Any = None) -> list[Any]:
    return list(system.changed_since(kind, since, str(seed.SHOP)))


def test_a_changed_customer_is_changed_and_emptied_fields_are_empty(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(CUSTOMER, posting())
    moved = CUSTOMER.model_copy(update={"email": "", "address": Address(street="Ny vei 2", city="Oslo")})
    again = system.push(moved, posting(previous=posted.reference))
    assert again.reference == posted.reference
    change = next(one for one in changes(system, DocumentKind.CUSTOMER) if one.reference == posted.reference)
    assert change.document == moved
    assert again.details["version"] == change.version != posted.details["version"]


def test_a_customer_of_the_erp_with_the_same_organisation_number_is_taken_over(
    system: TwentyFourSevenOffice, app: App
) -> None:
    known = Customer(name="Nordlys Kafé AS", organisation_no="922000001")
    before = len(customers(app))
    there = system.find_matching_record(known, posting())
    assert there is not None
    assert (there.reference, there.document.organisation_no) == ("10001", "922000001")
    posted = system.push(known, posting(previous=there.reference))
    assert posted.reference == "10001"
    assert system.find_matching_record(known, posting()).reference == "10001", (
        "it carries our key now, and is still ours"
    )
    assert len(customers(app)) == before


def test_one_that_belongs_to_another_of_ours_is_not_taken_over(system: TwentyFourSevenOffice, app: App) -> None:
    first = system.push(CUSTOMER, posting("EH-FIRST"))
    assert first.reference
    assert system.find_matching_record(CUSTOMER, posting("EH-SECOND")) is None


@pytest.mark.parametrize("fault", ["error_before", "cut_before", "error_after", "timeout_after", "half"])
def test_a_customer_whose_answer_is_lost_is_there_once(connect: Connect, app: App, fault: str) -> None:
    before = len(customers(app))
    for operation in ("rest:POST /customers", "soap:SaveCompanies"):
        app.faults.add(operation, fault)
    with pytest.raises(Uncertain):
        connect().push(PERSON, posting())
    if connect().find(DocumentKind.CUSTOMER, posting(), PERSON) is None:
        connect().push(PERSON, posting())
    assert len(customers(app)) == before + 1


def test_a_change_whose_answer_is_lost_is_simply_made_again(connect: Connect, app: App) -> None:
    posted = connect().push(CUSTOMER, posting())
    moved = CUSTOMER.model_copy(update={"phone": "99887766"})
    for operation in ("rest:PATCH /customers/{customerId}", "soap:SaveCompanies"):
        app.faults.add(operation, "timeout_after", times=3)
    with pytest.raises(Unavailable):
        connect().push(moved, posting(previous=posted.reference))
    app.faults.clear()
    assert connect().push(moved, posting(previous=posted.reference)).reference == posted.reference


def test_a_customer_that_was_deleted_in_the_erp_is_refused_with_its_words(
    system: TwentyFourSevenOffice, app: App
) -> None:
    with pytest.raises(ErpRefused) as caught:
        system.push(CUSTOMER, posting(previous="4711"))
    assert caught.value.members["erp_message"]


def test_an_error_in_a_row_of_a_200_is_an_error(by_user: Connect, app: App) -> None:
    app.world.organisation(seed.SHOP).categories.clear()
    with pytest.raises(ErpRefused):
        by_user().push(PRODUCT, posting())
    assert len(products(app)) == 2


def test_a_product_is_made_with_its_stock_and_reads_back_the_same(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(PRODUCT, posting())
    change = next(one for one in changes(system, DocumentKind.PRODUCT) if one.reference == posted.reference)
    told = change.document.model_fields_set
    assert change.document.model_dump(include=told) == PRODUCT.model_dump(include=told)
    assert told >= {"number", "name", "price", "cost", "ean", "stock", "active"}
    assert change.version == posted.details["version"]
    assert change.external_id == "TE-1"


def test_stock_is_left_alone_unless_it_is_to_be_sent(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(PRODUCT, posting(routing={"stock_quantities": False}))
    assert not products(app)[int(posted.reference)].fields["stock"]["isManaged"]


def test_the_same_product_again_is_the_same_product(connect: Connect, app: App) -> None:
    first = connect().push(PRODUCT, posting())
    cheaper = PRODUCT.model_copy(update={"price": Decimal("49.90"), "active": False})
    second = connect().push(cheaper, posting())
    assert first.reference == second.reference
    assert len(products(app)) == 3
    assert products(app)[int(first.reference)].fields["salesPrice"] == Decimal("49.90")
    assert products(app)[int(first.reference)].fields["status"] == "inactive"


@pytest.mark.parametrize("fault", ["error_before", "cut_before", "error_after", "timeout_after", "half"])
def test_a_product_whose_answer_is_lost_is_there_once(connect: Connect, app: App, fault: str) -> None:
    for operation in ("rest:POST /products", "soap:SaveProducts"):
        app.faults.add(operation, fault)
    with pytest.raises(Uncertain):
        connect().push(PRODUCT, posting())
    connect().find(DocumentKind.PRODUCT, posting(), PRODUCT)
    connect().push(PRODUCT, posting())
    assert len(products(app)) == 3


def test_the_gift_card_product_is_found_by_its_number(system: TwentyFourSevenOffice) -> None:
    wanted = Product(number="GIFTCARD", name="GIFTCARD", price=Decimal(0))
    assert system.find(DocumentKind.PRODUCT, posting("EH-X"), wanted) is not None
    missing = Product(number="GIFTCARD-2", name="GIFTCARD-2", price=Decimal(0))
    assert system.find(DocumentKind.PRODUCT, posting("EH-X"), missing) is None


@pytest.mark.parametrize("kind", [DocumentKind.CUSTOMER, DocumentKind.PRODUCT])
def test_only_what_changed_since_comes_oldest_first(
    system: TwentyFourSevenOffice, app: App, clock: Time, kind: DocumentKind
) -> None:
    clock.now += timedelta(minutes=5)
    since = clock.now
    assert changes(system, kind, since) == []
    wanted = []
    for number in range(3):
        clock.now += timedelta(minutes=1)
        document = PERSON if kind is DocumentKind.CUSTOMER else PRODUCT.model_copy(update={"number": f"P-{number}"})
        wanted.append(system.push(document, posting(f"EH-{number}")).reference)
    assert [change.reference for change in changes(system, kind, since)] == wanted
    assert all(change.changed_at >= since for change in changes(system, kind, since))


def test_hundreds_of_customers_changed_at_once_all_come(system: TwentyFourSevenOffice, app: App, clock: Time) -> None:
    at = clock.now + timedelta(minutes=1)
    clock.now = at
    org = app.world.organisation(seed.SHOP)
    for number in range(730):
        clock.now = at + timedelta(seconds=number // 250)
        seed.add_customer(org, f"Kunde {number:04}", clock.now)
    found = changes(system, DocumentKind.CUSTOMER, at)
    assert len({change.reference for change in found}) == 730


def test_ten_idle_looks_make_no_writes_and_see_the_same_versions(system: TwentyFourSevenOffice, app: App) -> None:
    system.push(CUSTOMER, posting())
    system.push(PRODUCT, posting())
    versions = {(one.kind, one.reference): one.version for kind in KINDS for one in changes(system, kind)}
    writes = [
        name for name in app.world.calls if "POST" in name or "PATCH" in name or ":Save" in name or ":Set" in name
    ]
    before = {name: app.world.calls[name] for name in writes}
    for _ in range(10):
        assert {(one.kind, one.reference): one.version for kind in KINDS for one in changes(system, kind)} == versions
    assert {name: app.world.calls[name] for name in writes} == before


KINDS = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)


def test_voucher_types_of_the_erps_own_are_told_apart(system: TwentyFourSevenOffice) -> None:
    offered = system.setup(str(seed.SHOP))
    assert {choice.key for choice in offered.voucher_types} == {"1", "2", "3", "4"}
    assert {choice.key for choice in offered.reserved_voucher_types} == {"-1", "-3"}


def test_the_product_of_gift_cards_is_made_where_it_is_missing(system: TwentyFourSevenOffice, app: App) -> None:
    shop = app.world.organisation(seed.SHOP)
    shop.products = {key: one for key, one in shop.products.items() if one.fields.get("number") != "GIFTCARD"}
    wanted = Product(number="GIFTCARD", name="Gavekort", price=Decimal(0), vat_rate=Decimal(0))
    only_company = Posting(KEY, {"company": str(seed.SHOP)})
    assert system.find(DocumentKind.PRODUCT, only_company, wanted) is None
    made = system.push(wanted, only_company)
    found = system.find(DocumentKind.PRODUCT, only_company, wanted)
    assert found is not None
    assert found.reference == made.reference
