"""Every shop in its own books: a document goes where its location says, or waits with the reason."""

from typing import Any

import pytest

from erphub.erp.documents import Customer, DocumentKind
from erphub.platform.errors import Invalid
from erphub.sync.changes.models import SyncedRecord
from erphub.sync.changes.schemas import AcknowledgedChange, ChangesQuery, ChangeView
from erphub.sync.export_log.models import EntryStatus
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

Z, K, P, B = DocumentKind.SETTLEMENT, DocumentKind.CUSTOMER, DocumentKind.PRODUCT, DocumentKind.INVOICE
LINE = {"description": "Kaffe", "quantity": "1", "unit_price": "10", "vat_rate": "25"}
OSLO: dict[str, Any] = {"departments": ["Oslo"], "department": "10"}
MOSS: dict[str, Any] = {"departments": ["Moss", "2"], "company": "2", "department": "10", "from_date": "2026-01-15"}
MOSS_BAR: dict[str, Any] = {
    "departments": ["Moss"],
    "registers": ["Bar"],
    "department": "10",
    "accounts": {"sales": {"25": "3010"}, "payment_means": {"cash": "1900"}},
}


def routing(hub: SyncHub, name: str, kind: DocumentKind = Z) -> dict[str, Any]:
    [posted] = hub.vouchers(kind, name)
    return dict(posted.routing)


def test_each_location_has_its_own_company_department_and_accounts(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, MOSS, MOSS_BAR])
    for name, department, till in (("o", "Oslo", "1"), ("m", "moss", "1"), ("b", "Moss", "BAR")):
        hub.submit("settlement", name, **z_report(1), department=department, till=till)
    hub.transfer()
    assert [hub.entry(Z, name).status for name in "omb"] == [EntryStatus.SENT] * 3
    assert [(routing(hub, one)["company"], routing(hub, one)["department"]) for one in "omb"] == [
        ("1", "10"),
        ("2", "10"),
        ("1", "10"),
    ]
    assert [routing(hub, one)["sales_accounts"]["25"] for one in "omb"] == ["3000", "3000", "3010"]


@pytest.mark.parametrize(
    ("locations", "words"),
    [
        ([], {"department": "2"}),
        ([], {"department": "Avdeling 2"}),
        ([OSLO], {"department": "Moss"}),
        ([OSLO], {"department": ""}),
        ([OSLO], {"department": "", "till": "1"}),
        ([MOSS_BAR], {"department": "Moss", "till": "2"}),
    ],
)
def test_what_is_of_no_known_location_waits_with_the_reason_and_goes_once_it_is_mapped(
    hub: SyncHub, locations: list[dict[str, Any]], words: dict[str, str]
) -> None:
    hub.save(locations=locations)
    handed = hub.submit("settlement", "a", **z_report(1) | words)
    assert (handed.entry.status, handed.entry.code) == (EntryStatus.PENDING, "location_unknown")
    hub.transfer()
    assert (hub.entry(Z, "a").status, hub.entry(Z, "a").code) == (EntryStatus.PENDING, "location_unknown")
    assert not hub.erp.records
    for location in locations:
        assert location["departments"][0] in hub.entry(Z, "a").detail
    named = {"departments": [words["department"]]} if words["department"] else {"registers": [words.get("till") or "1"]}
    if not any(words.values()):
        return  # a document without any words is mapped by the till alone, which then says some
    hub.save(locations=[*locations, {**named, "department": "10"}])
    hub.transfer()
    assert hub.entry(Z, "a").status is EntryStatus.SENT


