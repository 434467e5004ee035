"""What one Z-report or one transaction of a SAF-T Cash Register file says; the rules are in saft_cash_register."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from erphub.erp.documents import PaymentMeans
from erphub.platform import xsd
from erphub.platform.errors import Invalid
from erphub.platform.problem_types import FieldProblemType
from erphub.sync import problems

if TYPE_CHECKING:
    from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] — the only name its stubs have for an element


NAMESPACE = "{urn:StandardAuditFile-Taxation-CashRegister:NO}"
_MEANS: Mapping[str, PaymentMeans] = {
    "12001": PaymentMeans.CASH,
    "12002": PaymentMeans.BANKAXEPT,
    "12003": PaymentMeans.CARD,
    "12005": PaymentMeans.GIFT_CARD_REDEEMED,
    "12006": PaymentMeans.INVOICED,
    "12010": PaymentMeans.GIFT_CARD_REDEEMED,
    "12011": PaymentMeans.VIPPS,
}
_Z_REPORT = "13009"
_HALF = Decimal("0.50")


@dataclass(frozen=True, slots=True)
class Report:
    """A Z-report, read: its element is forgotten while the register's transactions are still to come."""

    when: str
    number: str
    """As it is written, whether it is a number or not."""
    said: "_Said | Invalid"

    @classmethod
    def read(cls, report: "_Element", basics: Mapping[str, str]) -> Self:
        """What a report says; what is wrong with it is raised when it is made a settlement."""
        try:
            said: _Said | Invalid = _said(report, basics)
        except Invalid as error:
            said = error
        return cls(when_of(report, "reportDate", "reportTime"), _written(report, "reportID"), said)

    def settlement(
        self, department: str, till: str, currency: str, rounding: Decimal | Invalid | None
    ) -> dict[str, Any]:
        """The report as a settlement's fields. `rounding` is that of its transactions, None when there are none.

        Raises Invalid for what could not be read in the report or in its transactions.
        """
        if isinstance(rounding, Invalid):
            raise rounding
        if isinstance(self.said, Invalid):
            raise self.said
        payments = dict(self.said.payments)
        if rounding is None:
            if isinstance(self.said.left_over, Invalid):
                raise self.said.left_over
            rounding = self.said.left_over
        if rounding:
            payments[PaymentMeans.ROUNDING] = rounding
        return {
            "date": self.said.day,
            "number": self.said.number,
            "department": department[:50],
            "till": till[:50],
            "currency": currency,
            "sales": list(self.said.sales),
            "payments": [{"means": means.value, "amount": str(amount)} for means, amount in payments.items()],
        }


@dataclass(frozen=True, slots=True)
class _Said:
    day: Any
    number: int
    sales: tuple[dict[str, str], ...]
    payments: Mapping[PaymentMeans, Decimal]
    left_over: Decimal | Invalid
    """What may be taken for rounding where the file says nothing of it."""


def z_report_in(event: "_Element", basics: Mapping[str, str]) -> "_Element | None":
    """An event's report, where it is a Z-report. Raises Invalid for a type that stands there twice."""
    report = event.find(f"{NAMESPACE}eventReport")
    kind = basics.get("13" + text_in(event, "eventType"), "")
    is_z = report is not None and (
        kind == _Z_REPORT or (not kind and text_in(report, "reportType").casefold().startswith("z"))
    )
    return report if is_z else None


def rounding_of(transaction: "_Element") -> Decimal | Invalid | None:
    """By how much a transaction was rounded, or what cannot be read in it; None where it does not count."""
    try:
        if _truth(transaction, "trainingID") or _truth(transaction, "voidTransaction"):
            return None
        roundings = transaction.findall(f"{NAMESPACE}rounding")
        return sum((_amount_in(one, "roundingAmnt") for one in roundings), Decimal(0))
    except Invalid as error:
        return error


def when_of(element: "_Element", day: str, time: str) -> str:
    """Day and time in one form, to be sorted by; what is none of them stands as it was written, for it is refused."""
    written = _written(element, day), _written(element, time)
    try:
        return f"{xsd.day(written[0]).isoformat()} {xsd.clock_time(written[1])}"
    except xsd.LexicalError:
        return " ".join(written)


