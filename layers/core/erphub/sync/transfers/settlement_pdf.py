"""A daily settlement on paper, for tills that hand over none."""

from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO
from typing import override

from erphub.erp.documents import PaymentMeans, Settlement
from erphub.sync.transfers.ports import SettlementRenderer

_PAYMENT_TITLES = {
    PaymentMeans.CASH: "Cash",
    PaymentMeans.BANKAXEPT: "BankAxept",
    PaymentMeans.CARD: "Visa / MasterCard",
    PaymentMeans.VIPPS: "Vipps",
    PaymentMeans.GIFT_CARD_SOLD: "Gift cards sold",
    PaymentMeans.GIFT_CARD_REDEEMED: "Gift cards redeemed",
    PaymentMeans.TIPS: "Tips",
    PaymentMeans.TERMINAL_DIFFERENCE: "Terminal difference",
    PaymentMeans.ROUNDING: "Rounding",
    PaymentMeans.EXTERNAL: "Paid elsewhere",
    PaymentMeans.INVOICED: "Invoiced",
}


class PdfRenderer(SettlementRenderer):
    """Renders settlements as PDFs of one page or more."""

    @override
    def render(self, settlement: Settlement) -> bytes:
        return render(settlement)


def render(settlement: Settlement) -> bytes:
    """The settlement as a PDF of one page or more; the same settlement is always the same bytes."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    styles = getSampleStyleSheet()
    lined = TableStyle(
        [
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.black),
            ("LINEABOVE", (0, -1), (-1, -1), 0.5, colors.black),
            ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
            ("FONTNAME", (0, -1), (-1, -1), "Helvetica-Bold"),
        ]
    )
    story: list[Flowable] = [
        Paragraph(f"Z-report {settlement.number}", styles["Title"]),
        Paragraph(_safe(f"{_place(settlement)}, {settlement.date.isoformat()}"), styles["Normal"]),
        Spacer(1, 18),
    ]
    for rows in (_sales(settlement), _payments(settlement)):
        story += [Table(rows, colWidths=[230, 120, 120][: len(rows[0])], style=lined, hAlign="LEFT"), Spacer(1, 18)]
    if settlement.stock_change is not None:
        story.append(Paragraph(f"Cost of goods: {_money(settlement.stock_change)}", styles["Normal"]))
    if settlement.comment:
        story.append(Paragraph(_safe(settlement.comment), styles["Normal"]))
    sheet = BytesIO()
    SimpleDocTemplate(sheet, pagesize=A4, invariant=1, title=f"Z-report {settlement.number}").build(story)
    return sheet.getvalue()


def _sales(settlement: Settlement) -> list[list[str]]:
    lines = [
        [f"Sales at {line.vat_rate.normalize():f} % VAT", _money(line.vat), _money(line.amount)]
        for line in settlement.sales
    ]
    total = [
        "Turnover",
        _money(_sum(line.vat for line in settlement.sales)),
        _money(_sum(line.amount for line in settlement.sales)),
    ]
    return [["", "of which VAT", settlement.currency], *lines, total]


def _payments(settlement: Settlement) -> list[list[str]]:
    lines = [[_PAYMENT_TITLES[payment.means], _money(payment.amount)] for payment in settlement.payments]
    return [
        ["Payments and other movements", settlement.currency],
        *lines,
        ["Difference", _money(settlement.difference)],
    ]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", " ")


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _place(settlement: Settlement) -> str:
    return ", ".join(word for word in (settlement.department, settlement.till) if word) or "Till"
