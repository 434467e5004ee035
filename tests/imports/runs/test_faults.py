"""What goes wrong in the middle: whatever it is, the lake holds all of the old or all of the new."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.imports.jobs.models import Days
from erphub.imports.runs import part_reader
from erphub.imports.runs.models import RunRef, RunStatus, RunTrigger, UnitStatus
from erphub.platform.errors import ServiceBusy, Unavailable
from tests.support.imports import CHECKPOINTS, Imports, Killed, Prepared, chart, ledger


@pytest.fixture
def imported(imports: Imports, prepared: Prepared) -> Imports:
    """The connection is to one company, which was imported once."""
    imports.sources.selected = ["F0001"]
    return prepared(imports, "one-company", lambda imports: imports.run(imports.job()))


def test_every_place_a_worker_can_die_is_known(imports: Imports) -> None:
    imports.run(imports.job())
    assert set(imports.seen) == set(CHECKPOINTS)


@pytest.mark.parametrize("point", CHECKPOINTS)
def test_a_worker_killed_anywhere_ends_in_the_same_table(imported: Imports, point: str) -> None:
    imports = imported
    imports.erp.data["F0001"]["gl_transactions"] = ledger(55, cents=200)
    imports.erp.data["F0001"]["accounts"] = chart(9, "Other")
    imports.dies_at = point
    run = imports.run(imports.job())
    assert imports.dies_at is None, "nobody was killed"
    assert run.status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions") == 55
    amounts = imports.rows("gl_transactions", "company, journal_no, entry_no, amount", "company = 'F0001'")
    assert sum(row["amount"] for row in amounts) == sum(Decimal(2 * n) for n in range(55))
    assert imports.count("accounts") == 9
    unit = imports.units(run)["gl_transactions", "F0001"]
    assert (unit.rows_read, unit.rows_written, unit.rows_removed) == (55, 55, 60)
    assert imports.leftovers() == []


@pytest.mark.parametrize("point", ["publish.copied", "publish.committed", "publish.saved"])
def test_a_worker_killed_while_a_window_is_published_ends_in_the_same_table(imported: Imports, point: str) -> None:
    imports = imported
    imports.erp.data["F0001"]["gl_transactions"] = ledger(60, cents=200)
    imports.dies_at = point
    run = imports.run(imports.job(Days(kind="days", days=10)))
    assert run.status is RunStatus.SUCCEEDED
    rows = imports.rows("gl_transactions", "company, journal_no, entry_no, amount", "company = 'F0001'")
    assert len(rows) == 60
    assert [row["amount"] for row in rows if row["journal_no"] == "59"] == [Decimal(118)]
    assert [row["amount"] for row in rows if row["journal_no"] == "0"] == [Decimal(0)]


def test_a_reader_never_sees_half(imports: Imports) -> None:
    imports.run(imports.job(dataset_ids=("gl_transactions",)))
    imports.erp.data["F0001"]["gl_transactions"] = ledger(90)
    seen: set[int] = set()

    def look(name: str) -> None:
        if name not in ("read.batch", "stage.piece"):  # those are called from within the engine
            seen.add(imports.count("gl_transactions", "company = 'F0001'"))

    imports.on_checkpoint = look
    imports.run(imports.job(dataset_ids=("gl_transactions",)))
    assert seen == {60, 90}


def test_a_cut_connection_resumes_after_the_last_part_that_was_read(imports: Imports) -> None:
    imports.erp.data = {"F0001": {"gl_transactions": ledger(100)}}
    imports.erp.cut_after, imports.erp.cuts_left = 20, 1
    run = imports.run(imports.job(dataset_ids=("gl_transactions",)))
    assert run.status is RunStatus.SUCCEEDED
    starts = [at for _, _, at in imports.erp.reads]
    assert starts == [0, 0, 25, 50, 75]
    assert imports.count("gl_transactions") == 100


def test_a_connection_that_is_always_cut_fails_that_data_alone_and_says_why(imports: Imports) -> None:
    imports.erp.cut_after, imports.erp.cuts_left = 20, 1000
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    unit = imports.units(run)["gl_transactions", "F0001"]
    assert unit.status is UnitStatus.FAILED
    assert unit.problem == {"code": "connection_cut", "detail": "The connection to the ERP was cut."}
    assert imports.units(run)["accounts", "F0001"].status is UnitStatus.PUBLISHED


def test_the_same_run_worked_on_by_two_at_once_publishes_once(imports: Imports) -> None:
    ref = imports.queue(imports.job())
    plan = imports.planner.plan(ref, lambda: 900.0)
    assert imports.planner.plan(ref, lambda: 900.0) == plan
    for _ in range(2):
        for package in plan["packages"]:
            imports.execution.read(ref, package["from"], package["to"], lambda: 900.0)
    for _ in range(2):
        for package in imports.execution.list_publications(ref)["packages"]:
            imports.execution.publish(ref, package["from"], package["to"], lambda: 900.0)
        imports.execution.finish(ref)
    assert imports.count("gl_transactions") == 120
    assert imports.runs.get(ref).status is RunStatus.SUCCEEDED


def test_a_late_worker_of_an_older_run_cannot_undo_a_newer_one(imports: Imports) -> None:
    old = imports.queue(imports.job())
    plan = imports.planner.plan(old, lambda: 900.0)
    for package in plan["packages"]:
        imports.execution.read(old, package["from"], package["to"], lambda: 900.0)
    imports.now = imports.now.replace(hour=9)  # the old worker was silent for an hour: its leases are taken over
    imports.erp.data["F0001"]["gl_transactions"] = ledger(70)
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED
    for package in imports.execution.list_publications(old)["packages"]:
        imports.execution.publish(old, package["from"], package["to"], lambda: 900.0)
    imports.execution.finish(old)
    assert imports.count("gl_transactions", "company = 'F0001'") == 70
    problem = imports.units(imports.runs.get(old))["gl_transactions", "F0001"].problem
    assert problem is not None
    assert problem["code"] == "newer_run_published"


def test_a_run_by_hand_waits_for_another_over_the_same_data(imports: Imports) -> None:
    first, second = imports.queue(imports.job()), imports.queue(imports.job())
    assert imports.planner.plan(first, lambda: 900.0)["outcome"] == "ready"
    assert imports.planner.plan(second, lambda: 900.0) == {"outcome": "wait", "seconds": 15}
    assert imports.runs.get(second).blocked_by == first.run_id
    imports.drive(first)
    assert imports.planner.plan(second, lambda: 900.0)["outcome"] == "ready"


def test_a_run_that_has_waited_long_asks_less_often(imports: Imports) -> None:
    first, second = imports.queue(imports.job()), imports.queue(imports.job())
    imports.planner.plan(first, lambda: 900.0)
    waits: list[int] = []
    for minutes in (0, 10, 60):
        imports.now += timedelta(minutes=minutes)
        imports.runs.add_progress(first, imports.now, rows=1, size_bytes=1)  # it is alive and at work
        waits.append(imports.planner.plan(second, lambda: 900.0)["seconds"])
    assert waits == [15, 75, 300]


def test_a_run_that_waited_comes_after_those_it_waited_for(imports: Imports) -> None:
    """Three over the same data: the second waits for the first, and the third slips in before it."""
    first, patient, quick = (imports.queue(imports.job()) for _ in range(3))

    def ask(ref: RunRef) -> str:
        imports.now += timedelta(seconds=15)
        return imports.planner.plan(ref, lambda: 900.0)["outcome"]

    assert (ask(first), ask(patient)) == ("ready", "wait")
    imports.drive(first)
    assert (ask(quick), ask(patient)) == ("ready", "wait")
    imports.drive(quick)
    imports.erp.data["F0001"]["gl_transactions"] = ledger(61)
    assert ask(patient) == "ready"
    imports.drive(patient)
    run = imports.runs.get(patient)
    assert (run.status, run.problem) == (RunStatus.SUCCEEDED, None)
    assert imports.count("gl_transactions") == 121


def test_a_scheduled_run_over_the_same_data_is_skipped_and_says_so(imports: Imports) -> None:
    first = imports.queue(imports.job())
    imports.planner.plan(first, lambda: 900.0)
    run = imports.run(imports.job(), RunTrigger.SCHEDULE)
    assert run.status is RunStatus.CANCELLED
    assert run.problem is not None
    assert (run.problem["code"], run.blocked_by) == ("overlapping_run", first.run_id)
    assert imports.planner.plan(first, lambda: 900.0)["outcome"] == "ready"


def test_runs_over_different_companies_do_not_wait_for_each_other(imports: Imports) -> None:
    first, second = (
        imports.queue(imports.job(company_keys=("F0001",))),
        imports.queue(imports.job(company_keys=("F0002",))),
    )
    assert imports.planner.plan(first, lambda: 900.0)["outcome"] == "ready"
    assert imports.planner.plan(second, lambda: 900.0)["outcome"] == "ready"


def test_a_cancelled_run_stops_within_one_batch_and_publishes_nothing(imports: Imports) -> None:
    imports.run(imports.job())
    imports.erp.data["F0001"]["gl_transactions"] = ledger(100, cents=7)
    job = imports.job(dataset_ids=("gl_transactions",))
    imports.now = imports.now.replace(hour=20)
    ref = imports.queue(job)
    imports.erp.reads.clear()
    asked: list[int] = []

    def cancel(at: int) -> None:
        asked.append(at)
        if at == 10:
            imports.runs.update(ref, cancel_requested=True)

    imports.erp.on_batch = cancel
    imports.drive(ref)
    assert asked == [0, 10], "no further batch was read"
    assert len(imports.erp.reads) == 1
    assert imports.runs.get(ref).status is RunStatus.CANCELLED
    assert imports.count("gl_transactions", "company = 'F0001'") == 60
    assert imports.leftovers() == []
    imports.erp.on_batch = None
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED, "its leases are free"


def test_a_run_that_is_cancelled_before_it_was_looked_at_has_written_nothing(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_reader, "SMALL_BATCH_BYTES", 0)
    imports.sources.selected = ["F0001"]
    ref = imports.queue(imports.job(dataset_ids=("gl_transactions",)))
    imports.erp.on_batch = lambda _at: imports.runs.update(ref, cancel_requested=True)
    imports.drive(ref)
    assert imports.runs.get(ref).status is RunStatus.CANCELLED
    assert [unit.rows_written for unit in imports.stores.units.of_run(ref)] == [0]


def test_a_run_cancelled_before_it_began_does_nothing(imports: Imports) -> None:
    ref = imports.queue(imports.job())
    imports.runs.update(ref, cancel_requested=True)
    imports.drive(ref)
    assert imports.runs.get(ref).status is RunStatus.CANCELLED
    assert imports.erp.reads == []


def test_a_dead_runs_lease_is_taken_over(imports: Imports) -> None:
    dead = imports.queue(imports.job())
    imports.planner.plan(dead, lambda: 900.0)
    imports.now = imports.now.replace(hour=9)
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED


def test_time_running_out_asks_to_be_called_again(imports: Imports) -> None:
    ref = imports.queue(imports.job())
    assert imports.planner.plan(ref, lambda: 1.0) == {"outcome": "more"}
    plan = imports.planner.plan(ref, lambda: 900.0)
    assert imports.execution.read(ref, 0, len(plan["packages"]), lambda: 1.0) == {"outcome": "more"}
    assert imports.erp.reads == []


@pytest.mark.parametrize("step", ["stage", "staged_totals", "publish", "clean", "prepare"])
def test_storage_that_is_full_once_is_tried_again(imports: Imports, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = getattr(imports.lake, step), []

    def full(*arguments: Any) -> Any:
        if not failed:
            failed.append(step)
            raise Unavailable("The lake's storage did not answer as it should.", code="lake_unavailable")
        return real(*arguments)

    monkeypatch.setattr(imports.lake, step, full)
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED
    assert failed == [step]
    assert imports.count("gl_transactions") == 120


def test_storage_that_stays_full_fails_the_run_and_keeps_what_was_there(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.run(imports.job())
    imports.erp.data["F0001"]["gl_transactions"] = ledger(80)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError("No space left on device")

    monkeypatch.setattr("erphub.lake.delta.staging.write_deltalake", full)
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "lake_unavailable"
    assert imports.count("gl_transactions") == 120


def test_data_that_cannot_be_published_now_holds_up_no_other(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    real = imports.lake.publish

    def busy(target: Any, staged: Any) -> Any:
        if target.company == "F0001":
            raise Unavailable("The table is busy.", code="lake_busy")
        return real(target, staged)

    monkeypatch.setattr(imports.lake, "publish", busy)
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    ended = {key: (unit.status, (unit.problem or {}).get("code")) for key, unit in imports.units(run).items()}
    assert ended == {
        (dataset, company): (UnitStatus.FAILED, "lake_busy") if company == "F0001" else (UnitStatus.PUBLISHED, None)
        for dataset in ("accounts", "gl_transactions")
        for company in ("F0001", "F0002")
    }
    lines = imports.stores.log.page(run.ref, 200, None).items
    given_up = {line.unit for line in lines if line.level == "error"}
    assert given_up == {"accounts of Company F0001", "gl_transactions of Company F0001"}, "only these are given up"


@pytest.mark.parametrize("step", ["stage", "publish"])
def test_data_that_costs_every_worker_its_life_is_left_for_last(
    imports: Imports, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the first of its package: whoever began with it each time would never come to the others."""
    real = getattr(imports.lake, step)
    imports.sources.datasets = ("accounts",)
    imports.planner = replace(imports.planner, part_rows=1000)

    def deadly(what: Any, *rest: Any) -> Any:
        if (what.company if step == "publish" else what.split("/")[-2]) in ("F0001", "000000"):
            raise Killed(step)
        return real(what, *rest)

    ref = imports.queue(imports.job())
    monkeypatch.setattr(imports.lake, step, deadly)

    def drive(packages: list[dict[str, Any]], work: Any, *, parts: bool) -> None:
        (package,) = packages
        first, end = package["from"], package["to"]
        try:
            imports.task(lambda: work(ref, first, end, lambda: 900.0))
        except Killed:
            imports.execution.abandon(ref, first, end, parts=parts)

    drive(imports.planner.plan(ref, lambda: 900.0)["packages"], imports.execution.read, parts=True)
    drive(imports.execution.list_publications(ref)["packages"], imports.execution.publish, parts=False)
    imports.execution.finish(ref)
    problems = {company: unit.problem for (_, company), unit in imports.units(imports.runs.get(ref)).items()}
    assert problems["F0002"] is None
    assert set(problems["F0001"] or {}) == {"code", "detail"}
    assert (problems["F0001"] or {})["code"] == "worker_lost"
    assert imports.runs.get(ref).status is RunStatus.PARTIALLY_SUCCEEDED


