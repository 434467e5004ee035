"""SOAP: orders; an error of a row stands in that row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from . import ledger
from .http import inner, listed
from .soap import UNABLE, SoapCall, SoapFault, operation
from .soap_trade import chosen_properties, row_error
from .state import Order, Organisation, Record

MOST_ORDERS = 1000
STATUSES = {
    "Draft": "Draft", "Web": "Web", "Offer": "Proposal", "Confirmed": "Confirmed", "ForInvoicing": "Confirmed",
    "Invoiced": "Invoice", "Inactive": "Inactive",
}  # fmt: skip
"""SOAP's words for an order's state that can be written, and REST's."""


@operation("Invoice", "SaveInvoices")
def save_invoices(call: SoapCall) -> list[dict[str, Any]]:
    """New orders, and changes of those whose OrderId is given. An invoiced one cannot be changed."""
    return [_save_order(call, asked) for asked in listed(call.arguments.get("invoices"))]


def _save_order(call: SoapCall, asked: dict[str, Any]) -> dict[str, Any]:
    org, key = call.org, asked.get("OrderId")
    order = org.orders.get(key) if key is not None else None
    if key is not None and order is None:
        return asked | row_error("OrderNotFound", f"Order {key} was not found.")
    if order is not None and order.status == "Invoice":
        return asked | row_error("OrderInvoiced", f"Order {key} is invoiced and cannot be changed.")
    buyer = org.customers.get(asked.get("CustomerId", order.fields["customer"]["id"] if order else 0))
    if buyer is None:
        return asked | row_error("CustomerNotFound", f"Customer {asked.get('CustomerId')} was not found.")
    status = asked.get("OrderStatus", "Draft" if order is None else order.soap_status or "Draft")
    if status not in STATUSES:
        return asked | row_error("ArgumentException", f"Order status {status} cannot be set.")
    missing = [
        r["ProductId"]
        for r in listed(asked.get("InvoiceRows"))
        if "ProductId" in r and r["ProductId"] not in org.products
    ]
    if missing:
        return asked | row_error("ProductNotFound", f"Product {missing[0]} was not found.")
    if status == "Invoiced" and not asked.get("InvoiceRows") and not (order and order.lines):
        return asked | row_error("ArgumentException", "An order without rows cannot be invoiced.")
    fields = _order_fields(call, asked, buyer, STATUSES[status])
    if order is None:
        order = Order(org.next("order", 5001), fields, {}, call.now, call.now)
        org.orders[order.id] = order
    else:
        order.fields, order.modified = order.fields | fields, call.now
    order.soap_status, order.external_status = status, asked.get("ExternalStatus", order.external_status)
    if status == "Invoiced":
        order.fields["invoice"] = {"number": org.next("invoice", 90001), "date": f"{call.now:%Y-%m-%d}"}
    _rows(org, order, listed(asked.get("InvoiceRows")))
    return order_shown(order)


def _order_fields(call: SoapCall, asked: Mapping[str, Any], buyer: Record, status: str) -> dict[str, Any]:
    ordered: datetime = asked.get("DateOrdered") or call.now
    fields: dict[str, Any] = {
        "customer": {"id": buyer.id, "name": asked.get("CustomerName") or buyer.fields["name"]},
        "status": status,
        "date": f"{ordered:%Y-%m-%d}",
    }
    for soap, rest in (
        ("ReferenceNumber", "referenceNumber"),
        ("InvoiceTitle", "internalMemo"),
        ("InvoiceText", "memo"),
    ):
        if soap in asked:
            fields[rest] = asked[soap]
    if "YourReference" in asked:
        fields["yourReference"] = {"name": asked["YourReference"]}
    if "DepartmentId" in asked:
        key = str(asked["DepartmentId"])
        name = ledger.elements(call.org, ledger.DEPARTMENT).get(key, "")
        fields["dimensions"] = [{"dimensionType": ledger.DEPARTMENT, "value": key, "name": name}]
    return fields


