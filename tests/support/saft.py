"""Audit files of cash registers, made for tests."""

NAMESPACE = "urn:StandardAuditFile-Taxation-CashRegister:NO"


def file(reports: str = "", transactions: str = "", doctype: str = "") -> bytes:
    return f"""<?xml version="1.0"?>{doctype}
    <auditfile xmlns="{NAMESPACE}"><header><curCode>NOK</curCode></header><company>
      <basics>
        <basic><basicType>12</basicType><basicID>K</basicID><predefinedBasicID>12001</predefinedBasicID></basic>
        <basic><basicType>12</basicType><basicID>M</basicID><predefinedBasicID>12011</predefinedBasicID></basic>
        <basic><basicType>13</basicType><basicID>Z</basicID><predefinedBasicID>13009</predefinedBasicID></basic>
        <basic><basicType>13</basicType><basicID>X</basicID><predefinedBasicID>13008</predefinedBasicID></basic>
      </basics>
      <location><name>Butikk</name>
      <cashregister><registerID>R 1</registerID>{reports}{transactions}</cashregister></location>
    </company></auditfile>""".encode()


def report(
    number: str = "1",
    day: str = "2026-01-31",
    net: str = "100.00",
    vat: str = "25.00",
    paid: str = "125.00",
    kind: str = "Z",
    extra: str = "",
    receipts: int = 1,
) -> str:
    return f"""<event><eventType>{kind}</eventType><eventReport><reportID>{number}</reportID>
      <reportType>Report</reportType>
      <reportDate>{day}</reportDate><reportTime>23:00:00</reportTime>
      <reportPayments><reportPayment><paymentType>K</paymentType>
      <paymentAmnt>{paid}</paymentAmnt></reportPayment></reportPayments>
      {extra}<reportCashSalesVat><reportCashSaleVat><vatPerc>25.00</vatPerc><cashSaleAmnt>{net}</cashSaleAmnt>
      <vatAmnt>{vat}</vatAmnt></reportCashSaleVat></reportCashSalesVat><reportReceiptNum>{receipts}</reportReceiptNum>
      </eventReport></event>"""


def two_shops(second: str = "<name>Butikk 2</name>", more: str = "") -> bytes:
    """Two shops of a chain whose tills are all called the same; the same amounts on the same day."""
    one = file(report("1")).decode()
    location = one[one.index("<location>") : one.index("</location>") + len("</location>")]
    return one.replace(location, location + location.replace("<name>Butikk</name>", second) + more).encode()
