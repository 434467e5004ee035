"""The admin view: what the ERP holds, as JSON and as a page to look at, and what its administrator would do by hand.

What becomes of a draft journal, as an accountant does it, by `POST /_admin/…` (`organisation`: the shop if left out):

    drafts/approve   {"draft": 7}                   it becomes vouchers of the ledger: {"vouchers": [{"number": 25, …}]}
    drafts/edit      {"draft": 7, "date": "2026-11-21", "lines": [{"line": 0, "account": 3010}]}   changed before that
    drafts/discard   {"draft": 7}                   it is gone: {"removed": true}

`GET /_admin/state` has each organisation's `drafts` with their lines, whose comments end in the hub's key. Of an edit
everything but `draft` may be left out: `date` of all its lines, `type` (the voucher type's number), `number`, and
`lines` by their place from 0, with `account`, `amount`, `vat`, `tax`, `department`, `comment` or `date` as it is to be.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Any, cast

from . import ledger, rest_orders, rest_trade, seed, soap_ledger
from .areas import AREAS, CLOSED
from .faults import KINDS, Faults, UnknownFaultError
from .http import Request, Response, json_response, listed, text
from .ledger import RefusedError
from .state import Draft, Organisation, World

SHOWN_VOUCHERS = 500


class AdminError(Exception):
    """What was asked of the admin view cannot be done; the message says why."""


def handle(world: World, faults: Faults, request: Request) -> Response:
    """Answer a call of the admin view. Raises AdminError."""
    path = request.path.removeprefix("/_admin").strip("/")
    if request.method == "GET" and path == "":
        return text(page(world, faults), type="text/html")
    if request.method == "GET" and path == "state":
        return json_response(state(world, faults))
    if path == "faults":
        return _faults(faults, request)
    if request.method != "POST":
        return json_response({"error": f"There is nothing at {request.path}."}, 404)
    action = ACTIONS.get(path)
    if action is None:
        return json_response({"error": f"There is nothing at {request.path}. There are {', '.join(ACTIONS)}."}, 404)
    body = cast(dict[str, Any], request.json() if request.body else {})
    return json_response(action(world, body))


def _faults(faults: Faults, request: Request) -> Response:
    if request.method == "DELETE":
        faults.clear()
    elif request.method == "POST":
        asked = cast(dict[str, Any], request.json())
        known = {k: v for k, v in asked.items() if k in ("times", "after", "seconds")}
        try:
            faults.add(str(asked.get("operation", "*")), str(asked.get("kind")), **known)
        except UnknownFaultError as error:
            raise AdminError(str(error)) from error
    return json_response({"faults": [asdict(f) for f in faults.all()], "kinds": KINDS})


# --- looking ---------------------------------------------------------------------------------------------------------


def state(world: World, faults: Faults) -> dict[str, Any]:
    """Everything, as JSON; of the vouchers the latest few hundred."""
    return {
        "organisations": [_organisation(org) for org in world.organisations.values()],
        "calls": dict(world.calls),
        "logins": world.logins,
        "tokens": world.tokens_given,
        "sessions": len(world.sessions),
        "faults": [asdict(f) for f in faults.all()],
    }


def _organisation(org: Organisation) -> dict[str, Any]:
    latest = list(org.vouchers.values())[-SHOWN_VOUCHERS:]
    return {
        "id": org.id, "name": org.name,
        "voucher_count": len(org.vouchers), "line_count": sum(len(v.lines) for v in org.vouchers.values()),
        "vouchers": [ledger.summary(v) for v in latest],
        "drafts": [_draft(d) for d in org.drafts.values()],
        "orders": [rest_orders.order_shown(o) | {"lines": list(o.lines.values()), "attachments": o.attachments}
                   for o in org.orders.values()],
        "customers": [rest_trade.shown(r) | {"active": r.active} for r in org.customers.values()],
        "products": [rest_trade.shown(r) | {"active": r.active} for r in org.products.values()],
        "files": [{"id": d.id, "stamp": d.stamp, "type": d.type, "bytes": len(d.content), "location": d.location}
                  for d in org.documents.values() if d.saved],
        "accounts": [{"number": a.number, "name": a.name} for a in org.accounts.values()],
        "locked_years": [y.year for y in org.years.values() if y.locked],
    }  # fmt: skip


def _draft(draft: Draft) -> dict[str, Any]:
    vouchers = [
        {"number": v["TransactionNo"], "type": v.get("Sort"),
         "lines": [{"account": e.get("AccountNo"), "amount": str(e.get("Amount")), "tax": e.get("TaxNo"),
                    "comment": e.get("Comment"), "stamp": e.get("StampNo"), "department": e.get("DepartmentId"),
                    "date": e["Date"].date().isoformat() if "Date" in e else None}
                   for e in listed(v.get("Entries"))]}
        for v in listed(draft.bundle.get("Vouchers"))
    ]  # fmt: skip
    return {"id": draft.id, "name": draft.name, "year": draft.year, "saved_by": draft.saved_by, "vouchers": vouchers}


# --- doing -----------------------------------------------------------------------------------------------------------


def _org(world: World, asked: Mapping[str, Any]) -> Organisation:
    key = asked.get("organisation", seed.SHOP)
    if key not in world.organisations:
        raise AdminError(f"There is no organisation {key}.")
    return world.organisation(key)


def _need(asked: Mapping[str, Any], *names: str) -> list[Any]:
    missing = [name for name in names if name not in asked]
    if missing:
        raise AdminError(f"Missing: {', '.join(missing)}.")
    return [asked[name] for name in names]


def _account(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Add or change an account, with or without a sales type; or remove it."""
    org = _org(world, asked)
    (number,) = _need(asked, "number")
    if asked.get("remove"):
        org.sales_types = {k: v for k, v in org.sales_types.items() if v[1] != number}
        return {"removed": org.accounts.pop(number, None) is not None}
    made = seed.add_account(
        org, number, str(asked.get("name", number)), asked.get("tax", 0), bool(asked.get("sales_type", True))
    )
    return {"id": made.id, "number": made.number, "name": made.name}


