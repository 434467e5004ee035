"""SOAP: vouchers as drafts or straight to the ledger, numbers read and not reserved, and reading the ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from . import ledger
from .http import inner, listed
from .ledger import Entry, Problem, RefusedError
from .soap import UNABLE, SoapCall, SoapFault, midnight, operation
from .state import Draft, Line, Organisation, VoucherType

LEDGER, DRAFT = 0, 1
SYSTEM_TYPES = {-1: "InvoiceCustomer", 2: "InvoiceSupplier", 4: "Payment", 3: "CashSale"}

type Planned = tuple[int, VoucherType, list[Entry]]
"""A voucher to be posted: its number, type and lines."""


@operation("Account", "SaveBundleList")
def save_bundle_list(call: SoapCall) -> dict[str, Any]:
    """All of it or nothing. SaveOption 0 posts to the ledger; 1, and nothing said, makes draft journals."""
    if call.session is None:
        return {"Type": "NotAuthenticated", "Description": "The session is missing or has expired."}
    asked: Mapping[str, Any] = inner(call.arguments.get("BundleList"))
    bundles: Sequence[dict[str, Any]] = listed(asked.get("Bundles"))
    option = asked.get("SaveOption", DRAFT)
    try:
        plans = [plan(call.org, bundle, asked, option) for bundle in bundles]
        if not any(plans):
            raise RefusedError([Problem("Bundles", "empty", "There is no voucher to save.")])
        taken = [_taken(call, planned) for planned_bundle in plans for planned in planned_bundle]
    except RefusedError as error:
        return {"Type": "Exception", "Description": str(error)}
    known = [answer for answer in taken if answer]
    if known:
        same = len(known) == len(taken) and set(known) == {"DataAlreadySaved"}
        return {
            "Type": "DataAlreadySaved" if same else "DuplicateData",
            "Description": "A voucher with this transaction number exists already.",
        }
    for bundle, planned in zip(bundles, plans, strict=True):
        _save(call, bundle, planned, option)
    return {"Type": "Ok", "Description": ""}


def plan(org: Organisation, bundle: Mapping[str, Any], asked: Mapping[str, Any], option: int) -> list[Planned]:
    """What a bundle's vouchers say, checked. Raises RefusedError."""
    year = bundle.get("YearId")
    if year is not None and year not in org.years:
        raise RefusedError([Problem("YearId", "exists", f"The accounting year {year} is not set up.")])
    planned: list[Planned] = []
    for voucher in listed(bundle.get("Vouchers")):
        kind = _type(org, bundle, voucher, option)
        entries = [_entry(line, asked.get("DefaultCustomerId")) for line in listed(voucher.get("Entries"))]
        differ = option == DRAFT and bool(asked.get("AllowDifference"))
        problems = ledger.check(org, entries, per_date=False, may_differ=differ)
        wrong_year = [e.day for e in entries if year is not None and e.day.year != year]
        if wrong_year:
            problems.append(Problem("Date", "year", f"{wrong_year[0]} is not in the accounting year {year}."))
        if problems:
            raise RefusedError(problems)
        planned.append((voucher["TransactionNo"], kind, entries))
    return planned


def _type(org: Organisation, bundle: Mapping[str, Any], voucher: Mapping[str, Any], option: int) -> VoucherType:
    numbers = [n for n in (voucher.get("Sort"), bundle.get("Sort")) if n is not None]
    found = next((t for t in map(org.type_by_number, numbers) if t is not None), None)
    if found is None and option == LEDGER:
        # The ledger does not ask for a type; the first there is gives the series.
        found = min((t for t in org.types.values() if t.number > 0), key=lambda t: t.number)
    if found is None:
        raise RefusedError([Problem("Sort", "exists", f"Transaction type {numbers} does not exist.")])
    return found


