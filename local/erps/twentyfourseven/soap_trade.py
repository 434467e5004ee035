"""SOAP: companies (customers and suppliers), products with stock; an error of a row stands in that row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from .http import inner, listed
from .rest_trade import change
from .soap import SoapCall, operation
from .state import Record

SYNC_PAGE = 500


def row_error(kind: str, message: str) -> dict[str, Any]:
    """An error that stands in its row."""
    return {"APIException": {"Type": kind, "Message": message, "StackTrace": ""}}


def chosen_properties(shown: Mapping[str, Any], properties: Sequence[str], key: str) -> dict[str, Any]:
    """Only what was asked for comes back, and the key."""
    return {name: value for name, value in shown.items() if name in {*properties, key}}


def _place(address: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not address:
        return None
    names = {
        "Street": "street",
        "PostalCode": "postalCode",
        "PostalArea": "postalArea",
        "Country": "countryCode",
        "Name": "name",
    }
    return {soap: address.get(rest) for soap, rest in names.items()}


# --- companies -------------------------------------------------------------------------------------------------------


def company_shown(record: Record) -> dict[str, Any]:
    """A customer or supplier in SOAP's words."""
    fields = record.fields
    kind = "Supplier" if fields.get("isSupplier") else "Business" if fields.get("isCompany") else "Consumer"
    email: Mapping[str, Any] = inner(fields.get("email"))
    address: Mapping[str, Any] = inner(fields.get("address"))
    person: Mapping[str, Any] = inner(fields.get("person"))
    mails = {"Work": email.get("contact"), "Invoice": email.get("billing")}
    phones = {"Fax": record.extra.get("Fax"), "Mobile": fields.get("mobilePhone"), "Work": fields.get("phone")}
    shown = {
        "Id": record.id, "ExternalId": fields.get("externalReference"), "Name": person.get("lastName")
        or fields.get("name"),
        "FirstName": person.get("firstName"), "OrganizationNumber": fields.get("organizationNumber"), "Type": kind,
        "Addresses": {"Post": _place(address.get("postal")), "Visit": _place(address.get("visit")),
                      "Delivery": _place(address.get("delivery")), "Invoice": _place(address.get("billing"))},
        "EmailAddresses": {key: {"Value": value} for key, value in mails.items() if value},
        "PhoneNumbers": {key: {"Value": value} for key, value in phones.items() if value},
        "DateCreated": record.created, "DateChanged": record.modified,
    }  # fmt: skip
    return {name: value for name, value in record.extra.items() if name != "Fax"} | shown


def _company_fields(asked: Mapping[str, Any]) -> dict[str, Any]:
    names = {"ExternalId": "externalReference", "OrganizationNumber": "organizationNumber"}
    fields: dict[str, Any] = {rest: asked[soap] for soap, rest in names.items() if soap in asked}
    if "Type" in asked:
        fields |= {"isSupplier": asked["Type"] == "Supplier", "isCompany": asked["Type"] != "Consumer"}
    if "Name" in asked:
        first = asked.get("FirstName")
        fields["name"] = f"{first} {asked['Name']}" if first else asked["Name"]
        if first or fields.get("isCompany") is False:
            fields["person"] = {"firstName": first or "", "lastName": asked["Name"]}
    for key, mail in (("Work", "contact"), ("Invoice", "billing")):
        value = inner(inner(asked.get("EmailAddresses")).get(key)).get("Value")
        if value is not None:
            fields.setdefault("email", {})[mail] = value
    for key, phone in (("Work", "phone"), ("Mobile", "mobilePhone")):
        value = inner(inner(asked.get("PhoneNumbers")).get(key)).get("Value")
        if value is not None:
            fields[phone] = value
    for key, place in (("Post", "postal"), ("Visit", "visit"), ("Delivery", "delivery"), ("Invoice", "billing")):
        given: Mapping[str, Any] | None = inner(asked.get("Addresses")).get(key)
        if given:
            named = {
                "street": "Street",
                "postalCode": "PostalCode",
                "postalArea": "PostalArea",
                "countryCode": "Country",
            }
            named |= {"name": "Name"} if place in ("billing", "delivery") else {}
            dropped = {"countryCode"} if place == "postal" else set[str]()
            values = {rest: given[soap] for rest, soap in named.items() if soap in given and rest not in dropped}
            fields.setdefault("address", {})[place] = values
    return fields


