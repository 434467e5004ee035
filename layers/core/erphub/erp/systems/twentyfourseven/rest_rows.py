"""The datasets over REST: which answer each field comes from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, override

from erphub.erp.systems.twentyfourseven.datasets import Source
from erphub.erp.systems.twentyfourseven.numbers import decimal, number, part, records
from erphub.erp.systems.twentyfourseven.parties import organisation_number
from erphub.erp.systems.twentyfourseven.rest import Rest, parse_instant
from erphub.erp.systems.twentyfourseven.rest_vouchers import RestBooks
from erphub.erp.transports.http.rows import Row
from erphub.platform.errors import ErpRefused

LINES = 1000
PAGE = 100
_ALWAYS = (date(1900, 1, 1), date(2200, 1, 1))
"""REST wants both ends of a period; these stand for none."""

MISSING: Mapping[str, Sequence[str]] = {
    "accounts": ("group", "type", "created_on", "changed_on"),
    "gl_transactions": ("supplier_no", "currency_amount", "source_type"),
    "customers": ("address_2", "currency"),
    "suppliers": ("address_2", "currency"),
    "products": ("price_category",),
    "orders": ("transaction_type",),
    "dimensions": ("status", "parent", "created_on", "changed_on"),
}


class RestRows(Source):
    """One organisation's datasets."""

    def __init__(self, rest: Rest, books: RestBooks) -> None:
        self._rest = rest
        self._books = books

    @override
    def offers(self, dataset: str) -> bool:
        # An order's lines are a call for each order, too many for all orders every night.
        return dataset in MISSING

    @override
    def missing(self, dataset: str) -> Sequence[str]:
        return MISSING[dataset]

    @override
    def years(self) -> tuple[date, date] | None:
        found = self._rest.get("/fiscalperiods", {"type": "Year"}).body
        days = [(_day(one.get("startingDate")), _day(one.get("endingDate"))) for one in found]
        known = [(first, last) for first, last in days if first and last]
        if not known:
            return None
        return min(first for first, _ in known), max(last for _, last in known) + timedelta(days=1)

    @override
    def is_small(self, first: date, end: date, rows: int) -> bool:
        # By asking for the line that a small period does not have: the one after `rows` lines.
        query = {"dateFrom": first.isoformat(), "dateTo": end.isoformat(), "limit": 1, "page": rows + 1}
        try:
            return not self._rest.get("/transactionlines", query).body
        except ErpRefused:
            return True  # a page that is not there

    @property
    @override
    def restless(self) -> int:
        return self._rest.lists.restless

    @override
    def pages(self, dataset: str, first: date | None, end: date | None) -> Iterator[list[Row]]:
        match dataset:
            case "accounts":
                yield [self._account(one) for one in self._books.accounts]
            case "gl_transactions":
                yield from self._lines(first, end)
            case "customers":
                yield from self._customers({"limit": PAGE, "sortBy": "id:asc"}, "customer_no")
            case "suppliers":
                yield from self._customers({"limit": PAGE, "sortBy": "id:asc", "isSupplier": True}, "supplier_no")
            case "products":
                for page in self._rest.pages("/products", {"limit": PAGE}):
                    yield [_product(one) for one in page]
            case "orders":
                yield from self._orders(first, end)
            case "dimensions":
                yield from self._dimensions()
            case _:
                raise KeyError(dataset)

    @override
    def changed_rows(self, dataset: str, since: datetime) -> Iterator[list[Row]]:
        # Made since and changed since are asked for apart: nothing says that what is new counts as changed.
        instant = f"{since:%Y-%m-%dT%H:%M:%SZ}"
        for by in ("modifiedFrom", "createdFrom"):
            if dataset == "orders":
                for page in self._rest.pages("/salesorders", {by: instant, "limit": PAGE}):
                    yield [self._order(one) for one in page]
                continue
            query = {"dateFrom": _ALWAYS[0].isoformat(), "dateTo": _ALWAYS[1].isoformat(), by: instant, "limit": LINES}
            for page in self._rest.pages_once("/transactionlines", query):
                yield [self._line(one) for one in page]

    @override
    def balances(self, first: date, end: date) -> Iterator[Mapping[str, Decimal]]:
        # Whether the last day counts, the published description does not say: both readings are given.
        for last in (end - timedelta(days=1), end):
            query = {"dateFrom": first.isoformat(), "dateTo": last.isoformat()}
            try:
                found = self._rest.get("/accountbalances", query).body
            except ErpRefused as error:
                if error.code == "permission_denied":
                    return  # a scope of its own, which an import does not need
                raise
            yield {
                str(part(one, "account").get("number")): sum(
                    (number(month.get("change")) for month in records(one.get("balances"))), Decimal(0)
                )
                for one in records(found)
            }

    # --- one row each ------------------------------------------------------------------------------------------------

    def _account(self, one: Mapping[str, Any]) -> Row:
        tax = self._books.taxes.get(int(one.get("taxId") or 0))
        return {"account_no": str(one["number"]), "name": one.get("name"), "tax_code": tax.key if tax else None}

    def _lines(self, first: date | None, end: date | None) -> Iterator[list[Row]]:
        query = {
            "dateFrom": (first or _ALWAYS[0]).isoformat(),
            "dateTo": (end or _ALWAYS[1]).isoformat(),
            "includeDimensions": True,
            "limit": LINES,
        }
        for page in self._rest.pages_once("/transactionlines", query):
            yield [self._line(one) for one in page]

    def _line(self, one: Mapping[str, Any]) -> Row:
        day, period = _day(one.get("date")), _day(one.get("periodDate")) or _day(one.get("date"))
        currency = part(one, "currency")
        transaction = part(one, "transaction")
        tax = self._books.taxes.get(int(part(one, "tax").get("id") or 0))
        code, amount = currency.get("code"), decimal(one.get("amount"))
        row: dict[str, Any] = {
            "journal_no": transaction.get("id"),
            "entry_no": one.get("id"),
            "voucher_no": _text(transaction.get("number")),
            "voucher_type": self._types.get(int(part(one, "transactionType").get("id") or 0)),
            "voucher_date": day,
            "value_date": period,
            "period": period.year * 100 + period.month if period else None,
            "account_no": _text(part(one, "account").get("number")),
            "customer_no": _text(part(one, "customer").get("id")),
            "invoice_no": _text(part(one, "invoice").get("number")),
            "description": one.get("comment"),
            "amount": amount,
            "is_credit": amount < 0 if amount is not None else None,
            "currency": self._books.currency if code == "LOCAL" else code,
            "exchange_rate": decimal(currency.get("rate")),
            "tax_code": tax.key if tax else None,
            "changed_on": _instant_day(one.get("modifiedAt")),
        }
        for dimension in records(one.get("dimensions")):
            column = self._columns.get(int(dimension["dimensionType"]))
            if column is not None:
                row[f"dimension_{column}"] = dimension.get("value")
        return row

    @cached_property
    def _types(self) -> Mapping[int, str]:
        return {int(one["id"]): str(one["number"]) for one in self._rest.get("/transactiontypes").body}

    @cached_property
    def _columns(self) -> Mapping[int, int]:
        return dimension_columns([identity for identity, _ in self._books.dimension_types])

    def _dimensions(self) -> Iterator[list[Row]]:
        for identity, column in self._columns.items():
            yield [
                {"dimension": column, "value": str(one["value"]), "name": one.get("name")}
                for one in self._books.elements(identity)
            ]

    def _customers(self, query: Mapping[str, Any], key: str) -> Iterator[list[Row]]:
        for page in self._rest.pages("/customers", query):
            yield [_customer(one, key) for one in page]

    def _orders(self, first: date | None, end: date | None) -> Iterator[list[Row]]:
        query: dict[str, Any] = {"limit": PAGE}
        if first is not None:
            query["dateFrom"] = first.isoformat()
        if end is not None:
            query["dateTo"] = end.isoformat()  # with or without that day: it is left out below
        for page in self._rest.pages("/salesorders", query):
            rows = [self._order(one) for one in page]
            yield [row for row in rows if within(row["order_date"], first, end)]

    def _order(self, one: Mapping[str, Any]) -> Row:
        buyer = part(one, "customer")
        invoice = part(one, "invoice")
        net = decimal(one.get("netAmount"))
        done = invoice.get("number") is not None
        return {
            "order_no": str(one["id"]),
            "order_type": one.get("status"),
            "order_date": _day(one.get("date")),
            "delivery_date": _day(one.get("deliveryDate")),
            "customer_no": _text(buyer.get("id")),
            "customer_name": buyer.get("name"),
            "currency": part(one, "currency").get("code") or self._books.currency,
            "exchange_rate": decimal(part(one, "currency").get("rate")),
            "invoiced_amount": net if done else Decimal(0),
            "amount_to_invoice": Decimal(0) if done else net,
            "invoice_no": _text(invoice.get("number")),
            "our_reference": _text(part(one, "ourReference").get("id")),
            "your_reference": part(one, "yourReference").get("name"),
            "changed_on": _instant_day(one.get("modifiedAt")),
        }


