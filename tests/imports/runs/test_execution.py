"""A run from plan to finish, and what a business sees of it."""

from datetime import date, timedelta
from decimal import Decimal

from erphub.imports.jobs.models import Days, Range
from erphub.imports.runs.models import RunStatus, RunTrigger, UnitStatus
from tests.support.aws import on_both
from tests.support.imports import FIRST_DAY, Imports, chart, ledger


def test_everything_arrives_and_the_sums_agree(imports: Imports) -> None:
    run = imports.run(imports.job())
    assert run.status is RunStatus.SUCCEEDED
    assert run.totals["rows_read"] == run.totals["rows_written"] == run.totals["rows_planned"] == 2 * (12 + 60)
    total = imports.rows("gl_transactions", "company, journal_no, entry_no, amount")
    assert sum(row["amount"] for row in total) == 2 * sum(Decimal(n) for n in range(60))
    assert {unit.status for unit in imports.units(run).values()} == {UnitStatus.PUBLISHED}
    assert "succeeded" in imports.log(run)


def test_a_run_leaves_nothing_behind_and_frees_its_leases(imports: Imports) -> None:
    job = imports.job()
    imports.run(job)
    assert imports.leftovers() == []
    assert imports.run(job).status is RunStatus.SUCCEEDED


@on_both
def test_running_again_changes_nothing(imports: Imports) -> None:
    job = imports.job()
    imports.run(job)
    before = imports.rows("gl_transactions"), imports.rows("accounts")
    again = imports.run(job)
    assert (imports.rows("gl_transactions"), imports.rows("accounts")) == before
    assert imports.units(again)["accounts", "F0001"].rows_unchanged == 12


def test_a_rolling_window_replaces_only_its_days(imports: Imports) -> None:
    imports.run(imports.job())
    imports.now = imports.now.replace(day=25)
    window_start = date(2026, 1, 15)
    changed = ledger(60, cents=1000)
    imports.erp.data["F0001"]["gl_transactions"] = changed[:58]
    run = imports.run(imports.job(Days(kind="days", days=10)))
    assert run.status is RunStatus.SUCCEEDED
    rows = imports.rows("gl_transactions", "company, journal_no, entry_no, voucher_date, amount", "company = 'F0001'")
    assert len(rows) == 58
    for row in rows:
        factor = 10 if row["voucher_date"] >= window_start else 1
        assert row["amount"] == Decimal(row["journal_no"]) * factor
    assert imports.count("gl_transactions", "company = 'F0002'") == 60


def test_rows_without_a_date_survive_a_window(imports: Imports) -> None:
    imports.erp.data["F0001"]["gl_transactions"].append({"journal_no": "x", "entry_no": "1", "amount": Decimal(5)})
    imports.run(imports.job())
    assert imports.run(imports.job(Days(kind="days", days=100))).status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions", "company = 'F0001' AND voucher_date IS NULL") == 1
    assert imports.count("gl_transactions", "company = 'F0001'") == 61


def test_a_fixed_period_includes_its_last_day(imports: Imports) -> None:
    period = Range(kind="range", from_date=FIRST_DAY, to_date=FIRST_DAY + timedelta(days=4))
    imports.run(imports.job(period))
    assert imports.count("gl_transactions", "company = 'F0001'") == 10


def test_master_data_is_matched_by_key_and_removed_rows_are_found(imports: Imports) -> None:
    job = imports.job(dataset_ids=("accounts",))
    imports.run(job)
    imports.erp.data["F0001"]["accounts"] = [
        *chart(10),
        {"account_no": "3000", "name": "Renamed"},
        {"account_no": "9", "name": "New"},
    ][1:]
    unit = imports.units(imports.run(job))["accounts", "F0001"]
    assert (unit.rows_inserted, unit.rows_updated, unit.rows_unchanged, unit.rows_removed) == (1, 1, 9, 2)
    assert imports.count("accounts", "company = 'F0001'") == 11


def test_an_empty_company_is_an_empty_part_and_a_success(imports: Imports) -> None:
    imports.erp.data["F0002"] = {"accounts": [], "gl_transactions": []}
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions", "company = 'F0002'") == 0


