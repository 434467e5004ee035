"""A register's standard audit file (SAF-T Cash Register 1.00) of a shop's days, in any encoding."""

from collections.abc import Sequence
from decimal import Decimal
from xml.etree import ElementTree as ET

from local.demo.shop import Day

_NAMESPACE = "urn:StandardAuditFile-Taxation-CashRegister:NO"
_CODES = {"cash": "12001", "bankaxept": "12002", "card": "12003", "vipps": "12011"}
"""The standard's codes of the means of payment."""
_Z_REPORT = "13009"


def written(days: Sequence[Day], encoding: str) -> bytes:
    """The file: the days of one register, each closed by its Z-report. Its declaration names the encoding."""
    shop = days[0].shop
    root = ET.Element("auditfile", xmlns=_NAMESPACE)
    _leaf(ET.SubElement(root, "header"), "curCode", "NOK")
    company = ET.SubElement(root, "company")
    _leaf(company, "companyIdent", str(shop.company))
    basics = ET.SubElement(company, "basics")
    for kind, code in [("12", code) for code in _CODES.values()] + [("13", _Z_REPORT)]:
        basic = ET.SubElement(basics, "basic")
        _leaf(basic, "basicType", kind)
        _leaf(basic, "basicID", code)
        _leaf(basic, "predefinedBasicID", code)
    location = ET.SubElement(company, "location")
    _leaf(location, "name", shop.name)
    register = ET.SubElement(location, "cashregister")
    _leaf(register, "registerID", shop.register)
    for day in days:
        _report(register, day)
    for day in days:
        _rounded(register, day)
    return ET.tostring(root, encoding=encoding, xml_declaration=True)


def _report(register: ET.Element, day: Day) -> None:
    event = ET.SubElement(register, "event")
    _leaf(event, "eventType", _Z_REPORT)
    report = ET.SubElement(event, "eventReport")
    _leaf(report, "reportID", str(day.number))
    _leaf(report, "reportType", "Z report")
    _leaf(report, "reportDate", day.day.isoformat())
    _leaf(report, "reportTime", "21:05:00")
    payments = ET.SubElement(report, "reportPayments")
    for one in day.document["payments"]:
        if one["means"] in _CODES:
            payment = ET.SubElement(payments, "reportPayment")
            _leaf(payment, "paymentType", _CODES[one["means"]])
            _leaf(payment, "paymentAmnt", one["amount"])
    sales = ET.SubElement(report, "reportCashSalesVat")
    for one in day.document["sales"]:
        sale = ET.SubElement(sales, "reportCashSaleVat")
        _leaf(sale, "vatPerc", f"{Decimal(one['vat_rate']):.2f}")
        _leaf(sale, "cashSaleAmnt", f"{Decimal(one['amount']) - Decimal(one['vat']):.2f}")
        _leaf(sale, "vatAmnt", one["vat"])
    _leaf(report, "reportReceiptNum", "1")


def _rounded(register: ET.Element, day: Day) -> None:
    """The receipt that says by how much the day's cash was rounded."""
    rounding = next((one["amount"] for one in day.document["payments"] if one["means"] == "rounding"), "0.00")
    receipt = ET.SubElement(register, "cashtransaction")
    _leaf(receipt, "transDate", day.day.isoformat())
    _leaf(receipt, "transTime", "20:58:00")
    _leaf(ET.SubElement(receipt, "rounding"), "roundingAmnt", rounding)


def _leaf(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
