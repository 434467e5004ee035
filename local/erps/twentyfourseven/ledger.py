"""The rules of the ledger: what may be posted, how VAT is taken out of a gross line, drafts and their approval."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .state import Draft, Line, Organisation, Tax, Voucher, VoucherType, guid

ORE = Decimal("0.01")
DEPARTMENT, PROJECT = 2, 1
"""The ledger's own dimension types; those above 100 are the organisation's."""


@dataclass(frozen=True)
class Problem:
    """Something that stops a voucher: where, a word for it, and a sentence."""

    path: str
    keyword: str
    message: str


class RefusedError(Exception):
    """The voucher cannot be posted; nothing was."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(p.message for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Entry:
    """A line as it is asked for: `amount` is gross (with its VAT), in `currency`, debit when positive."""

    account: int
    amount: Decimal
    day: date
    tax: int = 0
    tax_amount: Decimal | None = None
    comment: str = ""
    period: date | None = None
    customer: int | None = None
    document: int | None = None
    currency: str = "NOK"
    rate: Decimal = Decimal(1)
    dimensions: tuple[tuple[int, str], ...] = ()
    invoice: str = ""
    ocr: str = ""
    due: date | None = None

    @property
    def local(self) -> Decimal:
        """The amount in NOK."""
        return (self.amount * self.rate).quantize(ORE, ROUND_HALF_UP)


def check(org: Organisation, entries: Sequence[Entry], *, per_date: bool, may_differ: bool = False) -> list[Problem]:
    """Everything that is wrong with the lines of a voucher."""
    problems = [p for n, entry in enumerate(entries) for p in _check_line(org, f"lines[{n}]", entry)]
    if not entries:
        problems.append(Problem("lines", "minItems", "A voucher needs at least one line."))
    if not may_differ:
        sums: dict[date | None, Decimal] = defaultdict(Decimal)
        for entry in entries:
            sums[entry.day if per_date else None] += entry.local
        for day, total in sums.items():
            if total:
                at = f" on {day}" if day else ""
                problems.append(
                    Problem("lines", "balance", f"The voucher does not balance{at}: it differs by {total}.")
                )
    return problems


def _check_line(org: Organisation, path: str, entry: Entry) -> list[Problem]:
    problems: list[Problem] = []

    def say(where: str, keyword: str, message: str) -> None:
        problems.append(Problem(f"{path}.{where}", keyword, message))

    if entry.account not in org.accounts:
        say("accountNumber", "exists", f"Account {entry.account} does not exist.")
    if entry.tax not in org.taxes:
        say("tax.number", "exists", f"Tax code {entry.tax} does not exist.")
    if entry.amount != entry.amount.quantize(ORE):
        say("amount", "multipleOf", f"Amount {entry.amount} has more than two decimals.")
    if entry.customer is not None and entry.customer not in org.customers:
        say("customer", "exists", f"Customer {entry.customer} does not exist.")
    if entry.document is not None and not has_document(org, entry.document):
        say("documentId", "exists", f"Document {entry.document} does not exist.")
    for kind, value in entry.dimensions:
        if value not in elements(org, kind):
            say("dimensions", "exists", f"Dimension {kind} has no element {value}.")
    problems += check_period(org, f"{path}.date", entry.day)
    return problems


def check_period(org: Organisation, path: str, day: date) -> list[Problem]:
    """What is wrong with posting on a day: its year is not set up, or closed."""
    year = org.years.get(day.year)
    if year is None:
        return [Problem(path, "period", f"There is no financial period for {day}: the year {day.year} is not set up.")]
    if year.locked:
        return [Problem(path, "period", f"The financial period of {day} is closed.")]
    return []


def elements(org: Organisation, dimension: int) -> Mapping[str, str]:
    """A dimension's elements, by value."""
    if dimension == DEPARTMENT:
        return {str(key): name for key, name in org.departments.items()}
    return org.projects if dimension == PROJECT else {}


def has_document(org: Organisation, stamp: int) -> bool:
    """Whether a saved file has this number."""
    return any(d.stamp == stamp for d in org.stamps())


