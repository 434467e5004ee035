"""Customers and products over SOAP: an error of one row stands in that row of an answer that says 200."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from erphub.erp.documents import Address, Customer, DocumentKind, Product
from erphub.erp.posting import Change, Posted, Posting
from erphub.erp.systems.twentyfourseven import outcomes, parties, problems
from erphub.erp.systems.twentyfourseven.endpoints import COMPANY, PRODUCT
from erphub.erp.systems.twentyfourseven.numbers import shown
from erphub.erp.systems.twentyfourseven.passes import RepeatedReading
from erphub.erp.systems.twentyfourseven.rest import parse_instant
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, amount, as_data, child, children, text, truth, whole

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


COMPANY_PROPERTIES = (
    "Id",
    "ExternalId",
    "OrganizationNumber",
    "Name",
    "FirstName",
    "Addresses",
    "PhoneNumbers",
    "EmailAddresses",
    "Type",
    "DateChanged",
)
PRODUCT_PROPERTIES = (
    "Id",
    "Name",
    "No",
    "Price",
    "InPrice",
    "EAN1",
    "Stock",
    "StockControlled",
    "StatusId",
    "CategoryId",
    "TaxRate",
    "DateChanged",
)
AT_ONCE = 200
"""How many records are asked for by their keys in one call."""


def strings(names: Sequence[str]) -> Node:
    """A list of property names; only what is named comes back."""
    return (("string", list(names)),)


def row_of(result: "Element | None", name: str) -> "Element":
    """The one saved row, when it carries no error. Raises ErpRefused, Uncertain."""
    row = child(result, name)
    if row is None:
        raise outcomes.unreadable(writes=True)
    error = child(row, "APIException")
    if error is not None and (text(error, "Type") or text(error, "Message")):
        message = text(error, "Message") or text(error, "Type") or ""
        raise problems.ERP_REFUSED(erp_message=message)
    return row


class SoapCustomers:
    """Customers of one company; our key stands in `ExternalId`, by which they can be asked for."""

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self._company = company
        self.lists = RepeatedReading()

    def preview(self, customer: Customer, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The record as it would be saved."""
        return [{"call": "SaveCompanies", "body": shown(as_data(_company(customer, posting.key, posting.previous)))}]

    def find(self, customer: Customer, posting: Posting) -> Posted | None:
        """The company with our key; one that is known and says something else still has to be changed."""
        search = ("CompanyId", int(posting.previous)) if posting.previous else ("ExternalId", posting.key)
        for one in self.companies((search,)):
            if posting.previous is None or customer_of(one) == customer:
                return _posted_customer(one)
        return None

    def push(self, customer: Customer, posting: Posting) -> Posted:
        """Change the record that is known, or make one. Raises ErpRefused, Unavailable, Uncertain."""
        known = posting.previous
        body: Node = (("companies", (("Company", [_company(customer, posting.key, known)]),)),)
        result = self._soap.write(COMPANY, "SaveCompanies", body, self._company, repeatable=known is not None)
        row = row_of(result, "Company")
        return Posted(text(row, "Id") or "", details={"version": parties.version(customer_of(row))})

    def companies(self, search: Node) -> list["Element"]:
        """Companies that fit, with what we know of them."""
        body: Node = (("searchParams", search), ("returnProperties", strings(COMPANY_PROPERTIES)))
        return list(children(self._soap.read(COMPANY, "GetCompanies", body, self._company), "Company"))

    def changed_since(self, since: datetime | None) -> Iterator[Change]:
        """First the keys of what changed, by pages; then the records; stated oldest first."""
        changes: list[Change] = []
        for keys in self.changed_keys(since):
            for start in range(0, len(keys), AT_ONCE):
                search: Node = (("CompanyIds", (("int", keys[start : start + AT_ONCE]),)),)
                changes += [_change(one) for one in self.companies(search)]
        changes.sort(key=lambda change: (change.changed_at, change.reference))
        yield from changes

    def changed_keys(self, since: datetime | None) -> Iterator[list[int]]:
        """Keys of the companies that are in use and changed at or after the instant, page by page, each once."""

        def read_once() -> Iterator[dict[int, int]]:
            return (dict(zip(keys, keys, strict=True)) for keys in self._changed_keys_once(since))

        return self.lists.records(read_once)

    def _changed_keys_once(self, since: datetime | None) -> Iterator[list[int]]:
        page, pages = 1, 1
        while page <= pages:
            search: Node = (("Page", page), ("Active", NIL), ("ChangedAfter", _utc(since)))
            body: Node = (("syncSearchParameters", search),)
            result = self._soap.read(COMPANY, "GetCompanySyncList", body, self._company)
            pages = whole(result, "TotalPages") or 0
            yield [
                whole(one, "CompanyId") or 0
                for one in children(child(result, "Items"), "SyncCompany")
                if truth(one, "Active")
            ]
            page += 1

    def find_matching_record(self, customer: Customer, key: str) -> Change | None:
        """The company with the same organisation number that no other customer of ours is bound to."""
        if not (customer.is_company and customer.organisation_no):
            return None
        found = self.companies((("OrganizationNumber", customer.organisation_no),))
        for wanted in (key, None):
            for one in sorted(found, key=lambda each: whole(each, "Id") or 0):
                if parties.bound_to(text(one, "ExternalId")) == wanted:
                    return _change(one)
        return None