def test_tables_that_stay_locked_hold_up_no_other_of_their_package(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.erp.data |= {company: {"accounts": chart(3)} for company in ("F0003", "F0004")}
    imports.sources.datasets = ("accounts",)
    imports.planner = replace(imports.planner, part_rows=1000)
    real = imports.erp.read

    def read(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key < "F0004":
            raise Unavailable("Somebody holds a lock on the table.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(imports.erp, "read", read)
    ended = {
        key[1]: (unit.problem or {}).get("code") for key, unit in imports.units(imports.run(imports.job())).items()
    }
    assert ended == {"F0001": "lock_timeout", "F0002": "lock_timeout", "F0003": "lock_timeout", "F0004": None}


def test_a_killed_worker_is_never_caught_by_mistake() -> None:
    assert not issubclass(Killed, Exception)


def test_a_company_that_stays_away_fails_alone_after_some_tries(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = imports.erp.plan_reading, []

    def plan_reading(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key == "F0001" and dataset.id == "accounts":
            tried.append(company.key)
            raise Unavailable("The server did not answer in time.", code="query_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(imports.erp, "plan_reading", plan_reading)
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    assert len(tried) == 3
    problem = imports.units(run)["accounts", "F0001"].problem
    assert problem is not None
    assert problem["code"] == "query_timeout"
    assert imports.units(run)["gl_transactions", "F0001"].status is UnitStatus.PUBLISHED


@pytest.mark.parametrize("away", [{"F0001"}, {"F0001", "F0002"}, {"F0002", "F0003", "F0004"}])
def test_companies_that_stay_locked_hold_up_no_other_while_the_run_is_planned(
    imports: Imports, away: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.erp.data |= {f"F{n:04}": {"accounts": chart(3 * n)} for n in range(3, 9)}
    real = imports.erp.plan_reading

    def plan_reading(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key in away:
            raise Unavailable("Somebody holds a lock.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(imports.erp, "plan_reading", plan_reading)
    run = imports.run(imports.job())
    assert run.status is RunStatus.PARTIALLY_SUCCEEDED
    ended = {key: (unit.problem or {}).get("code") for key, unit in imports.units(run).items()}
    assert ended == {key: "lock_timeout" if key[1] in away else None for key in ended}


def test_what_could_be_looked_at_only_at_the_second_try_is_read_whole(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = imports.erp.plan_reading, []

    def plan_reading(dataset: Any, company: Any, *rest: Any) -> Any:
        tried.append((dataset.id, company.key))
        if len(tried) == 1:
            raise Unavailable("Somebody holds a lock.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(imports.erp, "plan_reading", plan_reading)
    run = imports.run(imports.job())
    assert run.status is RunStatus.SUCCEEDED
    assert tried[0] == tried[-1] == ("accounts", "F0001"), "the others came first"
    assert (imports.count("accounts"), imports.count("gl_transactions")) == (24, 120)


def test_an_erp_that_is_away_is_not_asked_for_each_of_its_companies(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.erp.data = {f"F{n:04}": {} for n in range(40)}
    asked: list[str] = []

    def plan_reading(_: Any, company: Any, *__: Any) -> Any:
        asked.append(company.key)
        raise Unavailable("The server does not answer.", code="connection_cut")

    monkeypatch.setattr(imports.erp, "plan_reading", plan_reading)
    ref = imports.queue(imports.job())
    for _ in range(5):
        with pytest.raises(Unavailable):
            imports.planner.plan(ref, lambda: 900.0)
    assert len(asked) == 25


def test_an_erp_that_stays_away_while_a_run_is_planned_is_what_the_run_says(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("The server does not answer.", code="connection_cut")

    with monkeypatch.context() as patched:
        patched.setattr(imports.sources, "companies", away)
        ref = imports.queue(imports.job())
        for _ in range(5):
            with pytest.raises(Unavailable):
                imports.planner.plan(ref, lambda: 900.0)
    imports.execution.finish(ref, {"code": "machine_failed", "detail": "It could not be carried out."})
    run = imports.runs.get(ref)
    assert run.problem == {"code": "connection_cut", "detail": "The server does not answer."}
    assert imports.log(run).count("connection_cut") == 1, "said once, however often it was tried"


def test_an_erp_that_was_away_only_at_first_is_no_problem_of_the_run(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = imports.sources.companies, []

    def away_once(source: Any) -> Any:
        calls.append(source)
        if len(calls) == 1:
            raise Unavailable("The server does not answer.", code="connection_cut")
        return real(source)

    monkeypatch.setattr(imports.sources, "companies", away_once)
    run = imports.run(imports.job())
    assert (run.status, run.problem, run.last_problem) == (RunStatus.SUCCEEDED, None, None)


def test_a_run_that_is_cancelled_while_it_is_planned_asks_the_erp_nothing_more(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports.erp.data |= {f"F{n:04}": {} for n in range(3, 9)}
    real, asked = imports.erp.plan_reading, []
    ref = imports.queue(imports.job())

    def plan_reading(*what: Any) -> Any:
        asked.append(what)
        imports.runs.update(ref, cancel_requested=True)
        return real(*what)

    monkeypatch.setattr(imports.erp, "plan_reading", plan_reading)
    imports.drive(ref)
    assert len(asked) == 1
    assert imports.runs.get(ref).status is RunStatus.CANCELLED
    assert imports.planner.plan(imports.queue(imports.job()), lambda: 900.0)["outcome"] == "ready", (
        "its leases are free"
    )


def test_an_empty_plan_says_so(imports: Imports) -> None:
    imports.sources.datasets = ()
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "nothing_to_import"


@pytest.mark.parametrize("call", ["put", "update", "get", "put_many", "delete"])
def test_a_throttled_table_delays_a_run_and_loses_nothing(
    imports: Imports, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = getattr(imports.table, call), []

    def throttled(*arguments: Any, **more: Any) -> Any:
        if len(refused) < 2:
            refused.append(call)
            raise Unavailable("The table is busy. Try again in a moment.", code="table_busy")
        return real(*arguments, **more)

    ref = imports.queue(imports.job())
    monkeypatch.setattr(imports.table, call, throttled)
    imports.drive(ref)
    assert len(refused) == 2
    assert imports.runs.get(ref).status is RunStatus.SUCCEEDED
    assert imports.count("gl_transactions") == 120
    assert imports.count("accounts") == 24


@pytest.mark.parametrize("step", ["plan_reading", "stage", "publish"])
def test_services_of_the_hubs_own_that_are_busy_are_waited_for_and_held_against_no_company(
    imports: Imports, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long: a company's own trouble is counted, that of the table, the bucket or the password store is not."""
    ref = imports.queue(imports.job())
    work: Callable[[], Any] = lambda: imports.planner.plan(ref, lambda: 900.0)  # noqa: E731
    if step != "plan_reading":
        packages = work()["packages"]
        if step == "stage":
            work = lambda: imports.execution.read(ref, 0, packages[-1]["to"], lambda: 900.0)  # noqa: E731
        else:
            imports.map(ref, packages, imports.execution.read, parts=True)
            work = lambda: imports.execution.publish(ref, 0, 4, lambda: 900.0)  # noqa: E731

    def busy(*_: Any, **__: Any) -> Any:
        raise ServiceBusy("The table is busy.", code="table_busy")

    with monkeypatch.context() as patched:
        patched.setattr(imports.erp if step == "plan_reading" else imports.lake, step, busy)
        for _ in range(8):
            with pytest.raises(ServiceBusy):
                work()
    imports.drive(ref)
    run = imports.runs.get(ref)
    assert (run.status, run.last_problem) == (RunStatus.SUCCEEDED, None)
    assert "table_busy" not in imports.log(run)
