"""The stand-in's ledger: what may be posted, what is refused, drafts, numbers, and reading it back."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, admin, seed
from local.erps.twentyfourseven.shapes import ACCOUNTING, OFFICE
from local.erps.twentyfourseven.state import Organisation
from tests.standins.twentyfourseven.soap_client import NIL, Fault, Soap, Xml

DAY = "2026-03-14"


def voucher(*lines: dict[str, Any], **changed: Any) -> dict[str, Any]:
    sale = (
        {"accountNumber": 3000, "amount": -125.0, "tax": {"number": 3}},
        {"accountNumber": 1900, "amount": 125, "tax": {"number": 0}},
    )
    return {"transactionTypeNumber": 3, "date": DAY, "comment": "Z 17", "lines": list(lines or sale)} | changed


def shop(app: App) -> Organisation:
    return app.world.organisation(seed.SHOP)


def lines_of(rest: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    answer = rest.get("/transactionlines", params={"dateFrom": "2026-01-01", "dateTo": "2027-01-01"} | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_balanced_voucher_is_posted_with_its_vat_taken_out(rest: httpx.Client) -> None:
    made = rest.post("/transactions", json=voucher())
    assert made.status_code == 201
    found = lines_of(rest)
    assert [(line["account"]["number"], line["amount"]) for line in found] == [(3000, -100), (2700, -25), (1900, 125)]
    assert {line["transaction"]["id"] for line in found} == {made.json()["transactionId"]}
    assert {line["comment"] for line in found} == {"Z 17"}


def test_a_line_may_have_its_own_words_and_its_own_vat(rest: httpx.Client) -> None:
    sale = {"accountNumber": 3000, "amount": -125, "tax": {"number": 3, "amount": -24.99}, "comment": "mine"}
    rest.post("/transactions", json=voucher(sale, {"accountNumber": 1900, "amount": 125, "tax": {"number": 0}}))
    assert [(line["amount"], line["comment"]) for line in lines_of(rest)] == [
        (-100.01, "mine"),
        (-24.99, "mine"),
        (125, "Z 17"),
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"date": "2031-01-01"}, "not set up"),
        ({"date": "2024-05-01"}, "is closed"),
        ({"transactionTypeNumber": 99}, "transaction type"),
        ({"transactionTypeNumber": -1}, "not valid"),
        ({"comment": "x" * 76}, "not valid"),
        ({"documentId": 4711}, "Document 4711"),
        ({"lines": []}, "at least one line"),
        ({"lines": [{"accountNumber": 1, "amount": 0, "tax": {"number": 0}}]}, "Account 1 does not exist"),
        ({"lines": [{"accountNumber": 1900, "amount": 0, "tax": {"number": 9}}]}, "Tax code 9"),
        ({"lines": [{"accountNumber": 1900, "amount": 0.01, "tax": {"number": 0}}]}, "does not balance on 2026-03-14"),
        ({"lines": [{"accountNumber": 1900, "amount": 0, "tax": {"number": 0},
                     "dimensions": [{"dimensionType": 2, "value": "77"}]}]}, "no element 77"),
    ],
)  # fmt: skip
def test_what_the_ledger_cannot_take_is_refused_and_nothing_is_posted(
    app: App, careless_rest: httpx.Client, changed: dict[str, Any], words: str
) -> None:
    refused = careless_rest.post("/transactions", json=voucher(**changed))
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]
    assert refused.json()["error"]["payload"]["validationErrors"]
    assert not shop(app).vouchers


def test_more_than_a_thousand_lines_are_refused(app: App, careless_rest: httpx.Client) -> None:
    line = {"accountNumber": 1900, "amount": 0, "tax": {"number": 0}}
    assert careless_rest.post("/transactions", json=voucher(lines=[line] * 1000)).status_code == 201
    assert careless_rest.post("/transactions", json=voucher(lines=[line] * 1001)).status_code == 400
    assert len(shop(app).vouchers) == 1


def test_each_date_of_a_voucher_balances_on_its_own(app: App, rest: httpx.Client) -> None:
    lines = [
        {"accountNumber": 1900, "amount": 10, "tax": {"number": 0}, "date": "2026-03-13"},
        {"accountNumber": 1920, "amount": -10, "tax": {"number": 0}, "date": "2026-03-14"},
    ]
    refused = rest.post("/transactions", json=voucher(*lines))
    assert "2026-03-13" in refused.json()["error"]["message"]
    assert "2026-03-14" in refused.json()["error"]["message"]


def test_a_number_is_given_to_each_voucher_of_a_series_in_turn(rest: httpx.Client) -> None:
    for kind in (3, 3, 1, 3):
        rest.post("/transactions", json=voucher(transactionTypeNumber=kind))
    numbers = {(line["transactionType"]["id"], line["transaction"]["number"]) for line in lines_of(rest)}
    assert numbers == {(7002, 1), (7002, 2), (7000, 1), (7002, 3)}


def test_lines_come_in_pages_that_name_the_next(app: App, rest: httpx.Client) -> None:
    made = seed.fill_ledger(shop(app), 120, app.world.now())
    seen: list[str] = []
    answer = rest.get("/transactionlines", params={"dateFrom": "2025-01-01", "dateTo": "2027-01-01", "limit": 50})
    pages = 1
    while True:
        seen += [line["id"] for line in answer.json()]
        if "next" not in answer.links:
            break
        answer = rest.get(answer.links["next"]["url"])
        pages += 1
    assert len(seen) == len(set(seen)) == made
    assert pages == -(-made // 50)
    assert "previous" in answer.links


def test_the_end_date_is_not_included(rest: httpx.Client) -> None:
    rest.post("/transactions", json=voucher())
    assert lines_of(rest, dateFrom=DAY, dateTo=DAY) == []
    assert len(lines_of(rest, dateFrom=DAY, dateTo="2026-03-15")) == 3


def test_only_what_changed_since_is_read(app: App, rest: httpx.Client) -> None:
    seed.fill_ledger(shop(app), 10, datetime(2026, 1, 5, tzinfo=UTC))
    rest.post("/transactions", json=voucher())
    found = lines_of(rest, dateFrom="2025-01-01", modifiedFrom=datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z"))
    assert len(found) == 3
    narrow = {"transactionTypeId": 7002, "accountNumber": 1900, "transactionNumber": 1, "includeDimensions": "true"}
    assert [line["amount"] for line in lines_of(rest, **narrow)] == [125]


def test_dates_are_required(careless_rest: httpx.Client) -> None:
    assert careless_rest.get("/transactionlines").status_code == 400
    assert careless_rest.get("/transactionlines?dateFrom=14.03.2026&dateTo=2026-04-01").status_code == 400


def test_the_set_up_says_accounts_taxes_types_periods_and_sales_types(app: App, rest: httpx.Client) -> None:
    accounts = rest.get("/accounts").json()
    by_id = {account["id"]: account["number"] for account in accounts}
    sold = {by_id[kind["account"]["id"]] for kind in rest.get("/salestypes").json()}
    assert 3999 in by_id.values()
    assert 3000 in sold
    assert 3999 not in sold
    assert {t["number"]: t["rate"] for t in rest.get("/taxes").json()}[31] == 15
    assert {t["number"] for t in rest.get("/transactiontypes").json()} >= {1, 2, 3, -1}
    years = rest.get("/fiscalperiods").json()
    assert years[0]["endingDate"].endswith("-12-31")
    assert len(rest.get("/fiscalperiods", params={"type": "Period"}).json()) == 12 * len(years)
    assert rest.get(f"/accounts/{accounts[0]['id']}").json() == accounts[0]
    assert rest.get("/accounts", params={"query": "kontanter"}).json()[0]["number"] == 1900
    assert [e["name"] for e in rest.get("/dimensions/2/elements").json()] == ["Oslo", "Bergen"]
    assert rest.get("/dimensions/2/elements/2").json()["name"] == "Bergen"
    assert rest.get("/dimensions").json()[1] == {"id": 2, "name": "Department"}


def test_balances_agree_with_the_lines(app: App, rest: httpx.Client) -> None:
    seed.fill_ledger(shop(app), 300, app.world.now())
    found = rest.get("/accountbalances", params={"dateFrom": "2025-02-01", "dateTo": "2025-12-31"}).json()
    bank = next(b for b in found if b["account"]["number"] == 1920)["balances"]
    lines = [line for line in shop(app).lines() if line.account == 1920 and line.day.year == 2025]
    assert Decimal(str(bank[-1]["closing"])) == sum(line.amount for line in lines)
    assert bank[0]["opening"] != 0


# --- SOAP ------------------------------------------------------------------------------------------------------------


def bundle(
    number: int, *, option: int | None = None, amount: str = "125.00", comment: str = "Z 17", **more: Any
) -> Xml:
    entries: Xml = [
        ("Entry", [("AccountNo", 3000), ("Date", f"{DAY}T00:00:00"), ("Amount", f"-{amount}"), ("DepartmentId", 1),
                   ("TaxNo", "3"), ("Comment", comment), *more.get("extra", [])]),
        ("Entry", [("AccountNo", more.get("account", 1900)), ("Date", f"{DAY}T00:00:00"), ("Amount",
        more.get("other", amount)),
                   ("Comment", comment)]),
    ]  # fmt: skip
    vouchers: Xml = [("Voucher", [("TransactionNo", number), ("Entries", entries), ("Sort", 3)])]
    inner: Xml = [("YearId", more.get("year", 2026)), ("Vouchers", vouchers), ("Sort", 3), ("Name", comment)]
    chosen: Xml = [] if option is None else [("SaveOption", option)]
    return [("BundleList", [("Bundles", [("Bundle", inner)]), *chosen])]


def next_number(soap: Soap) -> int:
    asked = [("argEntryId", [("Date", f"{DAY}T00:00:00"), ("SortNo", 43), ("EntryNo", 0)])]
    return int(soap("Account", "GetEntryId", asked)["EntryNo"])


def test_a_voucher_waits_as_a_draft_until_it_is_approved(app: App, soap: Soap, rest: httpx.Client) -> None:
    assert soap("Account", "SaveBundleList", bundle(next_number(soap))) == {"Type": "Ok", "Description": None}
    assert lines_of(rest) == []
    (draft,) = shop(app).drafts.values()
    admin.approve(app.world, {"organisation": seed.SHOP, "draft": draft.id})
    assert [line["amount"] for line in lines_of(rest)] == [-100, -25, 125]
    assert not shop(app).drafts


def test_save_option_nought_goes_straight_to_the_ledger(app: App, soap: Soap, rest: httpx.Client) -> None:
    assert soap("Account", "SaveBundleList", bundle(1, option=0))["Type"] == "Ok"
    assert len(lines_of(rest)) == 3
    assert not shop(app).drafts


def test_a_number_is_read_but_not_reserved(soap: Soap) -> None:
    first = next_number(soap)
    assert next_number(soap) == first
    soap("Account", "SaveBundleList", bundle(first))
    assert next_number(soap) == first + 1


def test_the_same_draft_again_is_noticed_and_another_under_its_number_too(app: App, soap: Soap) -> None:
    assert soap("Account", "SaveBundleList", bundle(1))["Type"] == "Ok"
    assert soap("Account", "SaveBundleList", bundle(1))["Type"] == "DataAlreadySaved"
    assert soap("Account", "SaveBundleList", bundle(1, comment="Z 18"))["Type"] == "DuplicateData"
    assert len(shop(app).drafts) == 1


def test_an_installation_that_does_not_notice_makes_a_second_draft(app: App, soap: Soap) -> None:
    app.world.notices_duplicates = False
    for _ in range(2):
        assert soap("Account", "SaveBundleList", bundle(1))["Type"] == "Ok"
    assert len(shop(app).drafts) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [({"other": "124.99"}, "does not balance"), ({"account": 1}, "Account 1 does not exist"), ({"year": 2031},
    "2031 is not set up"),
     ({"year": 2025}, "not in the accounting year"), ({"extra": [("StampNo", 99)]}, "Document 99")],
)  # fmt: skip
def test_a_bundle_that_cannot_be_saved_says_why_in_a_good_answer(
    app: App, soap: Soap, more: dict[str, Any], words: str
) -> None:
    answer = soap("Account", "SaveBundleList", bundle(1, **more))
    assert answer["Type"] == "Exception"
    assert words in answer["Description"]
    assert not shop(app).drafts


def test_without_a_session_a_bundle_is_not_saved(app: App, soap: Soap) -> None:
    soap.session = "gone"
    assert soap("Account", "SaveBundleList", bundle(1))["Type"] == "NotAuthenticated"
    assert not shop(app).drafts


def test_soap_reads_what_rest_posted(rest: httpx.Client, soap: Soap) -> None:
    rest.post("/transactions", json=voucher())
    asked: Xml = [
        ("DateSearchParameters", "EntryDate"), ("DateStart", f"{DAY}T00:00:00"), ("DateEnd", f"{DAY}T23:59:59"),
        ("SystemType", NIL), ("HasInvoiceId", NIL),
    ]  # fmt: skip
    found = soap("Transaction", "GetTransactions", [("searchParams", asked)])
    assert [(t["AccountNo"], t["Amount"]) for t in found] == [
        ("3000", "-100.00"),
        ("2700", "-25.00"),
        ("1900", "125.00"),
    ]
    asked[2] = ("DateEnd", f"{DAY}T00:00:00")
    assert len(soap("Transaction", "GetTransactions", [("searchParams", asked)])) == 3


def test_soap_says_the_set_up_too(soap: Soap) -> None:
    assert {t["EntrySeriesId"] for t in soap("Account", "GetTypeList")} >= {"41", "43"}
    assert {t["No"] for t in soap("Transaction", "GetTransactionTypes")} >= {"3", "-1"}
    assert {t["TaxNo"]: t["TaxRate"] for t in soap("Account", "GetTaxCodeList")}["3"] == "25"
    locked = [y for y in soap("Transaction", "GetFiscalYears") if y["IsLocked"] == "true"]
    assert locked[0]["EndingDate"].endswith("-01-01T00:00:00.000")
    checked = soap("Account", "CheckAccountNo", [("accountList", [
        ("AccountData", [("AccountNo", 1900), ("AccountName", "Kontanter")]), ("AccountData", [("AccountNo",
        1)])])])  # fmt: skip
    assert [c["Error"] for c in checked] == ["Ok", "AccountDontExist"]
    assert {a["AccountNo"] for a in soap("Account", "GetAccountList")} >= {"1900", "3999"}
    assert "Salgsinntekt, høy sats" in {g["Name"] for g in soap("Client", "GetTypeGroupList", [("module", "Sale")])}
    assert [d["Name"] for d in soap("Client", "GetDepartmentList")] == ["Oslo", "Bergen"]


def test_the_wrong_namespace_is_not_understood(careless_soap: Soap) -> None:
    wrong_case = OFFICE.replace("sevenOffice", "sevenoffice")
    refused = careless_soap.raw("Account", "GetAccountList", namespace=wrong_case)
    assert refused.status_code == 500
    assert "was not expected" in refused.text
    assert "was not expected" in careless_soap.raw("Transaction", "GetFiscalYears", namespace=OFFICE).text
    assert "GetFiscalYearsResult" in careless_soap.raw("Transaction", "GetFiscalYears", namespace=ACCOUNTING).text


def test_a_number_with_an_exponent_is_a_fault(careless_soap: Soap) -> None:
    with pytest.raises(Fault, match="correct format"):
        careless_soap("Product", "SetStockQuantity", [("productId", 501), ("stockQuantity", "1e3")])


def test_xml_that_brings_its_own_entities_is_refused(careless_soap: Soap) -> None:
    evil = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"{OFFICE}/HasSession"'}
    url = "https://api.24sevenoffice.com/authenticate/v001/authenticate.asmx"
    assert "DTD is prohibited" in careless_soap.client.post(url, content=evil, headers=headers).text
