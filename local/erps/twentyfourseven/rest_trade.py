"""REST: customers and suppliers, and products with stock."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from .http import Response, inner, json_response
from .rest import Call, RestError, invalid, not_found, page, route, spaced
from .state import Organisation, Record

CUSTOMER_FIELDS = {
    "name", "organizationNumber", "externalReference", "isCompany", "isSupplier", "person", "address", "email", "phone",
    "mobilePhone",
}  # fmt: skip
PRODUCT_FIELDS = {
    "name", "number", "type", "status", "description", "costPrice", "salesPrice", "indirectCost",
    "webshopEnabled", "stock",
    "ean", "eanAlternative", "supplierProduct", "category", "units", "supplier",
}  # fmt: skip
LENGTHS = {
    "externalReference": 100, "mobilePhone": 25, "name": 150, "number": 100, "description": 500, "ean": 14,
    "eanAlternative": 25, "internalMemo": 300, "referenceNumber": 50,
}  # fmt: skip


def known_fields(asked: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """The known fields. Raises RestError for texts that are too long; what is unknown is dropped without a word."""
    long = [(k, "maxLength") for k, n in LENGTHS.items() if isinstance(asked.get(k), str) and len(asked[k]) > n]
    # A customer's name has no published limit.
    long = [problem for problem in long if not (problem[0] == "name" and "externalReference" in known)]
    if long:
        raise invalid(*long)
    return {k: v for k, v in asked.items() if k in known}


def merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A patch: objects inside objects are patched too."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[key] = merge(cast(dict[str, Any], before), cast(dict[str, Any], value))
        else:
            merged[key] = value
    return merged


def _existing(records: Mapping[int, Record], key: int, what: str) -> Record:
    record = records.get(key)
    if record is None or not record.active:
        raise not_found(f"{what} {key}")
    return record


def shown(record: Record) -> dict[str, Any]:
    """A record as the API writes it."""
    stamps = {"createdAt": spaced(record.created), "modifiedAt": spaced(record.modified)}
    return {"id": record.id} | record.fields | stamps


# --- customers and suppliers -----------------------------------------------------------------------------------------


@route("GET", "/customers", "api.crm.customer:read")
def customers(call: Call) -> Response:
    """Customers and suppliers that fit, by pages."""
    modified, created = call.instant("modifiedFrom"), call.instant("createdFrom")
    exact: dict[str, Any] = {"organizationNumber": call.asked("organizationNumber")}
    exact |= {name: call.flag(name) for name in ("isCompany", "isSupplier")}
    exact = {name: value for name, value in exact.items() if value is not None}
    found = [
        record for record in call.org.customers.values()
        if record.active
        and (modified is None or record.modified >= modified) and (created is None or record.created >= created)
        and all(record.fields.get(name) == value for name, value in exact.items())
    ]  # fmt: skip
    sort = re.fullmatch(
        r"(name|createdAt|modifiedAt|organizationNumber|id):(asc|desc)", call.asked("sortBy") or "id:asc"
    )
    if sort is None:
        raise invalid(("sortBy", "pattern"))
    found.sort(key=lambda record: (_sorted_by(record, sort[1]), record.id), reverse=sort[2] == "desc")
    return page(call, "/customers", found, 25, 100, shown)


def _sorted_by(record: Record, field: str) -> Any:
    own = {"id": record.id, "createdAt": record.created, "modifiedAt": record.modified}
    return own[field] if field in own else str(record.fields.get(field) or "")


@route("POST", "/customers", "api.crm.customer:write")
def create_customer(call: Call) -> Response:
    """Add a company or a person."""
    asked = call.body()
    if not isinstance(asked.get("isCompany"), bool):
        raise invalid(("isCompany", "required"))
    needed = "name" if asked["isCompany"] else "person"
    if not asked.get(needed):
        raise invalid((needed, "required"))
    fields = _named({"isSupplier": False} | known_fields(asked, CUSTOMER_FIELDS))
    chosen = asked.get("id")
    if chosen is not None and int(chosen) in call.org.customers:
        raise RestError(409, "ConflictError", f"There is a customer {chosen} already.")
    key = call.org.next("customer") if chosen is None else int(chosen)
    call.org.counters["customer"] = max(call.org.counters["customer"], key)
    call.org.customers[key] = Record(key, fields, call.now, call.now)
    return json_response(shown(call.org.customers[key]))


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    """A person's name is both names."""
    if fields.get("isCompany") is False:
        person: Mapping[str, Any] = inner(fields.get("person"))
        fields["name"] = " ".join(filter(None, (person.get("firstName"), person.get("lastName"))))
    return fields


@route("GET", "/customers/{customerId}", "api.crm.customer:read")
def customer(call: Call, customerId: int) -> Response:
    """One customer."""
    return json_response(shown(_existing(call.org.customers, customerId, "Customer")))


