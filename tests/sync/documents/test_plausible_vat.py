"""A settlement's VAT is that of its rates, whatever the sign; the ERP posts it as it stands, and nobody else looks."""

from datetime import UTC, datetime
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Invalid
from erphub.sync.canonical import from_text, read_document, to_text
from erphub.sync.documents.plausibility import require_plausible
from tests.support.saft import file, report
from tests.support.sync import CLIENT, CONNECTION, SyncHub

NOW = datetime(2026, 3, 7, tzinfo=UTC)


def settlement(*sales: tuple[str, str, str]) -> dict[str, Any]:
    lines = [{"vat_rate": rate, "amount": amount, "vat": vat} for rate, amount, vat in sales]
    payments = [{"means": "cash", "amount": amount} for _, amount, _ in sales]
    return {"date": "2026-03-06", "number": 9810, "sales": lines, "payments": payments}


def take(fields: dict[str, Any]) -> None:
    require_plausible(read_document(DocumentKind.SETTLEMENT, fields), NOW)


@pytest.mark.parametrize(
    ("rate", "amount", "vat"),
    [
        ("25", "125.00", "25.00"),
        ("25", "125.00", "25.04"),
        ("25", "125.00", "24.96"),
        ("25", "-125.00", "-25.00"),
        ("25", "-125.00", "-25.04"),
        ("15", "99.99", "13.04"),
        ("12", "1.00", "0.11"),
        ("11.11", "1111.10", "111.10"),
        ("6", "12.50", "0.71"),
        ("100", "20.00", "10.00"),
        ("0", "125.00", "0.00"),
        ("0", "-125.00", "0"),
        ("25", "0.00", "0.00"),
        ("25", "0.00", "0.05"),
        ("25", "0.02", "-0.03"),
        ("25", "90071992547409.95", "18014398509481.99"),
    ],
)
def test_vat_of_its_rate_is_taken_and_so_is_the_rounding_of_single_receipts(rate: str, amount: str, vat: str) -> None:
    take(settlement((rate, amount, vat)))


@pytest.mark.parametrize(
    ("rate", "amount", "vat"),
    [
        ("25", "125.00", "60.00"),
        ("25", "125.00", "-25.00"),
        ("25", "-125.00", "25.00"),
        ("25", "125.00", "31.25"),
        ("25", "125.00", "0.00"),
        ("25", "125.00", "125.00"),
        ("25", "1.25", "0.60"),
        ("25", "1.25", "-0.25"),
        ("15", "115.00", "23.00"),
        ("25", "115.00", "15.00"),
        ("2.5", "125.00", "25.00"),
        ("0", "125.00", "25.00"),
        ("0", "125.00", "0.01"),
        ("0", "0.00", "-0.01"),
        ("25", "0.00", "25.00"),
        ("100", "125.00", "25.00"),
        ("25", "1000000.00", "206000.00"),
        ("25", "125.00", "25.20"),
        ("11.11", "1111.10", "122.00"),
    ],
)
def test_vat_that_cannot_be_is_refused_with_its_line(rate: str, amount: str, vat: str) -> None:
    with pytest.raises(Invalid) as refused:
        take(settlement(("25", "125.00", "25.00"), (rate, amount, vat)))
    [error] = refused.value.errors
    assert (error.pointer, error.code) == ("/sales/1/vat", "vat_implausible")
    assert vat.rstrip("0").rstrip(".") in error.detail


def test_every_wrong_line_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        take(settlement(("25", "125.00", "60.00"), ("15", "115.00", "15.00"), ("0", "10.00", "1.00")))
    assert [error.pointer for error in refused.value.errors] == ["/sales/0/vat", "/sales/2/vat"]


def test_a_report_of_a_cash_register_file_is_refused_by_itself(hub: SyncHub) -> None:
    xml = file(report("1") + report("2", vat="60.00", paid="160.00"))
    result = hub.documents.submit_cash_register(CLIENT, CONNECTION, "till", xml)
    assert len(result.settlements) == 1
    [(name, error)] = result.refused
    assert ":2:" in name
    assert isinstance(error, Invalid)
    assert [one.code for one in error.errors] == ["vat_implausible"]


def test_what_was_kept_before_there_was_this_rule_is_still_read() -> None:
    good = to_text(read_document(DocumentKind.SETTLEMENT, settlement(("25", "125.00", "25.00"))))
    kept = good.replace('"vat":"25"', '"vat":"60"')
    assert kept != good
    assert to_text(from_text(kept)) == kept
