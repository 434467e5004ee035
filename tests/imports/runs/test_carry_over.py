"""Whatever happens to a night, nothing that was booked around it is left out for good."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.reading import DateRange
from erphub.imports.jobs.models import Days, Job, Range, Schedule, ThisYear
from erphub.imports.jobs.schedule import date_range
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger, Unit
from erphub.imports.scheduler import Scheduler
from erphub.platform.errors import Unavailable
from erphub.platform.ids import new_id
from erphub.platform.wire import instant
from tests.support.imports import CLIENT, CONNECTION, Connections, Imports, run_limits, run_service

LEDGER = "gl_transactions"
NIGHTLY = Schedule(run_time="23:55", time_zone="UTC")
TODAY, TWO_DAYS = Days(kind="days", days=0), Days(kind="days", days=1)


def due(day: int) -> datetime:
    return datetime(2026, 1, day, 23, 55, tzinfo=UTC)


def book(imports: Imports, day: int, company: str = "F0001") -> None:
    """Somebody books a line on a day of January."""
    line = {"journal_no": f"on {day}", "entry_no": "1", "voucher_date": date(2026, 1, day), "amount": Decimal(5)}
    imports.erp.data[company][LEDGER].append(line)


def booked(imports: Imports, company: str = "F0001") -> list[int]:
    """The days of which the lake has lines."""
    rows = imports.rows(LEDGER, "company, journal_no, entry_no, voucher_date", f"company = '{company}'")
    return [row["voucher_date"].day for row in rows]


@pytest.fixture
def books(imports: Imports) -> Imports:
    """Two companies whose ledgers are empty, and that have nothing else."""
    imports.erp.data = {"F0001": {LEDGER: []}, "F0002": {LEDGER: []}}
    imports.sources.datasets = (LEDGER,)
    return imports


def nightly(imports: Imports, period: Any = TODAY, **values: Any) -> Job:
    return imports.job(period, **{"schedule": NIGHTLY} | values)


def queue(imports: Imports, job: Job, day: int) -> RunRef:
    ref = RunRef(CLIENT, job.id, new_id())
    at = instant(imports.now)
    imports.runs.add(
        Run(ref, CONNECTION, RunTrigger.SCHEDULE, RunStatus.QUEUED, "schedule", at, due_at=instant(due(day)))
    )
    return ref


def night(imports: Imports, job: Job, day: int) -> Run:
    """The run of a night, on time; when the machine gives up, it ends it."""
    imports.now = due(day)
    ref = queue(imports, job, day)
    try:
        imports.drive(ref)
    except Unavailable:
        imports.execution.finish(ref, {"code": "machine_failed", "detail": "It could not be carried out."})
    return imports.runs.get(ref)


def unit(imports: Imports, run: Run, company: str) -> Unit:
    return imports.units(run)[LEDGER, company]


def test_a_clock_that_stood_still_for_days_leaves_no_day_out(books: Imports) -> None:
    started: list[RunRef] = []

    class Machine:
        """Remembers what was started."""

        def start(self, name: str, input: dict[str, str]) -> str:
            started.append(RunRef(**input))
            return name

    machine: Any = Machine()
    books.now = datetime(2026, 1, 24, 12, tzinfo=UTC)
    nightly(books, due_at=due(24))
    runs = run_service(books.table, machine, books.clock)
    book(books, 24)
    books.now = datetime(2026, 1, 27, 0, 0, 30, tzinfo=UTC)
    limits = run_limits(books.table, books.clock)
    assert Scheduler(books.jobs, runs, Connections(), limits, books.clock).start_due_jobs() == 1
    books.drive(started[0])
    run = books.runs.get(started[0])
    assert (run.status, run.due_at, run.from_date) == (RunStatus.SUCCEEDED, "2026-01-24T23:55:00Z", "2026-01-24")
    assert booked(books) == [24]


def test_a_run_that_waits_over_midnight_reads_the_day_it_was_due_on(books: Imports) -> None:
    book(books, 24)
    books.now = due(24)
    ref = queue(books, nightly(books), 24)
    books.now += timedelta(minutes=10)
    books.drive(ref)
    assert booked(books) == [24]


def _lies(imports: Imports) -> None:
    imports.erp.lies = 1000


def _is_away(imports: Imports) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("The server does not answer.", code="connection_cut")

    imports.sources.open = away  # type: ignore[method-assign]


def _cannot_list_its_companies(imports: Imports) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("The server does not answer.", code="connection_cut")

    imports.sources.companies = away  # type: ignore[method-assign]


def _is_paused(imports: Imports) -> None:
    imports.sources.status = "paused"


@pytest.mark.parametrize("trouble", [_lies, _is_away, _cannot_list_its_companies, _is_paused])
def test_the_first_good_night_reads_what_the_bad_ones_should_have(
    books: Imports, trouble: Callable[[Imports], None]
) -> None:
    job = nightly(books)
    assert night(books, job, 20).status is RunStatus.SUCCEEDED
    works = vars(books.sources).copy()
    for day in (21, 22, 23):
        book(books, day)
        trouble(books)
        assert night(books, job, day).status is RunStatus.FAILED
    vars(books.sources).clear()
    vars(books.sources).update(works)
    books.erp.lies = 0
    run = night(books, job, 24)
    assert (run.status, run.from_date) == (RunStatus.SUCCEEDED, "2026-01-21")
    assert booked(books) == [21, 22, 23]
    assert "reaches_back" in books.log(run)
    assert night(books, job, 25).from_date == "2026-01-25", "the night after is as short as ever"


def test_a_company_that_stays_away_widens_its_own_window_only(books: Imports) -> None:
    job = nightly(books, TWO_DAYS)
    night(books, job, 20)
    books.sources.problems = {"F0002": "The database is being restored."}
    for day in (21, 22):
        book(books, day, "F0002")
        run = night(books, job, day)
        assert (run.status, run.from_date) == (RunStatus.PARTIALLY_SUCCEEDED, f"2026-01-{day - 1}")
    books.sources.problems = {}
    run = night(books, job, 25)
    assert (unit(books, run, "F0001").from_date, unit(books, run, "F0002").from_date) == ("2026-01-24", "2026-01-20")
    assert booked(books, "F0002") == [21, 22]
    assert night(books, job, 26).from_date == "2026-01-25"


def test_a_night_that_another_run_kept_from_reading_is_made_up_for(books: Imports) -> None:
    job = nightly(books)
    night(books, job, 20)
    other = books.queue(
        books.job(Range.model_validate({"kind": "range", "from_date": "2020-01-01", "to_date": "2020-12-31"}))
    )
    assert books.planner.plan(other, lambda: 900.0)["outcome"] == "ready"
    book(books, 21)
    books.now = due(21)
    books.runs.add_progress(other, books.now)
    assert night(books, job, 21).status is RunStatus.CANCELLED
    books.drive(other)
    night(books, job, 22)
    assert booked(books) == [21]


def test_a_night_that_never_began_is_made_up_for(books: Imports) -> None:
    job = nightly(books)
    night(books, job, 20)
    books.now = due(21)
    queue(books, job, 21)
    book(books, 21)
    night(books, job, 22)
    assert booked(books) == [21]


def test_a_run_by_hand_in_between_makes_up_for_the_night_too(books: Imports) -> None:
    job = nightly(books)
    book(books, 21)
    books.sources.status = "paused"
    night(books, job, 21)
    books.sources.status = "active"
    books.now = datetime(2026, 1, 23, 9, tzinfo=UTC)
    assert books.run(job).status is RunStatus.SUCCEEDED
    assert booked(books) == [21]
    assert night(books, job, 23).from_date == "2026-01-23"


def test_a_period_that_was_changed_begins_anew(books: Imports) -> None:
    """Who shortens a window that was too long to be read does not want it back the next night."""
    job = nightly(books, Days(kind="days", days=100))
    book(books, 21)
    books.erp.lies = 1000
    assert night(books, job, 21).from_date == "2025-10-13"
    books.erp.lies = 0
    books.jobs.save(job.model_copy(update={"period": TWO_DAYS, "version": 2}), 1)
    assert night(books, job, 22).from_date == "2026-01-21"


def test_a_job_that_only_runs_by_hand_reads_the_days_it_says(books: Imports) -> None:
    job = books.job(TWO_DAYS)
    books.now, books.sources.status = due(10), "paused"
    assert books.run(job).status is RunStatus.FAILED
    books.now, books.sources.status = due(24), "active"
    assert books.run(job).from_date == "2026-01-24", "23:55 in UTC is the next day at home"


def test_this_year_is_that_of_the_home_zone_and_of_the_instant_it_was_due(books: Imports) -> None:
    year = ThisYear(kind="this_year")
    eve = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert date_range(books.job(year), eve) == DateRange(date(2027, 1, 1), date(2028, 1, 1))
    late = date_range(nightly(books, year), eve + timedelta(hours=1), eve)
    assert late == DateRange(date(2026, 1, 1), date(2028, 1, 1)), "and of the one it began in"