@route("PATCH", "/customers/{customerId}", "api.crm.customer:write")
def change_customer(call: Call, customerId: int) -> Response:
    """Change the fields that are given."""
    record = _existing(call.org.customers, customerId, "Customer")
    change(record, known_fields(call.body(), CUSTOMER_FIELDS - {"isCompany"}), call.now)
    record.fields = _named(record.fields)
    return json_response(shown(record))


@route("DELETE", "/customers/{customerId}", "api.crm.customer:write")
def delete_customer(call: Call, customerId: int) -> Response:
    """Remove a customer from what is listed."""
    record = _existing(call.org.customers, customerId, "Customer")
    record.active, record.modified = False, call.now
    return Response(204)


def change(record: Record, fields: Mapping[str, Any], now: datetime) -> None:
    """Change a record; one that is the same afterwards has not changed."""
    merged = merge(record.fields, fields)
    if merged != record.fields:
        record.fields, record.modified = merged, now


# --- products --------------------------------------------------------------------------------------------------------


@route("GET", "/products", "api.product.product:read")
def products(call: Call) -> Response:
    """Products that fit, by pages."""
    number, search = call.asked("productNumber"), call.asked("productSearch")
    pattern = re.compile(".*".join(re.escape(p) for p in (search or "").split("%")), re.IGNORECASE) if search else None
    categories = {int(c) for c in (call.asked("categoryIds") or "").split(",") if c.strip().isdecimal()}
    found = [
        record for record in call.org.products.values()
        if record.active and (number is None or record.fields.get("number") == number)
        and (not categories or record.fields["category"]["id"] in categories)
        and (pattern is None or any(
            pattern.fullmatch(str(record.fields.get(name) or "")) for name in ("name", "number", "description", "ean")
        ))
    ]  # fmt: skip
    return page(call, "/products", found, 25, 1000, lambda record: _product(call.org, record))


def _product(org: Organisation, record: Record) -> dict[str, Any]:
    category = org.categories.get(record.fields["category"]["id"])
    named = {"id": category.id, "name": category.fields["name"]} if category else record.fields["category"]
    return shown(record) | {"category": named}


def _checked_product(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    fields = known_fields(asked, PRODUCT_FIELDS)
    category: Mapping[str, Any] = inner(fields.get("category"))
    if "category" in fields and category.get("id") not in call.org.categories:
        raise invalid(("category.id", "exists"), message=f"Category {category.get('id')} does not exist.")
    for name, allowed in (("type", ("default", "structure")), ("status", ("active", "inactive"))):
        if fields.get(name, allowed[0]) not in allowed:
            raise invalid((name, "enum"))
    return fields


@route("POST", "/products", "api.product.product:write")
def create_product(call: Call) -> Response:
    """Add a product."""
    asked = call.body()
    missing = [(name, "required") for name in ("name", "category") if not asked.get(name)]
    if missing:
        raise invalid(*missing)
    given = _checked_product(call, asked)
    stock = {"isManaged": False, "quantity": Decimal(0)} | inner(given.get("stock"))
    fields = {"type": "default", "status": "active", "salesPrice": 0, "costPrice": 0} | given | {"stock": stock}
    record = Record(call.org.next("product", 500), fields, call.now, call.now)
    call.org.products[record.id] = record
    return json_response(_product(call.org, record), 201)


@route("GET", "/products/{id}", "api.product.product:read")
def product(call: Call, id: int) -> Response:
    """One product."""
    return json_response(_product(call.org, _existing(call.org.products, id, "Product")))


@route("PATCH", "/products/{id}", "api.product.product:write")
def change_product(call: Call, id: int) -> Response:
    """Change the fields that are given, the stock among them."""
    record = _existing(call.org.products, id, "Product")
    change(record, _checked_product(call, call.body()), call.now)
    return json_response(_product(call.org, record))


@route("DELETE", "/products/{id}", "api.product.product:write")
def delete_product(call: Call, id: int) -> Response:
    """Remove a product from what is listed."""
    record = _existing(call.org.products, id, "Product")
    record.active, record.modified = False, call.now
    return Response(204)


@route("GET", "/productcategories", "api.product.category:read")
def categories(call: Call) -> Response:
    """The product categories."""
    return page(call, "/productcategories", list(call.org.categories.values()), 25, 1000, _category)


def _category(record: Record) -> dict[str, Any]:
    return {"id": record.id} | record.fields | {"modifiedAt": spaced(record.modified)}


@route("POST", "/productcategories", "api.product.category:write")
def create_category(call: Call) -> Response:
    """Add a product category."""
    asked = call.body()
    if not asked.get("name"):
        raise invalid(("name", "required"))
    record = Record(
        call.org.next("category"), known_fields(asked, {"name", "parentId", "alternativeReference"}), call.now, call.now
    )
    call.org.categories[record.id] = record
    return json_response(_category(record), 201)