def dimension_columns(types: Sequence[int]) -> Mapping[int, int]:
    """Which of our twelve columns a dimension type has: the system's own 1 to 5 theirs, the company's by age from 6."""
    own = sorted(identity for identity in types if identity > 100)
    return {identity: identity for identity in sorted(types) if 1 <= identity <= 5} | {
        identity: column for column, identity in enumerate(own[:7], start=6)
    }


def within(day: date | None, first: date | None, end: date | None) -> bool:
    """Whether `first <= day < end`; a row without a date belongs to everything only."""
    if day is None:
        return first is None and end is None
    return (first is None or first <= day) and (end is None or day < end)


def _customer(one: Mapping[str, Any], key: str) -> Row:
    visit = part(one, "address", "visit")
    place = part(one, "address", "postal") or visit
    person = part(one, "person")
    named = " ".join(str(person[part]) for part in ("firstName", "lastName") if person.get(part))
    street = place.get("street")
    return {
        key: str(one["id"]),
        "name": one.get("name") or named or None,
        "organisation_no": organisation_number(str(one.get("organizationNumber") or ""))
        or one.get("organizationNumber"),
        "address_1": ", ".join(street) if isinstance(street, list) else street,  # pyright: ignore[reportUnknownArgumentType]
        "postal_code": place.get("postalCode"),
        "city": place.get("postalArea"),
        "country": visit.get("countryCode"),
        "email": part(one, "email").get("contact"),
        "phone": one.get("phone") or one.get("mobilePhone"),
        "changed_on": _instant_day(one.get("modifiedAt")),
    }


def _product(one: Mapping[str, Any]) -> Row:
    return {
        "product_no": str(one.get("number") or one["id"]),
        "name": one.get("name"),
        "group": part(one, "category").get("name"),
        "type": one.get("type"),
        "unit": part(one, "units").get("symbol") or part(one, "units").get("name"),
        "changed_on": _instant_day(one.get("modifiedAt")),
    }


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _instant_day(value: Any) -> date | None:
    instant = parse_instant(value)
    return instant.date() if instant else None