def _utc(instant: datetime | None) -> datetime | None:
    return instant.astimezone(UTC).replace(tzinfo=None) if instant is not None else None


def _company(customer: Customer, key: str, known: str | None) -> Node:
    """A company as SaveCompanies wants it; blanks are sent when changing, so that they empty the field."""
    where = customer.address
    address: Node = (
        ("Street", where.street),
        ("PostalCode", where.postal_code),
        ("PostalArea", where.city),
        ("Country", where.country),
    )
    first, _, last = customer.name.rpartition(" ") if not customer.is_company else ("", "", customer.name)
    return (
        ("Id", int(known) if known else None),
        ("ExternalId", key),
        ("OrganizationNumber", customer.organisation_no if customer.organisation_no or known else None),
        ("Name", last),
        ("FirstName", first or None),
        ("Addresses", (("Post", address), ("Visit", address))),
        ("PhoneNumbers", (("Work", (("Value", customer.phone),)),) if customer.phone or known else None),
        ("EmailAddresses", (("Work", (("Value", customer.email),)),) if customer.email or known else None),
        ("Type", "Business" if customer.is_company else "Consumer"),
    )


def customer_of(one: "Element") -> Customer:
    """A company of SOAP in our words."""
    visit = child(one, "Addresses", "Visit")
    place = visit if text(visit, "Street") or text(visit, "PostalCode") else child(one, "Addresses", "Post")
    is_company = text(one, "Type") != "Consumer"
    named = [text(one, "FirstName") if not is_company else None, text(one, "Name")]
    return Customer(
        name=" ".join(part for part in named if part)[:200] or f"({text(one, 'Id')})",
        is_company=is_company,
        organisation_no=parties.organisation_number(text(one, "OrganizationNumber") or ""),
        email=(email_of(one) or "")[:200],
        phone=(phone_of(one) or "")[:25],
        address=Address(
            street=(text(place, "Street") or "")[:200],
            postal_code=(text(place, "PostalCode") or "")[:20],
            city=(text(place, "PostalArea") or text(place, "City") or "")[:100],
            country=parties.country(text(visit, "Country") or text(place, "Country") or ""),
        ),
    )


def email_of(one: "Element") -> str | None:
    """The first address there is, the one at work before others."""
    return next(
        (found for kind in ("Work", "Primary", "Invoice") if (found := text(one, "EmailAddresses", kind, "Value"))),
        None,
    )


def phone_of(one: "Element") -> str | None:
    """The first number there is, the one at work before others."""
    return next(
        (found for kind in ("Work", "Primary", "Mobile") if (found := text(one, "PhoneNumbers", kind, "Value"))), None
    )


def _posted_customer(one: "Element") -> Posted:
    return Posted(text(one, "Id") or "", details={"version": parties.version(customer_of(one))})


def _change(one: "Element") -> Change:
    customer = customer_of(one)
    return Change(
        DocumentKind.CUSTOMER,
        text(one, "Id") or "",
        text(one, "ExternalId"),
        parse_instant(text(one, "DateChanged")) or datetime.now(UTC),
        parties.version(customer),
        customer,
    )