def test_a_company_emptied_in_the_erp_is_emptied_here(imports: Imports) -> None:
    job = imports.job()
    imports.run(job)
    imports.erp.data["F0002"] = {}
    assert imports.run(job).status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions", "company = 'F0002'") == 0
    assert imports.count("accounts", "company = 'F0002'") == 0


def test_a_company_dropped_after_it_was_chosen_fails_alone(imports: Imports) -> None:
    imports.sources.selected = ["F0001", "F0002"]
    imports.run(imports.job())
    del imports.erp.data["F0002"]
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    problem = imports.units(run)["gl_transactions", "F0002"].problem
    assert problem is not None
    assert problem["code"] == "company_gone"
    assert imports.count("gl_transactions", "company = 'F0002'") == 60, "what was imported before stays"


def test_a_company_that_is_closed_for_now_fails_alone_and_says_why(imports: Imports) -> None:
    imports.sources.problems = {"F0002": "The database is being restored."}
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    problem = imports.units(run)["accounts", "F0002"].problem
    assert problem is not None
    assert problem["code"] == "company_gone"
    assert "being restored" in problem["detail"]
    assert imports.units(run)["accounts", "F0001"].status is UnitStatus.PUBLISHED


def test_what_was_taken_out_of_the_connection_is_left_out_of_a_job_that_names_it_and_told(imports: Imports) -> None:
    job = imports.job(company_keys=("F0001", "F0002"), dataset_ids=("accounts", "gl_transactions"))
    imports.run(job)
    imports.sources.selected, imports.sources.datasets = ["F0001"], ("accounts",)
    run = imports.run(job)
    assert run.status is RunStatus.SUCCEEDED
    assert set(imports.units(run)) == {("accounts", "F0001")}
    assert {"dataset_not_offered", "company_not_in_connection"} <= set(imports.log(run))
    imports.sources.selected = ["F0003"]
    run = imports.run(job)
    assert run.problem is not None
    assert (run.status, run.problem["code"]) == (RunStatus.FAILED, "nothing_to_import")


def test_chosen_companies_and_datasets_only(imports: Imports) -> None:
    run = imports.run(imports.job(company_keys=("F0002",), dataset_ids=("accounts",)))
    assert list(imports.units(run)) == [("accounts", "F0002")]


def test_rows_without_a_key_or_with_a_shared_one_are_rejected_and_shown(imports: Imports) -> None:
    imports.erp.data["F0001"]["accounts"] += [{"name": "no number"}, {"account_no": "3003", "name": "twice"}]
    run = imports.run(imports.job(dataset_ids=("accounts",)))
    unit = imports.units(run)["accounts", "F0001"]
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    assert (unit.rows_read, unit.rows_written, unit.rows_rejected) == (14, 11, 3)
    lines = [line.text for line in imports.stores.log.page(run.ref, 100, None).items if line.code == "key_repeated"]
    assert len(lines) == 1
    assert "3003" in lines[0]


def test_ledger_lines_with_bad_keys_stay_because_their_sums_must(imports: Imports) -> None:
    imports.erp.data["F0001"]["gl_transactions"] += [
        {"journal_no": None, "entry_no": "1", "voucher_date": FIRST_DAY, "amount": Decimal(7)},
        {"journal_no": "59", "entry_no": "1", "voucher_date": FIRST_DAY + timedelta(days=29), "amount": Decimal(8)},
    ]
    run = imports.run(imports.job(dataset_ids=("gl_transactions",)))
    assert run.status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions", "company = 'F0001'") == 62
    assert {"key_missing", "key_repeated"} <= set(imports.log(run))


def test_a_difference_to_the_source_fails_the_run_and_publishes_nothing(imports: Imports) -> None:
    imports.erp.lies = 1
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "reconciliation_failed"
    assert "13 rows in the source and 12 here" in run.problem["detail"]
    assert not (imports.folder / "lake").exists() or imports.count("gl_transactions") == imports.count("accounts") == 0


def test_a_ledger_whose_amounts_the_source_cannot_add_up_is_counted_and_imported(imports: Imports) -> None:
    imports.erp.adds_up = False
    run = imports.run(imports.job())
    assert (run.status, run.problem) == (RunStatus.SUCCEEDED, None)
    assert sum(row["amount"] for row in imports.rows("gl_transactions")) == 2 * sum(Decimal(n) for n in range(60))
    published = [line.text for line in imports.stores.log.page(run.ref, 100, None).items if line.code == "published"]
    assert sum("counted alike" in text for text in published) == 2, "nobody is told that sums were compared"