def text_in(element: "_Element", name: str) -> str:
    """A value; none for an element that is not there. Raises Invalid when there are two, or elements inside."""
    found = element.findall(NAMESPACE + name)
    if len(found) > 1:
        raise problems.VALUE_REPEATED.alone(f"/{name}", name=name, count=len(found))
    return _value(xsd.text_of, found[0] if found else None, name, problems.VALUE_IN_FILE)


def _said(report: "_Element", basics: Mapping[str, str]) -> _Said:
    number = _whole_number(report, "reportID")
    sales = tuple(_sales(report))
    payments = _payments(report, basics)
    tips = sum((_amount_in(tip, "tipAmnt") for tip in report.findall(f"{NAMESPACE}reportTip")), Decimal(0))
    if tips:
        payments[PaymentMeans.TIPS] = tips
    try:
        left_over: Decimal | Invalid = _left_over(report, sales, payments)
    except Invalid as error:
        left_over = error
    day = _value(xsd.day, text_in(report, "reportDate"), "reportDate", problems.REPORT_DATE_INVALID)
    return _Said(day, number, sales, payments, left_over)


def _sales(report: "_Element") -> Iterator[dict[str, str]]:
    for line in report.findall(f"{NAMESPACE}reportCashSalesVat/{NAMESPACE}reportCashSaleVat"):
        net, vat = _amount_in(line, "cashSaleAmnt"), _amount_in(line, "vatAmnt")
        if text_in(line, "vatAmntTp") == "D" and net > 0:
            net, vat = -net, -vat
        if net or vat:
            yield {"vat_rate": str(_amount_in(line, "vatPerc")), "amount": str(net + vat), "vat": str(vat)}


def _payments(report: "_Element", basics: Mapping[str, str]) -> dict[PaymentMeans, Decimal]:
    found: dict[PaymentMeans, Decimal] = {}
    for line in report.findall(f"{NAMESPACE}reportPayments/{NAMESPACE}reportPayment"):
        kind = text_in(line, "paymentType")
        means = _MEANS.get(basics.get("12" + kind, ""), PaymentMeans.EXTERNAL)
        found[means] = found.get(means, Decimal(0)) + _amount_in(line, "paymentAmnt")
    return {means: amount for means, amount in found.items() if amount}


def _left_over(
    report: "_Element", sales: Sequence[Mapping[str, str]], payments: Mapping[PaymentMeans, Decimal]
) -> Decimal:
    """The difference, where it can be nothing but rounding of cash payments."""
    taken = sum((amount for means, amount in payments.items() if means is not PaymentMeans.TIPS), Decimal(0))
    sold = sum((Decimal(line["amount"]) for line in sales), payments.get(PaymentMeans.TIPS, Decimal(0)))
    receipts = _whole_number(report, "reportReceiptNum", otherwise="0")
    difference = taken - sold
    return difference if abs(difference) <= _HALF * receipts else Decimal(0)


def _written(element: "_Element", name: str) -> str:
    """What stands there, whether it is a value or not."""
    found = element.find(NAMESPACE + name)
    return "" if found is None else "".join(map(str, found.itertext())).strip()


def _amount_in(element: "_Element", name: str) -> Decimal:
    """An amount; an element that is not there, or is empty, is none."""
    return _value(xsd.decimal, text_in(element, name) or "0", name, problems.AMOUNT_INVALID)


def _whole_number(element: "_Element", name: str, otherwise: str = "") -> int:
    return _value(xsd.integer, text_in(element, name) or otherwise, name, problems.REPORT_NUMBER_INVALID)


def _truth(element: "_Element", name: str) -> bool:
    return _value(xsd.boolean, text_in(element, name) or "false", name, problems.TRUTH_VALUE_INVALID)


def _value[S, T](read: Callable[[S], T], text: S, name: str, problem: FieldProblemType) -> T:
    try:
        return read(text)
    except xsd.LexicalError as error:
        raise problem.alone(f"/{name}", name=name, error=error) from error