class SoapProducts:
    """Products of one company, known by their number."""

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self._company = company

    def preview(self, product: Product, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The record as it would be saved."""
        known = self._known(product, posting)
        return [{"call": "SaveProducts", "body": shown(as_data(self._body(product, posting, known)))}]

    def find(self, product: Product, posting: Posting) -> Posted | None:  # noqa: ARG002 - its own number is its key
        """The product with this number, whatever it says: sending again changes it to what it should say."""
        found = self._by_number(product.number)
        return _posted_product(found[0]) if found else None

    def find_matching_record(self, product: Product) -> Change | None:
        """The product with this number. Raises ErpRefused (`product_number_not_unique`)."""
        one = self._the_one(product.number)
        return None if one is None else _product_change(one)

    def push(self, product: Product, posting: Posting) -> Posted:
        """Change the record that is known, or make one. Raises ErpRefused, Unavailable, Uncertain."""
        known = self._known(product, posting)
        body: Node = (("products", (("Product", [self._body(product, posting, known)]),)),)
        row = row_of(
            self._soap.write(PRODUCT, "SaveProducts", body, self._company, repeatable=known is not None), "Product"
        )
        reference = text(row, "Id") or known or ""
        if product.stock is not None and posting.routing.get("stock_quantities"):
            self._set_stock(reference, product.stock)
            row = next(iter(self._found((("Id", int(reference)),))), row)
        return Posted(reference, details={"version": parties.version(product_of(row))})

    def id_of(self, number: str, known: Mapping[str, str]) -> str | None:
        """The ERP's id of the product with this number."""
        if f"product:{number}" in known:
            return known[f"product:{number}"]
        return next((text(one, "Id") for one in self._by_number(number)), None)

    def all(self, since: datetime | None) -> list["Element"]:
        """Every product, or those changed at or after the instant."""
        return self._found((("DateChanged", _utc(since)),) if since else ())

    def changed_since(self, since: datetime | None) -> Iterator[Change]:
        """Oldest first."""
        changes = [_product_change(one) for one in self.all(since)]
        yield from sorted(changes, key=lambda change: (change.changed_at, change.reference))

    @cached_property
    def categories(self) -> Mapping[str, str]:
        """Names of the product categories by their id."""
        body: Node = (("returnProperties", strings(("Id", "Name"))),)
        found = children(self._soap.read(PRODUCT, "GetCategories", body, self._company), "Category")
        return {text(one, "Id") or "": text(one, "Name") or "" for one in found}

    def _set_stock(self, reference: str, quantity: Decimal) -> None:
        body: Node = (("productId", int(reference)), ("stockQuantity", quantity))
        done = self._soap.write(PRODUCT, "SetStockQuantity", body, self._company, repeatable=True)
        if not truth(done):
            raise problems.STOCK_REFUSED()

    def _known(self, product: Product, posting: Posting) -> str | None:
        if posting.previous is not None:
            return posting.previous
        one = self._the_one(product.number)
        return None if one is None else text(one, "Id")

    def _the_one(self, number: str) -> "Element | None":
        found = self._by_number(number)
        if len(found) > 1:
            raise problems.PRODUCT_NUMBER_NOT_UNIQUE(count=len(found), number=number)
        return found[0] if found else None

    def _by_number(self, number: str) -> list["Element"]:
        return [one for one in self._found((("No", number),)) if text(one, "No") == number]

    def _found(self, search: Node) -> list["Element"]:
        body: Node = (("searchParams", search), ("returnProperties", strings(PRODUCT_PROPERTIES)))
        return list(children(self._soap.read(PRODUCT, "GetProducts", body, self._company), "Product"))

    def _body(self, product: Product, posting: Posting, known: str | None) -> Node:
        managed = product.stock is not None and bool(posting.routing.get("stock_quantities"))
        return (
            ("Id", int(known) if known else None),
            ("Name", product.name),
            ("TaxRate", product.vat_rate),
            ("StatusId", 1 if product.active else 0),
            ("CategoryId", None if known else self._category()),
            ("InPrice", product.cost),
            ("EAN1", product.ean if product.ean or known else None),
            ("Price", product.price),
            ("No", product.number),
            ("StockControlled", True if managed else None),
        )

    def _category(self) -> int:
        if not self.categories:
            raise problems.PRODUCT_CATEGORY_MISSING()
        return min(int(identity) for identity in self.categories)


def product_of(one: "Element") -> Product:
    """A product of SOAP in our words; what is not stated is not given."""
    cost, rate = amount(one, "InPrice"), amount(one, "TaxRate")
    stock = amount(one, "Stock") if truth(one, "StockControlled") else None
    stated: dict[str, Any] = {
        "number": (text(one, "No") or text(one, "Id") or "?")[:100],
        "name": (text(one, "Name") or f"({text(one, 'Id')})")[:150],
        "price": parties.money(amount(one, "Price") or Decimal(0)),
        "ean": (text(one, "EAN1") or "")[:14],
        "active": text(one, "StatusId") != "0",
    }
    known = parties.optional(
        cost=parties.money(cost) if cost else None,
        vat_rate=None if rate is None else parties.money(rate),
        stock=None if stock is None else parties.quantity(stock),
    )
    return Product(**stated | known)


def _product_change(one: "Element") -> Change:
    product = product_of(one)
    return Change(
        DocumentKind.PRODUCT,
        text(one, "Id") or "",
        text(one, "No"),
        parse_instant(text(one, "DateChanged")) or datetime.now(UTC),
        parties.version(product),
        product,
    )


def _posted_product(one: "Element") -> Posted:
    return Posted(text(one, "Id") or "", details={"version": parties.version(product_of(one))})
