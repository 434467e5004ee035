"""VAT that cannot be that of its rate is refused with its line, before anything is kept."""

import pytest

from erphub.platform.errors import Invalid
from tests.support.sync import SyncHub


@pytest.mark.parametrize(
    ("rate", "amount", "vat"),
    [
        ("25", "125.00", "60.00"),
        ("25", "125.00", "-25.00"),
        ("25", "125.00", "0.00"),
        ("25", "-125.00", "25.00"),
        ("25", "125.00", "25.20"),
        ("15", "115.00", "25.00"),
        ("0", "125.00", "0.01"),
        ("25", "0.00", "25.00"),
        ("11.11", "1111.10", "122.00"),
    ],
)
def test_vat_that_cannot_be_is_refused_with_its_line(hub: SyncHub, rate: str, amount: str, vat: str) -> None:
    good = {"vat_rate": "25", "amount": "10.00", "vat": "2.00"}
    total = f"{float(amount) + 10:.2f}"
    with pytest.raises(Invalid) as caught:
        hub.submit(
            "settlement",
            "V1",
            date="2026-01-31",
            number=1,
            sales=[good, {"vat_rate": rate, "amount": amount, "vat": vat}],
            payments=[{"means": "cash", "amount": total}],
        )
    assert [(one.pointer, one.code) for one in caught.value.errors] == [("/sales/1/vat", "vat_implausible")]


@pytest.mark.parametrize(
    ("rate", "amount", "vat"),
    [
        ("25", "125.00", "25.00"),
        ("25", "125.00", "25.04"),
        ("25", "-125.00", "-25.00"),
        ("25", "125000.00", "25100.00"),
        ("15", "0.10", "0.01"),
        ("0", "125.00", "0.00"),
        ("11.11", "1111.10", "111.10"),
    ],
)
def test_the_rounding_of_receipts_and_days_of_returns_are_taken(hub: SyncHub, rate: str, amount: str, vat: str) -> None:
    taken = hub.submit(
        "settlement",
        "V1",
        date="2026-01-31",
        number=1,
        sales=[{"vat_rate": rate, "amount": amount, "vat": vat}],
        payments=[{"means": "cash", "amount": amount}],
    )
    assert taken.outcome == "created"
