"""The datasets over SOAP: which answer each field comes from. Without pages; the ledger is asked for by months."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING, Any, override

from erphub.erp.systems.twentyfourseven.datasets import Source
from erphub.erp.systems.twentyfourseven.endpoints import ACCOUNT, TRANSACTION
from erphub.erp.systems.twentyfourseven.parties import organisation_number
from erphub.erp.systems.twentyfourseven.rest import parse_instant
from erphub.erp.systems.twentyfourseven.rest_rows import MISSING, within
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.soap_orders import SoapOrders
from erphub.erp.systems.twentyfourseven.soap_register import AT_ONCE, SoapCustomers, SoapProducts, email_of, phone_of
from erphub.erp.systems.twentyfourseven.soap_vouchers import SoapBooks
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, amount, child, children, day, text, whole
from erphub.erp.transports.http.rows import Row
from erphub.platform.clock import Clock

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


_ALWAYS = (date(1900, 1, 1), date(2200, 1, 1))
DEPARTMENT = 2
_JOURNAL = ("TransactionTypeId", "TransactionNo")
_UNSET = Decimal("-79228162514264337593543950335")
_ORDER_ROW = ("RowId", "ProductNo", "Name", "Price", "DiscountRate", "Quantity")
_DIMENSIONS = {"Project": 1, "Department": DEPARTMENT, "Employee": 3, "Product": 4, "Customer": 5}
_ORDER = (
    "OrderId", "OrderStatus", "DateOrdered", "DateChanged", "DeliveryDate", "CustomerId", "CustomerName", "Currency",
    "InvoiceId", "OrderTotalIncVat", "OrderTotalVat", "OurReference", "YourReference",
)  # fmt: skip


class SoapRows(Source):
    """One company's datasets."""

    def __init__(self, soap: Soap, books: SoapBooks, clock: Clock) -> None:
        self._soap = soap
        self._books = books
        self._clock = clock
        self._customers = SoapCustomers(soap, books.company)
        self._products = SoapProducts(soap, books.company)
        self._orders = SoapOrders(soap, books, self._products)

    @override
    def offers(self, dataset: str) -> bool:
        return dataset in MISSING or dataset == "order_lines"

    @override
    def missing(self, dataset: str) -> Sequence[str]:
        if dataset == "order_lines":
            return ("quantity_finished", "unit")
        extra = {"products": ("unit", "type"), "gl_transactions": ("customer_no",), "orders": ()}
        return [*MISSING[dataset], *extra.get(dataset, ())]

    @override
    def years(self) -> tuple[date, date] | None:
        found = self._books.list(TRANSACTION, "GetFiscalYears", "FiscalYear")
        spans = [(day(one, "StartingDate"), day(one, "EndingDate")) for one in found]
        known = [(first, end) for first, end in spans if first and end]
        return (min(first for first, _ in known), max(end for _, end in known)) if known else None

    @override
    def is_small(self, first: date, end: date, rows: int) -> bool:
        # By the highest voucher numbers of the year's series, taking ten lines for each voucher.
        vouchers = 0
        for series in set(self._books.number_series.values()):
            body: Node = (("argEntryId", (("Date", first), ("SortNo", series), ("EntryNo", 0))),)
            answer = self._soap.read(ACCOUNT, "GetEntryId", body, self._books.company)
            vouchers += whole(answer, "EntryNo") or 0
        return vouchers * 10 <= rows

    @property
    @override
    def restless(self) -> int:
        return self._customers.lists.restless

    @override
    def pages(self, dataset: str, first: date | None, end: date | None) -> Iterator[list[Row]]:
        match dataset:
            case "accounts":
                yield [_account(one) for one in self._books.accounts]
            case "gl_transactions":
                yield [self._line(one) for one in self._lines(first, end)]
            case "customers":
                yield from self._companies("customer_no", suppliers=False)
            case "suppliers":
                yield from self._companies("supplier_no", suppliers=True)
            case "products":
                yield [self._product(one) for one in self._products.all(None)]
            case "orders":
                rows = [self._order(one) for one in self._orders.orders((("ChangedAfter", _ALWAYS[0]),), _ORDER)]
                yield [row for row in rows if within(row["order_date"], first, end)]
            case "order_lines":
                yield from self._order_lines()
            case "dimensions":
                yield [
                    {"dimension": DEPARTMENT, "value": value, "name": name}
                    for value, name in self._books.departments.items()
                ]
            case _:
                raise KeyError(dataset)

    @override
    def changed_rows(self, dataset: str, since: datetime) -> Iterator[list[Row]]:
        # Made since and changed since are asked for apart: nothing says that what is new counts as changed. The ERP
        # takes instants in UTC, and has no pages: changes are asked for week by week.
        if dataset == "orders":
            yield [self._order(one) for one in self._orders.orders((("ChangedAfter", since),), _ORDER)]
            return
        at, now = since, self._clock() + timedelta(days=1)
        while at < now:
            until = min(at + timedelta(days=7), now)
            yield [self._line(one) for one in self._transactions("DateChangedUTC", at, until)]
            at = until
        yield [self._line(one) for one in self._transactions("EntryDate", *_ALWAYS, registered_after=since)]

    @override
    def balances(self, first: date, end: date) -> Iterator[Mapping[str, Decimal]]:
        # SOAP aggregates by month only, which says nothing of a window's days.
        return iter(())

    def _lines(self, first: date | None, end: date | None) -> list["Element"]:
        last = (end or _ALWAYS[1]) - timedelta(days=1)
        return self._transactions("EntryDate", first or _ALWAYS[0], datetime.combine(last, time(23, 59, 59)))

    def _transactions(
        self, by: str, start: date, end: date, registered_after: datetime | None = None
    ) -> list["Element"]:
        search: Node = (
            ("DateSearchParameters", by),
            ("DateStart", start),
            ("DateEnd", end),
            ("SystemType", NIL),
            ("RegisteredAfter", registered_after),
            ("HasInvoiceId", NIL),
        )
        return self._books.list(TRANSACTION, "GetTransactions", "Transaction", (("searchParams", search),))

    def _line(self, one: "Element") -> Row:
        on = day(one, "Date")
        period = day(one, "PeriodDate") or on
        currency = text(one, "Currency")
        unit = whole(one, "CurrencyUnit") or 1
        rate, booked = amount(one, "CurrencyRate"), amount(one, "Amount")
        row: dict[str, Any] = {
            # A voucher's number is unique within its type and year; together they name the journal.
            "journal_no": "-".join((str(on.year if on else 0), *(text(one, name) or "" for name in _JOURNAL))),
            "entry_no": text(one, "Id"),
            "voucher_no": text(one, "TransactionNo"),
            "voucher_type": self._types.get(text(one, "TransactionTypeId") or ""),
            "voucher_date": on,
            "value_date": period,
            "period": period.year * 100 + period.month if period else None,
            "account_no": text(one, "AccountNo"),
            "invoice_no": text(one, "InvoiceNo"),
            "description": text(one, "Comment"),
            "amount": booked,
            "is_credit": booked < 0 if booked is not None else None,
            "currency": self._books.currency if currency in (None, "LOCAL") else currency,
            "exchange_rate": rate if unit == 1 or rate is None else rate / unit,
            "tax_code": text(one, "VatCode"),
            "changed_on": _instant_day(text(one, "DateChanged")),
        }
        for dimension in one.iterfind("{*}Dimensions/{*}Dimension"):
            column = _DIMENSIONS.get(text(dimension, "Type") or "")
            if column is not None:
                row[f"dimension_{column}"] = text(dimension, "Value")
        return row

    @cached_property
    def _types(self) -> Mapping[str, str]:
        found = self._books.list(TRANSACTION, "GetTransactionTypes", "TransactionType")
        return {text(one, "Id") or "": text(one, "No") or "" for one in found}

    def _companies(self, key: str, *, suppliers: bool) -> Iterator[list[Row]]:
        for keys in self._customers.changed_keys(datetime(1900, 1, 1, tzinfo=UTC)):
            for start in range(0, len(keys), AT_ONCE):
                search: Node = (("CompanyIds", (("int", keys[start : start + AT_ONCE]),)),)
                found = self._customers.companies(search)
                yield [_company(one, key) for one in found if (text(one, "Type") == "Supplier") is suppliers]

    def _product(self, one: "Element") -> Row:
        return {
            "product_no": text(one, "No") or text(one, "Id"),
            "name": text(one, "Name"),
            "group": self._products.categories.get(text(one, "CategoryId") or ""),
            "changed_on": _instant_day(text(one, "DateChanged")),
        }

    def _order_lines(self) -> Iterator[list[Row]]:
        """The orders' numbers first, in one small answer; then their rows, some hundred orders at a time."""
        found = self._orders.orders((("ChangedAfter", _ALWAYS[0]),), ("OrderId",))
        numbers = [number for one in found if (number := whole(one, "OrderId")) is not None]
        for some in batched(numbers, AT_ONCE, strict=False):
            search: Node = (("OrderIds", (("int", list(some)),)),)
            orders = self._orders.orders(search, ("OrderId", "InvoiceId", "DateChanged"), rows=_ORDER_ROW)
            yield [row for order in orders for row in _order_lines(order)]

    def _order(self, one: "Element") -> Row:
        gross, vat = amount(one, "OrderTotalIncVat"), amount(one, "OrderTotalVat")
        net = gross - (vat or Decimal(0)) if gross is not None else None
        done = whole(one, "InvoiceId") is not None
        return {
            "order_no": text(one, "OrderId"),
            "order_type": text(one, "OrderStatus"),
            "order_date": day(one, "DateOrdered"),
            "delivery_date": day(one, "DeliveryDate"),
            "customer_no": text(one, "CustomerId"),
            "customer_name": text(one, "CustomerName"),
            "currency": text(one, "Currency", "Symbol") or self._books.currency,
            "exchange_rate": amount(one, "Currency", "Rate"),
            "invoiced_amount": net if done else Decimal(0),
            "amount_to_invoice": Decimal(0) if done else net,
            "invoice_no": text(one, "InvoiceId"),
            "our_reference": text(one, "OurReference"),
            "your_reference": text(one, "YourReference"),
            "changed_on": _instant_day(text(one, "DateChanged")),
        }


