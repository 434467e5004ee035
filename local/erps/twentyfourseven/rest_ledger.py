"""REST: the organisation, its set-up, the ledger's lines, posting a voucher."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from . import ledger
from .http import Response, inner, json_response, listed
from .ledger import Entry, RefusedError
from .rest import Call, invalid, not_found, onward, page, parse_day, route, zulu
from .state import Account, Line, Organisation

DIMENSIONS = {ledger.PROJECT: "Project", ledger.DEPARTMENT: "Department"}
MOST_LINES = 1000


@route("GET", "/organization/information", "api.organization.information:read")
def organization(call: Call) -> Response:
    """The company the token is for."""
    address = {"street": "Storgata 1", "postalCode": "0155", "postalArea": "Oslo", "countryCode": "NO"}
    return json_response(
        {"id": call.org.id, "name": call.org.name, "address": address, "status": "Active",
         "settings": {"currencyCode": "NOK"}}
    )  # fmt: skip


def _account(account: Account) -> dict[str, Any]:
    return {"id": account.id, "number": account.number, "name": account.name, "taxId": account.tax_id}


@route("GET", "/accounts", "api.accounting.account:read")
def accounts(call: Call) -> Response:
    """The chart of accounts, or what of it holds the words asked for."""
    wanted = (call.asked("query") or "").lower()
    every = sorted(call.org.accounts.values(), key=lambda a: a.number)
    return json_response([_account(a) for a in every if wanted in f"{a.number} {a.name}".lower()])


@route("GET", "/accounts/{id}", "api.accounting.account:read")
def account(call: Call, id: int) -> Response:
    """One account, by id."""
    found = call.org.account_by_id(id)
    if found is None:
        raise not_found(f"Account {id}")
    return json_response(_account(found))


@route("GET", "/accountbalances", "api.accounting.transaction.accountbalance:read")
def balances(call: Call) -> Response:
    """Each account's months from dateFrom to dateTo, both included: opening, change and closing."""
    first, last = call.needed_day("dateFrom"), call.needed_day("dateTo")
    changes: dict[int, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in call.org.lines():
        if line.day <= last:
            month = line.day.replace(day=1) if line.day >= first else date.min
            changes[line.account][month] += line.amount
    return json_response([
        {"account": {"id": a.id, "number": a.number, "name": a.name}, "balances": _months(changes[n])}
        for n, a in sorted(call.org.accounts.items()) if n in changes
    ])  # fmt: skip


def _months(changes: Mapping[date, Decimal]) -> list[dict[str, Any]]:
    running = changes.get(date.min, Decimal(0))
    shown: list[dict[str, Any]] = []
    for month in sorted(m for m in changes if m != date.min):
        change = changes[month]
        shown.append({"date": f"{month}", "opening": running, "change": change, "closing": running + change})
        running += change
    return shown


@route("GET", "/taxes", "api.accounting.tax:read")
def taxes(call: Call) -> Response:
    """The VAT codes."""
    return json_response([
        {"id": t.id, "number": t.number, "name": t.name, "rate": t.rate} for t in call.org.taxes.values()
    ])  # fmt: skip


@route("GET", "/taxes/{id}", "api.accounting.tax:read")
def tax(call: Call, id: int) -> Response:
    """One VAT code, by id."""
    found = call.org.tax_by_id(id)
    if found is None:
        raise not_found(f"Tax {id}")
    return json_response({"id": found.id, "number": found.number, "name": found.name, "rate": found.rate})


@route("GET", "/fiscalperiods", "api.accounting.fiscalperiod:read")
def fiscal_periods(call: Call) -> Response:
    """Years and their months, from the first day to the last. Whether one is locked is not said here."""
    asked = call.asked("type") or "Year"
    if asked not in ("Year", "Period", "All"):
        raise invalid(("type", "enum"))
    found: list[dict[str, str]] = []
    for year in call.org.years.values():
        if asked != "Period":
            found.append({"id": year.id, "type": "Year", "startingDate": f"{year.first}", "endingDate": f"{year.last}"})
        if asked != "Year":
            for month in range(1, 13):
                last = (date(year.year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)
                found.append({"id": f"{year.id}-{month:02d}", "type": "Period",
                              "startingDate": f"{last.replace(day=1)}", "endingDate": f"{last}"})  # fmt: skip
    return json_response(found)


@route("GET", "/transactiontypes", "api.accounting.transactiontype:read")
def transaction_types(call: Call) -> Response:
    """The voucher types, the system's own with numbers below zero."""
    return json_response([{"id": t.id, "number": t.number, "name": t.name} for t in call.org.types.values()])


@route("GET", "/salestypes", "api.product.salestype:read")
def sales_types(call: Call) -> Response:
    """The sales types, each with its account."""
    return json_response([_sales_type(call.org, key) for key in call.org.sales_types])


@route("GET", "/salestypes/{id}", "api.product.salestype:read")
def sales_type(call: Call, id: int) -> Response:
    """One sales type."""
    if id not in call.org.sales_types:
        raise not_found(f"Sales type {id}")
    return json_response(_sales_type(call.org, id))


def _sales_type(org: Organisation, key: int) -> dict[str, Any]:
    name, number = org.sales_types[key]
    return {"id": key, "name": name, "account": {"id": org.accounts[number].id}}


@route("GET", "/dimensions", "api.accounting.dimension:read")
def dimensions(_call: Call) -> Response:
    """The dimension types."""
    return json_response([{"id": key, "name": name} for key, name in DIMENSIONS.items()])


@route("GET", "/dimensions/{dimensionType}", "api.accounting.dimension:read")
def dimension(_call: Call, dimensionType: int) -> Response:
    """One dimension type."""
    if dimensionType not in DIMENSIONS:
        raise not_found(f"Dimension {dimensionType}")
    return json_response({"id": dimensionType, "name": DIMENSIONS[dimensionType]})


@route("GET", "/dimensions/{dimensionType}/elements", "api.accounting.dimension:read")
def dimension_elements(call: Call, dimensionType: int) -> Response:
    """A dimension's elements: departments, projects."""
    if dimensionType not in DIMENSIONS:
        raise not_found(f"Dimension {dimensionType}")
    found = [
        {"dimensionType": dimensionType, "value": value, "name": name}
        for value, name in ledger.elements(call.org, dimensionType).items()
    ]
    return onward(call, f"/dimensions/{dimensionType}/elements", found, 100, 1000)


@route("GET", "/dimensions/{dimensionType}/elements/{value}", "api.accounting.dimension:read")
def dimension_element(call: Call, dimensionType: int, value: str) -> Response:
    """One element of a dimension."""
    name = ledger.elements(call.org, dimensionType).get(value)
    if name is None:
        raise not_found(f"Element {value} of dimension {dimensionType}")
    return json_response({"dimensionType": dimensionType, "value": value, "name": name})


# --- the ledger ------------------------------------------------------------------------------------------------------


def _line(org: Organisation, line: Line, *, with_dimensions: bool) -> dict[str, Any]:
    account, tax = org.accounts[line.account], org.taxes[line.tax]
    shown: dict[str, Any] = {
        "id": line.id,
        "transaction": {"id": line.voucher, "number": line.number},
        "account": {"id": account.id, "number": account.number, "name": account.name},
        "transactionType": {"id": line.type_id},
        "tax": {"id": tax.id, "rate": tax.rate},
        "amount": line.amount,
        "currency": {"code": line.currency, "rate": line.rate},
        "date": line.day.isoformat(),
        "periodDate": line.period.isoformat(),
        "createdAt": zulu(line.created),
        "modifiedAt": zulu(line.modified),
    }
    if line.comment:
        shown["comment"] = line.comment
    if line.customer is not None:
        shown["customer"] = {"id": line.customer}
    if line.document is not None:
        shown["documentId"] = line.document
    if line.invoice or line.due or line.ocr:
        details = {
            "number": line.invoice,
            "dueDate": line.due and line.due.isoformat(),
            "remittanceReference": line.ocr,
        }
        shown["invoice"] = {k: v for k, v in details.items() if v}
    if with_dimensions:
        shown["dimensions"] = [
            {"dimensionType": kind, "dimensionTypeName": DIMENSIONS.get(kind, ""), "value": value,
             "name": ledger.elements(org, kind).get(value, "")}
            for kind, value in line.dimensions
        ]  # fmt: skip
    return shown


@route("GET", "/transactionlines", "api.accounting.transaction:read")
def transaction_lines(call: Call) -> Response:
    """The ledger's lines from dateFrom up to, not with, dateTo."""
    first, end = call.needed_day("dateFrom"), call.needed_day("dateTo")
    created = call.instant("createdFrom") or call.instant("createdAfter")
    modified = call.instant("modifiedFrom") or call.instant("modifiedAfter")
    by_id = call.org.account_by_id(call.number("accountId") or 0)
    wanted = {
        "number": call.number("transactionNumber"), "type_id": call.number("transactionTypeId"),
        "customer": call.number("customerId"), "account": call.number("accountNumber"),
        "invoice": call.asked("invoiceNumber"), "currency": call.asked("currencyCode"),
    }  # fmt: skip
    if call.asked("accountId") is not None:
        wanted["account"] = by_id.number if by_id else -1
    exact = {name: value for name, value in wanted.items() if value is not None}

    def fits(line: Line) -> bool:
        return (
            (created is None or line.created >= created) and (modified is None or line.modified >= modified)
            and all(getattr(line, name) == value for name, value in exact.items())
        )  # fmt: skip

    found = [line for line in call.org.between(first, end) if fits(line)]
    with_dimensions = bool(call.flag("includeDimensions"))
    return page(
        call,
        "/transactionlines",
        found,
        50,
        MOST_LINES,
        lambda line: _line(call.org, line, with_dimensions=with_dimensions),
    )


@route("GET", "/transactionlines/{id}", "api.accounting.transaction:read")
def transaction_line(call: Call, id: str) -> Response:
    """One line, with its dimensions."""
    found = next((line for line in call.org.lines() if line.id == id), None)
    if found is None:
        raise not_found(f"Transaction line {id}")
    return json_response(_line(call.org, found, with_dimensions=True))


@route("POST", "/transactions", "api.accounting.transaction:write")
def post_transaction(call: Call) -> Response:
    """Post a voucher to the ledger: it balances per date, in an open period, on accounts and codes that exist."""
    asked = call.body()
    problems = _shape(asked)
    if problems:
        raise invalid(*problems)
    kind = call.org.type_by_number(asked["transactionTypeNumber"])
    if kind is None or kind.number < 1:
        raise invalid(("transactionTypeNumber", "exists"), message="The transaction type does not exist.")
    entries = [_entry(asked, line, f"lines[{n}]") for n, line in enumerate(asked["lines"])]
    wrong = ledger.check(call.org, entries, per_date=True)
    wrong += ledger.check_period(call.org, "date", parse_day(asked["date"], "date"))
    if wrong:
        error = RefusedError(wrong)
        raise invalid(*((p.path, p.keyword) for p in error.problems), message=str(error)) from error
    voucher = ledger.post(call.org, kind, entries, call.now, "rest")
    return json_response({"transactionId": voucher.id}, 201)


def _shape(asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the published schema forbids."""
    found = [(name, "required") for name in ("transactionTypeNumber", "date", "lines") if name not in asked]
    lines: Any = asked.get("lines", [])
    if type(asked.get("transactionTypeNumber", 1)) is not int or asked.get("transactionTypeNumber", 1) < 1:
        found.append(("transactionTypeNumber", "minimum"))
    if not _comment(asked):
        found.append(("comment", "maxLength"))
    if not isinstance(lines, list):
        return [*found, ("lines", "type")]
    items = cast(list[Any], lines)
    if len(items) > MOST_LINES:
        return [*found, ("lines", "maxItems")]
    for n, item in enumerate(items):
        if not isinstance(item, dict):
            found.append((f"lines[{n}]", "type"))
            continue
        line = cast(dict[str, Any], item)
        found += [(f"lines[{n}].{name}", "required") for name in ("accountNumber", "amount", "tax") if name not in line]
        if not _comment(line):
            found.append((f"lines[{n}].comment", "maxLength"))
        if type(line.get("accountNumber", 0)) is not int:
            found.append((f"lines[{n}].accountNumber", "type"))
        if type(line.get("amount", 0)) not in (int, Decimal):
            found.append((f"lines[{n}].amount", "type"))
        tax: Any = line.get("tax", {"number": 0})
        if not isinstance(tax, dict) or type(cast(dict[str, Any], tax).get("number")) is not int:
            found.append((f"lines[{n}].tax.number", "type"))
        if len(listed(line.get("dimensions"))) > 10:
            found.append((f"lines[{n}].dimensions", "maxItems"))
    return found


def _comment(holder: Mapping[str, Any]) -> bool:
    comment = holder.get("comment", "")
    return isinstance(comment, str) and len(comment) <= 75


def _entry(asked: Mapping[str, Any], line: Mapping[str, Any], path: str) -> Entry:
    currency: Mapping[str, Any] = inner(line.get("currency"))
    invoice: Mapping[str, Any] = inner(line.get("invoice"))
    tax_amount = line["tax"].get("amount")
    due = invoice.get("dueDate")
    return Entry(
        account=line["accountNumber"],
        amount=Decimal(line["amount"]),
        day=parse_day(line.get("date", asked["date"]), f"{path}.date"),
        tax=line["tax"]["number"],
        tax_amount=None if tax_amount is None else Decimal(tax_amount),
        comment=line.get("comment", asked.get("comment", "")),
        period=parse_day(line["periodDate"], f"{path}.periodDate") if line.get("periodDate") else None,
        document=asked.get("documentId"),
        currency=currency.get("code", "NOK"),
        rate=Decimal(currency.get("rate", 1)),
        dimensions=tuple((d["dimensionType"], str(d["value"])) for d in listed(line.get("dimensions"))),
        invoice=invoice.get("number", ""),
        ocr=invoice.get("remittanceReference", ""),
        due=parse_day(due, f"{path}.invoice.dueDate") if due else None,
    )
