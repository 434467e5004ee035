"""Customers and products as 24SevenOffice spells them, there and back, so that what we wrote reads back the same."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from hashlib import sha256
from typing import Any, cast

from erphub.erp.actors import MARKER_PREFIX
from erphub.erp.documents import Address, Customer, Document, Product
from erphub.erp.systems.twentyfourseven.numbers import decimal, part

GIFT_CARD = "GIFTCARD"
"""The product that a gift card on an invoice is sold as; it is made by hand in 24SevenOffice."""

_ORE = Decimal("0.01")
_MILLIONTH = Decimal("0.000001")


def version(document: Document, external_id: str | None = None) -> str:
    """What changes whenever something of the record that we know of does."""
    return sha256(f"{external_id or ''}|{document.model_dump_json()}".encode()).hexdigest()[:20]


# --- customers -------------------------------------------------------------------------------------------------------


def customer_body(customer: Customer, key: str, *, creating: bool) -> dict[str, Any]:
    """The customer for POST (`creating`, blanks left out) or PATCH (blanks sent, so that they empty the field)."""
    where = customer.address
    basic = {"street": where.street, "postalCode": where.postal_code, "postalArea": where.city}
    body: dict[str, Any] = {
        "externalReference": key,
        "address": {"visit": basic | {"countryCode": where.country}, "postal": dict(basic)},
        "email": {"contact": customer.email},
        "phone": customer.phone,
    }
    if customer.is_company:
        body |= {"name": customer.name, "organizationNumber": customer.organisation_no}
    else:
        first, _, last = customer.name.rpartition(" ")
        body["person"] = {"firstName": first, "lastName": last}
    if not creating:
        return cast(dict[str, Any], _blanks(body))
    return {"isCompany": customer.is_company} | cast(dict[str, Any], _without_blanks(body))


def _blanks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blanks(item) for name, item in cast(dict[str, Any], value).items()}
    return None if value == "" else value


def _without_blanks(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: _without_blanks(item) for name, item in cast(dict[str, Any], value).items()}
    return {name: item for name, item in kept.items() if item not in ("", {}, None)}


def customer_of(record: Mapping[str, Any]) -> Customer:
    """A customer of REST in our words. What our form cannot hold is trimmed to it."""
    visit, postal = part(record, "address", "visit"), part(record, "address", "postal")
    place = visit if visit.get("street") or visit.get("postalCode") or visit.get("postalArea") else postal
    person = part(record, "person")
    named = " ".join(part for part in (_text(person, "firstName"), _text(person, "lastName")) if part)
    return Customer(
        name=((_text(record, "name") or named) if record.get("isCompany") else (named or _text(record, "name")))[:200]
        or f"({record.get('id')})",
        is_company=bool(record.get("isCompany")),
        organisation_no=organisation_number(_text(record, "organizationNumber")),
        email=_text(part(record, "email"), "contact")[:200],
        phone=(_text(record, "phone") or _text(record, "mobilePhone"))[:25],
        address=Address(
            street=_text(place, "street")[:200],
            postal_code=_text(place, "postalCode")[:20],
            city=_text(place, "postalArea")[:100],
            country=country(_text(visit, "countryCode")),
        ),
    )


def bound_to(external_reference: str | None) -> str | None:
    """The key of whichever record of ours a customer of the ERP is; None: it is nobody's, or was made for a link."""
    if not external_reference or external_reference.startswith(MARKER_PREFIX):
        return None
    return external_reference


def organisation_number(text: str) -> str:
    """The nine digits of a Norwegian organisation number, whatever stands around them; empty for anything else."""
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) == 9 else ""


def country(text: str) -> str:
    """A country's two letters; Norway when there are none, as the ERP itself takes it."""
    return text.upper() if re.fullmatch("[A-Za-z]{2}", text) else "NO"


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if isinstance(value, list):  # seen for streets
        value = " ".join(str(part) for part in cast(list[Any], value))
    return "" if value is None else str(value).strip()


# --- products --------------------------------------------------------------------------------------------------------


def product_body(product: Product, *, category: int | None, stock: bool) -> dict[str, Any]:
    """The product for POST (with a category) or PATCH (without, so that it stays where a person has put it)."""
    body: dict[str, Any] = {
        "name": product.name,
        "number": product.number,
        "salesPrice": product.price,
        "status": "active" if product.active else "inactive",
    }
    if product.cost is not None:
        body["costPrice"] = product.cost
    if product.ean or category is None:
        body["ean"] = product.ean or None
    if category is not None:
        body["category"] = {"id": category}
    if stock and product.stock is not None:
        body["stock"] = {"isManaged": True, "quantity": product.stock}
    return body


def product_of(record: Mapping[str, Any]) -> Product:
    """A product of REST in our words; what REST does not state (VAT, a cost of 0, stock not kept) is not given."""
    stock, cost = part(record, "stock"), decimal(record.get("costPrice"))
    counted = decimal(stock.get("quantity")) if stock.get("isManaged") else None
    stated: dict[str, Any] = {
        "number": (_text(record, "number") or str(record.get("id")))[:100],
        "name": _text(record, "name")[:150] or f"({record.get('id')})",
        "price": money(decimal(record.get("salesPrice")) or Decimal(0)),
        "ean": _text(record, "ean")[:14],
        "active": record.get("status", "active") != "inactive",
    }
    return Product(
        **stated | optional(cost=money(cost) if cost else None, stock=None if counted is None else quantity(counted))
    )


def optional(**fields: Any) -> dict[str, Any]:
    """The fields that are known."""
    return {name: value for name, value in fields.items() if value is not None}


def money(value: Decimal) -> Decimal:
    """To the øre, as a till counts."""
    return value.quantize(_ORE, ROUND_HALF_EVEN)


def quantity(value: Decimal) -> Decimal:
    """A quantity with at most six decimals, as a till counts."""
    return value.quantize(_MILLIONTH, ROUND_HALF_EVEN).normalize() + 0


def same_customer(customer: Customer, record: Mapping[str, Any]) -> bool:
    """Whether the ERP's customer says what ours does."""
    return customer_of(record) == customer
