"""The ledger as it lies in the lake, read back through the API: sums per account, and whether they are the file's."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from local.demo.hub import Hub
from local.demo.source import Source

AT_ONCE = 4
ROWS = "./datasets/gl_transactions/rows"


@dataclass
class Sums:
    """What was posted to an account, or altogether. Both sides are positive where nothing is corrected."""

    lines: int = 0
    debit: Decimal = Decimal()
    credit: Decimal = Decimal()

    @property
    def balance(self) -> Decimal:
        """Debit minus credit."""
        return self.debit - self.credit

    def add(self, other: "Sums") -> None:
        """Add other sums to these."""
        self.lines += other.lines
        self.debit += other.debit
        self.credit += other.credit

    def post(self, amount: Decimal, credit: bool | None) -> None:
        """Add one line. A line that does not say on which side it stands is on the side of its sign."""
        self.lines += 1
        if amount < 0 if credit is None else credit:
            self.credit -= amount
        else:
            self.debit += amount


@dataclass
class TrialBalance:
    """One company's accounts with what was posted to them."""

    company: str
    accounts: dict[str, Sums] = field(default_factory=dict[str, Sums])
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def total(self) -> Sums:
        """All accounts together."""
        total = Sums()
        for sums in self.accounts.values():
            total.add(sums)
        return total


def trial_balances(
    hub: Hub, connection: str, sources: Sequence[Source], progress: Callable[[int], None]
) -> list[TrialBalance]:
    """A trial balance per company, of every line that `GET …/rows` gives; `progress` hears how many came.

    Raises DemoFailed.
    """
    made = {source.key: TrialBalance(source.key, names=_names(hub, connection, source.key)) for source in sources}
    wanted = [(source.key, days) for source in sources for days in source.ranges]
    lock = threading.Lock()

    def read(company: str, days: tuple[date, date]) -> None:
        for rows in _pages(hub, connection, company, days):
            with lock:
                _post(made[company], rows)
                progress(len(rows))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(read, *one) for one in wanted]:
            done.result()
    return list(made.values())


def _pages(hub: Hub, connection: str, company: str, days: tuple[date, date]) -> Any:
    query: dict[str, str | int] = {"from_date": days[0].isoformat(), "to_date": days[1].isoformat()}
    columns = "account_no,amount,is_credit"
    return hub.pages(ROWS, limit=2000, company_key=company, connection_id=connection, columns=columns, **query)


def _names(hub: Hub, connection: str, company: str) -> dict[str, str]:
    pages = hub.pages(
        "./datasets/accounts/rows", company_key=company, connection_id=connection, columns="account_no,name"
    )
    return {row["account_no"]: row["name"] or "" for rows in pages for row in rows}


def _post(balance: TrialBalance, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        sums = balance.accounts.setdefault(row["account_no"] or "", Sums())
        sums.post(Decimal(row["amount"]), row["is_credit"])


def differences(source: Source, found: Sums) -> list[str]:
    """How what arrived differs from the file; empty when it does not."""
    wanted = {
        "ledger lines": (source.lines, found.lines),
        "TotalDebit": (source.total_debit, found.debit),
        "TotalCredit": (source.total_credit, found.credit),
    }
    return [
        f"{source.name}: the file's {what} are {before}, in the lake there are {after}"
        for what, (before, after) in wanted.items()
        if before != after
    ]
