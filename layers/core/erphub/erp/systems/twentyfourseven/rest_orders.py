"""Invoice bases over REST: a sales order, whole before it is confirmed, found by our key in its reference number.

An order and its lines are separate calls, so an order can be left half made. It stays a draft until its last line is
there; sending again continues where it stopped.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from erphub.erp.documents import Invoice, InvoiceLine
from erphub.erp.posting import Posted, Posting
from erphub.erp.systems.twentyfourseven import outcomes, problems
from erphub.erp.systems.twentyfourseven.numbers import decimal, part, rate_key, records, shown
from erphub.erp.systems.twentyfourseven.parties import GIFT_CARD
from erphub.erp.systems.twentyfourseven.rest import Rest
from erphub.erp.systems.twentyfourseven.rest_register import RestProducts
from erphub.erp.systems.twentyfourseven.rest_vouchers import DEPARTMENT, RestBooks
from erphub.erp.systems.twentyfourseven.settlement import outgoing_code
from erphub.platform.lexical import is_digits


class RestOrders:
    """Sales orders of one organisation."""

    def __init__(self, rest: Rest, books: RestBooks, products: RestProducts) -> None:
        self._rest = rest
        self._books = books
        self._products = products

    def preview(self, invoice: Invoice, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """Every call that would be made, in order."""
        calls: list[dict[str, Any]] = [{"call": "POST /salesorders", "body": shown(self._order(invoice, posting))}]
        for line in self._lines(invoice, posting):
            calls.append({"call": "POST /salesorders/{id}/lines", "body": shown(line)})
        if _status(posting) != "Draft":
            calls.append({"call": "PATCH /salesorders/{id}", "body": {"status": _status(posting)}})
        return calls

    def find(self, invoice: Invoice, posting: Posting) -> Posted | None:
        """The order, when it is complete; half an order is continued by sending again."""
        order = self._by_key(invoice, posting)
        if order is None or (order.get("status") == "Draft" and _status(posting) != "Draft"):
            return None
        there = self._lines_of(order)
        return _posted(order, None) if len(there) >= len(invoice.lines) else None

    def push(self, invoice: Invoice, posting: Posting) -> Posted:
        """Make the order, or go on with the one that was begun; confirm it when it is whole."""
        body, wanted = self._order(invoice, posting), self._lines(invoice, posting)
        order = self._by_key(invoice, posting)
        trace_id: str | None = None
        if order is None:
            answer = self._rest.write("POST", "/salesorders", body)
            order, trace_id = dict(part(answer.body)), answer.trace_id
            if "id" not in order:
                raise outcomes.unreadable(writes=True, trace_id=trace_id)
            there: list[dict[str, Any]] = []
        else:
            there = self._lines_of(order)
        for line in wanted[self._done(there, wanted, order["id"]) :]:
            trace_id = self._rest.write("POST", f"/salesorders/{order['id']}/lines", line).trace_id
        if _status(posting) != "Draft" and order.get("status", "Draft") == "Draft":
            change = {"status": _status(posting)}
            trace_id = self._rest.write("PATCH", f"/salesorders/{order['id']}", change, repeatable=True).trace_id
        return _posted(order, trace_id)

    def _lines_of(self, order: Mapping[str, Any]) -> list[dict[str, Any]]:
        return records(self._rest.get(f"/salesorders/{order['id']}/lines").body)

    def _by_key(self, invoice: Invoice, posting: Posting) -> dict[str, Any] | None:
        query: dict[str, str | int] = {
            "dateFrom": invoice.date.isoformat(),
            "dateTo": invoice.date.isoformat(),
            "customerId": customer_reference(invoice, posting),
            "limit": 100,
        }
        for page in self._rest.pages("/salesorders", query):
            for order in page:
                if order.get("referenceNumber") == posting.key:
                    return order
        return None

    def _order(self, invoice: Invoice, posting: Posting) -> dict[str, Any]:
        reference = customer_reference(invoice, posting)
        known = self._rest.get(f"/customers/{reference}").body
        department = self._books.department(posting.routing)
        body: dict[str, Any] = {
            "customer": {"id": int(reference), "name": str(known.get("name") or f"({reference})")[:200]},
            "date": invoice.date.isoformat(),
            "status": "Draft",
            "referenceNumber": posting.key,
        }
        if invoice.your_reference:
            body["yourReference"] = {"name": invoice.your_reference}
        if invoice.comment:
            body["memo"] = invoice.comment
        if department:
            body["dimensions"] = [{"dimensionType": DEPARTMENT, "value": department[0], "name": department[1]}]
        return body

    def _lines(self, invoice: Invoice, posting: Posting) -> list[dict[str, Any]]:
        return [self._line(line, posting) for line in invoice.lines]

    def _line(self, line: InvoiceLine, posting: Posting) -> dict[str, Any]:
        code = outgoing_code(line.vat_rate, self._books.chart)
        body: dict[str, Any] = {
            "type": "product",
            "description": line.description[:300] or "-",
            "quantity": line.quantity,
            "price": line.unit_price,
            "tax": {"number": int(code), "rate": line.vat_rate},
        }
        if line.discount_percent:
            body["discountRate"] = line.discount_percent
        number = GIFT_CARD if line.gift_card else line.product_no
        if number:
            body["product"] = {"id": int(self._product(number, posting))}
        else:
            account = part(posting.routing, "sales_accounts").get(rate_key(line.vat_rate))
            if not account:
                raise problems.LINE_WITHOUT_ACCOUNT(description=line.description, rate=rate_key(line.vat_rate))
            body["account"] = {"number": int(account)}
        return body

    def _product(self, number: str, posting: Posting) -> str:
        found = self._products.id_of(number, posting.known)
        if found is None and number == GIFT_CARD:
            raise problems.GIFT_CARD_PRODUCT_MISSING()
        if found is None:
            raise problems.PRODUCT_MISSING(number=number)
        return found

    @staticmethod
    def _done(there: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]], order: Any) -> int:
        """How many of our lines are there already. Raises ErpRefused when they are not ours."""
        same = all(_same(mine, theirs) for mine, theirs in zip(wanted, there, strict=False))
        if len(there) > len(wanted) or not same:
            raise problems.ORDER_WAS_CHANGED(order=order)
        return len(there)


def _same(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return (
        theirs.get("description") == mine["description"]
        and decimal(theirs.get("quantity")) == mine["quantity"]
        and decimal(theirs.get("price")) == mine["price"]
    )


def _status(posting: Posting) -> str:
    return "Confirmed" if posting.routing.get("invoices_as") == "order" else "Draft"


def customer_reference(invoice: Invoice, posting: Posting) -> str:
    """The ERP's number of the invoice's customer. Raises ErpRefused (`customer_unknown`)."""
    reference = posting.known.get(f"customer:{invoice.customer_id}", "")
    if not is_digits(reference):
        raise problems.CUSTOMER_UNKNOWN(customer_id=invoice.customer_id)
    return reference


def _posted(order: Mapping[str, Any], trace_id: str | None) -> Posted:
    return Posted(str(order["id"]), trace_id=trace_id, details={"status": str(order.get("status") or "")})
