"""Invoice bases become orders or drafts once, whole before they are confirmed, gift cards by their own product."""

from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind, Invoice, InvoiceLine
from erphub.erp.posting import Posting
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import ErpRefused, Unavailable, Uncertain
from local.erps.twentyfourseven import App, seed
from tests.erp.systems.twentyfourseven.conftest import KEY, Connect, day, posting

KIND = DocumentKind.INVOICE


def invoice(app: App, *lines: InvoiceLine) -> Invoice:
    coffee = InvoiceLine(
        product_no="KAFFE-250",
        description="Kaffe 250 g",
        quantity=Decimal("2.5"),
        unit_price=Decimal("79.20"),
        vat_rate=Decimal(15),
        discount_percent=Decimal(10),
    )
    card = InvoiceLine(
        description="Gavekort", quantity=Decimal(1), unit_price=Decimal(500), vat_rate=Decimal(0), gift_card=True
    )
    return Invoice(
        date=day(app), customer_id="T-1", your_reference="Kari", comment="Takk", lines=lines or (coffee, card)
    )


def to_customer(key: str = KEY, **changes: Any) -> Posting:
    return posting(key, known={"customer:T-1": "10001"}, **changes)


def orders(app: App, company: int = seed.SHOP) -> list[Any]:
    return list(app.world.organisation(company).orders.values())


def test_an_invoice_becomes_a_draft_with_its_lines(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(invoice(app), to_customer())
    [order] = orders(app)
    assert posted.reference == str(order.id)
    assert order.status == "Draft"
    assert order.fields["referenceNumber"] == KEY
    assert order.fields["customer"]["id"] == 10001
    assert order.fields["dimensions"][0]["value"] == "1"
    lines = list(order.lines.values())
    assert [(line["description"], Decimal(str(line["quantity"])), Decimal(str(line["price"]))) for line in lines] == [
        ("Kaffe 250 g", Decimal("2.5"), Decimal("79.2")),
        ("Gavekort", Decimal(1), Decimal(500)),
    ]
    assert lines[1]["product"]["number"] == "GIFTCARD"
    assert Decimal(str(lines[0]["discountRate"])) == 10
    assert Decimal(str(lines[0]["tax"]["rate"])) == 15


def test_as_an_order_it_is_confirmed_when_it_is_whole(system: TwentyFourSevenOffice, app: App) -> None:
    system.push(invoice(app), to_customer(routing={"invoices_as": "order"}))
    [order] = orders(app)
    assert order.status == "Confirmed"
    assert len(order.lines) == 2


def test_it_is_found_by_its_key(system: TwentyFourSevenOffice, app: App) -> None:
    assert system.find(KIND, to_customer(), invoice(app)) is None
    posted = system.push(invoice(app), to_customer())
    found = system.find(KIND, to_customer(), invoice(app))
    assert found is not None
    assert found.reference == posted.reference
    assert system.find(KIND, to_customer("EH-OTHER"), invoice(app)) is None


def test_preview_names_every_call_and_makes_none(system: TwentyFourSevenOffice, app: App) -> None:
    calls = system.preview(invoice(app), to_customer(routing={"invoices_as": "order"}))
    assert "Kaffe 250 g" in str(calls)
    assert orders(app) == []


REST_STEPS = [
    ("rest:POST /salesorders", 0),
    ("rest:POST /salesorders/{id}/lines", 0),
    ("rest:POST /salesorders/{id}/lines", 1),
    ("rest:PATCH /salesorders/{id}", 0),
]


@pytest.mark.parametrize(("operation", "after"), REST_STEPS)
@pytest.mark.parametrize("fault", ["error_before", "cut_before", "error_after", "timeout_after", "half"])
def test_wherever_it_breaks_off_sending_again_ends_with_one_whole_order(
    by_organisation: Connect, app: App, operation: str, after: int, fault: str
) -> None:
    routed = to_customer(routing={"invoices_as": "order"})
    app.faults.add(operation, fault, after=after)
    with pytest.raises((Uncertain, Unavailable)):
        by_organisation().push(invoice(app), routed)
    again = by_organisation()
    if again.find(KIND, routed, invoice(app)) is None:
        again.push(invoice(app), routed)
    [order] = orders(app)
    assert order.status == "Confirmed"
    assert len(order.lines) == 2


@pytest.mark.parametrize("fault", ["error_before", "cut_before", "error_after", "timeout_after", "half"])
def test_over_soap_too_there_is_one_order(by_user: Connect, app: App, fault: str) -> None:
    app.faults.add("soap:SaveInvoices", fault)
    with pytest.raises(Uncertain):
        by_user().push(invoice(app), to_customer())
    if by_user().find(KIND, to_customer(), invoice(app)) is None:
        by_user().push(invoice(app), to_customer())
    [order] = orders(app)
    assert len(order.lines) == 2


def test_an_order_begun_by_us_and_changed_by_hand_is_left_alone(by_organisation: Connect, app: App) -> None:
    app.faults.add("rest:POST /salesorders/{id}/lines", "cut_before", after=1)
    with pytest.raises(Uncertain):
        by_organisation().push(invoice(app), to_customer())
    [order] = orders(app)
    next(iter(order.lines.values()))["description"] = "Something else"
    with pytest.raises(ErpRefused) as caught:
        by_organisation().push(invoice(app), to_customer())
    assert caught.value.code == "order_was_changed"


def test_a_gift_card_without_its_product_gets_the_advice(system: TwentyFourSevenOffice, app: App) -> None:
    shop = app.world.organisation(seed.SHOP)
    shop.products = {key: one for key, one in shop.products.items() if one.fields.get("number") != "GIFTCARD"}
    with pytest.raises(ErpRefused) as caught:
        system.push(invoice(app), to_customer())
    assert caught.value.code == "gift_card_product_missing"
    assert "GIFTCARD" in caught.value.detail
    assert orders(app) == []


def test_a_product_that_is_not_there_is_named(system: TwentyFourSevenOffice, app: App) -> None:
    line = InvoiceLine(
        product_no="TE-1", description="Te", quantity=Decimal(1), unit_price=Decimal(10), vat_rate=Decimal(15)
    )
    with pytest.raises(ErpRefused) as caught:
        system.push(invoice(app, line), to_customer())
    assert caught.value.code == "product_missing"
    assert "TE-1" in caught.value.detail


def test_a_customer_that_is_not_there_yet_is_said(system: TwentyFourSevenOffice, app: App) -> None:
    with pytest.raises(ErpRefused) as caught:
        system.push(invoice(app), posting())
    assert caught.value.code == "customer_unknown"
