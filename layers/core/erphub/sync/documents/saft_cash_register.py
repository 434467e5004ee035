"""SAF-T Cash Register (Norway): the Z-reports of a standard audit file, as settlements.

The rules, element by element of the schema 1.00:

* each `event` with an `eventReport` whose `eventType` stands for a Z-report (basic 13009; or `reportType` "Z…") is
  one settlement; X-reports are none.
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
* the file is read as a stream, and nothing of it is kept but what its Z-reports say: its length costs no memory. A file
  has at most MAX_REPORTS of them. In the schema a register's events stand before its transactions; a report behind more
  than MOST_WAITING transactions of its register is refused, with all of that register, for its rounding is not known.
* transactions after a register's last Z-report make no settlement, for the till will still close that day: they are
  counted and reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from io import BufferedReader, BytesIO
from typing import IO, TYPE_CHECKING, cast

from erphub.erp.documents import DocumentKind
from erphub.platform import xsd
from erphub.platform.errors import HubError, Invalid
from erphub.sync import problems
from erphub.sync.canonical import digest, read_received, to_text
from erphub.sync.documents.models import IncomingDocument
from erphub.sync.documents.saft_reports import NAMESPACE, Report, rounding_of, text_in, when_of, z_report_in
from erphub.sync.documents.saft_roundings import Roundings

if TYPE_CHECKING:
    from io import RawIOBase

    from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] — the only name its stubs have for an element


MAX_REPORTS = 100_000
"""Of a file: a hundred tills for almost three years. Each takes some 3 kB while the file is read."""
_BEGINNING = 64 * 1024
_WANTED = (
    *("auditfile", "curCode", "companyIdent", "basic", "location", "name", "streetAddress"),
    *("cashregister", "registerID", "event", "cashtransaction"),
)
_NEVER_WANTED = ("employee", "article", "period", "vatCodeDetail")
"""What a file has many of, and no settlement needs."""


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
    reports: list[Report] = field(default_factory=list[Report])
    roundings: Roundings = field(default_factory=Roundings)
    is_in_order: bool = True
    """Whether no report came after its transactions had been added up."""

    def take(self, report: Report) -> None:
        self.is_in_order = self.is_in_order and not self.roundings.are_added_up
        self.reports.append(report)

    def round_by(self, when: str, amount: Decimal | Invalid) -> None:
        self.roundings.add(when, amount)
        if self.roundings.are_many:
            self.add_up()

    def add_up(self) -> None:
        self.roundings.add_up([report.when for report in self.reports])


def read_cash_register(xml: bytes | IO[bytes]) -> CashRegisterFile:
    """The Z-reports of a file. Raises Invalid when it is no SAF-T Cash Register file, or has too many of them."""
    from lxml import etree

    source = BufferedReader(cast("RawIOBase", BytesIO(xml) if isinstance(xml, bytes) else xml), _BEGINNING)
    reading = CashRegisterFile()
    tags = [NAMESPACE + name for name in (*_WANTED, *_NEVER_WANTED)]
    try:
        xsd.first_of(source.peek(), _require_root)
        _read(xsd.parsed(source, events=("start", "end"), tag=tags), reading)
    except etree.XMLSyntaxError as error:
        raise problems.MALFORMED_XML() from error
    except xsd.LexicalError as error:
        raise problems.VALUE_INVALID(error=error) from error
    return reading


def _require_root(element: "_Element") -> None:
    if xsd.has_document_type(element):
        raise problems.DOCTYPE_REFUSED()
    if element.tag != f"{NAMESPACE}auditfile":
        raise problems.NOT_A_CASH_REGISTER_FILE()


def _read(events: "Iterator[tuple[str, _Element]]", reading: CashRegisterFile) -> None:
    basics: dict[str, str] = {}
    currency, place = "NOK", _Place("")
    register: _Register | None = None
    count = 0
    for event, element in events:
        count += 1
        if count == 1:
            _require_root(element.getroottree().getroot())
        name = str(element.tag).removeprefix(NAMESPACE)
        if event == "start":
            if name == "location":
                place = _Place(place.company)
            elif name == "cashregister":
                register = _Register("", place)
            continue
        parent = element.getparent()
        above = "" if parent is None else str(parent.tag).removeprefix(NAMESPACE)
        match (above, name):
            case ("header", "curCode"):
                currency = xsd.text_of(element) or "NOK"
            case ("basics", "basic"):
                basics[text_in(element, "basicType") + text_in(element, "basicID")] = text_in(
                    element, "predefinedBasicID"
                )
            case ("company", "companyIdent"):
                place.company = xsd.text_of(element)
            case ("location", "name"):
                place.name = xsd.text_of(element)
            case ("location", "streetAddress"):
                place.address = ", ".join(words for part in element if (words := xsd.text_of(part)))
            case ("cashregister", "registerID") if register:
                register.name = xsd.text_of(element)
            case ("cashregister", "event") if register:
                if (report := z_report_in(element, basics)) is not None:
                    register.take(Report.read(report, basics))
                xsd.forget(element)
            case ("cashregister", "cashtransaction") if register:
                if (rounding := rounding_of(element)) is not None:
                    register.round_by(when_of(element, "transDate", "transTime"), rounding)
                xsd.forget(element)
            case (_, "cashregister") if register:
                _close(register, currency, reading)
                register = None
                xsd.forget(element)
            case _ if name in _NEVER_WANTED:
                xsd.forget(element)
            case _:
                continue
    if not count:
        raise problems.NOT_A_CASH_REGISTER_FILE()


def _close(register: _Register, currency: str, reading: CashRegisterFile) -> None:
    if len(reading.settlements) + len(reading.refused) + len(register.reports) > MAX_REPORTS:
        raise problems.TOO_MANY_REPORTS(maximum=MAX_REPORTS)
    register.add_up()
    sums = register.roundings.by_end()
    for report in sorted(register.reports, key=lambda one: one.when):
        try:
            if not register.is_in_order:
                raise problems.REPORT_BEHIND_TRANSACTIONS()
            rounding = sums.pop(report.when, None)
            fields = report.settlement(register.place.title, register.name, currency, rounding)
            settlement = read_received(DocumentKind.SETTLEMENT, fields)
            reading.add(IncomingDocument(DocumentKind.SETTLEMENT, _external_id(register, report), settlement))
        except HubError as error:
            reading.refused.append(RefusedReport(register.name, report.number, error))
    if left := register.roundings.left_open:
        reading.open_transactions[register.name] = reading.open_transactions.get(register.name, 0) + left


def _external_id(register: _Register, report: Report) -> str:
    """Register and number to be read by people, and a digest of all that tells one report from another."""
    clean = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in register.name)
    place = register.place
    identity = "\n".join((place.company, place.title, register.name, report.number, report.when))
    return f"{clean[:60]}:{report.number[:20]}:{digest(identity)[:12]}"