def _entry(line: Mapping[str, Any], customer: int | None) -> Entry:
    if "Date" not in line or "AccountNo" not in line or "Amount" not in line:
        raise RefusedError([Problem("Entry", "required", "An entry needs Date, AccountNo and Amount.")])
    tax = str(line.get("TaxNo") or "0")
    if not tax.isdecimal():
        raise RefusedError([Problem("TaxNo", "exists", f"Tax code {tax} does not exist.")])
    named = ((ledger.DEPARTMENT, line.get("DepartmentId")), (ledger.PROJECT, line.get("ProjectId")))
    period: datetime | None = line.get("PeriodDate")
    due: datetime | None = line.get("DueDate")
    return Entry(
        account=line["AccountNo"], amount=line["Amount"], day=line["Date"].date(), tax=int(tax),
        tax_amount=line.get("VatAmount"), comment=line.get("Comment") or "",
        period=period.date() if period else None, customer=line.get("CustomerId", customer),
        document=line.get("StampNo"), currency=line.get("CurrencyId") or "NOK",
        rate=line.get("CurrencyRate") or Decimal(1),
        dimensions=tuple((kind, str(value)) for kind, value in named if value is not None),
        invoice=line.get("InvoiceReferenceNo") or "", ocr=line.get("InvoiceOcr") or "", due=due.date() if due else None,
    )  # fmt: skip


def _taken(call: SoapCall, planned: Planned) -> str | None:
    """What the ERP says when the number is in use: by the same voucher, or by another."""
    number, kind, entries = planned
    content = call.org.taken.get((kind.series, entries[0].day.year, number))
    if content is None or not call.world.notices_duplicates:
        return None
    return "DataAlreadySaved" if content == ledger.fingerprint(entries) else "DuplicateData"


def _save(call: SoapCall, bundle: dict[str, Any], planned: list[Planned], option: int) -> None:
    if option == LEDGER:
        for number, kind, entries in planned:
            free = (kind.series, entries[0].day.year, number) not in call.org.taken
            ledger.post(call.org, kind, entries, call.now, "soap", number=number if free else None)
        return
    draft = Draft(
        call.org.next("draft"), bundle.get("Name") or "", bundle.get("YearId") or call.now.year, bundle, call.now,
        call.identity.username,
    )  # fmt: skip
    call.org.drafts[draft.id] = draft
    for number, kind, entries in planned:
        ledger.take(call.org, kind.series, entries[0].day.year, number, ledger.fingerprint(entries))


def stamped(draft: Draft) -> set[int]:
    """The files that a draft's entries name."""
    vouchers: Sequence[Mapping[str, Any]] = listed(draft.bundle.get("Vouchers"))
    return {line["StampNo"] for v in vouchers for line in listed(v.get("Entries")) if "StampNo" in line}


@operation("Account", "GetEntryId")
def get_entry_id(call: SoapCall) -> dict[str, Any]:
    """The next number of a series; it is not reserved, so asking again gives it again."""
    asked: Mapping[str, Any] = inner(call.arguments.get("argEntryId"))
    series, day = asked.get("SortNo"), asked.get("Date")
    if day is None or series not in {t.series for t in call.org.types.values()}:
        raise SoapFault(UNABLE + f"There is no entry series {series}.")
    return {"Date": day, "SortNo": series, "EntryNo": ledger.next_number(call.org, series, day.year)}


@operation("Account", "GetAccountList")
def get_account_list(call: SoapCall) -> list[dict[str, Any]]:
    """The chart of accounts."""
    org = call.org
    return [
        {"AccountId": a.id, "AccountNo": a.number, "AccountName": a.name, "AccountTax": a.tax_id,
         "TaxNo": t.number if (t := org.tax_by_id(a.tax_id)) else 0}
        for a in sorted(org.accounts.values(), key=lambda a: a.number)
    ]  # fmt: skip


@operation("Account", "CheckAccountNo")
def check_account_no(call: SoapCall) -> list[dict[str, Any]]:
    """Which of these accounts exist, and whether they are called so."""
    checked: list[dict[str, Any]] = []
    for asked in listed(call.arguments.get("accountList")):
        found = call.org.accounts.get(asked.get("AccountNo", 0))
        error = "AccountDontExist" if found is None else "Ok"
        if found is not None and asked.get("AccountName", found.name) != found.name:
            error = "NameDontMatch"
        checked.append(asked | {"Error": error})
    return checked


@operation("Account", "GetTypeList")
def get_type_list(call: SoapCall) -> list[dict[str, Any]]:
    """The voucher types with their number series."""
    types = call.org.types.values()
    return [{"TypeId": t.id, "Title": t.name, "EntrySeriesId": t.series, "TypeNo": t.old_number} for t in types]


