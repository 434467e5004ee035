"""A year of plausible tills under three ways of choosing when to transfer: adaptive, every 24 hours, every 15 minutes.

`python -m benchmarks.pacing` prints, for each kind of till, how long documents waited and how many transfers
were made. One transfer costs at least one call of the ERP, whether it finds anything or not.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import quantiles
from zoneinfo import ZoneInfo

from erphub.sync.settings.models import TransferHistory
from erphub.sync.settings.pacing import WAITING, NextTransfer, next_transfer, with_arrivals

OSLO = ZoneInfo("Europe/Oslo")
FIRST = date(2026, 1, 1)
DAYS = 365
type Tills = dict[str, Callable[[random.Random], Iterator[datetime]]]


@dataclass(frozen=True)
class Result:
    """What a year came to: transfers, and waiting times in hours."""

    transfers: int
    documents: int
    median: float
    p95: float
    longest: float

    @classmethod
    def of(cls, transfers: int, waits: list[float]) -> "Result":
        """The distribution of waiting times."""
        cuts = quantiles(waits, n=100)
        return cls(transfers, len(waits), cuts[49], cuts[94], max(waits))


def at_close(
    hour: int, minute: int, *, closed: tuple[int, ...] = (), jitter: float = 12
) -> Callable[..., Iterator[datetime]]:
    """A Z-report a day when the shop closes, give or take some minutes."""

    def arrivals(chance: random.Random) -> Iterator[datetime]:
        for offset in range(DAYS):
            day = FIRST + timedelta(days=offset)
            if day.weekday() not in closed and day.strftime("%m-%d") not in ("01-01", "05-01", "05-17", "12-25"):
                local = datetime.combine(day, time(), OSLO) + timedelta(hours=hour, minutes=minute)
                yield (local + timedelta(minutes=chance.gauss(0, jitter))).astimezone(UTC)

    return arrivals


def invoices(per_day: float) -> Callable[..., Iterator[datetime]]:
    """Invoices through the working day, Monday to Friday."""

    def arrivals(chance: random.Random) -> Iterator[datetime]:
        for offset in range(DAYS):
            day = FIRST + timedelta(days=offset)
            if day.weekday() < 5:
                start = datetime.combine(day, time(8), OSLO)
                count = sum(chance.random() < per_day / 16 for _ in range(16))
                yield from sorted((start + timedelta(hours=8 * chance.random())).astimezone(UTC) for _ in range(count))

    return arrivals


def summer_only(chance: random.Random) -> Iterator[datetime]:
    """A kiosk that is open from June to August."""
    for at in at_close(22, 0, jitter=25)(chance):
        if 6 <= at.month <= 8:
            yield at


def moving_hours(chance: random.Random) -> Iterator[datetime]:
    """A shop that closes at five, and from May at eight."""
    for at in at_close(17, 5)(chance):
        yield at + timedelta(hours=3) if at.month >= 5 else at


TILLS: Tills = {
    "café, closes 17:05, closed Sundays": at_close(17, 5, closed=(6,)),
    "restaurant, closes about 00:40": at_close(24, 40, closed=(0,), jitter=35),
    "shop, closes 20:00 every day": at_close(20, 0),
    "shop that changes its hours in May": moving_hours,
    "kiosk, summer only": summer_only,
    "wholesaler, 6 invoices a day": invoices(6),
    "craftsman, 1 invoice in 3 days": invoices(0.33),
}


def adaptive(name: str, arrivals: list[datetime], end: datetime) -> Result:
    """What pacing.py makes of it, with the nearer time that a document's arrival asks for."""
    history, now, index = TransferHistory(), arrivals[0] - timedelta(hours=1), 0
    waiting: list[datetime] = []
    waits: list[float] = []
    transfers = 0
    plan = _plan(name, history, now, waiting)
    while plan.at < end:
        if index < len(arrivals) and arrivals[index] <= plan.at:
            now = arrivals[index]
            index += 1
            waiting.append(now)
            sooner = _plan(name, history, now, waiting)
            plan = min(plan, sooner, key=lambda one: one.at)
            continue
        now = max(plan.at, now)
        transfers += 1
        waits += [(now - at) / timedelta(hours=1) for at in waiting]
        empty_transfers = 0 if waiting else history.empty_transfers + 1
        history = with_arrivals(history, waiting, now).model_copy(
            update={"last_at": now, "empty_transfers": empty_transfers}
        )
        waiting = []
        plan = _plan(name, history, now, waiting)
    return Result.of(transfers, waits)


def _plan(name: str, history: TransferHistory, now: datetime, waiting: list[datetime]) -> NextTransfer:
    oldest = waiting[0] if waiting else None
    return next_transfer(name, history, now, waiting=len(waiting), oldest=oldest, zone="Europe/Oslo")


def fixed(every: timedelta) -> Callable[[str, list[datetime], datetime], Result]:
    """A transfer every so often, whatever happens."""

    def run(name: str, arrivals: list[datetime], end: datetime) -> Result:
        start = arrivals[0] - timedelta(hours=random.Random(name).random() * (every / timedelta(hours=1)))
        waits = [(every - (at - start) % every) / timedelta(hours=1) for at in arrivals]
        return Result.of(int((end - start) / every), waits)

    return run


WAYS = {
    "adaptive": adaptive,
    "every 24 hours": fixed(timedelta(hours=24)),
    "every 15 minutes": fixed(timedelta(minutes=15)),
}


def year(tills_each: int = 4) -> dict[str, dict[str, Result]]:
    """Every kind of till under every way, `tills_each` tills of a kind taken together."""
    end = datetime.combine(FIRST + timedelta(days=DAYS), time(), OSLO).astimezone(UTC)
    table: dict[str, dict[str, Result]] = {}
    for kind, make in TILLS.items():
        table[kind] = {}
        for way, run in WAYS.items():
            transfers, waits = 0, list[float]()
            for number in range(tills_each):
                arrivals = sorted(make(random.Random(f"{kind}{number}")))
                result = run(f"{kind}{number}", arrivals, end)
                transfers += result.transfers
                waits += [result.median, result.p95, result.longest]
            medians, p95s, longest = waits[0::3], waits[1::3], waits[2::3]
            table[kind][way] = Result(
                round(transfers / tills_each), 0, sum(medians) / tills_each, sum(p95s) / tills_each, max(longest)
            )
    return table


def as_markdown(table: dict[str, dict[str, Result]]) -> str:
    """The table for people."""
    lines = [
        "| till | way | transfers a year | median wait (h) | 95 % within (h) | longest (h) |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for kind, ways in table.items():
        for way, one in ways.items():
            waits = f"{one.median:.1f} | {one.p95:.1f} | {one.longest:.1f}"
            lines.append(f"| {kind} | {way} | {one.transfers:,} | {waits} |")
    return "\n".join(lines)


def report() -> str:
    """The year in words and a table."""
    longest = f"{WAITING / timedelta(hours=1):g} h"
    return (
        f"Four simulated tills of each kind. Adaptive: a document waits about {longest} while the ERP answers, more"
        " around a till's usual hour; a transfer is at least one call of the ERP, whether it finds anything or not."
        f"\n\n{as_markdown(year())}"
    )


if __name__ == "__main__":
    print(report())
