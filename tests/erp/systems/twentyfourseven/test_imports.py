"""Imports from 24SevenOffice: every row once, exact, counted on the way, whatever the pages and faults do."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.datasets import BY_ID
from erphub.erp.reading import ChangeReport, DateRange
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven import datasets
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.erp.transports.http.rows import Anomalies, batch, types_of
from erphub.platform.errors import ErpRefused, Unavailable
from local.erps.twentyfourseven import App, seed
from local.erps.twentyfourseven.state import Line
from tests.erp.systems.twentyfourseven.conftest import Connect, posting, settlement
from tests.erp.systems.twentyfourseven.test_orders import invoice, to_customer

SHOP = FoundCompany(str(seed.SHOP), "Fjellbutikken AS")
LINES = 700
LEDGER = BY_ID["gl_transactions"]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def app() -> App:
    return App.seeded(LINES)


def rows(
    system: TwentyFourSevenOffice, dataset: str, window: DateRange | None = None
) -> tuple[list[dict[str, Any]], list[Any], list[Any]]:
    """Rows, totals and anomalies of a dataset, as an import reads them."""
    found = system.plan_reading(BY_ID[dataset], SHOP, window or DateRange(), 1000)
    assert found.types == types_of(BY_ID[dataset])
    read: list[dict[str, Any]] = []
    totals: list[Any] = []
    anomalies: list[Any] = []
    for part in found.slices:
        with system.read(BY_ID[dataset], SHOP, found, part) as reading:
            for one in reading.batches():
                names = one.schema.names
                columns = [one.column(name).to_pylist() for name in names]
                read += [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
            totals += reading.totals
            anomalies += reading.anomalies
    for row in read:
        assert all(row[name] is None for name in found.missing)
    return read, totals, anomalies


def test_the_ledger_comes_whole_and_sums_to_what_the_erp_holds(system: TwentyFourSevenOffice, app: App) -> None:
    read, totals, anomalies = rows(system, "gl_transactions")
    held = list(app.world.organisation(seed.SHOP).lines())
    assert len(read) == len(held) >= LINES
    assert {row["entry_no"] for row in read} == {line.id for line in held}
    ours: dict[date, Decimal] = defaultdict(Decimal)
    theirs: dict[date, Decimal] = defaultdict(Decimal)
    for row in read:
        ours[row["voucher_date"]] += row["amount"]
    for line in held:
        theirs[line.day] += line.amount
    assert ours == theirs == {total.period: total.amount for total in totals}
    assert sum(total.rows for total in totals) == len(held)
    assert anomalies == []


def test_a_ledger_line_says_all_that_the_erp_says(system: TwentyFourSevenOffice, app: App) -> None:
    system.push(settlement(app), posting())
    read, _, _ = rows(system, "gl_transactions")
    line = next(row for row in read if "Sales 25" in (row["description"] or "") and row["account_no"] == "3000")
    assert line["amount"] == Decimal("-1000.00")
    assert line["is_credit"] is True
    assert line["tax_code"] == "3"
    assert line["voucher_type"] == "3"
    assert line["dimension_2"] == "1"
    assert line["currency"] == "NOK"
    assert line["period"] == settlement(app).date.year * 100 + settlement(app).date.month
    assert line["voucher_no"]


def test_a_window_holds_its_own_days_only(system: TwentyFourSevenOffice, app: App) -> None:
    days = sorted({line.day for line in app.world.organisation(seed.SHOP).lines()})
    first, end = days[len(days) // 3], days[2 * len(days) // 3]
    read, _, _ = rows(system, "gl_transactions", DateRange(first, end))
    expected = [line for line in app.world.organisation(seed.SHOP).lines() if first <= line.day < end]
    assert Counter(row["voucher_date"] for row in read) == Counter(line.day for line in expected)


def long_unchanged(app: App) -> list[Line]:
    """The shop's ledger in order of its days, as if nothing had been touched for years."""
    lines = app.world.organisation(seed.SHOP).lines()
    for line in lines:
        line.modified = line.created = LONG_AGO
    return lines