def _order_lines(order: "Element") -> list[Row]:
    invoiced = whole(order, "InvoiceId") is not None
    return [
        {
            "order_no": text(order, "OrderId"),
            "line_no": text(one, "RowId"),
            "product_no": text(one, "ProductNo"),
            "description": text(one, "Name"),
            "price": _set(amount(one, "Price")),
            "discount_percent": _set(amount(one, "DiscountRate")),
            "quantity": (quantity := _set(amount(one, "Quantity"))),
            "quantity_invoiced": quantity if invoiced else Decimal(0),
            "changed_on": _instant_day(text(order, "DateChanged")),
        }
        for one in children(child(order, "InvoiceRows"), "InvoiceRow")
    ]


def _set(value: Decimal | None) -> Decimal | None:
    """The number, unless it is what .NET says instead of none."""
    return None if value == _UNSET else value


def _account(one: "Element") -> Row:
    return {"account_no": text(one, "AccountNo"), "name": text(one, "AccountName"), "tax_code": text(one, "TaxNo")}


def _company(one: "Element", key: str) -> Row:
    place = child(one, "Addresses", "Post")
    number = text(one, "OrganizationNumber")
    named = [text(one, "FirstName") if text(one, "Type") == "Consumer" else None, text(one, "Name")]
    return {
        key: text(one, "Id"),
        "name": " ".join(part for part in named if part) or None,
        "organisation_no": organisation_number(number or "") or number,
        "address_1": text(place, "Street"),
        "postal_code": text(place, "PostalCode"),
        "city": text(place, "PostalArea") or text(place, "City"),
        "country": text(place, "Country"),
        "email": email_of(one),
        "phone": phone_of(one),
        "changed_on": _instant_day(text(one, "DateChanged")),
    }


def _instant_day(value: str | None) -> date | None:
    instant = parse_instant(value)
    return instant.date() if instant else None