@operation("Account", "GetTaxCodeList")
def get_tax_code_list(call: SoapCall) -> list[dict[str, Any]]:
    """The VAT codes."""
    return [
        {"TaxId": t.id, "TaxNo": str(t.number), "TaxName": t.name, "TaxRate": t.rate, "AccountNo": t.account or None}
        for t in call.org.taxes.values()
    ]


# --- reading the ledger ----------------------------------------------------------------------------------------------


@operation("Transaction", "GetTransactionTypes")
def get_transaction_types(call: SoapCall) -> list[dict[str, Any]]:
    """The voucher types by number."""
    return [
        {"Turnover": t.number in (-1, 3), "Title": t.name, "No": t.number, "Id": t.id} for t in call.org.types.values()
    ]


@operation("Transaction", "GetFiscalYears")
def get_fiscal_years(call: SoapCall) -> list[dict[str, Any]]:
    """Here the ending date is the day after the last."""
    return [
        {
            "Id": y.id,
            "StartingDate": midnight(y.first),
            "EndingDate": midnight(y.last) + timedelta(days=1),
            "IsLocked": y.locked,
        }
        for y in call.org.years.values()
    ]


@operation("Transaction", "GetTransactions")
def get_transactions(call: SoapCall) -> list[dict[str, Any]]:
    """Lines between two instants, both included, of the entry's date or of the change: without pages."""
    asked: Mapping[str, Any] = inner(call.arguments.get("searchParams"))
    start, end = asked.get("DateStart"), asked.get("DateEnd")
    if start is None or end is None:
        raise SoapFault(UNABLE + "DateStart and DateEnd are required.")
    by_change = asked.get("DateSearchParameters") == "DateChangedUTC"

    def fits(line: Line) -> bool:
        at = line.modified if by_change else midnight(line.day)
        return start <= at <= end and _fits(call.org, line, asked)

    return [_shown(call.org, line) for line in call.org.lines() if fits(line)]


def _fits(org: Organisation, line: Line, asked: Mapping[str, Any]) -> bool:
    ranges = ((line.account, "AccountNo"), (line.number, "TransactionNo"))
    exact = (
        (line.customer, "CustomerId"), (line.type_id, "TransactionTypeId"), (line.invoice, "InvoiceNo"),
        (line.tax, "VatCode"), (_system_type(org, line), "SystemType"),
        (_dimension(line, ledger.DEPARTMENT), "DepartmentId"), (_dimension(line, ledger.PROJECT), "ProjectId"),
        (bool(line.invoice), "HasInvoiceId"),
    )  # fmt: skip
    return (
        all(asked.get(f"{n}Start", v) <= v <= asked.get(f"{n}End", v) for v, n in ranges)
        and all(value == asked[name] for value, name in exact if name in asked)
        and line.created >= asked.get("RegisteredAfter", line.created)
    )


def _dimension(line: Line, kind: int) -> int | None:
    return next((int(value) for k, value in line.dimensions if k == kind), None)


def _system_type(org: Organisation, line: Line) -> str:
    return SYSTEM_TYPES.get(org.types[line.type_id].number, "Miscellaneous")


def _shown(org: Organisation, line: Line) -> dict[str, Any]:
    names = {ledger.DEPARTMENT: "Department", ledger.PROJECT: "Project"}
    return {
        "Date": midnight(line.day), "AccountNo": line.account, "Currency": line.currency, "CurrencyRate": line.rate,
        "CurrencyUnit": 1, "Amount": line.amount, "StampNo": line.document, "Period": line.period.month,
        "TransactionTypeId": line.type_id, "Comment": line.comment, "TransactionNo": line.number, "VatCode": line.tax,
        "Id": line.id, "InvoiceNo": line.invoice or None, "SequenceNo": line.sequence,
        "SystemType": _system_type(org, line), "DueDate": midnight(line.due) if line.due else None,
        "Dimensions": [
            {"Type": names[kind], "Name": ledger.elements(org, kind).get(value), "Value": value, "TypeId": kind}
            for kind, value in line.dimensions
        ],
        "RegistrationDate": line.created, "DateChanged": line.modified, "Hidden": line.hidden, "Open": False,
        "OCR": line.ocr or None, "HasVatDividend": False, "PeriodDate": line.period,
    }  # fmt: skip