def test_what_was_changed_is_told_with_its_day_and_by_what_it_is_known(system: TwentyFourSevenOffice, app: App) -> None:
    lines = long_unchanged(app)
    since = app.world.now() - timedelta(days=20)
    assert system.report_changes(LEDGER, SHOP, since) == ChangeReport(set(), {"journal_no": set(), "entry_no": set()})
    changed, late = lines[3], lines[-3]
    changed.modified = since + timedelta(days=2)
    late.created = since + timedelta(days=15)  # new, and whether that counts as changed nobody says
    told = system.report_changes(LEDGER, SHOP, since)
    assert told is not None
    assert set(told.days) == {changed.day, late.day}
    assert set(told.known_by["entry_no"]) == {changed.id, late.id}
    read, _, _ = rows(system, "gl_transactions")
    vouchers = {row["journal_no"] for row in read if row["entry_no"] in {changed.id, late.id}}
    assert set(told.known_by["journal_no"]) == vouchers


def test_a_change_in_the_very_second_is_told(system: TwentyFourSevenOffice, app: App) -> None:
    line = long_unchanged(app)[5]
    line.modified = app.world.now().replace(microsecond=0) - timedelta(days=7)
    told = system.report_changes(LEDGER, SHOP, line.modified)
    assert told is not None
    assert set(told.days) == {line.day}