COMPANY_OWN = (
    "Note",
    "PaymentTime",
    "BankAccountNo",
    "Country",
    "MemberNo",
    "VatNumber",
    "GlnNumber",
    "Url",
    "DistributionMethod",
)


@operation("Company", "SaveCompanies")
def save_companies(call: SoapCall) -> list[dict[str, Any]]:
    """Add or change companies, each on its own."""
    return [_save_company(call, asked) for asked in listed(call.arguments.get("companies"))]


def _save_company(call: SoapCall, asked: dict[str, Any]) -> dict[str, Any]:
    org, key = call.org, asked.get("Id")
    explicit = bool(asked.get("ExplicitlySpecifyNewCompanyId"))
    record = org.customers.get(key) if key is not None else None
    if key is not None and record is None and not explicit:
        return asked | row_error("CompanyNotFound", f"Company {key} was not found.")
    if record is not None and explicit:
        return asked | row_error("CompanyExists", f"There is a company {key} already.")
    if record is None:
        if not asked.get("Name") or asked.get("Type", "None") == "None":
            return asked | row_error("ArgumentException", "Name and Type are required for a new company.")
        new = org.next("customer") if key is None else key
        org.counters["customer"] = max(org.counters["customer"], new)
        record = Record(new, {"isCompany": True, "isSupplier": False} | _company_fields(asked), call.now, call.now)
        org.customers[new] = record
    else:
        change(record, _company_fields(asked), call.now)
    record.extra |= {name: asked[name] for name in COMPANY_OWN if name in asked}
    if (fax := inner(inner(asked.get("PhoneNumbers")).get("Fax")).get("Value")) is not None:
        record.extra["Fax"] = fax
    return company_shown(record)


@operation("Company", "GetCompanies")
def get_companies(call: SoapCall) -> list[dict[str, Any]]:
    """Companies that fit; only the properties that were named come back."""
    asked: Mapping[str, Any] = inner(call.arguments.get("searchParams"))
    tests: dict[str, Callable[[Record, Any], bool]] = {
        "ExternalId": lambda r, v: r.fields.get("externalReference") == v,
        "CompanyId": lambda r, v: r.id == v,
        "CompanyIds": lambda r, v: r.id in v,
        "CompanyName": lambda r, v: v.strip("%").lower() in str(r.fields.get("name")).lower(),
        "ChangedAfter": lambda r, v: r.modified >= v,
        "CompanyEmail": lambda r, v: v in inner(r.fields.get("email")).values(),
        "CompanyPhone": lambda r, v: v in (r.fields.get("phone"), r.fields.get("mobilePhone")),
        "OrganizationNumber": lambda r, v: r.fields.get("organizationNumber") == v,
    }
    properties = listed(call.arguments.get("returnProperties"))
    return [
        chosen_properties(company_shown(record), properties, "Id")
        for record in call.org.customers.values()
        if record.active and all(test(record, asked[name]) for name, test in tests.items() if name in asked)
    ]


