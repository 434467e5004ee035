"""By how much a register's cash transactions were rounded, added up for the Z-report that closes them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erphub.platform.errors import Invalid

MOST_WAITING = 10_000
"""So many transactions are kept one by one, for a report that may still come; from then on the reports that are there
are taken to be all."""


@dataclass(slots=True)
class _Sum:
    """Of the transactions between two reports: how many, and their rounding, or the first that cannot be read."""

    count: int = 0
    amount: Decimal | Invalid = Decimal(0)


class Roundings:
    """The transactions of one register, in whatever order they come."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Decimal | Invalid]] = []
        self._ends: Sequence[str] = ()
        self._sums: list[_Sum] = []

    @property
    def are_many(self) -> bool:
        """Whether they should be added up, before they take more memory."""
        return len(self._waiting) > MOST_WAITING

    @property
    def are_added_up(self) -> bool:
        """Whether a report that comes now comes too late."""
        return bool(self._sums)

    def add(self, when: str, amount: Decimal | Invalid) -> None:
        """One more transaction."""
        if self._sums:
            self._add(when, amount)
        else:
            self._waiting.append((when, amount))

    def add_up(self, ends: Sequence[str]) -> None:
        """Take these for when all of the register's reports were made. Only the first time counts."""
        if self._sums:
            return
        self._ends = sorted(set(ends))
        self._sums = [_Sum() for _ in range(len(self._ends) + 1)]
        for when, amount in self._waiting:
            self._add(when, amount)
        self._waiting.clear()

    def _add(self, when: str, amount: Decimal | Invalid) -> None:
        one = self._sums[bisect_left(self._ends, when)]
        one.count += 1
        if isinstance(one.amount, Decimal):
            one.amount = amount if isinstance(amount, Invalid) else one.amount + amount

    def by_end(self) -> dict[str, Decimal | Invalid]:
        """Once added up: the rounding up to each end from the one before it, where there are transactions."""
        return {end: one.amount for end, one in zip(self._ends, self._sums, strict=False) if one.count}

    @property
    def left_open(self) -> int:
        """Once added up: how many came after the last end."""
        return self._sums[-1].count
