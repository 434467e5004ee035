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
from erphub.imports.runs.late_changes import MOST_WINDOWS, together
from erphub.imports.runs.models import Run, Status
from erphub.platform.errors import Unavailable
from tests.support.erp import CountingErp

from .conftest import CHECKPOINTS, CLIENT, CONNECTION, FIRST_DAY, House, Prepared, ledger

type Line = dict[str, Any]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(house: House, prepared: Prepared) -> House:
    """Its ERP says what changed. Everything was imported once; two lines a day, from New Year's Day to 30 January."""
    return prepared(house, "older-days", _imported_once)


def _imported_once(house: House) -> None:
    house.erp.tells_changes = lambda row, since: row.get("at", LONG_AGO) >= since
    for company in house.erp.data:
        house.erp.data[company]["gl_transactions"] = ledger(60)
    house.now = datetime(2026, 1, 31, 8, tzinfo=UTC)
    assert house.run(house.job()).status is Status.SUCCEEDED
    house.now += timedelta(hours=2)


@pytest.fixture
def nightly(house: House) -> Job:
    return house.job(Days(kind="days", days=3), datasets=("gl_transactions",))


def lines(house: House, company: str = "F0001") -> list[Line]:
    return house.erp.data[company]["gl_transactions"]


def edit(house: House, number: int, **changes: Any) -> None:
    """Somebody changes a voucher in the ERP now."""
    lines(house)[number] |= changes | {"at": house.now}


def here(house: House, company: str = "F0001") -> Counter[tuple[str, date, Decimal]]:
    rows = house.rows(
        "gl_transactions", "company, journal_no, entry_no, voucher_date, amount", f"company = '{company}'"
    )
    return Counter((row["journal_no"], row["voucher_date"], row["amount"]) for row in rows)


def there(house: House, company: str = "F0001") -> Counter[tuple[str, date, Decimal]]:
    return Counter((line["journal_no"], line["voucher_date"], line["amount"]) for line in lines(house, company))


def days_read(house: House, run: Run) -> list[str]:
    """The first days of what was read beside the window."""
    return [str(window[0]) for window in house.units(run)["gl_transactions", "F0001"].older]


def succeeds(house: House, job: Job) -> Run:
    run = house.run(job)
    assert run.status is Status.SUCCEEDED, run.problem
    return run


def test_an_older_voucher_that_changed_is_brought(house: House, nightly: Job) -> None:
    edit(house, 8, amount=Decimal("12345.67"))
    run = succeeds(house, nightly)
    assert here(house) == there(house)
    assert days_read(house, run) == ["2026-01-05"]
    assert "older_days_changed" in house.log(run)


def test_days_in_which_nothing_changed_stay_untouched(house: House, nightly: Job) -> None:
    before = here(house)
    lines(house)[20]["amount"] = Decimal(999)  # of another old day, and the ERP does not call it changed
    edit(house, 8, amount=Decimal(1))
    succeeds(house, nightly)
    changed = (before - here(house)) + (here(house) - before)
    assert {day for _, day, _ in changed} == {date(2026, 1, 5)}
    assert here(house, "F0002") == there(house, "F0002")


def test_a_voucher_entered_late_for_an_old_day_is_brought(house: House, nightly: Job) -> None:
    lines(house).append({**ledger(1, first=77)[0], "voucher_date": date(2025, 12, 5), "at": house.now})
    succeeds(house, nightly)
    assert here(house) == there(house)


@pytest.mark.parametrize(
    ("number", "to"),
    [(8, date(2026, 1, 12)), (8, date(2026, 1, 30)), (58, date(2026, 1, 5)), (8, date(2025, 11, 1))],
    ids=["old to old", "old into the window", "out of the window", "to a day nobody has imported"],
)
def test_a_voucher_that_moved_is_there_once_on_its_new_day(house: House, nightly: Job, number: int, to: date) -> None:
    edit(house, number, voucher_date=to)
    succeeds(house, nightly)
    assert here(house) == there(house)
    assert sum(count for (journal, _, _), count in here(house).items() if journal == str(number)) == 1


def test_a_voucher_removed_from_an_old_day_goes_when_its_day_is_read_again(house: House, nightly: Job) -> None:
    gone = lines(house).pop(8)
    succeeds(house, nightly)
    assert here(house) - there(house) == Counter([(gone["journal_no"], gone["voucher_date"], gone["amount"])])
    edit(house, 8, amount=Decimal(2))  # the other voucher of that day
    succeeds(house, nightly)
    assert here(house) == there(house)


