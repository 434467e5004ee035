"""Invoice bases over SOAP: one order with its rows in one call, found by our key in its reference number."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from erphub.erp.documents import Invoice, InvoiceLine
from erphub.erp.posting import Posted, Posting
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.endpoints import INVOICE
from erphub.erp.systems.twentyfourseven.numbers import shown
from erphub.erp.systems.twentyfourseven.parties import GIFT_CARD
from erphub.erp.systems.twentyfourseven.rest_orders import customer_reference
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.soap_register import SoapProducts, row_of, strings
from erphub.erp.systems.twentyfourseven.soap_vouchers import SoapBooks
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, as_data, children, text

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


_PROPERTIES = ("OrderId", "OrderStatus", "ReferenceNumber")


class SoapOrders:
    """Orders of one company."""

    def __init__(self, soap: Soap, books: SoapBooks, products: SoapProducts) -> None:
        self._soap = soap
        self._books = books
        self._products = products

    def preview(self, invoice: Invoice, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The order as it would be saved."""
        return [{"call": "SaveInvoices", "body": shown(as_data(self._order(invoice, posting)))}]

    def find(self, invoice: Invoice, posting: Posting) -> Posted | None:
        """Among the customer's orders that changed since the day before the invoice's."""
        search: Node = (
            ("CustomerIds", (("int", [int(customer_reference(invoice, posting))]),)),
            ("ChangedAfter", invoice.date - timedelta(days=1)),
        )
        for order in self.orders(search, _PROPERTIES):
            if text(order, "ReferenceNumber") == posting.key:
                return _posted(order)
        return None

    def push(self, invoice: Invoice, posting: Posting) -> Posted:
        """Save the order with its rows. Raises ErpRefused, Unavailable, Uncertain."""
        body: Node = (("invoices", (("InvoiceOrder", [self._order(invoice, posting)]),)),)
        result = self._soap.write(INVOICE, "SaveInvoices", body, self._books.company)
        return _posted(row_of(result, "InvoiceOrder"))

    def orders(self, search: Node, properties: Sequence[str], rows: Sequence[str] = ()) -> list["Element"]:
        """Orders that fit, with the properties named, and those of their rows; no more than 1,000 by number."""
        body: Node = (
            ("searchParams", search),
            ("invoiceReturnProperties", strings(properties)),
            ("rowReturnProperties", strings(rows)),
        )
        return list(children(self._soap.read(INVOICE, "GetInvoices", body, self._books.company), "InvoiceOrder"))

    def _order(self, invoice: Invoice, posting: Posting) -> Node:
        rows = [self._row(line, number, posting) for number, line in enumerate(invoice.lines, start=1)]
        return (
            ("CustomerId", int(customer_reference(invoice, posting))),
            ("OrderStatus", "Confirmed" if posting.routing.get("invoices_as") == "order" else "Draft"),
            ("DateOrdered", invoice.date),
            ("IncludeVAT", NIL),
            ("YourReference", invoice.your_reference or None),
            ("InvoiceText", invoice.comment or None),
            ("DepartmentId", self._books.department(posting.routing)),
            ("InvoiceRows", (("InvoiceRow", rows),)),
            ("ReferenceNumber", posting.key),
        )

    def _row(self, line: InvoiceLine, number: int, posting: Posting) -> Node:
        wanted = GIFT_CARD if line.gift_card else line.product_no
        product = self._product(wanted, posting) if wanted else None
        return (
            ("ProductId", product),
            ("VatRate", line.vat_rate),
            ("Price", line.unit_price),
            ("Name", line.description or "-"),
            ("DiscountRate", line.discount_percent or None),
            ("Quantity", line.quantity),
            ("ChangeState", "Add"),
            ("SequenceNumber", number),
            ("Type", "Normal"),
        )

    def _product(self, number: str, posting: Posting) -> int:
        found = self._products.id_of(number, posting.known)
        if found is None and number == GIFT_CARD:
            raise problems.GIFT_CARD_PRODUCT_MISSING()
        if found is None:
            raise problems.PRODUCT_MISSING(number=number)
        return int(found)


def _posted(order: "Element") -> Posted:
    return Posted(text(order, "OrderId") or "", details={"status": text(order, "OrderStatus") or ""})
