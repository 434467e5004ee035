"""What is new to a scheduled import is read once with all the history that the connection's jobs ask for."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from erphub.imports.jobs.models import Days, Everything, Job, Range, ThisYear
from erphub.imports.runs.models import RunStatus
from tests.imports.runs.test_carry_over import (
    LEDGER,
    NIGHTLY,
    _cannot_list_its_companies,
    _is_away,
    _is_paused,
    _lies,
    book,
    due,
    night,
)
from tests.support.imports import CHECKPOINTS, CLIENT, Imports
from tests.support.integration import integration

pytestmark = pytest.mark.usefixtures("books")
WINDOW = Days(kind="days", days=3)
OLD = [date(2019, 5, 1), date(2025, 3, 1), date(2026, 1, 2)]
RECENT = date(2026, 1, 20)


def lines(*days: date) -> list[dict[str, Any]]:
    return [{"journal_no": day.isoformat(), "entry_no": "1", "voucher_date": day, "amount": Decimal(5)} for day in days]


@pytest.fixture
@integration
def books(imports: Imports) -> Imports:
    """A company with a ledger; the second one is not there yet."""
    imports.erp.data = {"F0001": {LEDGER: lines(*OLD, RECENT)}}
    imports.sources.datasets = (LEDGER,)
    imports.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
    return imports


def appears(imports: Imports, company: str = "F0002") -> None:
    imports.erp.data[company] = {LEDGER: lines(*OLD, RECENT)}


def default_jobs(imports: Imports, others: tuple[Any, ...] = (Everything(kind="everything"),)) -> Job:
    """The jobs that a connection begins with; the first one has run."""
    first = [imports.job(period) for period in others]
    if first:
        assert imports.run(first[0]).status is RunStatus.SUCCEEDED
    return imports.job(WINDOW, schedule=NIGHTLY)


def days_of(imports: Imports, company: str = "F0002") -> list[date]:
    return [
        row["voucher_date"]
        for row in imports.rows(LEDGER, "company, journal_no, entry_no, voucher_date", f"company = '{company}'")
    ]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((Everything(kind="everything"),), [*OLD, RECENT]),
        ((ThisYear(kind="this_year"),), [OLD[2], RECENT]),
        ((ThisYear(kind="this_year"), Everything(kind="everything")), [*OLD, RECENT]),
        ((Range(kind="range", from_date=date(2025, 1, 1), to_date=date(2025, 12, 31)),), [OLD[1], OLD[2], RECENT]),
        ((), [RECENT]),
    ],
    ids=["everything", "this year", "both", "a range", "nothing else"],
)
@pytest.mark.parametrize("nights_before", [0, 2])
def test_a_company_that_is_added_gets_the_history_that_the_jobs_ask_for(
    imports: Imports, others: tuple[Any, ...], expected: list[date], nights_before: int
) -> None:
    nightly = default_jobs(imports, others)
    for day in range(20 - nights_before, 20):
        night(imports, nightly, day)
    appears(imports)
    run = night(imports, nightly, 20)
    assert run.status is RunStatus.SUCCEEDED
    if not nights_before and not others:
        expected = [RECENT]  # the first run of the only job: its own period is all there is
    assert days_of(imports) == expected
    assert ("history_read" in imports.log(run)) is (expected != [RECENT])
    units = imports.units(run)
    assert units[LEDGER, "F0001"].from_date == "2026-01-17", "the others are read as ever"
    after = imports.units(night(imports, nightly, 21))
    assert {unit.from_date for unit in after.values()} == {"2026-01-18"}, "once"


def test_a_dataset_that_is_new_to_a_connection_gets_its_history_too(imports: Imports) -> None:
    imports.sources.datasets = ("accounts",)
    imports.erp.data["F0001"]["accounts"] = [{"account_no": "3000", "name": "Sales"}]
    nightly = default_jobs(imports)
    night(imports, nightly, 19)
    imports.sources.datasets = ("accounts", LEDGER)
    night(imports, nightly, 20)
    assert days_of(imports, "F0001") == [*OLD, RECENT]


@pytest.mark.parametrize("at", CHECKPOINTS)
def test_a_worker_that_dies_on_the_way_changes_nothing(imports: Imports, at: str) -> None:
    nightly = default_jobs(imports)
    night(imports, nightly, 19)
    appears(imports)
    imports.dies_at = at
    assert night(imports, nightly, 20).status is RunStatus.SUCCEEDED
    assert imports.dies_at is None
    assert days_of(imports) == [*OLD, RECENT]


def _cannot_open_it(imports: Imports) -> None:
    imports.sources.problems = {"F0002": "The database is being restored."}


@pytest.mark.parametrize("trouble", [_lies, _is_away, _cannot_list_its_companies, _is_paused, _cannot_open_it])
@pytest.mark.parametrize("new_period", [False, True])
def test_a_history_that_could_not_be_read_is_read_by_the_first_night_that_can(
    imports: Imports, trouble: Callable[[Imports], None], new_period: bool
) -> None:
    nightly = default_jobs(imports)
    night(imports, nightly, 18)
    appears(imports)
    works = vars(imports.sources).copy()
    for day in (19, 20):
        trouble(imports)
        assert night(imports, nightly, day).status is not RunStatus.SUCCEEDED
        assert days_of(imports) == []
    vars(imports.sources).clear()
    vars(imports.sources).update(works)
    imports.erp.lies = 0
    if new_period:
        job = imports.jobs.get(CLIENT, nightly.id)
        imports.jobs.save(
            job.model_copy(update={"period": Days(kind="days", days=2), "version": job.version + 1}), job.version
        )
    assert night(imports, nightly, 21).status is RunStatus.SUCCEEDED
    assert days_of(imports) == [*OLD, RECENT]


def test_a_company_that_is_added_while_a_run_goes_on_gets_its_history_with_the_next(imports: Imports) -> None:
    nightly = default_jobs(imports)
    night(imports, nightly, 18)

    def add(checkpoint: str) -> None:
        if checkpoint == "read.batch":
            appears(imports)

    imports.on_checkpoint = add
    night(imports, nightly, 19)
    assert days_of(imports) == []
    imports.on_checkpoint = None
    night(imports, nightly, 20)
    assert days_of(imports) == [*OLD, RECENT]


def test_a_company_that_was_gone_and_comes_again_lacks_nothing_of_the_time_between(imports: Imports) -> None:
    nightly = default_jobs(imports)
    appears(imports)
    night(imports, nightly, 10)
    ledger = imports.erp.data.pop("F0002")
    night(imports, nightly, 11)
    imports.erp.data["F0002"] = ledger
    book(imports, 12, "F0002")
    for day in (18, 19):
        night(imports, nightly, day)
        assert date(2026, 1, 12) in days_of(imports)


@pytest.mark.parametrize("job_names_it", [False, True])
def test_a_job_that_names_its_companies_reads_the_history_of_one_that_it_is_given(
    imports: Imports, job_names_it: bool
) -> None:
    """Of a company that the wider job does not have, nobody asked for more than the night's days."""
    appears(imports)
    wide = "all" if job_names_it else ("F0001",)
    assert (
        imports.run(imports.job(Everything(kind="everything"), company_keys=("F0001",))).status is RunStatus.SUCCEEDED
    )
    imports.job(Everything(kind="everything"), company_keys=wide)
    nightly = imports.job(WINDOW, schedule=NIGHTLY, company_keys=("F0001",))
    night(imports, nightly, 19)
    job = imports.jobs.get(CLIENT, nightly.id)
    changed = job.model_copy(update={"company_keys": ("F0001", "F0002"), "version": job.version + 1})
    imports.jobs.save(changed, job.version)
    night(imports, nightly, 20)
    assert days_of(imports) == ([*OLD, RECENT] if job_names_it else [RECENT])


def test_a_run_by_hand_reads_the_days_it_says_of_what_is_new(imports: Imports) -> None:
    default_jobs(imports)
    by_hand = imports.job(WINDOW)
    imports.now = due(19)
    imports.run(by_hand)
    appears(imports)
    imports.now = datetime(2026, 1, 20, 12, tzinfo=UTC)
    imports.run(by_hand)
    assert days_of(imports) == [RECENT]