def test_changes_are_asked_for_since_the_last_import_however_long_ago(house: House, nightly: Job) -> None:
    edit(house, 8, amount=Decimal(3))
    house.now += timedelta(days=40)
    began = house.now
    succeeds(house, nightly)
    assert here(house) == there(house)
    house.now += timedelta(days=9)
    succeeds(house, nightly)
    assert timedelta(0) < began - house.erp.asked_since[-1] < timedelta(hours=2)


def test_a_run_that_failed_has_brought_nothing_and_the_next_asks_as_far_back(house: House, nightly: Job) -> None:
    edit(house, 8, amount=Decimal(4))
    before = here(house)
    house.erp.lies = 1
    assert house.run(nightly).status is Status.FAILED
    assert here(house) == before
    house.now += timedelta(days=20)
    succeeds(house, nightly)
    assert here(house) == there(house)
    assert house.erp.asked_since[-1] == house.erp.asked_since[0]


def test_a_fixed_period_means_its_days_and_says_nothing_of_changes(house: House, nightly: Job) -> None:
    edit(house, 8, amount=Decimal(5))
    period = Range.model_validate({"kind": "range", "from": "2026-01-20", "to": "2026-01-22"})
    house.now += timedelta(days=5)
    before = here(house)
    succeeds(house, house.job(period, datasets=("gl_transactions",)))
    assert (here(house), house.erp.asked_since) == (before, [])
    succeeds(house, nightly)
    assert here(house) == there(house)


def test_without_an_import_before_changes_since_the_windows_first_day_count(house: House) -> None:
    house.erp.data["F0003"] = {"gl_transactions": ledger(60), "accounts": []}
    lines(house, "F0003")[8] |= {"at": house.now - timedelta(days=2)}
    lines(house, "F0003")[20] |= {"at": house.now - timedelta(days=9)}
    succeeds(house, house.job(Days(kind="days", days=3), datasets=("gl_transactions",), companies=("F0003",)))
    old = {day for _, day, _ in here(house, "F0003") if day < date(2026, 1, 28)}
    assert old == {date(2026, 1, 5)}


def test_an_erp_that_cannot_tell_is_read_by_its_window_alone(house: House, nightly: Job) -> None:
    house.erp.tells_changes = None
    before = here(house)
    edit(house, 8, amount=Decimal(6))
    run = succeeds(house, nightly)
    assert (here(house), days_read(house, run)) == (before, [])


def test_neighbouring_days_are_read_together_and_many_become_few(house: House, nightly: Job) -> None:
    for number in (8, 10, 12, 30):
        edit(house, number, amount=Decimal(7))
    run = succeeds(house, nightly)
    assert house.units(run)["gl_transactions", "F0001"].older == [
        ["2026-01-05", "2026-01-08"],
        ["2026-01-16", "2026-01-17"],
    ]
    assert here(house) == there(house)


def test_when_too_much_has_changed_all_older_days_are_read_anew(house: House, nightly: Job) -> None:
    house.erp.most_changed = 10
    for number in range(20):
        edit(house, number, amount=Decimal(8))
    lines(house)[30]["amount"] = Decimal(999)
    run = succeeds(house, nightly)
    assert house.units(run)["gl_transactions", "F0001"].older == [[None, "2026-01-28"]]
    assert here(house) == there(house)


def test_rows_without_a_day_survive(house: House, nightly: Job) -> None:
    lines(house).append({"journal_no": "x", "entry_no": "1", "amount": Decimal(5)})
    succeeds(house, house.job())
    edit(house, 8, voucher_date=date(2026, 1, 7))
    succeeds(house, nightly)
    assert here(house)["x", None, Decimal(5)] == 1  # pyright: ignore[reportArgumentType]
    assert here(house).total() == 61


def test_running_again_changes_nothing(house: House, nightly: Job) -> None:
    edit(house, 8, voucher_date=date(2026, 1, 12))
    succeeds(house, nightly)
    before = here(house)
    for _ in range(2):
        succeeds(house, nightly)
        assert here(house) == before == there(house)


@pytest.mark.parametrize("point", CHECKPOINTS)
def test_a_worker_that_dies_anywhere_leaves_the_same_in_the_end(house: House, nightly: Job, point: str) -> None:
    edit(house, 8, voucher_date=date(2026, 1, 12))
    edit(house, 30, amount=Decimal(9))
    house.dies_at = point
    succeeds(house, nightly)
    assert house.dies_at is None, "the worker was killed there"
    assert here(house) == there(house)


