"""A rate of VAT is one of its day and has an account; else the line is told when the document comes."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from erphub.platform.errors import Invalid
from erphub.sync.documents.models import SubmitOutcome
from erphub.sync.documents.service import read_incoming
from erphub.sync.documents.vat_rates import NORWAY
from tests.support.sync import SyncHub, z_report

EVERY_RATE = {"25", "24", "15", "14", "13", "12", "11.11", "10", "8", "6", "20", "0"}
ACCOUNTS = {"sales": dict.fromkeys(EVERY_RATE, "3000"), "payment_means": {"cash": "1900", "card": "2380"}}


def line(rate: str, amount: str = "100.00") -> dict[str, str]:
    vat = float(amount) * float(rate) / (100 + float(rate))
    return {"vat_rate": rate, "amount": amount, "vat": f"{vat:.2f}"}


def settlement(day: str, *lines: dict[str, str], currency: str = "NOK", **more: Any) -> dict[str, Any]:
    total = sum(float(one["amount"]) for one in lines)
    return {
        "date": day, "number": 1, "currency": currency, "sales": list(lines),
        "payments": [{"means": "cash", "amount": f"{total:.2f}"}],
    } | more  # fmt: skip


@pytest.fixture
def old(hub: SyncHub) -> SyncHub:
    """A sync of many years, with an account for every rate there ever was."""
    hub.erp.tax_rates = sorted(EVERY_RATE)
    hub.save(from_date="2001-01-01", accounts=ACCOUNTS)
    return hub


def codes_of(hub: SyncHub, document: dict[str, Any], kind: str = "settlement", name: str = "D1") -> list[Any]:
    """Where it is refused and why, and then nothing of it is kept; nothing when it is taken."""
    before = hub.items()
    try:
        assert hub.submit(kind, name, **document).outcome is SubmitOutcome.CREATED
    except Invalid as refusal:
        assert hub.items() == before
        return [(one.pointer, one.code) for one in refusal.errors]
    return []


TABLE = [
    ("25", "2005-01-01", True),
    ("25", "2004-12-31", False),
    ("24", "2004-12-31", True),
    ("24", "2005-01-01", False),
    ("15", "2012-01-01", True),
    ("15", "2011-12-31", False),
    ("14", "2011-12-31", True),
    ("14", "2012-01-01", False),
    ("14", "2006-12-31", False),
    ("13", "2006-06-01", True),
    ("13", "2007-01-01", False),
    ("12", "2004-12-31", True),
    ("12", "2005-01-01", False),
    ("12", "2017-12-31", False),
    ("12", "2018-01-01", True),
    ("12", "2020-03-31", True),
    ("12", "2020-04-01", False),
    ("12", "2021-09-30", False),
    ("12", "2021-10-01", True),
    ("12", "2026-01-15", True),
    ("10", "2016-01-01", True),
    ("10", "2018-01-01", False),
    ("8", "2015-12-31", True),
    ("8", "2016-01-01", False),
    ("6", "2020-04-01", True),
    ("6", "2021-09-30", True),
    ("6", "2021-10-01", False),
    ("6", "2026-01-15", False),
    ("0", "2026-01-15", True),
    ("11.11", "2026-01-15", True),
    ("20", "2026-01-15", True),
]


@pytest.mark.parametrize(("rate", "day", "valid"), TABLE)
def test_a_rate_on_the_first_and_the_last_of_its_days(old: SyncHub, rate: str, day: str, valid: bool) -> None:
    wrong = [] if valid else [("/sales/1/vat_rate", "vat_rate_not_valid")]
    general = line("25" if day >= "2005" else "24")
    assert codes_of(old, settlement(day, general, line(rate))) == wrong


def test_the_day_and_the_days_of_the_rate_are_told(old: SyncHub) -> None:
    with pytest.raises(Invalid) as caught:
        old.submit("settlement", "D1", **settlement("2020-05-01", line("12")))
    [wrong] = caught.value.errors
    assert "2020-05-01" in wrong.detail
    assert "from 2018-01-01 until 2020-03-31 and from 2021-10-01" in wrong.detail


@pytest.mark.parametrize(
    ("rate", "day", "amount", "valid"),
    [
        ("6", "2021-10-05", "-100.00", True),
        ("6", "2021-10-05", "100.00", False),
        ("14", "2026-01-15", "-100.00", True),
        ("25", "2004-06-01", "-100.00", False),
        ("13", "2005-12-31", "-100.00", False),
    ],
)
def test_what_is_taken_back_may_have_been_sold_at_a_rate_that_has_ended(
    old: SyncHub, rate: str, day: str, amount: str, valid: bool
) -> None:
    """A ticket of September given back in October; not one at a rate that was still to come."""
    day_of_sales = settlement(day, line("0", "500.00"), line(rate, amount))
    assert codes_of(old, day_of_sales) == ([] if valid else [("/sales/1/vat_rate", "vat_rate_not_valid")])


def test_other_currencies_have_no_table_of_ours(old: SyncHub) -> None:
    assert codes_of(old, settlement("2026-01-15", line("6"), currency="SEK")) == []


@pytest.mark.parametrize(
    ("periods", "day", "valid"),
    [
        ([{"rate": "6"}], "2026-01-15", True),
        ([{"rate": "6", "from_date": "2026-01-15"}], "2026-01-15", True),
        ([{"rate": "6", "from_date": "2026-01-16"}], "2026-01-15", False),
        ([{"rate": "6", "to_date": "2026-01-15"}], "2026-01-15", True),
        ([{"rate": "6", "to_date": "2026-01-14"}], "2026-01-15", False),
        ([{"rate": "6", "to_date": "2026-01-14"}, {"rate": "6", "from_date": "2026-01-15"}], "2026-01-15", True),
        ([{"rate": "8", "from_date": "2026-01-01"}], "2026-01-15", False),
    ],
)
@pytest.mark.parametrize("currency", ["NOK", "SEK"])
def test_the_settings_say_when_a_rate_is_valid_in_place_of_the_table(
    old: SyncHub, periods: list[dict[str, str]], day: str, valid: bool, currency: str
) -> None:
    old.save(vat_periods=periods)
    expected = valid or (currency == "SEK" and periods[0]["rate"] != "6")
    assert (codes_of(old, settlement(day, line("6"), currency=currency)) == []) == expected


def test_the_lines_of_an_invoice_are_held_to_their_day_as_well(old: SyncHub) -> None:
    old.submit("customer", "K1", name="Fjell AS")
    lines = [
        {"description": "Billett", "quantity": "1", "unit_price": "100.00", "vat_rate": rate} for rate in ("25", "6")
    ]
    invoice = {"date": "2026-01-15", "number": "7", "customer_id": "K1", "lines": lines}
    assert codes_of(old, invoice, "invoice", "D0") == [], "it names no currency, so no table of ours says"
    old.save(vat_periods=[{"rate": "6", "from_date": "2020-04-01", "to_date": "2021-09-30"}])
    invoice["number"] = "8"
    assert codes_of(old, invoice, "invoice") == [("/lines/1/vat_rate", "vat_rate_not_valid")]
    assert codes_of(old, invoice | {"date": "2020-06-01"}, "invoice", "D2") == []


# --- a rate that nobody chose an account for -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", ["12", "17", "99.99", "0.01", "0"])
def test_an_unknown_rate_is_told_when_the_document_comes(hub: SyncHub, rate: str) -> None:
    document = settlement("2026-01-15", line("25"), line(rate), line("15"))
    assert codes_of(hub, document) == [("/sales/1/vat_rate", "vat_rate_unknown")]
    hub.erp.tax_rates = ["25", "15", rate]
    hub.save(accounts=ACCOUNTS | {"sales": {"25": "3000", "15": "3010", rate: "3000"}})
    assert codes_of(hub, document) == [], "nothing of it was kept, and it comes once the account is chosen"


def test_a_line_without_amounts_needs_no_account(hub: SyncHub) -> None:
    assert codes_of(hub, settlement("2026-01-15", line("25"), line("17", "0.00"))) == []


def test_each_location_has_rates_of_its_own(hub: SyncHub) -> None:
    hub.erp.tax_rates = ["25", "15", "12"]
    own = {"sales": {"25": "3000", "12": "3000"}, "payment_means": {"cash": "1900"}}
    hub.save(
        locations=[
            {"departments": ["Kino"], "department": "10", "accounts": own},
            {"departments": ["Bar"], "department": "10"},
        ]
    )
    for number, (shop, rate, wrong) in enumerate(
        (("Kino", "12", False), ("Kino", "15", True), ("Bar", "15", False), ("Bar", "12", True), ("Moss", "12", False))
    ):
        document = settlement("2026-01-15", line(rate), department=shop) | {"number": number + 1}
        expected = [("/sales/0/vat_rate", "vat_rate_unknown")] if wrong else []
        assert codes_of(hub, document, name=f"Z{number}") == expected, (shop, rate)


def test_what_is_kept_stays_the_same_document_when_its_rate_is_no_longer_chosen(hub: SyncHub) -> None:
    hub.submit("settlement", "Z1", **settlement("2026-01-15", line("15")))
    hub.save(accounts=ACCOUNTS | {"sales": {"25": "3000"}})
    again = hub.submit("settlement", "Z1", **settlement("2026-01-15", line("15")))
    assert again.outcome is SubmitOutcome.UNCHANGED


def test_of_a_day_that_is_not_sent_nothing_is_asked(hub: SyncHub) -> None:
    assert codes_of(hub, settlement("2025-06-01", line("17"))) == []


def test_in_a_batch_the_line_is_refused_and_the_others_are_taken(hub: SyncHub) -> None:
    batch = [
        read_incoming("settlement", "Z1", settlement("2026-01-15", line("17"))),
        read_incoming("settlement", "Z2", z_report(2)),
    ]
    done = hub.documents.submit_many(hub.sync(), "till", batch)
    assert [getattr(outcome, "code", outcome) for _, outcome in done] == ["invalid_request", SubmitOutcome.CREATED]


def test_no_two_periods_of_a_rate_overlap() -> None:
    for rate in {one.rate for one in NORWAY}:
        days = sorted((one.from_date or date.min, one.to_date or date.max) for one in NORWAY if one.rate == rate)
        assert all(first[1] < following[0] for first, following in pairwise(days))