@pytest.mark.parametrize("kind", ["settlement", "invoice", "customer", "product"])
@pytest.mark.parametrize(
    ("word", "department", "code"),
    [
        ("", "10", ""),
        ("10", "10", ""),
        ("Oslo", "10", ""),
        ("20", "20", ""),
        (" 20 ", "20", ""),
        ("２０", "20", ""),
        ("moss  sentrum", "20", ""),
        ("Bergen", "30", ""),
        ("30", "30", ""),
        ("40", "", "location_ambiguous"),
        ("Halden", "", "location_ambiguous"),
        ("020", "", "location_unknown"),
        ("2", "", "location_unknown"),
        ("Avdeling 20", "", "location_unknown"),
        ("Moss", "", "location_unknown"),
        ("Tromsø", "", "location_unknown"),
    ],
)
def test_a_department_of_the_erp_is_meant_by_its_number_or_its_name_alone(
    hub: SyncHub, kind: str, word: str, department: str, code: str
) -> None:
    hub.erp.departments |= {"20": "Moss Sentrum", "30": "Bergen", "40": "Halden", "50": "40", "60": "Halden"}
    hub.save(customer_direction="off" if kind == "invoice" else "till")
    fields: dict[str, Any] = {
        "settlement": z_report(1),
        "invoice": {"date": "2026-01-31", "customer_id": "1", "number": "1", "lines": [LINE]},
        "customer": {"name": "Fjell"},
        "product": {"number": "a", "name": "Vare", "price": "1"},
    }[kind]
    handed = hub.submit(kind, "a", **fields, department=word)
    assert (handed.entry.status, handed.entry.code) == (EntryStatus.PENDING, code)
    hub.transfer()
    entry = hub.entry(DocumentKind(kind), "a")
    if code:
        assert (entry.status, entry.code) == (EntryStatus.PENDING, code)
        assert "20 Moss Sentrum" in entry.detail or "40 Halden" in entry.detail, "the choices"
        assert not hub.erp.records
    else:
        assert entry.status is EntryStatus.SENT
        assert routing(hub, "a", entry.kind)["department"] == department


def test_departments_of_the_erp_are_not_guessed_where_shops_belong_to_two_companies(hub: SyncHub) -> None:
    """Each company has a department 20, and the document says of neither that it is meant."""
    hub.erp.departments |= {"20": "Moss"}
    hub.save(locations=[OSLO, {"departments": ["Halden"], "company": "2", "department": "10"}])
    hub.submit("settlement", "a", **z_report(1), department="20")
    hub.transfer()
    assert (hub.entry(Z, "a").status, hub.entry(Z, "a").code) == (EntryStatus.PENDING, "location_unknown")
    assert "20 Moss" not in hub.entry(Z, "a").detail


def test_a_department_that_is_new_in_the_erp_is_taken_once_the_erp_was_asked_again(hub: SyncHub) -> None:
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.erp.departments |= {"20": "Moss"}
    hub.transfer()
    assert hub.entry(Z, "a").code == "location_unknown"
    for company in ("2", "1", ""):
        offered = hub.settings_service.refresh(CLIENT, CONNECTION, company).departments
        assert [one.key for one in offered] == ["10", "20"]
    hub.transfer()
    assert (hub.entry(Z, "a").status, routing(hub, "a")["department"]) == (EntryStatus.SENT, "20")


def test_what_another_company_has_to_choose_from_is_not_taken_for_the_settings_own(hub: SyncHub) -> None:
    hub.erp.departments |= {"20": "Moss"}
    hub.settings_service.refresh(CLIENT, CONNECTION, "2")
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.transfer()
    assert hub.entry(Z, "a").code == "location_unknown"


def test_words_that_mean_two_locations_are_nobodys(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, {"registers": ["Bar"], "department": "10"}])
    hub.submit("settlement", "a", **z_report(1), department="Oslo", till="Bar")
    hub.transfer()
    assert (hub.entry(Z, "a").status, hub.entry(Z, "a").code) == (EntryStatus.PENDING, "location_ambiguous")


def test_what_waits_for_its_location_holds_up_no_other(hub: SyncHub) -> None:
    hub.save(locations=[OSLO])
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.submit("settlement", "b", **z_report(2), department="Oslo")
    hub.transfer()
    assert [hub.entry(Z, one).status for one in "ab"] == [EntryStatus.PENDING, EntryStatus.SENT]


def test_an_invoice_goes_to_the_books_of_its_department(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, MOSS])
    body = {"date": "2026-01-31", "customer_id": "K1", "lines": [LINE]}
    hub.submit("customer", "K1", name="Fjell", department="Moss")
    hub.submit("invoice", "I1", **body, number="1", department="2")
    hub.submit("invoice", "I2", **body, number="2", department="Halden")
    hub.transfer()
    assert routing(hub, "K1", K)["company"] == routing(hub, "I1", B)["company"] == "2"
    assert hub.entry(B, "I2").code == "location_unknown"


@pytest.mark.parametrize(
    ("kind", "fields"), [("customer", {"name": "Fjell"}), ("product", {"number": "x", "name": "Vare", "price": "1"})]
)
def test_where_shops_belong_to_two_companies_a_record_says_whose_it_is(
    hub: SyncHub, kind: str, fields: dict[str, str]
) -> None:
    hub.save(locations=[OSLO, MOSS])
    of = DocumentKind(kind)
    hub.submit(kind, "x", **fields)
    hub.transfer()
    assert hub.entry(of, "x").code == "location_unknown"
    hub.submit(kind, "x", **fields, department="Moss")
    hub.transfer()
    assert routing(hub, "x", of)["company"] == "2"