def test_a_reader_sees_the_window_and_the_older_days_change_at_once(house: House, nightly: Job) -> None:
    edit(house, 8, voucher_date=date(2026, 1, 12))
    edit(house, 58, amount=Decimal(10))
    before, seen = here(house), []

    def look(point: str) -> None:
        if point in {"read.batch", "stage.piece"}:  # the engine is at work, and asks for nothing meanwhile
            return
        if not seen or seen[-1] != here(house):
            seen.append(here(house))

    house.on_checkpoint = look
    succeeds(house, nightly)
    assert seen == [before, there(house)]


def test_what_is_known_of_changes_is_each_companys_own(house: House, nightly: Job) -> None:
    from erphub.erp.datasets import BY_ID

    house.now += timedelta(days=30)
    edit(house, 8, amount=Decimal(11))
    only_one = house.job(Days(kind="days", days=3), datasets=("gl_transactions",), companies=("F0002",))
    succeeds(house, only_one)
    until = [
        house.lake.up_to_date_until(CLIENT, BY_ID["gl_transactions"], CONNECTION, company)
        for company in ("F0001", "F0002", "F0009")
    ]
    assert until[2] is None
    assert until[0] < until[1]  # pyright: ignore[reportOptionalOperand]
    succeeds(house, nightly)
    assert here(house) == there(house)


def test_progress_is_told_in_parts_where_the_erp_states_no_counts(house: House, nightly: Job) -> None:
    from erphub.imports.runs.service import view

    house.erp.counts = False
    edit(house, 8, amount=Decimal(12))
    run = succeeds(house, nightly)
    unit = house.units(run)["gl_transactions", "F0001"].as_json()
    assert (unit["planned"], unit["parts"], unit["parts_done"]) == (None, 2, 2)
    assert "planned" not in run.totals
    shown = view(run).progress
    assert shown["parts_done"] == shown["parts"] == 3


# --- any sequence of changes and nights ------------------------------------------------------------------------------

DAYS = st.integers(min_value=0, max_value=39)
CHANGE = st.tuples(st.sampled_from(["amount", "move", "new"]), st.integers(min_value=0, max_value=59), DAYS)
NIGHT = st.tuples(st.lists(CHANGE, max_size=4), st.sampled_from(["runs", "fails", "dies"]))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(nights=st.lists(NIGHT, min_size=1, max_size=4))
def test_after_a_rolling_import_the_lake_has_the_ledger_as_it_is(
    house: House, nightly: Job, nights: list[tuple[list[tuple[str, int, int]], str]]
) -> None:
    for changes, night in nights:
        for kind, number, day in changes:
            _happen(house, kind, number, FIRST_DAY + timedelta(days=day))
        house.now += timedelta(days=1)
        house.erp.lies = 1 if night == "fails" else 0
        house.dies_at = "publish.committed" if night == "dies" else None
        house.run(nightly)
    house.erp.lies, house.dies_at = 0, None
    succeeds(house, nightly)
    assert here(house) == there(house)


def _happen(house: House, kind: str, number: int, day: date) -> None:
    match kind:
        case "amount":
            edit(house, number, amount=lines(house)[number]["amount"] + 1)
        case "move":
            edit(house, number, voucher_date=day)
        case _:
            fresh = ledger(1, first=1000 + len(lines(house)))[0]
            lines(house).append({**fresh, "voucher_date": day, "at": house.now})


@given(st.sets(st.dates(date(2020, 1, 1), date(2026, 1, 1)), max_size=90))
def test_days_together_hold_every_day_once_in_few_windows(days: set[date]) -> None:
    windows = together(days, MOST_WINDOWS)
    assert len(windows) <= MOST_WINDOWS
    spans: list[tuple[date, date]] = [(each.first, each.end) for each in windows if each.first and each.end]
    assert all(sum(first <= day < end for first, end in spans) == 1 for day in days)
    assert all(end < first for (_, end), (first, _) in pairwise(spans))
    if len(days) <= MOST_WINDOWS:
        assert sum((end - first).days for first, end in spans) == len(days), "nothing is read that need not be"


