"""Do both sides agree? Rows and sums per period, as the source counted them and as they were read back from storage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from .ports.erp import Total

type Month = tuple[str | None, int, str | None]
SHOWN = 3
_EXACT = Context(prec=100)
"""Python adds decimals in 28 digits unless it is told otherwise; a ledger of decimal(38,20) needs more."""


@dataclass(frozen=True)
class Difference:
    """A period in which the sides differ."""

    period: str
    source_rows: int
    arrived_rows: int
    source_amount: Decimal
    arrived_amount: Decimal

    def __str__(self) -> str:
        parts: list[str] = []
        if self.source_rows != self.arrived_rows:
            parts.append(f"{self.source_rows} rows in the source and {self.arrived_rows} here")
        if self.source_amount != self.arrived_amount:
            parts.append(f"a sum of {self.source_amount:f} in the source and {self.arrived_amount:f} here")
        return f"{self.period}: {', '.join(parts)}"


def differences(source: Iterable[Total], arrived: Iterable[Total]) -> list[Difference]:
    """Every period in which rows or sums differ, in order. A period without rows is the same as none."""
    return _compare(_by_day(source), _by_day(arrived))


def monthly_differences(source: Iterable[Month], arrived: Iterable[Total]) -> list[Difference]:
    """The same per month, for totals that were kept per month."""
    return _compare(_by_month(source), _by_month(months(arrived)))


def months(totals: Iterable[Total]) -> list[Month]:
    """Totals per month (`2026-01`, None without a date): small enough to keep, exact, sums as text."""
    sums: dict[str | None, tuple[int, Decimal | None]] = {}
    for total in totals:
        month = total.period.isoformat()[:7] if total.period else None
        rows, amount = sums.get(month, (0, None))
        sums[month] = (
            rows + total.rows,
            amount if total.amount is None else _EXACT.add(amount or Decimal(0), total.amount),
        )
    return [(month, rows, None if amount is None else str(amount)) for month, (rows, amount) in sums.items() if rows]


def in_words(found: Sequence[Difference]) -> str:
    """The first few differences as a sentence."""
    more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(str(difference) for difference in found[:SHOWN]) + more


def _by_day(totals: Iterable[Total]) -> dict[str, tuple[int, Decimal]]:
    sums: dict[str, tuple[int, Decimal]] = {}
    for total in totals:
        _add(sums, _name(total.period), total.rows, total.amount or Decimal(0))
    return sums


def _by_month(found: Iterable[Month]) -> dict[str, tuple[int, Decimal]]:
    sums: dict[str, tuple[int, Decimal]] = {}
    for month, rows, amount in found:
        _add(sums, month or _name(None), rows, Decimal(amount or 0))
    return sums


def _add(sums: dict[str, tuple[int, Decimal]], period: str, rows: int, amount: Decimal) -> None:
    before = sums.get(period, (0, Decimal(0)))
    sums[period] = (before[0] + rows, _EXACT.add(before[1], amount))


def _name(period: date | None) -> str:
    return period.isoformat()[:10] if period else "without a date"


def _compare(source: dict[str, tuple[int, Decimal]], arrived: dict[str, tuple[int, Decimal]]) -> list[Difference]:
    nothing = (0, Decimal(0))
    found: list[Difference] = []
    for period in sorted(source.keys() | arrived.keys()):
        (there, there_sum), (here, here_sum) = source.get(period, nothing), arrived.get(period, nothing)
        if (there, there_sum) != (here, here_sum):
            found.append(Difference(period, there, here, there_sum, here_sum))
    return found