def test_a_record_of_the_only_company_needs_no_shop(hub: SyncHub) -> None:
    hub.save(locations=[OSLO])
    hub.submit("customer", "K1", name="Fjell")
    hub.transfer()
    assert hub.entry(K, "K1").status is EntryStatus.SENT


def test_each_location_has_a_from_date_of_its_own(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, MOSS])
    days = {"a": ("Oslo", "2026-01-10"), "b": ("Moss", "2026-01-10"), "c": ("Moss", "2026-01-20")}
    for number, (name, (department, day)) in enumerate(days.items(), 1):
        hub.submit("settlement", name, **z_report(number, day), department=department)
    hub.transfer()
    assert [hub.entry(Z, one).status for one in "abc"] == [EntryStatus.SENT, EntryStatus.SKIPPED, EntryStatus.SENT]
    hub.save(locations=[OSLO, MOSS | {"from_date": "2026-01-02"}])
    hub.transfer()
    assert hub.entry(Z, "b").status is EntryStatus.SENT


@pytest.mark.parametrize(
    ("locations", "pointer", "code"),
    [
        ([{"department": "10"}], "/locations/0", "location_without_words"),
        ([OSLO, {"departments": ["OSLO "], "department": "10"}], "/locations/1", "location_repeated"),
        ([OSLO | {"department": "99"}], "/locations/0/department", "department_unknown"),
        ([OSLO | {"company": "9"}], "/locations/0/company", "company_unknown"),
        ([OSLO | {"voucher_type": "9"}], "/locations/0/voucher_type", "voucher_type_unknown"),
        ([OSLO | {"time_zone": "Mars"}], "/locations/0/time_zone", "time_zone_unknown"),
        (
            [OSLO | {"accounts": {"sales": {"25": "9999"}, "payment_means": {"cash": "1900"}}}],
            "/locations/0/accounts/sales/25",
            "account_missing",
        ),
    ],
)
def test_settings_say_what_is_wrong_with_a_location(
    hub: SyncHub, locations: list[dict[str, Any]], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        hub.save(locations=locations)
    assert (pointer, code) in [(one.pointer, one.code) for one in caught.value.errors]


def test_what_locations_leave_to_the_settings_is_wrong_there_alone_and_in_another_company_anew(hub: SyncHub) -> None:
    with pytest.raises(Invalid) as caught:
        hub.save(voucher_type="9", time_zone="Mars", locations=[OSLO, MOSS])
    assert OSLO.get("company", "1") == "1", "as the settings"
    assert MOSS["company"] != "1"
    assert [(one.pointer, one.code) for one in caught.value.errors] == [
        ("/voucher_type", "voucher_type_unknown"),
        ("/time_zone", "time_zone_unknown"),
        ("/locations/1/voucher_type", "voucher_type_unknown"),
    ]


BAR: dict[str, Any] = {"departments": ["Moss"], "registers": ["Bar"], "department": "10", "company": "2"}


@pytest.mark.parametrize(
    ("before", "words", "now", "moved"),
    [
        ([MOSS], ("Moss", ""), [MOSS | {"company": "1"}], "/locations/0/company"),
        ([MOSS], ("2", ""), [MOSS | {"company": "1", "departments": ["2"]}], "/locations/0/company"),
        ([MOSS], ("moss ", ""), [MOSS | {"company": "1", "departments": ["2", "Moss"]}], "/locations/0/company"),
        ([MOSS], ("Moss", ""), [MOSS | {"company": "1", "departments": ["2"]}], None),
        ([MOSS], ("Moss", ""), [MOSS | {"departments": ["Halden"], "company": "1"}], None),
        ([MOSS], ("Moss", ""), [OSLO, MOSS], None),
        ([MOSS], ("Moss", "Bar"), [MOSS, MOSS_BAR], "/locations/1/company"),
        ([MOSS], ("Moss", "Kasse"), [MOSS, MOSS_BAR], None),
        ([MOSS_BAR, MOSS], ("Moss", "Bar"), [MOSS], "/locations/0/company"),
        ([BAR, OSLO], ("Moss", "Bar"), [BAR | {"departments": []}, OSLO], None),
        ([BAR, OSLO], ("Moss", "Bar"), [BAR | {"departments": [], "company": "1"}, OSLO], "/locations/0/company"),
        ([], ("", ""), [{"registers": ["1"], "company": "2", "department": "10"}], None),
        ([], ("10", ""), [{"departments": ["10"], "company": "2", "department": "10"}], "/locations/0/company"),
        ([], ("Oslo", "1"), [{"registers": ["1"], "company": "2", "department": "10"}], "/locations/0/company"),
        ([OSLO, MOSS], ("Moss", ""), [OSLO | {"company": "2"}, MOSS], None),
    ],
)
def test_a_shop_with_documents_does_not_move_to_another_company_by_any_of_its_words(
    hub: SyncHub, before: list[dict[str, Any]], words: tuple[str, str], now: list[dict[str, Any]], moved: str | None
) -> None:
    hub.save(locations=before)
    hub.submit("settlement", "a", **z_report(1), department=words[0], till=words[1])
    hub.transfer()
    assert hub.entry(Z, "a").status is EntryStatus.SENT
    if moved is None:
        hub.save(locations=now)
        return
    with pytest.raises(Invalid) as caught:
        hub.save(locations=now)
    assert [(one.pointer, one.code) for one in caught.value.errors] == [(moved, "company_fixed")]


def test_a_shop_that_belongs_to_another_company_from_now_on_follows_the_advice(hub: SyncHub) -> None:
    hub.save(locations=[MOSS])
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.transfer()
    with pytest.raises(Invalid, match="errors"):
        hub.save(locations=[MOSS | {"company": "1"}])
    hub.save(locations=[MOSS, {"departments": ["Moss Torg"], "company": "1", "department": "10"}])
    hub.submit("settlement", "b", **z_report(2), department="Moss Torg")
    hub.transfer()
    assert [routing(hub, name)["company"] for name in "ab"] == ["2", "1"]


def test_a_shop_whose_first_company_took_nothing_moves_though_others_have_documents(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, MOSS | {"company": "2"}])
    hub.submit("settlement", "a", **z_report(1), department="Oslo")
    hub.transfer()
    hub.save(locations=[OSLO, MOSS | {"company": "1"}])