def test_the_nearest_days_become_one_window_first() -> None:
    a, b, c = date(2026, 1, 1), date(2026, 1, 4), date(2026, 3, 1)
    assert together({a, b, c}, 2) == [DateRange(a, date(2026, 1, 5)), DateRange(c, date(2026, 3, 2))]
    assert together(set(), 2) == []


class TestAnErpThatCountsItsDays:
    """It does not say what changed, but how many rows it has on each day, and their sum."""

    @pytest.fixture
    def house(self, house: House) -> House:
        house.erp = house.sources.erp = CountingErp(house.erp.data)
        return house

    @pytest.mark.parametrize(
        ("number", "to"),
        [(8, date(2026, 1, 12)), (8, date(2026, 1, 30)), (58, date(2026, 1, 5))],
        ids=["old to old", "old into the window", "out of the window"],
    )
    def test_a_voucher_that_moved_is_there_once_on_its_new_day(
        self, house: House, nightly: Job, number: int, to: date
    ) -> None:
        lines(house)[number]["voucher_date"] = to
        run = succeeds(house, nightly)
        assert here(house) == there(house)
        assert "older_days_changed" in house.log(run)

    def test_another_amount_and_a_deleted_voucher_of_an_old_day_are_brought(self, house: House, nightly: Job) -> None:
        lines(house)[8]["amount"] = Decimal(999)
        lines(house).pop(20)
        run = succeeds(house, nightly)
        assert here(house) == there(house)
        assert days_read(house, run) == ["2026-01-05", "2026-01-11"]
        assert here(house, "F0002") == there(house, "F0002")

    def test_nothing_more_is_read_when_the_days_agree(self, house: House, nightly: Job) -> None:
        assert days_read(house, succeeds(house, nightly)) == []

    def test_months_that_nobody_imported_stay_so(self, house: House, nightly: Job) -> None:
        lines(house).append(ledger(1, first=77)[0] | {"voucher_date": date(2024, 5, 5)})
        before = here(house)
        run = succeeds(house, nightly)
        assert (here(house), days_read(house, run)) == (before, [])

    def test_a_year_that_the_erp_has_put_into_its_archive_stays_in_the_lake(self, house: House, nightly: Job) -> None:
        house.erp.data["F0001"]["gl_transactions"] = [
            line | {"voucher_date": line["voucher_date"].replace(year=2024)} for line in ledger(10, first=500)
        ] + lines(house)
        assert house.run(house.job(datasets=("gl_transactions",))).status is Status.SUCCEEDED
        before = here(house)
        del lines(house)[:10]
        run = succeeds(house, nightly)
        assert (here(house), days_read(house, run)) == (before, [])

    def test_an_erp_that_takes_too_long_to_count_its_days_is_imported_by_its_window(
        self, house: House, nightly: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def too_long(*_: Any) -> Any:
            raise Unavailable("The server did not answer in time.", code="query_timeout")

        monkeypatch.setattr(house.erp, "days_before", too_long)
        lines(house)[-1]["amount"] = Decimal(999)
        lines(house)[8]["amount"] = Decimal(111)
        run = succeeds(house, nightly)
        assert Decimal(999) in {amount for _, _, amount in here(house)}
        assert Decimal(111) not in {amount for _, _, amount in here(house)}
        assert "older_days_not_looked_at" in house.log(run)

    def test_a_company_imported_for_the_first_time_is_read_by_its_window_alone(self, house: House) -> None:
        house.erp.data["F0003"] = {"gl_transactions": ledger(60), "accounts": []}
        succeeds(house, house.job(Days(kind="days", days=3), datasets=("gl_transactions",), companies=("F0003",)))
        assert {day for _, day, _ in here(house, "F0003")} == {date(2026, 1, day) for day in (28, 29, 30)}

    def test_days_it_cannot_add_up_are_compared_by_their_rows(self, house: House, nightly: Job) -> None:
        house.erp.adds_up = False
        lines(house)[8]["amount"] = Decimal(999)
        lines(house).pop(20)
        assert days_read(house, succeeds(house, nightly)) == ["2026-01-11"]

    def test_a_voucher_moved_while_the_run_reads_is_brought_by_the_next(self, house: House, nightly: Job) -> None:
        def move(at: int) -> None:
            lines(house)[8]["voucher_date"] = date(2026, 1, 20)

        house.erp.on_batch = move
        succeeds(house, nightly)
        house.erp.on_batch = None
        succeeds(house, nightly)
        assert here(house) == there(house)
