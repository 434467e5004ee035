"""Do both sides agree? Rows and sums per period, as the source counted them and as they were read back from storage.

A source may be unable to add up a period (floats, or more digits than it can hold): then only its rows are compared.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal

from erphub.erp.reading import ControlTotal

type Month = tuple[str | None, int, str | None]
"""Of one month (`2026-01`, None without a date): rows, and their sum as text where the source could give it."""
type _ByPeriod = dict[str, tuple[int, Decimal | None]]
"""Of each period: rows, and their sum where it is known."""
MAX_DIFFERENCES_DESCRIBED = 3
_EXACT = Context(prec=100)
"""Python adds decimals in 28 digits unless it is told otherwise; a ledger of decimal(38,20) needs more."""
_UNDATED = "without a date"
_NO_ROWS = (0, Decimal(0))


@dataclass(frozen=True)
class Difference:
    """A period in which the sides differ."""

    period: str
    source_rows: int
    arrived_rows: int
    source_amount: Decimal | None
    arrived_amount: Decimal | None

    def __str__(self) -> str:
        parts: list[str] = []
        if self.source_rows != self.arrived_rows:
            parts.append(f"{self.source_rows} rows in the source and {self.arrived_rows} here")
        if _sums_differ(self.source_amount, self.arrived_amount):
            parts.append(f"a sum of {self.source_amount:f} in the source and {self.arrived_amount:f} here")
        return f"{self.period}: {', '.join(parts)}"


def differences(source: Iterable[ControlTotal], arrived: Iterable[ControlTotal]) -> list[Difference]:
    """Every period in which rows or sums differ, in order. A period without rows is the same as none."""
    return _compare(_by_period(source, _day), _by_period(_summed(arrived), _day))


def monthly_differences(source: Iterable[Month], arrived: Iterable[ControlTotal]) -> list[Difference]:
    """The same per month, for totals that were kept per month."""
    counted: _ByPeriod = {}
    for month, rows, amount in source:
        _add(counted, month or _UNDATED, rows, None if amount is None else Decimal(amount))
    return _compare(counted, _by_period(_summed(arrived), _month))


def months(totals: Iterable[ControlTotal]) -> list[Month]:
    """Totals per month: small enough to keep, exact, sums as text. A month has no sum when one of its days has none."""
    return [
        (None if month == _UNDATED else month, rows, None if amount is None else str(amount))
        for month, (rows, amount) in _by_period(totals, _month).items()
        if rows
    ]


def control_total(arrived: Iterable[ControlTotal]) -> Decimal:
    """The sum of all periods, exact."""
    total = Decimal(0)
    for each in _summed(arrived):
        total = _EXACT.add(total, each.amount or Decimal(0))
    return total


def describe(found: Sequence[Difference]) -> str:
    """The first few differences as a sentence."""
    more = f", and {len(found) - MAX_DIFFERENCES_DESCRIBED} more" if len(found) > MAX_DIFFERENCES_DESCRIBED else ""
    return "; ".join(str(difference) for difference in found[:MAX_DIFFERENCES_DESCRIBED]) + more


def _summed(arrived: Iterable[ControlTotal]) -> Iterator[ControlTotal]:
    """What is here can be added up: without any amount its sum is 0."""
    return (replace(total, amount=total.amount or Decimal(0)) for total in arrived)


def _by_period(totals: Iterable[ControlTotal], period_of: Callable[[date | None], str]) -> _ByPeriod:
    by_period: _ByPeriod = {}
    for total in totals:
        _add(by_period, period_of(total.period), total.rows, total.amount)
    return by_period


def _add(by_period: _ByPeriod, period: str, rows: int, amount: Decimal | None) -> None:
    before, sum_before = by_period.get(period, _NO_ROWS)
    summed = None if sum_before is None or amount is None else _EXACT.add(sum_before, amount)
    by_period[period] = (before + rows, summed)


def _day(period: date | None) -> str:
    return period.isoformat()[:10] if period else _UNDATED


def _month(period: date | None) -> str:
    return period.isoformat()[:7] if period else _UNDATED


def _compare(source: _ByPeriod, arrived: _ByPeriod) -> list[Difference]:
    found: list[Difference] = []
    for period in sorted(source.keys() | arrived.keys()):
        (there, there_sum), (here, here_sum) = source.get(period, _NO_ROWS), arrived.get(period, _NO_ROWS)
        if there != here or _sums_differ(there_sum, here_sum):
            found.append(Difference(period, there, here, there_sum, here_sum))
    return found


def _sums_differ(source: Decimal | None, arrived: Decimal | None) -> bool:
    return source is not None and arrived is not None and source != arrived
