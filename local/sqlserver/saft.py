"""Reads a SAF-T Financial file, Norway's standard audit file: accounts, customers, suppliers and every ledger line.

Versions 1.10 to 1.30 are read alike; the two differ only in parts that no ledger line needs. Nothing outside the file
is ever fetched, and its length costs no memory: `read` goes through it once and keeps what all lines say together, and
whoever wants the lines themselves goes through it again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from lxml import etree

from erphub.platform import xsd

_NAMESPACE = "{urn:StandardAuditFile-Taxation-Financial:NO}"
_CUT = len(_NAMESPACE)
_LINE = _NAMESPACE + "Line"
_ANALYSIS = _NAMESPACE + "Analysis"
_WANTED = ("Header", "Account", "Customer", "Supplier", "AnalysisTypeTableEntry", "Transaction")
_NEVER_WANTED = (
    *("TaxTableEntry", "UOMTableEntry", "MovementTypeTableEntry", "Product", "PhysicalStockEntry", "Owner", "Asset"),
    *("Invoice", "Payment", "StockMovement", "AssetTransaction", "Taxonomy"),
)
"""What a file may have many of, and no company database holds."""
_TOTALS = ("NumberOfEntries", "TotalDebit", "TotalCredit")
_LEDGER = _NAMESPACE + "GeneralLedgerEntries"


class NotSaft(ValueError):
    """The file is no SAF-T Financial file, or a damaged one; the text says where."""


@dataclass(frozen=True)
class Account:
    """One account of the chart."""

    number: str
    name: str
    created: date | None
    grouping: str


@dataclass(frozen=True)
class Party:
    """A customer or a supplier."""

    number: str
    name: str
    organisation: str
    street: str
    postal_code: str
    city: str
    country: str
    phone: str
    email: str
    currency: str


@dataclass(frozen=True)
class Dimension:
    """One value of one kind of analysis, such as a department."""

    kind: str
    title: str
    number: str
    name: str


@dataclass(frozen=True)
class Line:
    """One ledger line. `amount` is debit minus credit; `credit` says on which side it was written."""

    account: str
    amount: Decimal
    credit: bool
    text: str
    currency: str
    currency_amount: Decimal
    rate: Decimal | None
    value_date: date | None
    customer: str
    supplier: str
    reference: str
    tax_code: str
    analysis: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Voucher:
    """One transaction with its lines."""

    number: str
    day: date
    year: int
    period: int
    kind: str
    entered: date | None
    lines: tuple[Line, ...]


@dataclass
class Ledger:
    """What all lines of a file say together; identifiers in the order in which they come."""

    vouchers: int = 0
    lines: int = 0
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    accounts: dict[str, None] = field(default_factory=dict[str, None])
    customers: dict[str, None] = field(default_factory=dict[str, None])
    suppliers: dict[str, None] = field(default_factory=dict[str, None])
    currencies: dict[str, None] = field(default_factory=dict[str, None])
    analysis: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    kinds: dict[str, None] = field(default_factory=dict[str, None])
    days: Counter[date] = field(default_factory=Counter[date])
    """How many lines there are on each day."""
    has_plain_numbers: bool = True
    """Whether every voucher's identifier is a whole number that fits four bytes, written as such."""

    def add(self, voucher: Voucher) -> None:
        """One more voucher."""
        self.vouchers += 1
        self.lines += len(voucher.lines)
        self.days[voucher.day] += len(voucher.lines)
        if voucher.kind:
            self.kinds[voucher.kind] = None
        self.has_plain_numbers = self.has_plain_numbers and _is_plain(voucher.number)
        for line in voucher.lines:
            if line.credit:
                self.credit -= line.amount
            else:
                self.debit += line.amount
            self.accounts[line.account] = None
            self.currencies[line.currency] = None
            if line.customer:
                self.customers[line.customer] = None
            if line.supplier:
                self.suppliers[line.supplier] = None
            for pair in line.analysis:
                self.analysis[pair] = None


def _is_plain(number: str) -> bool:
    return number.isascii() and number.isdigit() and number[0] != "0" and len(number) <= 10 and int(number) < 2**31


@dataclass(frozen=True)
class Vouchers:
    """The vouchers of a file, read anew by everybody who goes through them."""

    path: Path
    currency: str
    count: int

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Voucher]:
        with self.path.open("rb") as source:
            for kind, element in _parts(source):
                if kind == "Transaction":
                    yield _voucher(element, self.currency)


