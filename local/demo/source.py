"""What the demo imports: audit files (SAF-T Financial) it invents or is given, and what they say about themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from local.sqlserver import company, saft
from local.sqlserver.__main__ import DEMO

RANGES = 4
"""In so many periods the ledger of a company is read back, side by side."""


@dataclass(frozen=True)
class Source:
    """One company's audit file, and what must arrive of it."""

    file: Path
    key: str
    """The company database it becomes."""
    name: str
    currency: str
    total_debit: Decimal
    total_credit: Decimal
    """As the file's own header of the ledger says."""
    lines: int
    debit: Decimal
    credit: Decimal
    """As its lines add up."""
    ranges: Sequence[tuple[date, date]]
    """Its days, first to last, in periods with about equally many lines."""

    @property
    def coherent(self) -> bool:
        """Whether the file's totals are those of its lines."""
        return (self.total_debit, self.total_credit) == (self.debit, self.credit)


def given(file: Path) -> list[Source]:
    """A real file as the one company. Raises saft.NotSaft, OSError."""
    return [_read(file, "F0001")]


def invented(folder: Path, lines: int, today: date) -> list[Source]:
    """Write the audit files of four made-up companies with `lines` ledger lines in all, over two years."""
    sources: list[Source] = []
    for seed, (key, name, share) in enumerate(DEMO, 1):
        file = folder / f"{key}.xml"
        wanted = company.two_years(name, company.organisation_number(seed), max(lines * share // 100, 2), today, seed)
        company.write_saft(file, wanted)
        sources.append(_read(file, key))
    return sources


def _read(file: Path, key: str) -> Source:
    content = saft.read(file)
    lines = [line for voucher in content.vouchers for line in voucher.lines]
    if not lines:
        raise saft.NotSaft(f"{file.name} holds no ledger lines, so there is nothing to show")
    days = sorted(voucher.day for voucher in content.vouchers for _ in voucher.lines)
    return Source(
        file=file,
        key=key,
        name=(content.company or key)[:60],
        currency=content.currency,
        total_debit=content.total_debit,
        total_credit=content.total_credit,
        lines=len(lines),
        debit=sum((line.amount for line in lines if not line.credit), Decimal()),
        credit=-sum((line.amount for line in lines if line.credit), Decimal()),
        ranges=_ranges(days),
    )


def _ranges(days: Sequence[date]) -> list[tuple[date, date]]:
    """The first and last day of up to RANGES periods that do not overlap; `days` are sorted, one for each line."""
    starts = sorted({days[len(days) * part // RANGES] for part in range(RANGES)})
    ends = [date.fromordinal(start.toordinal() - 1) for start in starts[1:]] + [days[-1]]
    return list(zip(starts, ends, strict=True))
