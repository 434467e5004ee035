"""Vouchers of older days that change: a rolling import brings them, once, and leaves every other day as it was."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erphub.erp.reading import DateRange
from erphub.imports.jobs.models import Days, Job, Range
from erphub.imports.runs.late_changes import MAX_LATE_RANGES, merged
from erphub.imports.runs.models import Run, RunStatus
from erphub.imports.runs.schemas import UnitView
from erphub.platform.errors import Unavailable
from tests.support.erp import CountingErp
from tests.support.imports import CHECKPOINTS, CLIENT, CONNECTION, FIRST_DAY, Actors, Imports, Prepared, ledger

type Line = dict[str, Any]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def imports(imports: Imports, prepared: Prepared) -> Imports:
    """Its ERP says what changed. Everything was imported once; two lines a day, from New Year's Day to 30 January."""
    return prepared(imports, "older-days", _imported_once)


def _imported_once(imports: Imports) -> None:
    imports.erp.reports_changes = lambda row, since: row.get("at", LONG_AGO) >= since
    for company in imports.erp.data:
        imports.erp.data[company]["gl_transactions"] = ledger(60)
    imports.now = datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED
    imports.now += timedelta(hours=2)


@pytest.fixture
def nightly(imports: Imports) -> Job:
    return imports.job(Days(kind="days", days=3), dataset_ids=("gl_transactions",))


def lines(imports: Imports, company: str = "F0001") -> list[Line]:
    return imports.erp.data[company]["gl_transactions"]


def edit(imports: Imports, number: int, **changes: Any) -> None:
    """Somebody changes a voucher in the ERP now."""
    lines(imports)[number] |= changes | {"at": imports.now}


def here(imports: Imports, company: str = "F0001") -> Counter[tuple[str, date, Decimal]]:
    rows = imports.rows(
        "gl_transactions", "company, journal_no, entry_no, voucher_date, amount", f"company = '{company}'"
    )
    return Counter((row["journal_no"], row["voucher_date"], row["amount"]) for row in rows)


def there(imports: Imports, company: str = "F0001") -> Counter[tuple[str, date, Decimal]]:
    return Counter((line["journal_no"], line["voucher_date"], line["amount"]) for line in lines(imports, company))


def days_read(imports: Imports, run: Run) -> list[str]:
    """The first days of what was read beside the window."""
    return [str(window[0]) for window in imports.units(run)["gl_transactions", "F0001"].late_ranges]


def succeeds(imports: Imports, job: Job) -> Run:
    run = imports.run(job)
    assert run.status is RunStatus.SUCCEEDED, run.problem
    return run


def test_an_older_voucher_that_changed_is_brought(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, amount=Decimal("12345.67"))
    run = succeeds(imports, nightly)
    assert here(imports) == there(imports)
    assert days_read(imports, run) == ["2026-01-05"]
    assert "late_changes_found" in imports.log(run)


def test_days_in_which_nothing_changed_stay_untouched(imports: Imports, nightly: Job) -> None:
    before = here(imports)
    lines(imports)[20]["amount"] = Decimal(999)  # of another old day, and the ERP does not call it changed
    edit(imports, 8, amount=Decimal(1))
    succeeds(imports, nightly)
    changed = (before - here(imports)) + (here(imports) - before)
    assert {day for _, day, _ in changed} == {date(2026, 1, 5)}
    assert here(imports, "F0002") == there(imports, "F0002")


def test_a_voucher_entered_late_for_an_old_day_is_brought(imports: Imports, nightly: Job) -> None:
    lines(imports).append({**ledger(1, first=77)[0], "voucher_date": date(2025, 12, 5), "at": imports.now})
    succeeds(imports, nightly)
    assert here(imports) == there(imports)


@pytest.mark.parametrize(
    ("number", "to"),
    [(8, date(2026, 1, 12)), (8, date(2026, 1, 30)), (58, date(2026, 1, 5)), (8, date(2025, 11, 1))],
    ids=["old to old", "old into the window", "out of the window", "to a day nobody has imported"],
)
def test_a_voucher_that_moved_is_there_once_on_its_new_day(
    imports: Imports, nightly: Job, number: int, to: date
) -> None:
    edit(imports, number, voucher_date=to)
    succeeds(imports, nightly)
    assert here(imports) == there(imports)
    assert sum(count for (journal, _, _), count in here(imports).items() if journal == str(number)) == 1


def test_a_voucher_removed_from_an_old_day_goes_when_its_day_is_read_again(imports: Imports, nightly: Job) -> None:
    gone = lines(imports).pop(8)
    succeeds(imports, nightly)
    assert here(imports) - there(imports) == Counter([(gone["journal_no"], gone["voucher_date"], gone["amount"])])
    edit(imports, 8, amount=Decimal(2))  # the other voucher of that day
    succeeds(imports, nightly)
    assert here(imports) == there(imports)


