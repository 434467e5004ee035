"""REST: sales orders with lines and attachments."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from . import ledger
from .http import Response, inner, json_response, listed
from .rest import Call, RestError, invalid, not_found, onward, route, zulu
from .rest_trade import known_fields, merge
from .state import Order, guid

ORDER_FIELDS = {
    "customer", "currency", "status", "deliveryCustomer", "deliveryDate", "invoice", "accrual", "date", "internalMemo",
    "memo", "yourReference", "ourReference", "paymentMethod", "referenceNumber", "salesType", "dimensions",
}  # fmt: skip
STATUSES = ("Draft", "Web", "Proposal", "Confirmed", "Invoice", "AdvanceInvoice", "Inactive")
INVOICED = ("Invoice", "AdvanceInvoice")
MOST_ATTACHED = 4_000_000


def _totals(order: Order) -> dict[str, Decimal]:
    net = tax = Decimal(0)
    for line in order.lines.values():
        amount = Decimal(line.get("price") or 0) * Decimal(line.get("quantity", 1))
        amount -= amount * Decimal(line.get("discountRate") or 0) / 100
        net += amount
        tax += amount * Decimal(inner(line.get("tax")).get("rate") or 0) / 100
    net, tax = net.quantize(ledger.ORE), tax.quantize(ledger.ORE)
    return {"netAmount": net, "taxAmount": tax, "grossAmount": net + tax}


def order_shown(order: Order) -> dict[str, Any]:
    """An order as the API writes it, with its totals."""
    stamps = {"createdAt": zulu(order.created), "modifiedAt": zulu(order.modified)}
    return {"id": order.id} | order.fields | _totals(order) | stamps


def _order(call: Call, order_id: int) -> Order:
    found = call.org.orders.get(order_id)
    if found is None:
        raise not_found(f"Sales order {order_id}")
    return found


def _open_order(call: Call, order_id: int) -> Order:
    found = _order(call, order_id)
    if found.status in INVOICED:
        raise RestError(
            400, "BadRequestError", f"Sales order {order_id} is invoiced and cannot be changed.", {"errors": []}
        )
    return found


def _checked_order(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    fields = known_fields(asked, ORDER_FIELDS)
    if fields.get("status", "Draft") not in STATUSES:
        raise invalid(("status", "enum"))
    for dimension in listed(fields.get("dimensions")):
        if dimension.get("value") not in ledger.elements(call.org, dimension.get("dimensionType", 0)):
            words = f"Dimension element {dimension.get('value')} does not exist."
            kind = "ProjectMissing" if dimension.get("dimensionType") == ledger.PROJECT else "DepartmentMissing"
            error = {"type": kind, "message": words, "arguments": [str(dimension.get("value"))]}
            raise RestError(400, "BadRequestError", words, {"errors": [error]})
    return fields


@route("POST", "/salesorders", "api.invoicing.salesorder:write")
def create_order(call: Call) -> Response:
    """Add an order without lines."""
    asked = call.body()
    buyer: Mapping[str, Any] = inner(asked.get("customer"))
    missing = [(f"customer.{name}", "required") for name in ("id", "name") if not buyer.get(name)]
    if missing:
        raise invalid(*missing)
    if buyer["id"] not in call.org.customers or not call.org.customers[buyer["id"]].active:
        raise invalid(("customer.id", "exists"), message=f"Customer {buyer['id']} does not exist.")
    fields = {"status": "Draft", "date": f"{call.now:%Y-%m-%d}"} | _checked_order(call, asked)
    if fields["status"] in INVOICED:
        raise _no_lines()
    order = Order(call.org.next("order", 5001), fields, {}, call.now, call.now)
    call.org.orders[order.id] = order
    return json_response(order_shown(order))


def _no_lines() -> RestError:
    words = "An order without lines cannot be invoiced."
    return RestError(
        400, "BadRequestError", words, {"errors": [{"type": "NoLines", "message": words, "arguments": []}]}
    )


@route("GET", "/salesorders", "api.invoicing.salesorder:read")
def orders(call: Call) -> Response:
    """Orders that fit, onward by token."""
    day, first, last = call.day("date"), call.day("dateFrom"), call.day("dateTo")
    status, buyer, invoice = call.asked("status"), call.asked("customerId"), call.asked("invoiceNumber")
    times = {name: call.instant(name) for name in ("createdFrom", "createdTo", "modifiedFrom", "modifiedTo")}

    def fits(order: Order) -> bool:
        on = str(order.fields.get("date"))
        number = inner(order.fields.get("invoice")).get("number")
        return (
            (day is None or on == f"{day}") and (first is None or on >= f"{first}") and (last is None
            or on <= f"{last}")
            and (status is None or order.status == status)
            and (buyer is None or str(order.fields["customer"]["id"]) == buyer)
            and (invoice is None or str(number) == invoice)
            and _within(order.created, times["createdFrom"], times["createdTo"])
            and _within(order.modified, times["modifiedFrom"], times["modifiedTo"])
        )  # fmt: skip

    return onward(call, "/salesorders", [o for o in call.org.orders.values() if fits(o)], 25, 100, _without_dimensions)


def _within(at: datetime, first: datetime | None, last: datetime | None) -> bool:
    return (first is None or at >= first) and (last is None or at <= last)


def _without_dimensions(order: Order) -> dict[str, Any]:
    """In a list an order comes without its dimensions."""
    return {k: v for k, v in order_shown(order).items() if k != "dimensions"}


@route("GET", "/salesorders/{id}", "api.invoicing.salesorder:read")
def order(call: Call, id: int) -> Response:
    """One order."""
    return json_response(order_shown(_order(call, id)))


@route("PATCH", "/salesorders/{id}", "api.invoicing.salesorder:write")
def change_order(call: Call, id: int) -> Response:
    """Change an order; the status `Invoice` makes the invoice."""
    found = _open_order(call, id)
    fields = _checked_order(call, call.body())
    if fields.get("status") in INVOICED:
        if not found.lines:
            raise _no_lines()
        due = call.now + timedelta(days=14)
        number = call.org.next("invoice", 90001)
        made = {"number": number, "date": f"{call.now:%Y-%m-%d}", "dueDate": f"{due:%Y-%m-%d}"}
        fields["invoice"] = {**inner(fields.get("invoice")), **made}
    found.fields, found.modified = merge(found.fields, fields), call.now
    return json_response(order_shown(found))


@route("DELETE", "/salesorders/{id}", "api.invoicing.salesorder:delete")
def delete_order(call: Call, id: int) -> Response:
    """Remove an order that is not invoiced."""
    if _order(call, id).status in INVOICED:
        raise RestError(409, "ConflictError", f"Sales order {id} is invoiced and cannot be deleted.")
    del call.org.orders[id]
    return Response(204)


@route("GET", "/salesorders/{id}/lines", "api.invoicing.salesorder.line:read")
def order_lines(call: Call, id: int) -> Response:
    """An order's lines."""
    return json_response([{"id": key} | line for key, line in _order(call, id).lines.items()])