def test_the_settings_company_moves_while_only_another_has_documents(hub: SyncHub) -> None:
    hub.erp.companies |= {"3": "Ny"}
    hub.save(locations=[MOSS])
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.transfer()
    assert hub.save(company="3").settings.company == "3"


def test_what_may_be_in_the_erp_is_looked_for_where_it_went(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, MOSS])
    hub.submit("settlement", "a", **z_report(1), department="Moss")
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    assert hub.entry(Z, "a").status is EntryStatus.UNCERTAIN
    hub.clock.pass_(minutes=25)
    hub.transfer()
    assert hub.entry(Z, "a").status is EntryStatus.SENT
    assert len(hub.erp.records) == 1
    assert routing(hub, "a")["company"] == "2"


# --- records of several companies ------------------------------------------------------------------------------------

TWO = [OSLO, MOSS]
TWO_WORDS = {"1": "Oslo", "2": "Moss"}


def change_of(hub: SyncHub, company: str) -> Any:
    [change] = [one for one in hub.changes.list_changes(CLIENT, CONNECTION, ChangesQuery()) if one.company == company]
    return ChangeView.of(change)


def edited(hub: SyncHub, name: str, **changes: Any) -> None:
    hub.clock.pass_(minutes=5)
    hub.erp.edit(hub.entry(K, name).reference, **changes)
    hub.clock.pass_(minutes=5)
    hub.transfer()


def test_a_change_of_each_company_is_offered_and_taken_over_as_that_companys(hub: SyncHub) -> None:
    hub.save(locations=TWO)
    for name, department in (("K1", "Oslo"), ("K2", "Moss")):
        hub.submit("customer", name, name="Fjell", department=department)
    hub.transfer()
    for name, company in (("K1", "1"), ("K2", "2")):
        edited(hub, name, email=f"{name.lower()}@example.no")
        change = change_of(hub, company)
        assert (change.external_id, change.changed_fields) == (name, ["email"])
        taken = hub.acknowledge(AcknowledgedChange(change_id=change.change_id))
        assert taken is not None
        assert hub.entry(K, name).status is EntryStatus.SENT
    for name, company in (("K1", "1"), ("K2", "2")):
        hub.submit("customer", name, name="Fjellet", email=f"{name.lower()}@example.no", department=TWO_WORDS[company])
    hub.transfer()
    assert sorted((one.company, one.document.name) for one in hub.erp.records.values()) == [
        ("1", "Fjellet"),
        ("2", "Fjellet"),
    ]