@dataclass
class SaftFile:
    """What a file says about itself, its master data, and what its lines say together."""

    path: Path
    version: str = ""
    company: str = ""
    organisation: str = ""
    currency: str = "NOK"
    entries: int = 0
    total_debit: Decimal = Decimal(0)
    total_credit: Decimal = Decimal(0)
    accounts: list[Account] = field(default_factory=list[Account])
    customers: list[Party] = field(default_factory=list[Party])
    suppliers: list[Party] = field(default_factory=list[Party])
    dimensions: list[Dimension] = field(default_factory=list[Dimension])
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def vouchers(self) -> Vouchers:
        """Every voucher with its lines, in the order of the file. Going through them reads it again."""
        return Vouchers(self.path, self.currency, self.ledger.vouchers)


def read(path: Path) -> SaftFile:
    """The whole file, once. Raises NotSaft when it is none, OSError when it cannot be opened."""
    out = SaftFile(path)
    with path.open("rb") as source:
        try:
            for kind, element in _parts(source):
                _take(out, kind, element)
        except etree.XMLSyntaxError as error:
            raise NotSaft(f"{path.name} is no well-formed XML: {error.msg}") from error
    if not out.version:
        raise NotSaft(f"{path.name} has no SAF-T header")
    return out


def _parts(source: object) -> Iterator[tuple[str, etree._Element]]:  # pyright: ignore[reportPrivateUsage]
    """The elements that matter, each forgotten after use."""
    tags = [_NAMESPACE + tag for tag in (*_WANTED, *_NEVER_WANTED, *_TOTALS, "AuditFile")]
    parser = xsd.parsed(source, events=("start", "end"), tag=tags, huge=True)
    first = True
    for event, element in parser:
        kind = str(element.tag).removeprefix(_NAMESPACE)
        if event == "start":
            if first and kind != "AuditFile":
                raise NotSaft("the file does not begin with a SAF-T AuditFile")
            if first and xsd.has_document_type(element):
                raise NotSaft("the file declares a document type of its own, which is not accepted")
            first = False
            continue
        if kind in ("Account", "Customer", "Supplier") and not _is_master(element):
            continue
        if kind in _TOTALS and not _is_of_ledger(element):
            continue
        if kind not in _NEVER_WANTED:
            yield kind, element
        xsd.forget(element)
    if first:
        raise NotSaft("the file is no SAF-T Financial file: its root or its namespace is another")


def _is_master(element: etree._Element) -> bool:  # pyright: ignore[reportPrivateUsage]
    parent = element.getparent()
    return parent is not None and str(parent.tag).endswith(("GeneralLedgerAccounts", "Customers", "Suppliers"))


def _is_of_ledger(element: etree._Element) -> bool:  # pyright: ignore[reportPrivateUsage]
    """Invoices and payments have totals of their own, of the same names."""
    parent = element.getparent()
    return parent is not None and parent.tag == _LEDGER


def _take(out: SaftFile, kind: str, element: etree._Element) -> None:  # pyright: ignore[reportPrivateUsage]
    match kind:
        case "Header":
            out.version = _text(element, "AuditFileVersion")
            out.company = _text(element, "Company/Name")
            out.organisation = _text(element, "Company/RegistrationNumber")
            out.currency = _text(element, "DefaultCurrencyCode") or "NOK"
        case "Account":
            grouping = _text(element, "GroupingCode") or _text(element, "StandardAccountID")
            out.accounts.append(
                Account(
                    _text(element, "AccountID"),
                    _text(element, "AccountDescription"),
                    _date(_text(element, "AccountCreationDate")),
                    grouping,
                )
            )
        case "Customer":
            out.customers.append(_party(element, "CustomerID"))
        case "Supplier":
            out.suppliers.append(_party(element, "SupplierID"))
        case "AnalysisTypeTableEntry":
            names = ("AnalysisType", "AnalysisTypeDescription", "AnalysisID", "AnalysisIDDescription")
            out.dimensions.append(Dimension(*(_text(element, name) for name in names)))
        case "Transaction":
            out.ledger.add(_voucher(element, out.currency))
        case "NumberOfEntries":
            out.entries = _integer(_value(element))
        case "TotalDebit":
            out.total_debit = _decimal(_value(element))
        case "TotalCredit":
            out.total_credit = _decimal(_value(element))
        case _:
            return


def _path(path: str) -> str:
    return "/".join(_NAMESPACE + step for step in path.split("/"))