def test_rows_that_are_missing_are_noticed_without_sums_too(imports: Imports) -> None:
    imports.erp.adds_up, imports.erp.lies = False, 1
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "reconciliation_failed"


def test_a_source_that_changes_while_it_is_read_is_read_once_more(imports: Imports) -> None:
    imports.erp.consistent, imports.erp.lies = False, 1
    run = imports.run(imports.job())
    assert run.status is RunStatus.SUCCEEDED
    assert "changed_while_reading" in imports.log(run)


def test_a_ledger_in_use_is_read_again_until_nobody_posts_meanwhile(imports: Imports) -> None:
    imports.erp.consistent, imports.erp.busy = False, {"F0001": 3}
    run = imports.run(imports.job())
    assert run.status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions") == 120


def test_a_ledger_in_which_somebody_always_posts_fails_alone_and_is_no_lie(imports: Imports) -> None:
    imports.erp.data["F0003"] = imports.erp.data["F0004"] = imports.erp.data["F0001"]
    imports.erp.consistent, imports.erp.busy = False, {"F0001": 1000, "F0002": 1000, "F0003": 1000}
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    ended = {key: (unit.problem or {}).get("code") for key, unit in imports.units(run).items()}
    busy = {("gl_transactions", company) for company in ("F0001", "F0002", "F0003")}
    assert ended == {key: "changed_while_reading" if key in busy else None for key in ended}
    assert "quieter hour" in (imports.units(run)["gl_transactions", "F0001"].problem or {})["detail"]
    assert imports.count("gl_transactions") == 60


def test_a_source_without_snapshots_that_counts_alike_and_sends_less_is_not_believed(imports: Imports) -> None:
    imports.erp.consistent, imports.erp.lies = False, 1000
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "reconciliation_failed"


def test_columns_an_installation_lacks_are_said_and_empty(imports: Imports) -> None:
    imports.erp.missing = ["currency_amount"]
    run = imports.run(imports.job())
    assert imports.units(run)["gl_transactions", "F0001"].missing == ["currency_amount"]
    assert "columns_missing" in imports.log(run)


def test_a_wider_decimal_widens_the_table_and_keeps_what_is_there(imports: Imports) -> None:
    job = imports.job()
    imports.run(job)
    imports.erp.types = {"amount": "decimal(28,6)"}
    imports.erp.data["F0001"]["gl_transactions"][0]["amount"] = Decimal("0.000001")
    assert imports.run(job).status is RunStatus.SUCCEEDED
    rows = imports.rows("gl_transactions", "company, journal_no, entry_no, amount")
    assert rows[0]["amount"] == Decimal("0.000001")
    assert len(rows) == 120
    imports.erp.types = {"amount": "decimal(10,2)"}
    imports.erp.data["F0001"]["gl_transactions"][0]["amount"] = Decimal("0.5")
    assert imports.run(job).status is RunStatus.SUCCEEDED


def test_a_decimal_too_wide_for_all_companies_fails_that_data_alone(imports: Imports) -> None:
    job = imports.job()
    imports.run(job)
    imports.erp.types = {"amount": "decimal(38,0)"}
    imports.erp.data["F0001"]["gl_transactions"] = imports.erp.data["F0002"]["gl_transactions"] = []
    run = imports.run(job)
    problem = imports.units(run)["gl_transactions", "F0001"].problem
    assert problem is not None
    assert problem["code"] == "decimal_too_wide"
    assert imports.units(run)["accounts", "F0001"].status is UnitStatus.PUBLISHED
    assert imports.count("gl_transactions") == 120


def test_a_paused_connection_is_not_read(imports: Imports) -> None:
    imports.sources.status = "paused"
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "connection_paused"


def test_a_refused_login_is_not_tried_again_by_the_schedule(imports: Imports) -> None:
    imports.sources.status = "reauth_required"
    run = imports.run(imports.job(Days(kind="days", days=1)), RunTrigger.SCHEDULE)
    assert run.problem is not None
    assert run.problem["code"] == "reauth_required"
    assert imports.erp.reads == []
