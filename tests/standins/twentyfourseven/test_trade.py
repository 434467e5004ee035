"""Customers, products and orders at the stand-in, the same through REST and SOAP, and errors that stand in one row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, seed
from tests.standins.twentyfourseven.soap_client import NIL, Fault, Soap, Xml
from tests.standins.twentyfourseven.test_ledger import shop


def customer(**more: Any) -> dict[str, Any]:
    return {"isCompany": True, "name": "Fjord AS", "externalReference": "K-1"} | more


def test_a_customer_is_made_and_changed(rest: httpx.Client) -> None:
    made = rest.post(
        "/customers", json=customer(organizationNumber="933000001", email={"contact": "post@fjord.example"})
    ).json()
    changed = rest.patch(f"/customers/{made['id']}", json={"email": {"billing": "regning@fjord.example"}}).json()
    assert changed["email"] == {"contact": "post@fjord.example", "billing": "regning@fjord.example"}
    assert changed["modifiedAt"] >= made["createdAt"]
    assert " " in made["createdAt"]
    assert rest.get(f"/customers/{made['id']}").json() == changed


def test_a_person_is_named_by_both_names(rest: httpx.Client) -> None:
    person = {"isCompany": False, "person": {"firstName": "Åse", "lastName": "Øy"}}
    assert rest.post("/customers", json=person).json()["name"] == "Åse Øy"


def test_a_customer_may_have_a_number_of_ones_own_once(rest: httpx.Client) -> None:
    assert rest.post("/customers", json=customer(id=77)).json()["id"] == 77
    assert rest.post("/customers", json=customer(id=77)).status_code == 409


def test_customers_come_in_pages_of_at_most_a_hundred(app: App, rest: httpx.Client) -> None:
    for n in range(230):
        seed.add_customer(shop(app), f"Kunde {n}", app.world.now())
    answer, seen = rest.get("/customers", params={"limit": 100}), list[int]()
    while True:
        assert len(answer.json()) <= 100
        seen += [c["id"] for c in answer.json()]
        if "next" not in answer.links:
            break
        answer = rest.get(answer.links["next"]["url"])
    assert seen == sorted(shop(app).customers)
    assert len(rest.get("/customers").json()) == 25


def test_only_customers_changed_since_come(app: App, rest: httpx.Client) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    app.world.clock = lambda: later
    app.world.token_for = timedelta(days=3)
    for token in app.world.tokens.values():
        token.until = later + timedelta(hours=1)
    rest.patch("/customers/10001", json={"phone": "22334455"})
    since = (later - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [c["id"] for c in rest.get("/customers", params={"modifiedFrom": since}).json()] == [10001]


def test_a_change_that_changes_nothing_is_none(app: App, rest: httpx.Client) -> None:
    before = shop(app).customers[10001].modified
    rest.patch("/customers/10001", json={"name": "Nordlys Kafé AS"})
    assert shop(app).customers[10001].modified == before


def test_suppliers_are_customers_of_another_kind(rest: httpx.Client) -> None:
    assert [c["name"] for c in rest.get("/customers", params={"isSupplier": "true"}).json()] == ["Grossisten AS"]


def test_a_deleted_customer_is_gone_but_listed_as_inactive(rest: httpx.Client, soap: Soap) -> None:
    assert rest.delete("/customers/10001").status_code == 204
    assert rest.get("/customers/10001").status_code == 404
    page = soap("Company", "GetCompanySyncList", [("syncSearchParameters", [("Active", NIL)])])
    assert {c["CompanyId"]: c["Active"] for c in page["Items"]} == {"10001": "false", "10002": "true"}


def test_a_customer_is_found_by_the_tills_number_over_soap(rest: httpx.Client, soap: Soap) -> None:
    made = rest.post("/customers", json=customer()).json()
    wanted: Xml = [
        ("searchParams", [("ExternalId", "K-1")]),
        ("returnProperties", [("string", "Name"), ("string", "ExternalId")]),
    ]
    assert soap("Company", "GetCompanies", wanted) == [{"Id": str(made["id"]), "ExternalId": "K-1", "Name": "Fjord AS"}]


def test_one_bad_company_does_not_stop_the_others(app: App, soap: Soap) -> None:
    companies: Xml = [
        ("Company", [("ExternalId", "A"), ("Name", "Første AS"), ("Type", "Business")]),
        ("Company", [("ExternalId", "B"), ("Type", "Business")]),
        ("Company", [("Id", 1), ("Name", "Ukjent")]),
    ]
    first, second, third = soap("Company", "SaveCompanies", [("companies", companies)])
    assert "APIException" not in first
    assert second["APIException"]["Message"] == "Name and Type are required for a new company."
    assert third["APIException"]["Type"] == "CompanyNotFound"
    assert len(shop(app).customers) == 3


# --- products --------------------------------------------------------------------------------------------------------


def test_a_product_is_made_changed_and_its_stock_set(rest: httpx.Client, soap: Soap) -> None:
    asked = {
        "name": "Te",
        "number": "TE-1",
        "category": {"id": 1},
        "salesPrice": 49.9,
        "stock": {"isManaged": True, "quantity": 3},
    }
    made = rest.post("/products", json=asked)
    assert made.status_code == 201
    key = made.json()["id"]
    assert rest.patch(f"/products/{key}", json={"stock": {"quantity": 12.5}}).json()["stock"] == {
        "isManaged": True,
        "quantity": 12.5,
    }
    assert soap("Product", "SetStockQuantity", [("productId", key), ("stockQuantity", "7")]) == "true"
    assert rest.get("/products", params={"productNumber": "TE-1"}).json()[0]["stock"]["quantity"] == 7
    assert soap("Product", "SetStockQuantity", [("productId", 1), ("stockQuantity", "7")]) == "false"


def test_a_product_needs_a_name_and_a_category_that_exists(careless_rest: httpx.Client) -> None:
    assert careless_rest.post("/products", json={"name": "Te"}).status_code == 400
    assert careless_rest.post("/products", json={"name": "Te", "category": {"id": 9}}).status_code == 400


def test_the_gift_card_exists_in_one_company_only(app: App, rest: httpx.Client) -> None:
    assert len(rest.get("/products", params={"productNumber": "GIFTCARD"}).json()) == 1
    cafe = app.world.organisation(seed.CAFE)
    assert "GIFTCARD" not in {p.fields["number"] for p in cafe.products.values()}


def test_products_are_searched_with_wildcards(rest: httpx.Client) -> None:
    assert [p["number"] for p in rest.get("/products", params={"productSearch": "kaff%"}).json()] == ["KAFFE-250"]


def test_one_bad_product_does_not_stop_the_others(soap: Soap) -> None:
    products: Xml = [
        ("Product", [("Name", "Saft"), ("CategoryId", 1), ("Price", "25.50"), ("No", "S-1")]),
        ("Product", [("Name", "Uten kategori"), ("No", "S-2")]),
    ]
    first, second = soap("Product", "SaveProducts", [("products", products)])
    assert first["No"] == "S-1"
    assert "Category None" in second["APIException"]["Message"]
    asked: Xml = [("searchParams", [("No", "S-1")]), ("returnProperties", [("string", "Price"), ("string", "Stock")])]
    assert soap("Product", "GetProducts", asked)[0]["Price"] == "25.50"
    assert soap("Product", "GetCategories", [("returnProperties", [("string", "Name")])])[0]["Name"] == "Varer"


# --- orders ----------------------------------------------------------------------------------------------------------


def order(rest: httpx.Client, **more: Any) -> dict[str, Any]:
    asked = {
        "customer": {"id": 10001, "name": "Nordlys Kafé AS"},
        "referenceNumber": "HUB-1",
        "date": "2026-03-14",
    } | more
    answer = rest.post("/salesorders", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_order_gets_its_lines_one_by_one_and_is_invoiced(rest: httpx.Client) -> None:
    made = order(rest)
    assert made["status"] == "Draft"
    refused = rest.patch(f"/salesorders/{made['id']}", json={"status": "Invoice"})
    assert refused.json()["error"]["payload"]["errors"][0]["type"] == "NoLines"
    line = {"product": {"number": "KAFFE-250"}, "quantity": 2, "price": 100, "tax": {"rate": 25}}
    added = rest.post(f"/salesorders/{made['id']}/lines", json=line).json()
    assert added["description"] == "Kaffe 250 g"
    rest.patch(f"/salesorders/{made['id']}/lines/{added['id']}", json={"quantity": 3})
    assert rest.get(f"/salesorders/{made['id']}/lines").json()[0]["quantity"] == 3
    done = rest.patch(f"/salesorders/{made['id']}", json={"status": "Invoice"}).json()
    assert done["grossAmount"] == 375
    assert done["invoice"]["number"] == 90001
    assert rest.post(f"/salesorders/{made['id']}/lines", json=line).status_code == 400
    assert rest.delete(f"/salesorders/{made['id']}").status_code == 409


def test_an_order_names_things_that_exist(careless_rest: httpx.Client) -> None:
    missing = careless_rest.post("/salesorders", json={"customer": {"id": 1, "name": "?"}})
    assert missing.status_code == 400
    wrong = {"dimensionType": 2, "value": "9", "name": "?"}
    refused = careless_rest.post("/salesorders", json={"customer": {"id": 10001, "name": "N"}, "dimensions": [wrong]})
    assert refused.json()["error"]["payload"]["errors"][0]["type"] == "DepartmentMissing"
    made = order(careless_rest)
    assert careless_rest.post(f"/salesorders/{made['id']}/lines", json={"product": {"number": "NO"}}).status_code == 400
    assert careless_rest.post(f"/salesorders/{made['id']}/lines", json={"vat": 25}).status_code == 400


def test_orders_are_listed_onward_by_token(rest: httpx.Client) -> None:
    made = [order(rest, referenceNumber=f"HUB-{n}")["id"] for n in range(60)]
    answer, seen = rest.get("/salesorders", params={"limit": 25, "status": "Draft"}), list[int]()
    while True:
        seen += [o["id"] for o in answer.json()]
        if "next" not in answer.links:
            break
        answer = rest.get(answer.links["next"]["url"])
    assert seen == made


def test_a_file_is_attached_to_an_order(rest: httpx.Client) -> None:
    made = order(rest)
    headers = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="z.pdf"'}
    put = rest.post(f"/salesorders/{made['id']}/attachments", content=b"%PDF-1.7", headers=headers)
    assert put.status_code == 201
    assert rest.get(f"/salesorders/{made['id']}/attachments").json()[0]["fileName"] == "z.pdf"
    assert (
        rest.post(f"/salesorders/{made['id']}/attachments", content=b"x" * 4_000_000, headers=headers).status_code
        == 413
    )


def save(soap: Soap, *fields: tuple[str, Any]) -> list[dict[str, Any]]:
    return soap("Invoice", "SaveInvoices", [("invoices", [("InvoiceOrder", list(fields))])])


def test_an_order_saved_over_soap_is_seen_over_rest(rest: httpx.Client, soap: Soap) -> None:
    row: Xml = [("InvoiceRow", [("ProductId", 501), ("Price", "79.20"), ("Name", "Kaffe"), ("Quantity", "2")])]
    (saved,) = save(soap, ("CustomerId", 10001), ("OrderStatus", "ForInvoicing"), ("IncludeVAT", NIL),
    ("InvoiceRows", row),
                    ("ReferenceNumber", "HUB-2"))  # fmt: skip
    assert "APIException" not in saved
    assert rest.get(f"/salesorders/{saved['OrderId']}").json()["referenceNumber"] == "HUB-2"
    wanted: Xml = [
        ("searchParams", [("OrderIds", [("int", saved["OrderId"])])]),
        ("invoiceReturnProperties", [("string", "OrderStatus"), ("string", "ReferenceNumber")]),
        ("rowReturnProperties", [("string", "Quantity")]),
    ]
    (found,) = soap("Invoice", "GetInvoices", wanted)
    assert found["OrderStatus"] == "ForInvoicing"
    assert found["InvoiceRows"] == [{"Quantity": "2"}]


def test_a_bad_order_says_so_in_its_row(app: App, soap: Soap) -> None:
    (refused,) = save(soap, ("CustomerId", 1), ("IncludeVAT", NIL))
    assert refused["APIException"]["Type"] == "CustomerNotFound"
    (empty,) = save(soap, ("CustomerId", 10001), ("OrderStatus", "Invoiced"), ("IncludeVAT", NIL))
    assert "without rows" in empty["APIException"]["Message"]
    assert not shop(app).orders


def test_no_more_than_a_thousand_orders_are_asked_for_at_once(soap: Soap) -> None:
    wanted: Xml = [("searchParams", [("OrderIds", [("int", n) for n in range(1001)])])]
    with pytest.raises(Fault, match="No more than 1000"):
        soap("Invoice", "GetInvoices", wanted)