def _year(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Lock or open a year."""
    org = _org(world, asked)
    year, locked = _need(asked, "year", "locked")
    if year not in org.years:
        raise AdminError(f"The year {year} is not set up.")
    org.years[year].locked = bool(locked)
    return {"year": year, "locked": org.years[year].locked}


def _customer(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Add a customer, or change the one whose id is given, as someone in the ERP would."""
    org, fields = _org(world, asked), cast(dict[str, Any], asked.get("fields", {}))
    key = asked.get("id")
    if key is None:
        (name,) = _need(fields, "name")
        record = seed.add_customer(org, name, world.now(), **{k: v for k, v in fields.items() if k != "name"})
    else:
        if key not in org.customers:
            raise AdminError(f"There is no customer {key}.")
        record = org.customers[key]
        rest_trade.change(record, fields, world.now())
    return rest_trade.shown(record)


def _product(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Add a product, or change the one whose id is given."""
    org, fields = _org(world, asked), cast(dict[str, Any], asked.get("fields", {}))
    key = asked.get("id")
    if key is None:
        number, name = _need(fields, "number", "name")
        record = seed.add_product(org, number, name, Decimal(0), world.now())
    else:
        if key not in org.products:
            raise AdminError(f"There is no product {key}.")
        record = org.products[key]
    rest_trade.change(record, fields, world.now())
    return rest_trade.shown(record)


def approve(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Approve a draft journal: it becomes vouchers of the ledger."""
    org = _org(world, asked)
    draft = _draft_of(org, asked)
    try:
        planned = soap_ledger.plan(org, draft.bundle, {}, soap_ledger.DRAFT)
        made = ledger.approve(org, draft, planned, world.now())
    except RefusedError as error:
        raise AdminError(str(error)) from error
    return {"vouchers": [ledger.summary(v) for v in made]}


def _draft_of(org: Organisation, asked: Mapping[str, Any]) -> Draft:
    (key,) = _need(asked, "draft")
    if key not in org.drafts:
        raise AdminError(f"There is no draft {key}.")
    return org.drafts[key]


def edit(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Change a draft journal before it is approved; whether it can be posted so is judged when it is approved."""
    draft = _draft_of(_org(world, asked), asked)
    vouchers = cast(list[dict[str, Any]], listed(draft.bundle.get("Vouchers")))
    entries = [entry for voucher in vouchers for entry in cast(list[dict[str, Any]], listed(voucher.get("Entries")))]
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [(one, _values(asked, _OF_A_VOUCHER)) for one in vouchers]
    changes += [(entry, _values({"date": asked["date"]}, _OF_A_LINE)) for entry in entries if "date" in asked]
    for wanted in cast(list[dict[str, Any]], asked.get("lines", [])):
        place = int(_need(wanted, "line")[0])
        if not 0 <= place < len(entries):
            raise AdminError(f"The draft has {len(entries)} lines; there is no line {place}.")
        changes += [(entries[place], _values(wanted, _OF_A_LINE))]
    for target, values in changes:
        target.update(values)
    return _draft(draft)


_OF_A_VOUCHER: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "type": ("Sort", int),
    "number": ("TransactionNo", int),
}
_OF_A_LINE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "account": ("AccountNo", int), "amount": ("Amount", Decimal), "vat": ("VatAmount", Decimal), "tax": ("TaxNo", str),
    "department": ("DepartmentId", int), "comment": ("Comment", str),
    "date": ("Date", lambda day: datetime.combine(date.fromisoformat(day), time())),
}  # fmt: skip
"""What an edit can change: the contract's name of it, and how it is read."""


def _values(asked: Mapping[str, Any], known: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
    try:
        return {name: read(asked[key]) for key, (name, read) in known.items() if key in asked}
    except (InvalidOperation, TypeError, ValueError) as error:
        raise AdminError(f"That is no value for it: {error}.") from error


def _discard(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Throw a draft journal away; its numbers stay used."""
    (key,) = _need(asked, "draft")
    return {"removed": _org(world, asked).drafts.pop(key, None) is not None}


def _identity(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Block, disable or free an identity."""
    (key,) = _need(asked, "identity")
    if key not in world.identities:
        raise AdminError(f"There is no identity {key}.")
    identity = world.identities[key]
    identity.blocked, identity.disabled = bool(asked.get("blocked")), bool(asked.get("disabled"))
    return {"identity": key, "blocked": identity.blocked, "disabled": identity.disabled}


def _expire(world: World, _asked: dict[str, Any]) -> dict[str, Any]:
    """End every session and token."""
    world.forget_sign_ins()
    return {}


def _password(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Give a user another password."""
    username, password = _need(asked, "username", "password")
    if username not in world.users:
        raise AdminError(f"There is no user {username}.")
    world.users[username].password = str(password)
    return {"username": username}


def _ledger(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Post plausible sales and purchases."""
    return {"lines": seed.fill_ledger(_org(world, asked), int(asked.get("lines", 1000)), world.now())}


def _limits(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """How many SOAP calls an hour an address may make."""
    world.soap_per_hour = int(asked.get("soap_per_hour", world.soap_per_hour))
    return {"soap_per_hour": world.soap_per_hour}


def _areas(world: World, asked: dict[str, Any]) -> dict[str, Any]:
    """Shut an area, or open it again."""
    org = _org(world, asked)
    area, why = _need(asked, "area", "closed")
    if area not in AREAS.values() or why not in (*CLOSED, None):
        raise AdminError(
            f"There are the areas {', '.join(sorted(set(AREAS.values())))}, closed by {', '.join(CLOSED)}."
        )
    org.closed = {name: kept for name, kept in (org.closed | {area: why}).items() if kept}
    return {"closed": org.closed}


ACTIONS: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "accounts": _account, "years": _year, "customers": _customer, "products": _product, "drafts/approve": approve,
    "drafts/edit": edit, "drafts/discard": _discard, "identities": _identity, "sessions/expire": _expire,
    "passwords": _password, "ledger": _ledger, "areas": _areas, "limits": _limits,
}  # fmt: skip


# --- the page --------------------------------------------------------------------------------------------------------

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.25rem .6rem;vertical-align:top;border-bottom:1px solid #ddd}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
h2{margin-top:2.5rem}.quiet{color:#666}
"""


def page(world: World, faults: Faults) -> str:
    """The ERP at a glance."""
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>24SevenOffice, stand-in</title>"]
    parts.append(f"<style>{STYLE}</style><h1>24SevenOffice, standing in</h1>")
    parts.append(f"<p>{world.tokens_given} tokens given, {world.logins} logins, {sum(world.calls.values())} calls.</p>")
    if faults.all():
        parts.append("<h2>Faults switched on</h2>" + _table(
            ("operation", "kind", "left", "hit"),
            [(f.operation, f.kind, "∞" if f.times is None else f.times, f.hits) for f in faults.all()],
        ))  # fmt: skip
    for org in world.organisations.values():
        parts.append(_section(org))
    parts.append("<h2>Calls</h2>" + _table(("call", "times"), sorted(world.calls.items())))
    return "".join(parts)


def _section(org: Organisation) -> str:
    shown = _organisation(org)
    parts = [f"<h2>{escape(org.name)} <span class='quiet'>{org.id}</span></h2>"]
    counts = f"{shown['voucher_count']} vouchers, {len(org.drafts)} drafts, {len(org.orders)} orders"
    parts.append(f"<p>{counts}, {len(org.customers)} customers, {len(org.products)} products.</p>")
    if org.drafts:
        parts.append("<h3>Waiting for approval</h3>" + _table(
            ("draft", "name", "vouchers", "lines"),
            [(d["id"], d["name"], ", ".join(str(v["number"]) for v in d["vouchers"]),
              sum(len(v["lines"]) for v in d["vouchers"])) for d in shown["drafts"]],
        ))  # fmt: skip
    if org.vouchers:
        parts.append("<h3>Latest vouchers</h3>" + _table(
            ("date", "number", "type", "comment", "debit", "document"),
            [(v["date"], v["number"], org.types[v["type"]].name, v["comment"], _debit(v), v["document"] or "")
             for v in reversed(shown["vouchers"][-40:])],
        ))  # fmt: skip
    if org.orders:
        parts.append("<h3>Orders</h3>" + _table(
            ("order", "status", "customer", "reference", "gross"),
            [(o["id"], o["status"], o["customer"].get("name"), o.get("referenceNumber", ""), o["grossAmount"])
             for o in shown["orders"]],
        ))  # fmt: skip
    return "".join(parts)


def _debit(voucher: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in voucher["lines"] if not line["amount"].startswith("-")), Decimal(0))


def _table(heads: tuple[str, ...], rows: list[Any]) -> str:
    def cell(value: Any, tag: str = "td") -> str:
        number = " class='n'" if isinstance(value, int | Decimal) else ""
        return f"<{tag}{number}>{escape(str(value))}</{tag}>"

    head = "".join(cell(h, "th") for h in heads)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{"".join(cell(v) for v in row)}</tr>' for row in rows)}</table>"
