"""What the demo imports: audit files (SAF-T Financial) it invents or is given, and what they say about themselves."""

from collections.abc import Mapping, Sequence
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
    ledger = content.ledger
    if not ledger.lines:
        raise saft.NotSaft(f"{file.name} holds no ledger lines, so there is nothing to show")
    return Source(
        file=file,
        key=key,
        name=(content.company or key)[:60],
        currency=content.currency,
        total_debit=content.total_debit,
        total_credit=content.total_credit,
        lines=ledger.lines,
        debit=ledger.debit,
        credit=ledger.credit,
        ranges=_ranges(ledger.days),
    )


def _ranges(lines: Mapping[date, int]) -> list[tuple[date, date]]:
    """The first and last day of up to RANGES periods that do not overlap, by how many lines there are on each day."""
    total, before = sum(lines.values()), 0
    starts: list[date] = []
    for day, count in sorted(lines.items()):
        # The parts whose first line lies on this day.
        if any(before <= total * part // RANGES < before + count for part in range(RANGES)):
            starts.append(day)
        before += count
    ends = [date.fromordinal(start.toordinal() - 1) for start in starts[1:]] + [max(lines)]
    return list(zip(starts, ends, strict=True))