def _text(element: etree._Element, path: str) -> str:  # pyright: ignore[reportPrivateUsage]
    return _value(element.find(_path(path)))


def _value(element: etree._Element | None) -> str:  # pyright: ignore[reportPrivateUsage]
    """All of an element's text; raises NotSaft when there are elements inside."""
    return _read(xsd.text_of, element)


def _date(text: str) -> date | None:
    """A day; raises NotSaft for what is none."""
    return _read(xsd.calendar_date, text) if text else None


def _decimal(text: str) -> Decimal:
    """An exact amount; raises NotSaft for what is no number."""
    return _read(xsd.decimal, text)


def _integer(text: str) -> int:
    """A whole number; raises NotSaft for what is none."""
    return _read(xsd.integer, text)


def _read[S, T](read: Callable[[S], T], text: S) -> T:
    try:
        return read(text)
    except xsd.LexicalError as error:
        raise NotSaft(str(error)) from error


def _party(element: etree._Element, key: str) -> Party:  # pyright: ignore[reportPrivateUsage]
    street = " ".join(filter(None, (_text(element, "Address/StreetName"), _text(element, "Address/Number"))))
    return Party(
        number=_text(element, key),
        name=_text(element, "Name"),
        organisation=_text(element, "RegistrationNumber"),
        street=street,
        postal_code=_text(element, "Address/PostalCode"),
        city=_text(element, "Address/City"),
        country=_text(element, "Address/Country"),
        phone=_text(element, "Contact/Telephone"),
        email=_text(element, "Contact/Email"),
        currency=_text(element, "PartyInfo/CurrencyCode"),
    )


def _children(element: etree._Element) -> dict[str, etree._Element]:  # pyright: ignore[reportPrivateUsage]
    """The first child of each name: one pass, where a search per field would cost five times as much."""
    out: dict[str, etree._Element] = {}  # pyright: ignore[reportPrivateUsage]
    for child in element:
        out.setdefault(str(child.tag)[_CUT:], child)
    return out


def _said(parts: dict[str, etree._Element], name: str) -> str:  # pyright: ignore[reportPrivateUsage]
    return _value(parts.get(name))


def _voucher(element: etree._Element, currency: str) -> Voucher:  # pyright: ignore[reportPrivateUsage]
    parts = _children(element)
    day = _date(_said(parts, "TransactionDate"))
    number = _said(parts, "TransactionID")
    if day is None:
        raise NotSaft(f"transaction {number} has no date")
    return Voucher(
        number=number,
        day=day,
        year=_integer(_said(parts, "PeriodYear") or str(day.year)),
        period=_integer(_said(parts, "Period") or str(day.month)),
        kind=_said(parts, "VoucherType") or _said(parts, "TransactionType"),
        entered=_date(_said(parts, "SystemEntryDate")),
        lines=tuple(_line(child, currency) for child in element if child.tag == _LINE),
    )


def _line(element: etree._Element, home: str) -> Line:  # pyright: ignore[reportPrivateUsage]
    parts = _children(element)
    credit = "DebitAmount" not in parts
    side = parts.get("CreditAmount" if credit else "DebitAmount")
    if side is None:
        raise NotSaft(f"line {_said(parts, 'RecordID')} has neither a debit nor a credit amount")
    sums = _children(side)
    tax = parts.get("TaxInformation")
    sign = -1 if credit else 1
    amount = sign * _decimal(_said(sums, "Amount"))
    foreign, rate = _said(sums, "CurrencyAmount"), _said(sums, "ExchangeRate")
    analysis: list[tuple[str, str]] = []
    for child in element:
        if child.tag == _ANALYSIS:
            of = _children(child)
            analysis.append((_said(of, "AnalysisType"), _said(of, "AnalysisID")))
    return Line(
        account=_said(parts, "AccountID"),
        amount=amount,
        credit=credit,
        text=_said(parts, "Description"),
        currency=_said(sums, "CurrencyCode") or home,
        currency_amount=sign * _decimal(foreign) if foreign else amount,
        rate=_decimal(rate) if rate else None,
        value_date=_date(_said(parts, "ValueDate")),
        customer=_said(parts, "CustomerID"),
        supplier=_said(parts, "SupplierID"),
        reference=_said(parts, "ReferenceNumber"),
        tax_code=_said(_children(tax), "TaxCode") if tax is not None else "",
        analysis=tuple(analysis),
    )