def test_when_too_much_was_changed_no_days_are_told(
    system: TwentyFourSevenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "MAX_CHANGED_ROWS", LINES // 2)
    assert system.report_changes(LEDGER, SHOP, LONG_AGO) == ChangeReport(too_much=True)


def test_changed_orders_are_told_by_the_day_they_were_ordered(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(invoice(app), to_customer())
    told = system.report_changes(BY_ID["orders"], SHOP, app.world.now() - timedelta(hours=1))
    assert told == ChangeReport({invoice(app).date}, {"order_no": {posted.reference}})
    later = system.report_changes(BY_ID["orders"], SHOP, app.world.now() + timedelta(hours=1))
    assert later == ChangeReport(set(), {"order_no": set()})


@pytest.mark.parametrize("dataset", ["accounts", "customers", "products", "dimensions"])
def test_data_that_is_always_read_whole_tells_no_changes(system: TwentyFourSevenOffice, dataset: str) -> None:
    assert system.report_changes(BY_ID[dataset], SHOP, LONG_AGO) is None


@pytest.mark.parametrize("fault", ["error_before", "half", "cut_after"])
def test_changes_are_told_whole_or_not_at_all(connect: Connect, app: App, fault: str) -> None:
    line = long_unchanged(app)[3]
    line.modified = app.world.now()
    since = app.world.now() - timedelta(days=1)
    for operation in ("rest:GET /transactionlines", "soap:GetTransactions"):
        app.faults.add(operation, fault, times=None, after=1)
    with pytest.raises(Unavailable):
        connect().report_changes(LEDGER, SHOP, since)
    app.faults.clear()
    told = connect().report_changes(LEDGER, SHOP, since)
    assert told is not None
    assert set(told.days) == {line.day}


def test_few_days_cost_few_calls(system: TwentyFourSevenOffice, app: App) -> None:
    day = app.world.organisation(seed.SHOP).lines()[LINES // 2].day
    system.plan_reading(LEDGER, SHOP, DateRange(), 1000)
    before = app.world.calls.total()
    rows(system, "gl_transactions", DateRange(day, day + timedelta(days=1)))
    assert app.world.calls.total() - before <= 5


def test_lines_outside_the_accounting_years_are_not_left_out(system: TwentyFourSevenOffice, app: App) -> None:
    org = app.world.organisation(seed.SHOP)
    lines = list(org.lines())
    lines[0].day = date(1999, 12, 31)
    lines[-1].day = date(2099, 1, 1)
    org.sorted_lines = None
    read, _, _ = rows(system, "gl_transactions")
    assert {date(1999, 12, 31), date(2099, 1, 1)} <= {row["voucher_date"] for row in read}
    assert len(read) == len(lines)


def test_a_small_year_is_one_slice_and_a_large_one_its_months(system: TwentyFourSevenOffice, app: App) -> None:
    years = len(app.world.organisation(seed.SHOP).years)
    ledger = BY_ID["gl_transactions"]
    assert len(system.plan_reading(ledger, SHOP, DateRange(), 1_000_000).slices) == years
    cut = system.plan_reading(ledger, SHOP, DateRange(), 10).slices
    assert len(cut) > years
    ends = [part.where["end"] for part in cut]
    assert [part.where["first"] for part in cut] == [None, *ends[:-1]]
    assert ends[-1] is None


def test_an_empty_company_has_no_rows_and_no_totals(system: TwentyFourSevenOffice, app: App) -> None:
    org = app.world.organisation(seed.SHOP)
    org.vouchers.clear()
    org.sorted_lines = None
    assert rows(system, "gl_transactions") == ([], [], [])


def test_every_other_dataset_comes_with_its_keys(system: TwentyFourSevenOffice, app: App) -> None:
    system.push(invoice(app), to_customer())
    counts = {}
    for dataset in datasets.IDS:
        read, totals, _ = rows(system, dataset)
        keys = BY_ID[dataset].keys
        assert all(row[key] is not None for row in read for key in keys)
        assert len({tuple(row[key] for key in keys) for row in read}) == len(read) == sum(t.rows for t in totals)
        counts[dataset] = len(read)
    assert counts["accounts"] == len(seed.ACCOUNTS)
    assert counts["orders"] == 1
    assert counts["suppliers"] == 1
    assert counts["dimensions"] >= 2


def test_departments_are_a_dimension(system: TwentyFourSevenOffice) -> None:
    read, _, _ = rows(system, "dimensions")
    assert {(row["value"], row["name"]) for row in read if row["dimension"] == 2} == {("1", "Oslo"), ("2", "Bergen")}


def test_accounts_carry_their_tax_code(system: TwentyFourSevenOffice) -> None:
    read, _, _ = rows(system, "accounts")
    assert {row["account_no"]: row["tax_code"] for row in read}["3000"] == "3"


def test_hundreds_of_customers_come_page_by_page(system: TwentyFourSevenOffice, app: App) -> None:
    for number in range(640):
        seed.add_customer(app.world.organisation(seed.SHOP), f"Kunde {number:04}", app.world.now())
    read, _, _ = rows(system, "customers")
    assert len({row["customer_no"] for row in read}) == len(read) >= 641


def test_an_organisation_has_no_order_lines(organisation: TwentyFourSevenOffice) -> None:
    with pytest.raises(ErpRefused) as caught:
        organisation.plan_reading(BY_ID["order_lines"], SHOP, DateRange(), 1000)
    assert caught.value.code == "dataset_not_offered"
    [described] = [one for one in erp.catalogue() if one.id == "24sevenoffice"]
    assert "order_lines" in described.offered({"sign_in": "user"})
    assert set(described.datasets) - set(described.offered({"sign_in": "organisation"})) == {"order_lines"}


def test_a_users_order_lines_come_with_their_orders(user: TwentyFourSevenOffice, app: App) -> None:
    order = user.push(invoice(app), to_customer())
    read, totals, _ = rows(user, "order_lines")
    lines = invoice(app).lines
    assert {row["order_no"] for row in read} == {order.reference}
    assert [(row["description"], row["price"], row["quantity"]) for row in read] == [
        (line.description, line.unit_price, line.quantity) for line in lines
    ]
    assert [row["product_no"] for row in read] == ["KAFFE-250", "GIFTCARD"]
    assert len({row["line_no"] for row in read}) == len(lines) == sum(total.rows for total in totals)
    assert {row["quantity_invoiced"] for row in read} == {Decimal(0)}
    app.world.organisation(seed.SHOP).orders[int(order.reference)].fields["invoice"] = {"number": 90001}
    read, _, _ = rows(user, "order_lines")
    assert [row["quantity_invoiced"] for row in read] == [line.quantity for line in lines]


def test_the_lines_of_hundreds_of_orders_cost_few_calls(user: TwentyFourSevenOffice, app: App) -> None:
    first = user.push(invoice(app), to_customer())
    orders = app.world.organisation(seed.SHOP).orders
    one = orders[int(first.reference)]
    for number in range(60_000, 60_450):
        orders[number] = replace(one, id=number, lines={number * 10: dict(next(iter(one.lines.values())))})
    user.plan_reading(BY_ID["order_lines"], SHOP, DateRange(), 1000)
    before = app.world.calls.total()
    read, _, _ = rows(user, "order_lines")
    assert len({row["order_no"] for row in read}) == 451
    assert app.world.calls.total() - before <= 5


@pytest.mark.parametrize("fault", ["error_before", "timeout_before", "half", "cut_after", "session_expired"])
def test_a_fault_in_the_middle_loses_no_row(connect: Connect, app: App, fault: str) -> None:
    for operation in ("rest:GET /transactionlines", "soap:GetTransactions"):
        app.faults.add(operation, fault, after=3, times=1 if fault == "session_expired" else 2)
    read, _, _ = rows(connect(), "gl_transactions")
    assert len(read) == len(list(app.world.organisation(seed.SHOP).lines()))


def test_an_erp_that_stays_away_is_unavailable_and_worth_another_try(connect: Connect, app: App) -> None:
    for operation in ("rest:GET /transactionlines", "soap:GetTransactions"):
        app.faults.add(operation, "error_before", times=None)
    with pytest.raises(Unavailable):
        rows(connect(), "gl_transactions")


def test_balances_that_differ_from_the_lines_are_told(
    organisation: TwentyFourSevenOffice, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes a line between the answer with the lines and the one with the balances."""
    line = list(app.world.organisation(seed.SHOP).lines())[LINES // 2]
    answer = app.answer

    def meanwhile(request: Any) -> Any:
        if request.path.endswith("/accountbalances"):
            line.amount += 1
        return answer(request)

    monkeypatch.setattr(app, "answer", meanwhile)
    window = DateRange(line.day.replace(day=1), line.day.replace(day=28))
    _, _, anomalies = rows(organisation, "gl_transactions", window)
    assert [anomaly.code for anomaly in anomalies] == ["balance_differs"]
    assert str(line.account) in anomalies[0].examples[0]


def test_decimals_are_exact_and_what_is_rounded_is_said() -> None:
    anomalies = Anomalies()
    long = Decimal("1234567890123456789.0123456789")
    one = batch(BY_ID["gl_transactions"], [{"amount": long}, {"amount": Decimal("0.12345678905")}], anomalies)
    assert one.column("amount").to_pylist() == [long, Decimal("0.1234567890")]
    assert [(odd.code, odd.count) for odd in anomalies.values()] == [("decimals_rounded", 1)]
    with pytest.raises(ErpRefused) as caught:
        batch(BY_ID["gl_transactions"], [{"amount": Decimal(10) ** 28}], anomalies)
    assert caught.value.code == "decimal_too_wide"


def test_text_that_is_no_text_is_mended_and_said() -> None:
    anomalies = Anomalies()
    one = batch(BY_ID["accounts"], [{"account_no": "1", "name": "half \ud83d"}], anomalies)
    assert one.column("name").to_pylist() == ["half \ufffd"]
    assert list(anomalies) == ["text_not_unicode"]


def test_months_cover_every_day_once() -> None:
    spans = datasets.months(DateRange(), (date(2025, 1, 1), date(2027, 1, 1)))
    assert spans[0][0] is None
    assert spans[-1][1] is None
    assert [end for _, end in spans[:-1]] == [first for first, _ in spans[1:]]
    assert len(spans) == 24
    assert datasets.months(DateRange(date(2026, 1, 15), date(2026, 3, 2)), None) == [
        (date(2026, 1, 15), date(2026, 2, 1)),
        (date(2026, 2, 1), date(2026, 3, 1)),
        (date(2026, 3, 1), date(2026, 3, 2)),
    ]