def test_changes_are_asked_for_since_the_last_import_however_long_ago(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, amount=Decimal(3))
    imports.now += timedelta(days=40)
    began = imports.now
    succeeds(imports, nightly)
    assert here(imports) == there(imports)
    imports.now += timedelta(days=9)
    succeeds(imports, nightly)
    assert timedelta(0) < began - imports.erp.asked_since[-1] < timedelta(hours=2)


def test_a_run_that_failed_has_brought_nothing_and_the_next_asks_as_far_back(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, amount=Decimal(4))
    before = here(imports)
    imports.erp.lies = 1
    assert imports.run(nightly).status is RunStatus.FAILED
    assert here(imports) == before
    imports.now += timedelta(days=20)
    succeeds(imports, nightly)
    assert here(imports) == there(imports)
    assert imports.erp.asked_since[-1] == imports.erp.asked_since[0]


def test_a_fixed_period_means_its_days_and_says_nothing_of_changes(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, amount=Decimal(5))
    period = Range.model_validate({"kind": "range", "from_date": "2026-01-20", "to_date": "2026-01-22"})
    imports.now += timedelta(days=5)
    before = here(imports)
    succeeds(imports, imports.job(period, dataset_ids=("gl_transactions",)))
    assert (here(imports), imports.erp.asked_since) == (before, [])
    succeeds(imports, nightly)
    assert here(imports) == there(imports)


def test_without_an_import_before_changes_since_the_windows_first_day_count(imports: Imports) -> None:
    imports.erp.data["F0003"] = {"gl_transactions": ledger(60), "accounts": []}
    lines(imports, "F0003")[8] |= {"at": imports.now - timedelta(days=2)}
    lines(imports, "F0003")[20] |= {"at": imports.now - timedelta(days=9)}
    succeeds(imports, imports.job(Days(kind="days", days=3), dataset_ids=("gl_transactions",), company_keys=("F0003",)))
    old = {day for _, day, _ in here(imports, "F0003") if day < date(2026, 1, 28)}
    assert old == {date(2026, 1, 5)}


def test_an_erp_that_cannot_tell_is_read_by_its_window_alone(imports: Imports, nightly: Job) -> None:
    imports.erp.reports_changes = None
    before = here(imports)
    edit(imports, 8, amount=Decimal(6))
    run = succeeds(imports, nightly)
    assert (here(imports), days_read(imports, run)) == (before, [])


def test_neighbouring_days_are_read_together_and_many_become_few(imports: Imports, nightly: Job) -> None:
    for number in (8, 10, 12, 30):
        edit(imports, number, amount=Decimal(7))
    run = succeeds(imports, nightly)
    assert imports.units(run)["gl_transactions", "F0001"].late_ranges == [
        ["2026-01-05", "2026-01-08"],
        ["2026-01-16", "2026-01-17"],
    ]
    assert here(imports) == there(imports)


def test_when_too_much_has_changed_all_older_days_are_read_anew(imports: Imports, nightly: Job) -> None:
    imports.erp.most_changed = 10
    for number in range(20):
        edit(imports, number, amount=Decimal(8))
    lines(imports)[30]["amount"] = Decimal(999)
    run = succeeds(imports, nightly)
    assert imports.units(run)["gl_transactions", "F0001"].late_ranges == [[None, "2026-01-28"]]
    assert here(imports) == there(imports)


def test_rows_without_a_day_survive(imports: Imports, nightly: Job) -> None:
    lines(imports).append({"journal_no": "x", "entry_no": "1", "amount": Decimal(5)})
    succeeds(imports, imports.job())
    edit(imports, 8, voucher_date=date(2026, 1, 7))
    succeeds(imports, nightly)
    assert here(imports)["x", None, Decimal(5)] == 1  # pyright: ignore[reportArgumentType]
    assert here(imports).total() == 61


def test_running_again_changes_nothing(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, voucher_date=date(2026, 1, 12))
    succeeds(imports, nightly)
    before = here(imports)
    for _ in range(2):
        succeeds(imports, nightly)
        assert here(imports) == before == there(imports)


@pytest.mark.parametrize("point", CHECKPOINTS)
def test_a_worker_that_dies_anywhere_leaves_the_same_in_the_end(imports: Imports, nightly: Job, point: str) -> None:
    edit(imports, 8, voucher_date=date(2026, 1, 12))
    edit(imports, 30, amount=Decimal(9))
    imports.dies_at = point
    succeeds(imports, nightly)
    assert imports.dies_at is None, "the worker was killed there"
    assert here(imports) == there(imports)