@operation("Company", "GetCompanySyncList")
def get_company_sync_list(call: SoapCall) -> dict[str, Any]:
    """The keys of what changed, by pages counted from 1; those that were removed are there as inactive."""
    asked: Mapping[str, Any] = inner(call.arguments.get("syncSearchParameters"))
    changed: datetime | None = asked.get("ChangedAfter")
    registered: datetime | None = asked.get("RegisteredAfter")
    found = [
        r for r in call.org.customers.values()
        if (changed is None or r.modified >= changed) and (registered is None or r.created >= registered)
        and ("Active" not in asked or r.active == asked["Active"])
    ]  # fmt: skip
    number = max(asked.get("Page", 1), 1)
    pages = max(-(-len(found) // SYNC_PAGE), 1)
    return {
        "CurrentPage": number, "TotalPages": pages, "TotalItems": len(found), "ItemsPerPage": SYNC_PAGE,
        "Items": [
            {"CompanyId": r.id, "ExternalId": r.fields.get("externalReference"), "DateChanged": r.modified,
             "DateRegistered": r.created, "Active": r.active}
            for r in found[(number - 1) * SYNC_PAGE : number * SYNC_PAGE]
        ],
    }  # fmt: skip


# --- products --------------------------------------------------------------------------------------------------------

PRODUCT_NAMES = {
    "Name": "name", "No": "number", "Price": "salesPrice", "InPrice": "costPrice", "Description": "description",
    "EAN1": "ean",
}  # fmt: skip


def product_shown(record: Record) -> dict[str, Any]:
    """A product in SOAP's words."""
    shown = {soap: record.fields.get(rest) for soap, rest in PRODUCT_NAMES.items()}
    stock: Mapping[str, Any] = inner(record.fields.get("stock"))
    shown |= {
        "Id": record.id, "CategoryId": record.fields["category"]["id"], "Stock": stock.get("quantity"),
        "StockControlled": bool(stock.get("isManaged")), "StockLocation": stock.get("location"),
        "StatusId": 1 if record.fields.get("status") == "active" else 0, "DateChanged": record.modified,
    }  # fmt: skip
    return record.extra | shown


@operation("Product", "SaveProducts")
def save_products(call: SoapCall) -> list[dict[str, Any]]:
    """Add or change products, each on its own."""
    return [_save_product(call, asked) for asked in listed(call.arguments.get("products"))]


def _save_product(call: SoapCall, asked: dict[str, Any]) -> dict[str, Any]:
    org, key = call.org, asked.get("Id")
    record = org.products.get(key) if key is not None else None
    if key is not None and record is None:
        return asked | row_error("ProductNotFound", f"Product {key} was not found.")
    category = asked.get("CategoryId")
    if (record is None or category is not None) and category not in org.categories:
        return asked | row_error("ArgumentException", f"Category {category} does not exist.")
    if record is None and not asked.get("Name"):
        return asked | row_error("ArgumentException", "Name is required.")
    fields: dict[str, Any] = {rest: asked[soap] for soap, rest in PRODUCT_NAMES.items() if soap in asked}
    if category is not None:
        fields["category"] = {"id": category}
    if "StatusId" in asked:
        fields["status"] = "active" if asked["StatusId"] else "inactive"
    stock = {
        rest: asked[soap] for soap, rest in (("StockControlled", "isManaged"), ("Stock", "quantity")) if soap in asked
    }
    if stock:
        fields["stock"] = stock
    if record is None:
        start: dict[str, Any] = {"type": "default", "status": "active"}
        fields["stock"] = {"isManaged": False, "quantity": Decimal(0)} | stock
        record = Record(org.next("product", 500), start | fields, call.now, call.now)
        org.products[record.id] = record
    else:
        change(record, fields, call.now)
    if "TaxRate" in asked:
        record.extra["TaxRate"] = asked["TaxRate"]
    return product_shown(record)


@operation("Product", "GetProducts")
def get_products(call: SoapCall) -> list[dict[str, Any]]:
    """Products that fit; only the properties that were named come back."""
    asked: Mapping[str, Any] = inner(call.arguments.get("searchParams"))
    tests: dict[str, Callable[[Record, Any], bool]] = {
        "Id": lambda r, v: r.id == v,
        "CategoryId": lambda r, v: r.fields["category"]["id"] == v,
        "No": lambda r, v: r.fields.get("number") == v,
        "EAN1": lambda r, v: r.fields.get("ean") == v,
        "Name": lambda r, v: v.strip("%").lower() in str(r.fields.get("name")).lower(),
        "Price": lambda r, v: Decimal(r.fields.get("salesPrice") or 0) == v,
        "DateChanged": lambda r, v: r.modified >= v,
        "ProductIds": lambda r, v: r.id in v,
    }
    properties = listed(call.arguments.get("returnProperties"))
    return [
        chosen_properties(product_shown(record), properties, "Id")
        for record in call.org.products.values()
        if record.active and all(test(record, asked[name]) for name, test in tests.items() if name in asked)
    ]


@operation("Product", "SetStockQuantity")
def set_stock_quantity(call: SoapCall) -> bool:
    """Set how many there are; false when there is no such product."""
    record = call.org.products.get(call.arguments.get("productId", 0))
    if record is None or not record.active:
        return False
    change(record, {"stock": {"quantity": call.arguments["stockQuantity"]}}, call.now)
    return True


@operation("Product", "GetCategories")
def get_categories(call: SoapCall) -> list[dict[str, Any]]:
    """The product categories."""
    properties = listed(call.arguments.get("returnProperties"))
    return [
        chosen_properties(
            {"Id": r.id, "Name": r.fields["name"], "ParentId": r.fields.get("parentId", 0)}, properties, "Id"
        )
        for r in call.org.categories.values()
    ]