def _rows(org: Organisation, order: Order, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        state, key = row.get("ChangeState", "Add"), row.get("RowId")
        if state == "Delete" and key is not None:
            order.lines.pop(key, None)
            continue
        line: dict[str, Any] = {
            "type": "text" if row.get("Type", "Normal") != "Normal" else "product",
            "description": row.get("Name") or "-",
            "quantity": row.get("Quantity", Decimal(1)),
            "price": row.get("Price", Decimal(0)),
        }
        if "ProductId" in row:
            record = org.products[row["ProductId"]]
            line["product"] = {"id": record.id, "number": record.fields.get("number") or ""}
        if "DiscountRate" in row:
            line["discountRate"] = row["DiscountRate"]
        if "VatRate" in row:
            line["tax"] = {"rate": row["VatRate"]}
        order.lines[key if key in order.lines else org.next("line", 70001)] = line


def order_shown(order: Order) -> dict[str, Any]:
    """An order in SOAP's words."""
    invoice: Mapping[str, Any] = inner(order.fields.get("invoice"))
    names = {rest: soap for soap, rest in STATUSES.items() if soap != "ForInvoicing"}
    department = next(
        (d for d in listed(order.fields.get("dimensions")) if d["dimensionType"] == ledger.DEPARTMENT), None
    )
    rows = [
        {"RowId": key, "ProductId": inner(line.get("product")).get("id"), "Name": line.get("description"),
         "ProductNo": inner(line.get("product")).get("number"),
         "Price": Decimal(line.get("price") or 0), "Quantity": Decimal(line.get("quantity") or 0),
         "DiscountRate": line.get("discountRate"), "VatRate": inner(line.get("tax")).get("rate"),
         "Type": "Text" if line.get("type") == "text" else "Normal"}
        for key, line in order.lines.items()
    ]  # fmt: skip
    return {
        "OrderId": order.id, "CustomerId": order.fields["customer"]["id"],
        "CustomerName": order.fields["customer"].get("name"),
        "OrderStatus": order.soap_status or names.get(order.status, "None"), "InvoiceId": invoice.get("number"),
        "DateOrdered": f"{order.fields.get('date')}T00:00:00", "DateChanged": order.modified,
        "YourReference": inner(order.fields.get("yourReference")).get("name"),
        "InvoiceTitle": order.fields.get("internalMemo"), "InvoiceText": order.fields.get("memo"),
        "DepartmentId": int(department["value"]) if department else None, "ExternalStatus": order.external_status,
        "ReferenceNumber": order.fields.get("referenceNumber"), "InvoiceRows": rows,
    }  # fmt: skip


@operation("Invoice", "GetInvoices")
def get_invoices(call: SoapCall) -> list[dict[str, Any]]:
    """Orders that fit. Raises SoapFault for more than 1,000 order numbers."""
    asked: Mapping[str, Any] = inner(call.arguments.get("searchParams"))
    if len(listed(asked.get("OrderIds"))) > MOST_ORDERS:
        raise SoapFault(UNABLE + f"No more than {MOST_ORDERS} OrderIds can be asked for at a time.")
    named = (("CustomerId", "CustomerIds"), ("OrderId", "OrderIds"), ("InvoiceId", "InvoiceIds"),
             ("OrderStatus", "OrderStates"), ("ExternalStatus", "ExternalStatus"))  # fmt: skip
    changed: datetime | None = asked.get("ChangedAfter")
    properties = listed(call.arguments.get("invoiceReturnProperties"))
    rows = set(listed(call.arguments.get("rowReturnProperties")))
    found: list[dict[str, Any]] = []
    for order in call.org.orders.values():
        shown = order_shown(order)
        fits = all(shown[name] in asked[wanted] for name, wanted in named if asked.get(wanted))
        if fits and (changed is None or order.modified >= changed):
            shown["InvoiceRows"] = [{k: v for k, v in row.items() if k in rows} for row in shown["InvoiceRows"]]
            found.append(chosen_properties(shown, [*properties, *(["InvoiceRows"] if rows else [])], "OrderId"))
    return found
