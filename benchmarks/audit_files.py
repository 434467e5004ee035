"""Audit files of any length, written as they are read: SAF-T Cash Register and SAF-T Financial, for measuring.

Nothing of them is kept; the same length is always the same file.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, override

if TYPE_CHECKING:
    from collections.abc import Buffer

REGISTERS, DAYS = 4, 365
_CASH = "urn:StandardAuditFile-Taxation-CashRegister:NO"
_SIGNATURE = "A" * 344


class _Stream(RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._left = parts, b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "Buffer", /) -> int:
        room = memoryview(buffer)
        while not self._left:
            if (part := next(self._parts, None)) is None:
                return 0
            self._left = part
        size = min(len(room), len(self._left))
        room[:size], self._left = self._left[:size], self._left[size:]
        return size


def stream(parts: Iterator[bytes]) -> BufferedReader:
    """Parts as a file that can be read from its beginning."""
    return BufferedReader(_Stream(parts), 1 << 20)


def cash_registers(size: int) -> Iterator[bytes]:
    """A SAF-T Cash Register file of about so many bytes: a year of four tills, as many sales as there is room for."""
    basics = "".join(
        f"<basic><basicType>{kind}</basicType><basicID>{key}</basicID><predefinedBasicID>{code}</predefinedBasicID></basic>"
        for kind, key, code in (("12", "K", "12001"), ("13", "Z", "13009"))
    )
    yield (
        f'<?xml version="1.0" encoding="UTF-8"?><auditfile xmlns="{_CASH}"><header><curCode>NOK</curCode></header>'
        f"<company><companyIdent>999999999</companyIdent><basics>{basics}</basics><location><name>Butikk</name>"
    ).encode()
    for register in range(REGISTERS):
        yield f"<cashregister><registerID>R {register}</registerID>".encode()
        reports = b"".join(map(_z_report, range(DAYS)))
        yield reports
        number, left = 0, size // REGISTERS - len(reports)
        while left > 0:
            yield (sale := _sale(number))
            number, left = number + 1, left - len(sale)
        yield b"</cashregister>"
    yield b"</location></company></auditfile>"


def _day(number: int) -> str:
    return str(date(2025, 1, 1) + timedelta(number))


def _z_report(number: int) -> bytes:
    return (
        f"<event><eventID>{number}</eventID><eventType>Z</eventType><eventReport><reportID>{number + 1}</reportID>"
        f"<reportType>Z report</reportType><reportDate>{_day(number)}</reportDate><reportTime>23:00:00</reportTime>"
        "<reportPayments><reportPayment><paymentType>K</paymentType><paymentAmnt>125.00</paymentAmnt></reportPayment>"
        "</reportPayments><reportCashSalesVat><reportCashSaleVat><vatPerc>25.00</vatPerc>"
        "<cashSaleAmnt>100.00</cashSaleAmnt><vatAmnt>25.00</vatAmnt></reportCashSaleVat></reportCashSalesVat>"
        "<reportReceiptNum>200</reportReceiptNum></eventReport></event>\n"
    ).encode()


def _sale(number: int) -> bytes:
    day = _day(number % DAYS)
    lines = "".join(
        f"<ctLine><nr>{number}</nr><lineID>{line}</lineID><lineType>S</lineType><artGroupID>7</artGroupID>"
        f"<artID>ART{line:05}</artID><qnt>1.00</qnt><lineAmntIn>125.00</lineAmntIn><lineAmntEx>100.00</lineAmntEx>"
        f"<amntTp>C</amntTp><empID>E1</empID><lineDate>{day}</lineDate><lineTime>12:00:00</lineTime><vat>"
        "<vatCode>3</vatCode><vatPerc>25.00</vatPerc><vatAmnt>25.00</vatAmnt><vatAmntTp>C</vatAmntTp>"
        "<vatBasAmnt>100.00</vatBasAmnt></vat></ctLine>"
        for line in range(4)
    )
    return (
        f"<cashtransaction><nr>{number}</nr><transID>{number}</transID><transType>S</transType>"
        "<transAmntIn>500.00</transAmntIn><transAmntEx>400.00</transAmntEx><amntTp>C</amntTp><empID>E1</empID>"
        f"<periodNumber>1</periodNumber><transDate>{day}</transDate><transTime>12:00:00</transTime>{lines}<payment>"
        "<paymentType>K</paymentType><paidAmnt>500.00</paidAmnt><empID>E1</empID><curCode>NOK</curCode></payment>"
        f"<rounding><roundingAmnt>0.00</roundingAmnt></rounding><signature>{_SIGNATURE}</signature>"
        "<keyVersion>1</keyVersion><voidTransaction>false</voidTransaction><trainingID>false</trainingID>"
        "</cashtransaction>\n"
    ).encode()