def test_a_reader_sees_the_window_and_the_older_days_change_at_once(imports: Imports, nightly: Job) -> None:
    edit(imports, 8, voucher_date=date(2026, 1, 12))
    edit(imports, 58, amount=Decimal(10))
    before, seen = here(imports), []

    def look(point: str) -> None:
        if point in {"read.batch", "stage.piece"}:  # the engine is at work, and asks for nothing meanwhile
            return
        if not seen or seen[-1] != here(imports):
            seen.append(here(imports))

    imports.on_checkpoint = look
    succeeds(imports, nightly)
    assert seen == [before, there(imports)]


def test_what_is_known_of_changes_is_each_companys_own(imports: Imports, nightly: Job) -> None:
    from erphub.erp.datasets import BY_ID

    imports.now += timedelta(days=30)
    edit(imports, 8, amount=Decimal(11))
    only_one = imports.job(Days(kind="days", days=3), dataset_ids=("gl_transactions",), company_keys=("F0002",))
    succeeds(imports, only_one)
    until = [
        imports.lake.up_to_date_until(CLIENT, BY_ID["gl_transactions"], CONNECTION, company)
        for company in ("F0001", "F0002", "F0009")
    ]
    assert until[2] is None
    assert until[0] < until[1]  # pyright: ignore[reportOptionalOperand]
    succeeds(imports, nightly)
    assert here(imports) == there(imports)


def test_progress_is_told_in_parts_where_the_erp_states_no_counts(imports: Imports, nightly: Job) -> None:
    from erphub.imports.runs.service import run_view

    imports.erp.counts = False
    edit(imports, 8, amount=Decimal(12))
    run = succeeds(imports, nightly)
    unit = UnitView.of(imports.units(run)["gl_transactions", "F0001"]).model_dump()
    assert (unit["rows_planned"], unit["part_count"], unit["parts_done"]) == (None, 2, 2)
    assert "rows_planned" not in run.totals
    shown = run_view(run, Actors().find(CLIENT, [run.started_by])[run.started_by]).progress
    assert shown.parts_done == shown.part_count == 3


# --- any sequence of changes and nights ------------------------------------------------------------------------------

DAYS = st.integers(min_value=0, max_value=39)
CHANGE = st.tuples(st.sampled_from(["amount", "move", "new"]), st.integers(min_value=0, max_value=59), DAYS)
NIGHT = st.tuples(st.lists(CHANGE, max_size=4), st.sampled_from(["runs", "fails", "dies"]))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(nights=st.lists(NIGHT, min_size=1, max_size=4))
def test_after_a_rolling_import_the_lake_has_the_ledger_as_it_is(
    imports: Imports, nightly: Job, nights: list[tuple[list[tuple[str, int, int]], str]]
) -> None:
    for changes, night in nights:
        for kind, number, day in changes:
            _happen(imports, kind, number, FIRST_DAY + timedelta(days=day))
        imports.now += timedelta(days=1)
        imports.erp.lies = 1 if night == "fails" else 0
        imports.dies_at = "publish.committed" if night == "dies" else None
        imports.run(nightly)
    imports.erp.lies, imports.dies_at = 0, None
    succeeds(imports, nightly)
    assert here(imports) == there(imports)


def _happen(imports: Imports, kind: str, number: int, day: date) -> None:
    match kind:
        case "amount":
            edit(imports, number, amount=lines(imports)[number]["amount"] + 1)
        case "move":
            edit(imports, number, voucher_date=day)
        case _:
            fresh = ledger(1, first=1000 + len(lines(imports)))[0]
            lines(imports).append({**fresh, "voucher_date": day, "at": imports.now})


@given(st.sets(st.dates(date(2020, 1, 1), date(2026, 1, 1)), max_size=90))
def test_days_together_hold_every_day_once_in_few_windows(days: set[date]) -> None:
    windows = merged(days, MAX_LATE_RANGES)
    assert len(windows) <= MAX_LATE_RANGES
    spans: list[tuple[date, date]] = [(each.first, each.end) for each in windows if each.first and each.end]
    assert all(sum(first <= day < end for first, end in spans) == 1 for day in days)
    assert all(end < first for (_, end), (first, _) in pairwise(spans))
    if len(days) <= MAX_LATE_RANGES:
        assert sum((end - first).days for first, end in spans) == len(days), "nothing is read that need not be"


