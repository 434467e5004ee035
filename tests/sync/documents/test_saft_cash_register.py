"""Audit files of cash registers become settlements by the rules that are written down."""

from decimal import Decimal
from pathlib import Path

import pytest

from erphub.erp.documents import PaymentMeans, Settlement
from erphub.platform.errors import Invalid
from erphub.sync.documents.models import IncomingDocument
from erphub.sync.documents.saft_cash_register import read_cash_register
from tests.support.saft import file, report, two_shops


def test_the_published_sample_goes_through(samples: Path) -> None:
    [file] = (samples / "saft").glob("*Cash_Register_9*.xml")
    reading = read_cash_register(file.read_bytes())
    [coming] = reading.settlements
    settlement = coming.document
    assert isinstance(settlement, Settlement)
    assert (settlement.number, str(settlement.date), settlement.department) == (
        1,
        "2020-01-01",
        "Location A: Shop Frogner",
    )
    assert {(str(line.vat_rate), str(line.amount), str(line.vat)) for line in settlement.sales} == {
        ("15.00", "102.80", "13.42"),
        ("25.00", "411.40", "82.28"),
    }
    assert {payment.means: payment.amount for payment in settlement.payments} == {
        PaymentMeans.CASH: Decimal("295.00"),
        PaymentMeans.BANKAXEPT: Decimal("218.80"),
        PaymentMeans.ROUNDING: Decimal("-0.40"),
    }
    assert not reading.refused
    assert not reading.open_transactions


def sale(when: str, rounding: str = "0.00", more: str = "") -> str:
    day, time = when.split()
    return f"""<cashtransaction><transDate>{day}</transDate><transTime>{time}</transTime>
      <rounding><roundingAmnt>{rounding}</roundingAmnt></rounding>{more}</cashtransaction>"""


def which(coming: IncomingDocument) -> str:
    """The register and number in an id, without the digest behind them."""
    return coming.external_id.rpartition(":")[0]


@pytest.mark.parametrize(
    ("second", "department"),
    [
        ("<name>Butikk 2</name>", "Butikk 2"),
        ("<streetAddress><streetname>Storgata</streetname><city>Moss</city></streetAddress>", "Storgata, Moss"),
        ("", ""),
    ],
)
def test_two_shops_whose_tills_are_named_alike_are_two_settlements(second: str, department: str) -> None:
    reading = read_cash_register(two_shops(second))
    assert [coming.document.department for coming in reading.settlements] == ["Butikk", department]
    assert len({coming.external_id for coming in reading.settlements}) == 2


@pytest.mark.parametrize(("change", "same"), [(("", ""), True), (("999999999", "888888888"), False),
                                              (("2026-01-31", "2027-01-31"), False)])  # fmt: skip
def test_a_report_is_the_same_only_of_the_same_company_and_day(change: tuple[str, str], same: bool) -> None:
    xml = file(report()).replace(b"<company>", b"<company><companyIdent>999999999</companyIdent>")
    [one] = read_cash_register(xml).settlements
    [other] = read_cash_register(xml.replace(change[0].encode(), change[1].encode())).settlements
    assert (one.external_id == other.external_id) is same


def test_a_report_that_the_file_tells_twice_and_differently_is_refused_the_second_time() -> None:
    reading = read_cash_register(file(report() + report() + report(net="200.00", vat="50.00", paid="250.00")))
    assert len(reading.settlements) == 2, "told the same way it is the same"
    assert [refused.error.code for refused in reading.refused] == ["report_twice"]


def test_each_z_report_takes_the_rounding_of_its_own_transactions() -> None:
    both = report("1", "2026-01-30", paid="124.80") + report("2", "2026-01-31", paid="125.30")
    sales = (
        sale("2026-01-30 12:00:00", "-0.20")
        + sale("2026-01-31 12:00:00", "0.30")
        + sale("2026-01-31 13:00:00", "5.00", "<trainingID>true</trainingID>")
    )
    reading = read_cash_register(file(both, sales))
    assert [which(coming) for coming in reading.settlements] == ["R-1:1", "R-1:2"]
    assert not reading.refused


def test_without_transactions_only_a_difference_of_cash_rounding_is_taken() -> None:
    assert read_cash_register(file(report(paid="125.40"))).settlements
    [refused] = read_cash_register(file(report(paid="126.00"))).refused
    assert refused.error.errors[0].code == "settlement_does_not_balance"


def test_an_x_report_is_no_settlement() -> None:
    assert not read_cash_register(file(report(kind="X"))).settlements


def test_a_report_that_does_not_add_up_stops_no_other() -> None:
    reading = read_cash_register(file(report("1", paid="1.00") + report("2", "2026-02-01") + report("x", "2026-02-02")))
    assert [which(coming) for coming in reading.settlements] == ["R-1:2"]
    assert [refused.number for refused in reading.refused] == ["1", "x"]


def test_tips_are_owed_and_not_earned() -> None:
    tip = "<reportTip><tipNum>1</tipNum><tipAmnt>10.00</tipAmnt></reportTip>"
    [coming] = read_cash_register(file(report(paid="135.00", extra=tip))).settlements
    assert PaymentMeans.TIPS in {payment.means for payment in coming.document.payments}


def test_transactions_after_the_last_z_report_are_counted_not_sent() -> None:
    reading = read_cash_register(
        file(report(day="2026-01-30"), sale("2026-01-31 10:00:00") + sale("2026-01-31 11:00:00"))
    )
    assert reading.open_transactions == {"R 1": 2}


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<auditfile/>", "not_a_cash_register_file"),
        (b"not xml", "malformed_xml"),
        (b"", "malformed_xml"),
        (file()[:-20], "malformed_xml"),
        (file(doctype='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "doctype_refused"),
        (file(doctype='<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), "doctype_refused"),
    ],
)
def test_what_is_no_such_file_is_refused(xml: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_cash_register(xml)
    assert caught.value.code == code
