"""Z-reports that are missing, listed and noticed: days on which a till is usually open, and numbers that it left out.

Each till counts for itself, so each is looked at by itself, whatever spellings its shop and its name come in (see
`register_key`); a settlement that names no till is of its department's only one. A till that sent something shortly
before the days asked for is expected in them, even when it sent nothing since.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice, pairwise
from typing import Any

from erphub.erp.documents import DocumentKind
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.export_log.schemas import LogQuery, MissingDay, TillGaps
from erphub.sync.locations.models import register_key
from erphub.sync.settings.located import shops_of
from erphub.sync.settings.models import Sync

HISTORY = timedelta(weeks=8)
"""How long before the days asked for a till is known from."""
_MAX_LISTED = 1000
"""How many missing numbers or days of a till are listed; a longer leap between numbers is another count, not a gap."""

_USUAL_DELAY = timedelta(days=2)
"""A day's Z-report may come as late as the day after: a till closes after midnight, or is connected in the morning."""
_LOOK_BACK = timedelta(weeks=2)


def list_settlements(
    entries: EntryStore, client_id: str, connection_id: str, first: date, last: date
) -> Iterator[Entry]:
    """Every settlement that tells what to expect from the first to the last day."""
    query = LogQuery(kind=DocumentKind.SETTLEMENT, from_date=first - HISTORY, to_date=last, limit=200)
    while True:
        page = entries.page(client_id, connection_id, query)
        yield from page.items
        if page.next is None:
            return
        query = query.model_copy(update={"next": page.next})


def days_to_check(today: date, checked_until: date | None, from_date: date) -> tuple[date, date]:
    """The days whose gaps people can now be notified of, and were not; none when the first is after the last."""
    first = max(checked_until + timedelta(days=1) if checked_until else date.min, from_date, today - _LOOK_BACK)
    return first, today - _USUAL_DELAY


def gaps_to_report(entries: Iterable[Entry], sync: Sync, first: date, last: date) -> list[dict[str, Any]]:
    """What to notify people of, by department and till: holes, and the first day on which only others came.

    Nothing is missing before a till's first Z-report. Each day is reported once when the days asked for follow each
    other.
    """
    found: list[dict[str, Any]] = []
    for (department, till), known in _by_till(entries, sync):
        numbers = list(islice(_missing_numbers(known, first), _MAX_LISTED))
        missing = [one.missing_date for one in _missing_days(known, known[0].date, last) if one.is_usually_open]
        holes = [day for day in missing if day < known[-1].date]
        silence = [day for day in missing if day > known[-1].date][:1]
        days = [day.isoformat() for day in (*holes, *silence) if day >= first]
        if numbers or days:
            found.append({"department": department, "till": till, "missing_numbers": numbers, "missing_days": days})
    return found


def list_gaps(entries: Iterable[Entry], sync: Sync, first: date, last: date) -> list[TillGaps]:
    """What is missing from the first to the last day, by department and till, given its settlements since HISTORY.

    Nothing is missing before a till's first Z-report.
    """
    return [
        TillGaps(
            department=department,
            till=till,
            from_date=known[0].date,
            to_date=known[-1].date,
            missing_numbers=list(islice(_missing_numbers(known, first), _MAX_LISTED)),
            missing_days=list(islice(_missing_days(known, max(first, known[0].date), last), _MAX_LISTED)),
        )
        for (department, till), known in _by_till(entries, sync)
    ]


def _by_till(entries: Iterable[Entry], sync: Sync) -> list[tuple[tuple[str, str], list[Entry]]]:
    """The settlements of each till in the order of their days, under the words it was called by last."""
    tills: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.date, entry.number)):
        shop = shops_of(sync, entry.department, entry.till)[0]
        tills.setdefault((shop, register_key(entry.till)), []).append(entry)
    named = [((known[-1].department, known[-1].till), known) for known in tills.values()]
    return sorted(named, key=lambda one: one[0])


def _missing_numbers(known: Sequence[Entry], first: date) -> Iterator[int]:
    """Numbers between those of one Z-report and the next; a smaller one after it begins anew."""
    there = {entry.number for entry in known}
    for one, following in pairwise(known):
        if following.date >= first and following.number - one.number <= _MAX_LISTED:
            yield from (number for number in range(one.number + 1, following.number) if number not in there)


def _missing_days(known: Sequence[Entry], first: date, last: date) -> Iterator[MissingDay]:
    there = {entry.date for entry in known}
    span = _days(known[0].date, known[-1].date)
    open_days, all_days = Counter(day.weekday() for day in there), Counter(day.weekday() for day in span)
    for day in _days(first, last):
        if day not in there:
            # At least every other such weekday; one that has not come yet may well be an open one.
            usual = open_days[day.weekday()] * 2 >= all_days[day.weekday()]
            yield MissingDay(missing_date=day, is_usually_open=usual)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))