@pytest.mark.parametrize("company", ["1", "2"])
def test_a_record_that_a_company_made_itself_comes_to_the_till_as_a_document_of_its_shop(
    hub: SyncHub, company: str
) -> None:
    hub.save(locations=TWO, customer_direction="erp")
    hub.erp.create(Customer(name="Kyst"), company)
    hub.transfer()
    change = change_of(hub, company)
    assert change.document["department"] == TWO_WORDS[company]
    hub.acknowledge(AcknowledgedChange(change_id=change.change_id, external_id="K9"))
    assert hub.entry(K, "K9").destination["company"] == company
    hub.submit("customer", "K9", **change.document | {"email": "kyst@example.no"})
    hub.transfer()
    [record] = hub.erp.records.values()
    assert (record.company, record.document.email) == (company, "kyst@example.no")


def test_how_far_changes_were_fetched_is_kept_company_by_company(hub: SyncHub) -> None:
    hub.save(locations=TWO, customer_direction="erp")
    hub.erp.create(Customer(name="Fjell"), "1")
    hub.transfer()
    hub.clock.pass_(minutes=30)
    hub.erp.create(Customer(name="Kyst"), "2")
    hub.transfer()
    assert {one.company for one in hub.changes.list_changes(CLIENT, CONNECTION, ChangesQuery())} == {"1", "2"}
    assert set(hub.sync().cursors) == {"customer", "customer@2"}


def test_the_same_number_in_two_companies_is_two_records(hub: SyncHub) -> None:
    hub.save(locations=TWO, product_direction="erp")
    for company in ("1", "2"):
        hub.records.save(
            CLIENT,
            CONNECTION,
            SyncedRecord(kind=P, company="" if company == "1" else company, reference="7", external_id=f"p{company}"),
        )
    assert [
        one.external_id for one in (hub.records.get(CLIENT, CONNECTION, P, "7", of) for of in ("", "2")) if one
    ] == [
        "p1",
        "p2",
    ]


def test_a_record_whose_shop_changes_is_new_in_the_other_company(hub: SyncHub) -> None:
    """The number that it has in the first company is somebody else in the second."""
    hub.save(locations=TWO)
    hub.submit("customer", "K1", name="Fjell", department="Oslo")
    hub.transfer()
    hub.submit("customer", "K1", name="Fjell og Kyst", department="Moss")
    hub.transfer()
    assert sorted((one.company, one.document.name) for one in hub.erp.records.values()) == [
        ("1", "Fjell"),
        ("2", "Fjell og Kyst"),
    ]
    assert hub.entry(K, "K1").destination["company"] == "2"
    hub.submit("customer", "K1", name="Kyst", department="Moss")
    hub.transfer()
    assert len(hub.erp.records) == 2


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "die_before", "die_after"])
def test_a_record_that_moves_while_answers_are_lost_is_in_each_company_once(hub: SyncHub, fault: str) -> None:
    hub.save(locations=TWO)
    hub.submit("customer", "K1", name="Fjell", department="Oslo")
    hub.transfer()
    hub.submit("customer", "K1", name="Fjell og Kyst", department="Moss")
    hub.erp.faults = [fault]
    hub.transfer()
    for _ in range(3):
        hub.clock.pass_(minutes=25)
        hub.work()
        hub.transfer()
    assert sorted((one.company, one.document.name) for one in hub.erp.records.values()) == [
        ("1", "Fjell"),
        ("2", "Fjell og Kyst"),
    ]
    assert hub.entry(K, "K1").status is EntryStatus.SENT


def test_an_invoice_does_not_take_the_number_that_its_customer_has_in_another_company(hub: SyncHub) -> None:
    hub.save(locations=TWO)
    hub.submit("customer", "K1", name="Fjell", department="Oslo")
    hub.submit("customer", "K1-moss", name="Fjell", department="Moss")
    body = {"date": "2026-01-31", "department": "Moss", "lines": [LINE]}
    hub.submit("invoice", "I1", **body, number="1", customer_id="K1")
    hub.submit("invoice", "I2", **body, number="2", customer_id="K1-moss")
    hub.transfer()
    assert (hub.entry(B, "I1").status, hub.entry(B, "I1").code) == (EntryStatus.PENDING, "customer_in_another_company")
    assert hub.entry(B, "I2").status is EntryStatus.SENT
    hub.submit("customer", "K1", name="Fjell", department="Moss")
    hub.transfer()
    assert hub.entry(B, "I1").status is EntryStatus.SENT


def test_a_customer_of_a_shop_that_is_meant_by_its_registers_belongs_to_its_company(hub: SyncHub) -> None:
    hub.save(locations=[OSLO, BAR])
    hub.submit("customer", "K1", name="Fjell", department="Moss")
    hub.transfer()
    assert routing(hub, "K1", K)["company"] == "2"