def post(
    org: Organisation, kind: VoucherType, entries: Sequence[Entry], now: datetime, via: str, *,
    number: int | None = None, auto_tax: bool = True,
) -> Voucher:  # fmt: skip
    """Post checked lines as one voucher, under the series' next number when none is given."""
    year = entries[0].day.year
    chosen = next_number(org, kind.series, year) if number is None else number
    take(org, kind.series, year, chosen, fingerprint(entries))
    voucher = Voucher(guid(), chosen, kind.series, year, kind.id, [], via)
    for entry in entries:
        for part in _with_tax(org, entry) if auto_tax else (entry,):
            voucher.lines.append(_line(voucher, part, kind, len(voucher.lines) + 1, now))
    org.add(voucher)
    return voucher


def _with_tax(org: Organisation, entry: Entry) -> Sequence[Entry]:
    tax = org.taxes[entry.tax]
    if not tax.account or not tax.rate:
        return (entry,)
    vat = _vat(entry, tax)
    own = replace(entry, account=tax.account, amount=vat, tax=0, tax_amount=None)
    return (replace(entry, amount=entry.amount - vat), own)


def _vat(entry: Entry, tax: Tax) -> Decimal:
    if entry.tax_amount is not None:
        return entry.tax_amount.quantize(ORE, ROUND_HALF_UP)
    return (entry.amount * tax.rate / (100 + tax.rate)).quantize(ORE, ROUND_HALF_UP)


def _line(voucher: Voucher, entry: Entry, kind: VoucherType, sequence: int, now: datetime) -> Line:
    return Line(
        id=guid(), voucher=voucher.id, number=voucher.number, sequence=sequence, type_id=kind.id, account=entry.account,
        day=entry.day, amount=entry.local, tax=entry.tax, comment=entry.comment, created=now, modified=now,
        period=entry.period or entry.day, customer=entry.customer, document=entry.document, currency=entry.currency,
        rate=entry.rate, dimensions=entry.dimensions, invoice=entry.invoice, ocr=entry.ocr, due=entry.due,
    )  # fmt: skip


# --- numbers: read, never reserved -----------------------------------------------------------------------------------


def next_number(org: Organisation, series: int, year: int) -> int:
    """The number after the highest in use; asking again gives it again."""
    return org.counters[f"voucher:{series}:{year}"] + 1


def take(org: Organisation, series: int, year: int, number: int, content: str) -> None:
    """Mark a number as used, by a voucher that says this."""
    key = f"voucher:{series}:{year}"
    org.counters[key] = max(org.counters[key], number)
    org.taken[series, year, number] = content


def fingerprint(entries: Sequence[Entry]) -> str:
    """What a voucher says, in short, to tell the same from another."""
    said = sorted((e.day.isoformat(), e.account, str(e.amount.normalize()), e.tax, e.comment) for e in entries)
    return hashlib.sha256(repr(said).encode()).hexdigest()


# --- drafts ----------------------------------------------------------------------------------------------------------


def approve(
    org: Organisation, draft: Draft, entries: Sequence[tuple[int, VoucherType, Sequence[Entry]]], now: datetime
) -> list[Voucher]:
    """Post what a draft journal holds and remove it. Raises RefusedError, then it stays."""
    problems = [p for _, _, lines in entries for p in check(org, lines, per_date=False)]
    if problems:
        raise RefusedError(problems)
    del org.drafts[draft.id]
    auto = not draft.bundle.get("BundleDirectAccounting")
    return [post(org, kind, lines, now, "draft", number=number, auto_tax=auto) for number, kind, lines in entries]


def summary(voucher: Voucher) -> dict[str, Any]:
    """A voucher as the admin view shows it."""
    first = voucher.lines[0]
    return {
        "id": voucher.id,
        "number": voucher.number,
        "year": voucher.year,
        "series": voucher.series,
        "type": voucher.type_id,
        "date": first.day.isoformat(),
        "comment": first.comment,
        "document": first.document,
        "via": voucher.via,
        "sum": str(voucher.total),
        "lines": [
            {"account": line.account, "amount": str(line.amount), "tax": line.tax, "comment": line.comment,
             "dimensions": [list(d) for d in line.dimensions], "date": line.day.isoformat()}
            for line in voucher.lines
        ],
    }  # fmt: skip
