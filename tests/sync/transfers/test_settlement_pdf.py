"""A till that hands over no PDF gets one made: readable, complete, and the same every time."""

from datetime import date
from decimal import Decimal

import pypdfium2
import pytest

from erphub.erp.documents import DocumentKind, Settlement
from erphub.sync.canonical import read_document
from erphub.sync.transfers.attachments import pdf_name
from erphub.sync.transfers.settlement_pdf import render
from tests.support.sync import z_report


def settlement(**more: object) -> Settlement:
    document = read_document(DocumentKind.SETTLEMENT, z_report(118, amount="12500.00") | more)
    assert isinstance(document, Settlement)
    return document


def words(pdf: bytes) -> str:
    opened = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_bounded() for page in opened)
    finally:
        opened.close()


def test_it_says_what_was_sold_and_how_it_was_paid() -> None:
    text = words(render(settlement(department="Oslo & <Bergen>", comment="Åpent til 20", stock_change="4000")))
    for expected in (
        "Z-report 118",
        "Oslo & <Bergen>",
        "2026-01-31",
        "Sales at 25 % VAT",
        "12 500.00",
        "2 500.00",
        "Cash",
    ):
        assert expected in text
    assert "Cost of goods: 4 000.00" in text
    assert "Åpent til 20" in text


def test_the_same_settlement_is_the_same_paper() -> None:
    assert render(settlement()) == render(settlement())


@pytest.mark.parametrize("lines", [20])
def test_many_lines_find_room(lines: int) -> None:
    sales = [
        {"vat_rate": str(Decimal(rate)), "amount": "1.00", "vat": f"{rate / (100 + rate):.2f}"}
        for rate in range(1, lines + 1)
    ]
    text = words(render(settlement(sales=sales, payments=[{"means": "cash", "amount": f"{lines}.00"}])))
    assert f"Sales at {lines} % VAT" in text


def test_what_was_typed_is_text_and_no_markup() -> None:
    typed = 'A < B & <b>C</b> <img src="x"/> &lt;'
    text = words(render(settlement(department="<i>1</i>", comment=typed)))
    assert typed in text
    assert "<i>1</i>, " in text


NAMES = [
    ("", "", "Z-7-2026-01-31.pdf"),
    ("Oslo", "", "Z-7-Oslo-2026-01-31.pdf"),
    ("Oslo S", "Kasse 2", "Z-7-Oslo-S-Kasse-2-2026-01-31.pdf"),
    ("../Åre & co.", "a/b\\c", "Z-7-Åre-co-a-b-c-2026-01-31.pdf"),
]


@pytest.mark.parametrize(("shop", "till", "name"), NAMES)
def test_the_pdfs_name_tells_number_shop_register_and_day(shop: str, till: str, name: str) -> None:
    assert pdf_name(Settlement(date=date(2026, 1, 31), number=7, department=shop, till=till)) == name
