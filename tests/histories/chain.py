"""A chain of shops: who has which books, what their tills report, and the roads by which that comes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from erphub.erp.documents import Document, Settlement
from erphub.erp.posting import Choice, Posted, Posting, Setup
from erphub.platform.errors import Unavailable, Uncertain
from tests.histories.interruptions import Fault, Interruptions
from tests.support.ledger import Died, LedgerErp
from tests.support.saft import file

COMPANIES = {"1": "Fjellbutikken", "2": "Kystkaffe", "3": "Vidde Drift"}
DEPARTMENTS = {"10": "Salg", "20": "Kafé", "30": "Nett"}
FIRST_DAY = date(2026, 1, 1)
EMPTY = "0.00"
AMOUNTS = ("125.00", "250.00", EMPTY)


@dataclass(frozen=True)
class Shop:
    """A shop, or a register with books of its own; the truth about it, which the settings learn sooner or later."""

    words: tuple[str, ...]
    """How its till spells its name."""
    registers: tuple[str, ...]
    company: str
    department: str
    from_date: date = FIRST_DAY
    by_register: bool = False
    """Whether its location is told by its registers."""

    def location(self) -> dict[str, Any]:
        """It, as the settings have it."""
        named = [word for word in self.words if word][:2]
        return {
            "departments": named,
            "registers": list(self.registers) if self.by_register else [],
            "company": self.company,
            "department": self.department,
            "from_date": self.from_date.isoformat(),
        }


@dataclass(frozen=True)
class Report:
    """A Z-report as it is in the world: one of a register of a shop, of a day."""

    shop: int
    register: str
    number: int
    day: date

    def __str__(self) -> str:
        return f"{self.shop}-{self.register}-{self.number}-{self.day:%m%d}"


@dataclass(frozen=True)
class Spelling:
    """How one road writes what another writes otherwise, and what means nothing."""

    word: int = 0
    reversed: bool = False
    short: bool = False
    comment: str = ""


def settlement(shop: Shop, report: Report, amount: str, spelling: Spelling) -> dict[str, Any]:
    """A report as a till tells it in JSON."""
    body: dict[str, Any] = {
        "date": report.day.isoformat(),
        "number": report.number,
        "department": shop.words[spelling.word % len(shop.words)],
        "till": report.register,
    }
    if amount != EMPTY:
        vat = Decimal(amount) / 5
        sales = [
            {"vat_rate": "25", "amount": amount, "vat": f"{vat:.2f}"},
            {"vat_rate": "15", "amount": "115.00", "vat": "15.00"},
        ]
        payments = [{"means": "cash", "amount": amount}, {"means": "card", "amount": "115.00"}]
        body |= {"sales": sales[:: -1 if spelling.reversed else 1], "payments": payments}
        if spelling.short:
            short = [{**line, "amount": f"{Decimal(line['amount']).normalize():f}"} for line in payments]
            body["payments"] = short[::-1]
    return body | ({"comment": spelling.comment} if spelling.comment else {})


def cash_register_file(
    shops: Sequence[Shop], reports: Sequence[tuple[Report, str]], spelling: Spelling, encoding: str
) -> bytes:
    """Reports as a till exports them, in an encoding."""
    whole = file().decode()
    head, tail = whole[: whole.index("<location>")], whole[whole.index("</location>") + len("</location>") :]
    head = head.replace(
        "</basics>",
        "<basic><basicType>12</basicType><basicID>C</basicID><predefinedBasicID>12003</predefinedBasicID></basic>"
        "</basics>",
    )
    told = reports[:: -1 if spelling.reversed else 1]
    text = head + "".join(_location(shops[one.shop], one, amount, spelling) for one, amount in told) + tail
    declared = text.replace('<?xml version="1.0"?>', f'<?xml version="1.0" encoding="{encoding}"?>')
    return (declared.replace("\n", "\r\n") if spelling.short else declared).encode(encoding, "xmlcharrefreplace")


def _location(shop: Shop, report: Report, amount: str, spelling: Spelling) -> str:
    gross = Decimal(amount)
    lines = (("25.00", gross / 5 * 4, gross / 5), ("15.00", Decimal(100), Decimal(15))) if gross else ()
    paid = (("K", gross), ("C", Decimal(115))) if gross else ()
    sales = "".join(
        f"<reportCashSaleVat><vatPerc>{rate}</vatPerc><cashSaleAmnt>{net:.2f}</cashSaleAmnt><vatAmnt>{vat:.2f}</vatAmnt>"
        "</reportCashSaleVat>"
        for rate, net, vat in lines
    )
    payments = "".join(
        f"<reportPayment><paymentType>{kind}</paymentType><paymentAmnt>{money:.2f}</paymentAmnt></reportPayment>"
        for kind, money in paid
    )
    return f"""<location><name>{shop.words[spelling.word % len(shop.words)]}</name>
      <cashregister><registerID>{report.register}</registerID>
      <event><eventType>Z</eventType><eventReport><reportID>{report.number}</reportID>
      <reportDate>{report.day.isoformat()}</reportDate><reportTime>23:00:00</reportTime>
      <reportPayments>{payments}</reportPayments><reportCashSalesVat>{sales}</reportCashSalesVat>
      <reportReceiptNum>1</reportReceiptNum></eventReport></event></cashregister></location>"""


def lines_file(documents: Sequence[tuple[str, str, dict[str, Any]]], *, marked: bool) -> bytes:
    """Documents of a kind under an id, one to a line."""
    lines = [json.dumps({"kind": kind, "external_id": name} | fields) for kind, name, fields in documents]
    return "\n".join(lines).encode("utf-8-sig" if marked else "utf-8")


@dataclass
class ChainErp(LedgerErp):
    """The ERP of the chain. It knows whose books each document belongs to, and tells of what goes elsewhere."""

    shops: Sequence[Shop] = ()
    interruptions: Interruptions = field(default_factory=Interruptions)
    misplaced: list[str] = field(default_factory=list[str])

    def setup(self, company: str = "") -> Setup:
        self._call()
        return replace(super().setup(company), departments=[Choice(key, name) for key, name in DEPARTMENTS.items()])

    def find(self, kind: Any, posting: Posting, document: Document) -> Posted | None:
        fault = self._call()
        found = super().find(kind, posting, document)
        self._end(fault)
        return found

    def push(self, document: Document, posting: Posting) -> Posted:
        fault = self._call()
        shop = self.shop_of(document)
        given = posting.routing.get("company"), posting.routing.get("department")
        if shop is None or given != (shop.company, shop.department):
            self.misplaced.append(f"{document} to {given}")
        posted = super().push(document, posting)
        if fault is Fault.ANSWER_LOST:
            raise Uncertain("No answer came.", code="answer_lost")
        self._end(fault)
        return posted

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        fault = self._call()
        done = super().attach(posted, posting, pdf, name)
        self._end(fault)
        return done

    def changed_since(self, *arguments: Any) -> Iterator[Any]:
        self._call()
        return super().changed_since(*arguments)

    def shop_of(self, document: Document) -> Shop | None:
        """The shop whose books a document belongs to."""
        word, till = getattr(document, "department", ""), getattr(document, "till", "")
        named = [shop for shop in self.shops if word.strip() in [known.strip() for known in shop.words]]
        for shop in named:
            if shop.by_register and till in shop.registers:
                return shop
        return next((shop for shop in named if not shop.by_register), None)

    def report_of(self, document: Settlement) -> Report:
        """What it is in the world."""
        shop = self.shop_of(document)
        assert shop is not None
        return Report(self.shops.index(shop), document.till, document.number, document.date)

    def _call(self) -> Fault | None:
        fault = self.interruptions.next_fault()
        if fault is Fault.DIED_BEFORE:
            raise Died
        if fault is Fault.NOT_MADE:
            raise Unavailable("The ERP does not answer.", code="erp_unreachable")
        return fault

    def _end(self, fault: Fault | None) -> None:
        if fault is Fault.DIED_AFTER:
            raise Died
        if fault is Fault.ANSWER_LOST:
            raise Unavailable("The ERP does not answer.", code="erp_unreachable")


def days(count: int) -> list[date]:
    """The first days of the year."""
    return [FIRST_DAY + timedelta(days=number) for number in range(count)]