def test_the_nearest_days_become_one_window_first() -> None:
    a, b, c = date(2026, 1, 1), date(2026, 1, 4), date(2026, 3, 1)
    assert merged({a, b, c}, 2) == [DateRange(a, date(2026, 1, 5)), DateRange(c, date(2026, 3, 2))]
    assert merged(set(), 2) == []


class TestAnErpThatCountsItsDays:
    """It does not say what changed, but how many rows it has on each day, and their sum."""

    @pytest.fixture
    def imports(self, imports: Imports) -> Imports:
        imports.erp = imports.sources.erp = CountingErp(imports.erp.data)
        return imports

    @pytest.mark.parametrize(
        ("number", "to"),
        [(8, date(2026, 1, 12)), (8, date(2026, 1, 30)), (58, date(2026, 1, 5))],
        ids=["old to old", "old into the window", "out of the window"],
    )
    def test_a_voucher_that_moved_is_there_once_on_its_new_day(
        self, imports: Imports, nightly: Job, number: int, to: date
    ) -> None:
        lines(imports)[number]["voucher_date"] = to
        run = succeeds(imports, nightly)
        assert here(imports) == there(imports)
        assert "late_changes_found" in imports.log(run)

    def test_another_amount_and_a_deleted_voucher_of_an_old_day_are_brought(
        self, imports: Imports, nightly: Job
    ) -> None:
        lines(imports)[8]["amount"] = Decimal(999)
        lines(imports).pop(20)
        run = succeeds(imports, nightly)
        assert here(imports) == there(imports)
        assert days_read(imports, run) == ["2026-01-05", "2026-01-11"]
        assert here(imports, "F0002") == there(imports, "F0002")

    def test_nothing_more_is_read_when_the_days_agree(self, imports: Imports, nightly: Job) -> None:
        assert days_read(imports, succeeds(imports, nightly)) == []

    def test_months_that_nobody_imported_stay_so(self, imports: Imports, nightly: Job) -> None:
        lines(imports).append(ledger(1, first=77)[0] | {"voucher_date": date(2024, 5, 5)})
        before = here(imports)
        run = succeeds(imports, nightly)
        assert (here(imports), days_read(imports, run)) == (before, [])

    def test_a_year_that_the_erp_has_put_into_its_archive_stays_in_the_lake(
        self, imports: Imports, nightly: Job
    ) -> None:
        imports.erp.data["F0001"]["gl_transactions"] = [
            line | {"voucher_date": line["voucher_date"].replace(year=2024)} for line in ledger(10, first=500)
        ] + lines(imports)
        assert imports.run(imports.job(dataset_ids=("gl_transactions",))).status is RunStatus.SUCCEEDED
        before = here(imports)
        del lines(imports)[:10]
        run = succeeds(imports, nightly)
        assert (here(imports), days_read(imports, run)) == (before, [])

    def test_an_erp_that_takes_too_long_to_count_its_days_is_imported_by_its_window(
        self, imports: Imports, nightly: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_long(*_: Any) -> Any:
            raise Unavailable("The server did not answer in time.", code="query_timeout")

        monkeypatch.setattr(imports.erp, "daily_totals_before", too_long)
        lines(imports)[-1]["amount"] = Decimal(999)
        lines(imports)[8]["amount"] = Decimal(111)
        run = succeeds(imports, nightly)
        assert Decimal(999) in {amount for _, _, amount in here(imports)}
        assert Decimal(111) not in {amount for _, _, amount in here(imports)}
        assert "late_changes_not_looked_for" in imports.log(run)

    def test_a_company_imported_for_the_first_time_is_read_by_its_window_alone(self, imports: Imports) -> None:
        imports.erp.data["F0003"] = {"gl_transactions": ledger(60), "accounts": []}
        succeeds(
            imports, imports.job(Days(kind="days", days=3), dataset_ids=("gl_transactions",), company_keys=("F0003",))
        )
        assert {day for _, day, _ in here(imports, "F0003")} == {date(2026, 1, day) for day in (28, 29, 30)}

    def test_days_it_cannot_add_up_are_compared_by_their_rows(self, imports: Imports, nightly: Job) -> None:
        imports.erp.adds_up = False
        lines(imports)[8]["amount"] = Decimal(999)
        lines(imports).pop(20)
        assert days_read(imports, succeeds(imports, nightly)) == ["2026-01-11"]

    def test_a_voucher_moved_while_the_run_reads_is_brought_by_the_next(self, imports: Imports, nightly: Job) -> None:
        def move(at: int) -> None:
            lines(imports)[8]["voucher_date"] = date(2026, 1, 20)

        imports.erp.on_batch = move
        succeeds(imports, nightly)
        imports.erp.on_batch = None
        succeeds(imports, nightly)
        assert here(imports) == there(imports)
