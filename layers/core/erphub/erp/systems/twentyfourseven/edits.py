"""What somebody changed of a settlement between the inbox and the ledger, line by line as an accountant reads it.

The ledger takes the VAT out of a line and posts it to the VAT code's own account, so amounts are compared by account.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erphub.erp.approvals import Edit
from erphub.erp.systems.twentyfourseven.settlement import NO_TAX, Line


@dataclass(frozen=True)
class LedgerLine:
    """A line of the ledger: `amount` is debit when positive, without VAT."""

    account: str
    amount: Decimal
    day: date | None
    department: str
    text: str


@dataclass(frozen=True)
class HandedOver:
    """A settlement as it was handed over: its lines, and of each the text that it bears in the ERP."""

    day: date
    department: str
    """Empty when none was named."""
    lines: Sequence[tuple[Line, str]]


def edits(handed_over: HandedOver, voucher: Sequence[LedgerLine], vat_accounts: Mapping[str, str]) -> Iterator[Edit]:
    """What differs. `vat_accounts` are the accounts of the VAT codes; one without any keeps the VAT in its line."""
    days = {line.day for line in voucher if line.day}
    if days != {handed_over.day}:
        yield Edit("date", handed_over.day.isoformat(), _joined(day.isoformat() for day in days))
    sent, found = _amounts(handed_over, vat_accounts), defaultdict[str, Decimal](Decimal)
    for line in voucher:
        found[line.account] += line.amount
    for account in sorted(sent.keys() | found.keys()):
        if sent.get(account, 0) != found.get(account, 0):
            yield Edit("amount", _shown(sent.get(account)), _shown(found.get(account)), account)
    for account in dict.fromkeys(line.account for line, _ in handed_over.lines):
        there = [line for line in voucher if line.account == account]
        if not there:
            continue  # that its amount is gone was said
        departments = {line.department for line in there}
        if departments != {handed_over.department}:
            yield Edit("department", handed_over.department, _joined(departments), account)
        texts = {line.text.strip() for line in there}
        for missing in (words for line, words in handed_over.lines if line.account == account and words not in texts):
            yield Edit("text", missing, _joined(texts), account)


def _amounts(handed_over: HandedOver, vat_accounts: Mapping[str, str]) -> Mapping[str, Decimal]:
    sums = defaultdict[str, Decimal](Decimal)
    for line, _ in handed_over.lines:
        vat_account = vat_accounts.get(line.tax_code, "") if line.tax_code != NO_TAX else ""
        vat = line.vat if line.vat and vat_account else Decimal(0)
        sums[line.account] += line.amount - vat
        if vat:
            sums[vat_account] += vat
    return sums


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"


def _joined(words: Iterable[str]) -> str:
    return ", ".join(sorted(word for word in words if word))
