"""SAF-T Cash Register (Norway): the Z-reports of a standard audit file, as settlements.

The rules, element by element of the schema 1.00:

* each `event` with an `eventReport` whose `eventType` stands for a Z-report (basic 13009; or `reportType` "Z…") is
  one settlement; X-reports are none. The file is read as a stream, however long.
* number: `reportID`, which must be a number. Day: `reportDate`. Till: `registerID`. Department: the location's name
  (its address when it has none).
* a register's id need not be unique over locations and companies, nor a number over the years. So a Z-report is the
  same only when company, location, register, number, day and time are: all of them are in its external id. The same id
  twice in a file with different amounts is refused the second time.
* sales: each `reportCashSaleVat` with an amount, at its `vatPerc`; `cashSaleAmnt` is without VAT, `vatAmnt` is added.
  `vatAmntTp` D (debit) turns the sign where the amounts have none.
* payments: `reportPayments`, by the standard code of the payment type (12001 cash, 12002 debit card, 12003 credit
  card, 12005 gift card, 12006 customer account, 12010 credit note, 12011 mobile phone; the rest is external).
* tips: `reportTip`. Rounding: the sum of `roundingAmnt` of the register's cash transactions since the Z-report before;
  training and void transactions do not count. A file without transactions says nothing of rounding: then a
  difference of half a krone per receipt at most is taken for it.
* what does not balance to the øre after that is refused with both sums, and so is a report in which, or in whose
  transactions, a value is no lexical form of its type, with field and value; the other Z-reports go through.
* values are read as `platform.xsd` says; the encoding is the one that the file declares, or its byte order mark.
* transactions after a register's last Z-report make no settlement, for the till will still close that day: they are
  counted and reported.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from erphub.erp.documents import DocumentKind, PaymentMeans
from erphub.platform import xsd
from erphub.platform.errors import HubError, Invalid
from erphub.platform.problem_types import FieldProblemType
from erphub.sync import problems
from erphub.sync.canonical import digest, read_received, to_text
from erphub.sync.documents.models import IncomingDocument

if TYPE_CHECKING:
    from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] — the only name its stubs have for an element


_NAMESPACE = "{urn:StandardAuditFile-Taxation-CashRegister:NO}"
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


@dataclass(frozen=True)
class RefusedReport:
    """A Z-report that makes no settlement, and why."""

    register: str
    number: str
    error: HubError


@dataclass
class CashRegisterFile:
    """What a file holds."""

    settlements: list[IncomingDocument] = field(default_factory=list[IncomingDocument])
    refused: list[RefusedReport] = field(default_factory=list[RefusedReport])
    open_transactions: dict[str, int] = field(default_factory=dict[str, int])
    """Cash transactions by register that no Z-report of the file has closed."""
    _bodies: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, coming: IncomingDocument) -> None:
        """Keep a settlement. Raises Invalid (`report_twice`) when the file tells the same report differently."""
        body = digest(to_text(coming.document))
        if self._bodies.setdefault(coming.external_id, body) != body:
            raise problems.REPORT_TWICE()
        self.settlements.append(coming)


@dataclass
class _Place:
    """Where registers stand."""

    company: str
    name: str = ""
    address: str = ""

    @property
    def title(self) -> str:
        return self.name or self.address


@dataclass
class _Register:
    name: str
    place: _Place
    rounding: Decimal = Decimal(0)
    transactions: int = 0
    reports: "list[tuple[str, _Element]]" = field(default_factory=list)
    closings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    roundings: list[tuple[str, Decimal | Invalid]] = field(default_factory=list[tuple[str, "Decimal | Invalid"]])
    """By how much each transaction was rounded, and when; or what could not be read in it."""


def read_cash_register(xml: bytes | IO[bytes]) -> CashRegisterFile:
    """The Z-reports of a file. Raises Invalid when it is no SAF-T Cash Register file."""
    from lxml import etree

    source = BytesIO(xml) if isinstance(xml, bytes) else xml
    reading = CashRegisterFile()
    try:
        _read(xsd.parsed(source, events=("start", "end")), reading)
    except etree.XMLSyntaxError as error:
        raise problems.MALFORMED_XML() from error
    except xsd.LexicalError as error:
        raise problems.VALUE_INVALID(error=error) from error
    return reading


def _read(events: "Iterator[tuple[str, _Element]]", reading: CashRegisterFile) -> None:
    basics: dict[str, str] = {}
    currency, place = "NOK", _Place("")
    register: _Register | None = None
    for number, (event, element) in enumerate(events):
        if number == 0:
            _check_root(element)
        name = str(element.tag).removeprefix(_NAMESPACE)
        if event == "start":
            if name == "location":
                place = _Place(place.company)
            elif name == "cashregister":
                register = _Register("", place)
            continue
        parent = element.getparent()
        above = "" if parent is None else str(parent.tag).removeprefix(_NAMESPACE)
        match (above, name):
            case ("header", "curCode"):
                currency = xsd.text_of(element) or "NOK"
            case ("basics", "basic"):
                basics[_text(element, "basicType") + _text(element, "basicID")] = _text(element, "predefinedBasicID")
            case ("company", "companyIdent"):
                place.company = xsd.text_of(element)
            case ("location", "name"):
                place.name = xsd.text_of(element)
            case ("location", "streetAddress"):
                place.address = ", ".join(words for part in element if (words := xsd.text_of(part)))
            case ("cashregister", "registerID") if register:
                register.name = xsd.text_of(element)
            case ("cashregister", "event") if register:
                _take_event(register, element, basics)
            case ("cashregister", "cashtransaction") if register:
                _take_transaction(register, element)
                element.clear()
            case (_, "cashregister") if register:
                _close(register, currency, basics, reading)
                register = None
                element.clear()
            case _:
                continue


def _check_root(element: "_Element") -> None:
    if xsd.has_document_type(element):
        raise problems.DOCTYPE_REFUSED()
    if element.tag != f"{_NAMESPACE}auditfile":
        raise problems.NOT_A_CASH_REGISTER_FILE()


def _take_event(register: _Register, element: "_Element", basics: Mapping[str, str]) -> None:
    report = element.find(f"{_NAMESPACE}eventReport")
    kind = basics.get("13" + _text(element, "eventType"), "")
    is_z = report is not None and (
        kind == _Z_REPORT or (not kind and _text(report, "reportType").casefold().startswith("z"))
    )
    if report is not None and is_z:
        register.reports.append((_when(report, "reportDate", "reportTime"), report))
    else:
        element.clear()


def _take_transaction(register: _Register, element: "_Element") -> None:
    when = _when(element, "transDate", "transTime")
    try:
        if _truth(element, "trainingID") or _truth(element, "voidTransaction"):
            return
        amounts = [_amount_in(one, "roundingAmnt") for one in element.findall(f"{_NAMESPACE}rounding")]
        register.roundings.append((when, sum(amounts, Decimal(0))))
    except Invalid as error:
        register.roundings.append((when, error))


def _close(register: _Register, currency: str, basics: Mapping[str, str], reading: CashRegisterFile) -> None:
    since = ""
    for until, report in sorted(register.reports, key=lambda one: one[0]):
        number = _written(report, "reportID")
        try:
            rounding = _rounding(register, since, until)
            fields = _settlement(register, report, currency, basics, rounding)
            settlement = read_received(DocumentKind.SETTLEMENT, fields)
            reading.add(IncomingDocument(DocumentKind.SETTLEMENT, _external_id(register, number, until), settlement))
        except HubError as error:
            reading.refused.append(RefusedReport(register.name, number, error))
        since = until
    if left := sum(1 for when, _ in register.roundings if when > since):
        reading.open_transactions[register.name] = reading.open_transactions.get(register.name, 0) + left


def _rounding(register: _Register, since: str, until: str) -> Decimal | None:
    """By how much the transactions of a report were rounded; None without any. Raises Invalid for one that cannot be
    read.
    """
    within = [amount for when, amount in register.roundings if since < when <= until]
    for amount in within:
        if isinstance(amount, Invalid):
            raise amount
    return sum((amount for amount in within if isinstance(amount, Decimal)), Decimal(0)) if within else None


def _settlement(
    register: _Register, report: "_Element", currency: str, basics: Mapping[str, str], rounding: Decimal | None
) -> dict[str, Any]:
    number = _whole_number(report, "reportID")
    sales = list(_sales(report))
    payments = _payments(report, basics)
    tips = sum((_amount_in(tip, "tipAmnt") for tip in report.findall(f"{_NAMESPACE}reportTip")), Decimal(0))
    if tips:
        payments[PaymentMeans.TIPS] = tips
    if rounding is None:
        rounding = _left_over(report, sales, payments)
    if rounding:
        payments[PaymentMeans.ROUNDING] = rounding
    return {
        "date": _value(xsd.day, _text(report, "reportDate"), "reportDate", problems.REPORT_DATE_INVALID),
        "number": number,
        "department": register.place.title[:50],
        "till": register.name[:50],
        "currency": currency,
        "sales": sales,
        "payments": [{"means": means.value, "amount": str(amount)} for means, amount in payments.items()],
    }


def _sales(report: "_Element") -> Iterator[dict[str, str]]:
    for line in report.findall(f"{_NAMESPACE}reportCashSalesVat/{_NAMESPACE}reportCashSaleVat"):
        net, vat = _amount_in(line, "cashSaleAmnt"), _amount_in(line, "vatAmnt")
        if _text(line, "vatAmntTp") == "D" and net > 0:
            net, vat = -net, -vat
        if net or vat:
            yield {"vat_rate": str(_amount_in(line, "vatPerc")), "amount": str(net + vat), "vat": str(vat)}


def _payments(report: "_Element", basics: Mapping[str, str]) -> dict[PaymentMeans, Decimal]:
    found: dict[PaymentMeans, Decimal] = {}
    for line in report.findall(f"{_NAMESPACE}reportPayments/{_NAMESPACE}reportPayment"):
        kind = _text(line, "paymentType")
        means = _MEANS.get(basics.get("12" + kind, ""), PaymentMeans.EXTERNAL)
        found[means] = found.get(means, Decimal(0)) + _amount_in(line, "paymentAmnt")
    return {means: amount for means, amount in found.items() if amount}


def _left_over(report: "_Element", sales: list[dict[str, str]], payments: Mapping[PaymentMeans, Decimal]) -> Decimal:
    """The difference, where it can be nothing but rounding of cash payments."""
    taken = sum((amount for means, amount in payments.items() if means is not PaymentMeans.TIPS), Decimal(0))
    sold = sum((Decimal(line["amount"]) for line in sales), payments.get(PaymentMeans.TIPS, Decimal(0)))
    receipts = _whole_number(report, "reportReceiptNum", otherwise="0")
    difference = taken - sold
    return difference if abs(difference) <= _HALF * receipts else Decimal(0)


def _external_id(register: _Register, number: str, when: str) -> str:
    """Register and number to be read by people, and a digest of all that tells one report from another."""
    clean = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in register.name)
    place = register.place
    identity = "\n".join((place.company, place.title, register.name, number, when))
    return f"{clean[:60]}:{number[:20]}:{digest(identity)[:12]}"


def _when(element: "_Element", day: str, time: str) -> str:
    """Day and time in one form, to be sorted by; what is none of them stands as it was written, for it is refused."""
    written = _written(element, day), _written(element, time)
    try:
        return f"{xsd.day(written[0]).isoformat()} {xsd.clock_time(written[1])}"
    except xsd.LexicalError:
        return " ".join(written)


def _written(element: "_Element", name: str) -> str:
    """What stands there, whether it is a value or not."""
    found = element.find(_NAMESPACE + name)
    return "" if found is None else "".join(map(str, found.itertext())).strip()


def _text(element: "_Element", name: str) -> str:
    """A value; none for an element that is not there. Raises Invalid when there are two, or elements inside."""
    found = element.findall(_NAMESPACE + name)
    if len(found) > 1:
        raise problems.VALUE_REPEATED.alone(f"/{name}", name=name, count=len(found))
    return _value(xsd.text_of, found[0] if found else None, name, problems.VALUE_IN_FILE)


def _amount_in(element: "_Element", name: str) -> Decimal:
    """An amount; an element that is not there, or is empty, is none."""
    return _value(xsd.decimal, _text(element, name) or "0", name, problems.AMOUNT_INVALID)


def _whole_number(element: "_Element", name: str, otherwise: str = "") -> int:
    return _value(xsd.integer, _text(element, name) or otherwise, name, problems.REPORT_NUMBER_INVALID)


def _truth(element: "_Element", name: str) -> bool:
    return _value(xsd.boolean, _text(element, name) or "false", name, problems.TRUTH_VALUE_INVALID)


def _value[S, T](read: Callable[[S], T], text: S, name: str, problem: FieldProblemType) -> T:
    try:
        return read(text)
    except xsd.LexicalError as error:
        raise problem.alone(f"/{name}", name=name, error=error) from error