@route("POST", "/salesorders/{id}/lines", "api.invoicing.salesorder.line:write")
def add_line(call: Call, id: int) -> Response:
    """Add one line to an order."""
    found = _open_order(call, id)
    line = {"type": "product", "quantity": 1} | _checked_line(call, call.body())
    key = call.org.next("line", 70001)
    found.lines[key], found.modified = line, call.now
    return json_response({"id": key} | line)


LINE_FIELDS = {
    "type", "product", "description", "quantity", "price", "costPrice", "discountRate", "tax", "account", "isHidden",
    "dimensions", "accrual",
}  # fmt: skip


def _checked_line(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [(name, "additionalProperties") for name in asked if name not in LINE_FIELDS]
    if unknown:
        raise invalid(*unknown)
    line = dict(asked)
    if "description" in line and not 1 <= len(line["description"]) <= 300:
        raise invalid(("description", "maxLength"))
    wanted: Mapping[str, Any] = inner(line.get("product"))
    if wanted:
        record = next((
            r for r in call.org.products.values()
            if r.active and (r.id == wanted.get("id") or ("id" not in wanted
            and r.fields.get("number") == wanted.get("number")))
        ), None)  # fmt: skip
        if record is None:
            raise invalid(
                ("product", "exists"), message=f"Product {wanted.get('id', wanted.get('number'))} does not exist."
            )
        line["product"] = {"id": record.id, "number": record.fields.get("number") or ""}
        line.setdefault("description", str(record.fields["name"])[:300] or "-")
        line.setdefault("price", record.fields.get("salesPrice") or 0)
    return line


@route("GET", "/salesorders/{id}/lines/{lineId}", "api.invoicing.salesorder.line:read")
def order_line(call: Call, id: int, lineId: int) -> Response:
    """One line."""
    found = _order(call, id).lines.get(lineId)
    if found is None:
        raise not_found(f"Line {lineId}")
    return json_response({"id": lineId} | found)


@route("PATCH", "/salesorders/{id}/lines/{lineId}", "api.invoicing.salesorder.line:write")
def change_line(call: Call, id: int, lineId: int) -> Response:
    """Change one line."""
    found = _open_order(call, id)
    if lineId not in found.lines:
        raise not_found(f"Line {lineId}")
    asked = {k: v for k, v in call.body().items() if k != "id"}
    found.lines[lineId], found.modified = merge(found.lines[lineId], _checked_line(call, asked)), call.now
    return json_response({"id": lineId} | found.lines[lineId])


@route("DELETE", "/salesorders/{id}/lines/{lineId}", "api.invoicing.salesorder.line:delete")
def delete_line(call: Call, id: int, lineId: int) -> Response:
    """Remove one line."""
    found = _open_order(call, id)
    if found.lines.pop(lineId, None) is None:
        raise not_found(f"Line {lineId}")
    found.modified = call.now
    return Response(204)


@route("GET", "/salesorders/{id}/attachments", "api.invoicing.salesorder.attachment:read")
def attachments(call: Call, id: int) -> Response:
    """An order's files."""
    return json_response(_order(call, id).attachments)


@route("POST", "/salesorders/{id}/attachments", "api.invoicing.salesorder.attachment:write")
def attach(call: Call, id: int) -> Response:
    """Attach a file, smaller than 4 MB, to an order."""
    found = _order(call, id)
    name = re.search(r'filename="([^"]+)"', call.request.headers.get("content-disposition", ""))
    if name is None:
        raise invalid(("Content-Disposition", "required"), message="Content-Disposition must hold a filename.")
    if len(call.request.body) >= MOST_ATTACHED:
        raise RestError(413, "PayloadTooLargeError", "An attachment must be smaller than 4 MB.")
    if not call.request.body:
        raise invalid(("", "required"), message="The attachment is empty.")
    made: dict[str, Any] = {
        "fileId": guid(), "orderId": id, "fileName": name[1], "mediaType": call.request.headers["content-type"],
        "size": len(call.request.body), "timestamp": zulu(call.now), "tags": [],
    }  # fmt: skip
    found.attachments.append(made)
    return json_response(made, 201)
