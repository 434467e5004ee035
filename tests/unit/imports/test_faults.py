"""What goes wrong in the middle: whatever it is, the lake holds all of the old or all of the new."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.imports.jobs.models import Days
from erphub.imports.runs.models import RunRef, Status, Trigger, UnitStatus
from erphub.platform.errors import ServiceBusy, Unavailable

from .conftest import CHECKPOINTS, House, Killed, Prepared, chart, ledger


@pytest.fixture
def imported(house: House, prepared: Prepared) -> House:
    """The connection is to one company, which was imported once."""
    house.sources.selected = ["F0001"]
    return prepared(house, "one-company", lambda house: house.run(house.job()))


def test_every_place_a_worker_can_die_is_known(house: House) -> None:
    house.run(house.job())
    assert set(house.seen) == set(CHECKPOINTS)


@pytest.mark.parametrize("point", CHECKPOINTS)
def test_a_worker_killed_anywhere_ends_in_the_same_table(imported: House, point: str) -> None:
    house = imported
    house.erp.data["F0001"]["gl_transactions"] = ledger(55, cents=200)
    house.erp.data["F0001"]["accounts"] = chart(9, "Other")
    house.dies_at = point
    run = house.run(house.job())
    assert house.dies_at is None, "nobody was killed"
    assert run.status is Status.SUCCEEDED
    assert house.count("gl_transactions") == 55
    amounts = house.rows("gl_transactions", "company, journal_no, entry_no, amount", "company = 'F0001'")
    assert sum(row["amount"] for row in amounts) == sum(Decimal(2 * n) for n in range(55))
    assert house.count("accounts") == 9
    unit = house.units(run)["gl_transactions", "F0001"]
    assert (unit.read, unit.written, unit.removed) == (55, 55, 60)
    assert house.leftovers() == []


@pytest.mark.parametrize("point", ["publish.copied", "publish.committed", "publish.saved"])
def test_a_worker_killed_while_a_window_is_published_ends_in_the_same_table(imported: House, point: str) -> None:
    house = imported
    house.erp.data["F0001"]["gl_transactions"] = ledger(60, cents=200)
    house.dies_at = point
    run = house.run(house.job(Days(kind="days", days=10)))
    assert run.status is Status.SUCCEEDED
    rows = house.rows("gl_transactions", "company, journal_no, entry_no, amount", "company = 'F0001'")
    assert len(rows) == 60
    assert [row["amount"] for row in rows if row["journal_no"] == "59"] == [Decimal(118)]
    assert [row["amount"] for row in rows if row["journal_no"] == "0"] == [Decimal(0)]


def test_a_reader_never_sees_half(house: House) -> None:
    house.run(house.job(datasets=("gl_transactions",)))
    house.erp.data["F0001"]["gl_transactions"] = ledger(90)
    seen: set[int] = set()

    def look(name: str) -> None:
        if name not in ("read.batch", "stage.piece"):  # those are called from within the engine
            seen.add(house.count("gl_transactions", "company = 'F0001'"))

    house.on_checkpoint = look
    house.run(house.job(datasets=("gl_transactions",)))
    assert seen == {60, 90}


def test_a_cut_connection_resumes_after_the_last_part_that_was_read(house: House) -> None:
    house.erp.data = {"F0001": {"gl_transactions": ledger(100)}}
    house.erp.cut_after, house.erp.cuts_left = 20, 1
    run = house.run(house.job(datasets=("gl_transactions",)))
    assert run.status is Status.SUCCEEDED
    starts = [at for _, _, at in house.erp.reads]
    assert starts == [0, 0, 25, 50, 75]
    assert house.count("gl_transactions") == 100


def test_a_connection_that_is_always_cut_fails_that_data_alone_and_says_why(house: House) -> None:
    house.erp.cut_after, house.erp.cuts_left = 20, 1000
    run = house.run(house.job())
    assert run.status is Status.PARTIALLY_SUCCEEDED
    unit = house.units(run)["gl_transactions", "F0001"]
    assert unit.status is UnitStatus.FAILED
    assert unit.problem == {"code": "connection_cut", "detail": "The connection to the ERP was cut."}
    assert house.units(run)["accounts", "F0001"].status is UnitStatus.PUBLISHED


def test_the_same_run_worked_on_by_two_at_once_publishes_once(house: House) -> None:
    ref = house.queue(house.job())
    plan = house.importing.plan(ref, lambda: 900.0)
    assert house.importing.plan(ref, lambda: 900.0) == plan
    for _ in range(2):
        for package in plan["packages"]:
            house.importing.read(ref, package["from"], package["to"], lambda: 900.0)
    for _ in range(2):
        for package in house.importing.publishing(ref)["packages"]:
            house.importing.publish(ref, package["from"], package["to"], lambda: 900.0)
        house.importing.finish(ref)
    assert house.count("gl_transactions") == 120
    assert house.runs.get(ref).status is Status.SUCCEEDED


def test_a_late_worker_of_an_older_run_cannot_undo_a_newer_one(house: House) -> None:
    old = house.queue(house.job())
    plan = house.importing.plan(old, lambda: 900.0)
    for package in plan["packages"]:
        house.importing.read(old, package["from"], package["to"], lambda: 900.0)
    house.now = house.now.replace(hour=9)  # the old worker was silent for an hour: its leases are taken over
    house.erp.data["F0001"]["gl_transactions"] = ledger(70)
    assert house.run(house.job()).status is Status.SUCCEEDED
    for package in house.importing.publishing(old)["packages"]:
        house.importing.publish(old, package["from"], package["to"], lambda: 900.0)
    house.importing.finish(old)
    assert house.count("gl_transactions", "company = 'F0001'") == 70
    problem = house.units(house.runs.get(old))["gl_transactions", "F0001"].problem
    assert problem is not None
    assert problem["code"] == "newer_run_published"


def test_a_run_by_hand_waits_for_another_over_the_same_data(house: House) -> None:
    first, second = house.queue(house.job()), house.queue(house.job())
    assert house.importing.plan(first, lambda: 900.0)["outcome"] == "ready"
    assert house.importing.plan(second, lambda: 900.0) == {"outcome": "wait", "seconds": 15}
    assert house.runs.get(second).blocked_by == first.run_id
    house.drive(first)
    assert house.importing.plan(second, lambda: 900.0)["outcome"] == "ready"


def test_a_run_that_has_waited_long_asks_less_often(house: House) -> None:
    first, second = house.queue(house.job()), house.queue(house.job())
    house.importing.plan(first, lambda: 900.0)
    waits: list[int] = []
    for minutes in (0, 10, 60):
        house.now += timedelta(minutes=minutes)
        house.runs.progress(first, house.now, 1, 1)  # it is alive and at work
        waits.append(house.importing.plan(second, lambda: 900.0)["seconds"])
    assert waits == [15, 75, 300]


def test_a_run_that_waited_comes_after_those_it_waited_for(house: House) -> None:
    """Three over the same data: the second waits for the first, and the third slips in before it."""
    first, patient, quick = (house.queue(house.job()) for _ in range(3))

    def ask(ref: RunRef) -> str:
        house.now += timedelta(seconds=15)
        return house.importing.plan(ref, lambda: 900.0)["outcome"]

    assert (ask(first), ask(patient)) == ("ready", "wait")
    house.drive(first)
    assert (ask(quick), ask(patient)) == ("ready", "wait")
    house.drive(quick)
    house.erp.data["F0001"]["gl_transactions"] = ledger(61)
    assert ask(patient) == "ready"
    house.drive(patient)
    run = house.runs.get(patient)
    assert (run.status, run.problem) == (Status.SUCCEEDED, None)
    assert house.count("gl_transactions") == 121


def test_a_scheduled_run_over_the_same_data_is_skipped_and_says_so(house: House) -> None:
    first = house.queue(house.job())
    house.importing.plan(first, lambda: 900.0)
    run = house.run(house.job(), Trigger.SCHEDULE)
    assert run.status is Status.CANCELLED
    assert run.problem is not None
    assert (run.problem["code"], run.blocked_by) == ("overlapping_run", first.run_id)
    assert house.importing.plan(first, lambda: 900.0)["outcome"] == "ready"


def test_runs_over_different_companies_do_not_wait_for_each_other(house: House) -> None:
    first, second = house.queue(house.job(companies=("F0001",))), house.queue(house.job(companies=("F0002",)))
    assert house.importing.plan(first, lambda: 900.0)["outcome"] == "ready"
    assert house.importing.plan(second, lambda: 900.0)["outcome"] == "ready"


def test_a_cancelled_run_stops_within_one_batch_and_publishes_nothing(house: House) -> None:
    house.run(house.job())
    house.erp.data["F0001"]["gl_transactions"] = ledger(100, cents=7)
    job = house.job(datasets=("gl_transactions",))
    house.now = house.now.replace(hour=20)
    ref = house.queue(job)
    house.erp.reads.clear()
    asked: list[int] = []

    def cancel(at: int) -> None:
        asked.append(at)
        if at == 10:
            house.runs.change(ref, cancel_requested=True)

    house.erp.on_batch = cancel
    house.drive(ref)
    assert asked == [0, 10], "no further batch was read"
    assert len(house.erp.reads) == 1
    assert house.runs.get(ref).status is Status.CANCELLED
    assert house.count("gl_transactions", "company = 'F0001'") == 60
    assert house.leftovers() == []
    house.erp.on_batch = None
    assert house.run(house.job()).status is Status.SUCCEEDED, "its leases are free"


def test_a_run_cancelled_before_it_began_does_nothing(house: House) -> None:
    ref = house.queue(house.job())
    house.runs.change(ref, cancel_requested=True)
    house.drive(ref)
    assert house.runs.get(ref).status is Status.CANCELLED
    assert house.erp.reads == []


def test_a_dead_runs_lease_is_taken_over(house: House) -> None:
    dead = house.queue(house.job())
    house.importing.plan(dead, lambda: 900.0)
    house.now = house.now.replace(hour=9)
    assert house.run(house.job()).status is Status.SUCCEEDED


def test_time_running_out_asks_to_be_called_again(house: House) -> None:
    ref = house.queue(house.job())
    assert house.importing.plan(ref, lambda: 1.0) == {"outcome": "more"}
    plan = house.importing.plan(ref, lambda: 900.0)
    assert house.importing.read(ref, 0, len(plan["packages"]), lambda: 1.0) == {"outcome": "more"}
    assert house.erp.reads == []


@pytest.mark.parametrize("step", ["stage", "staged_totals", "publish", "clean", "prepare"])
def test_storage_that_is_full_once_is_tried_again(house: House, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = getattr(house.lake, step), []

    def full(*arguments: Any) -> Any:
        if not failed:
            failed.append(step)
            raise Unavailable("The lake's storage did not answer as it should.", code="lake_unavailable")
        return real(*arguments)

    monkeypatch.setattr(house.lake, step, full)
    assert house.run(house.job()).status is Status.SUCCEEDED
    assert failed == [step]
    assert house.count("gl_transactions") == 120


def test_storage_that_stays_full_fails_the_run_and_keeps_what_was_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.run(house.job())
    house.erp.data["F0001"]["gl_transactions"] = ledger(80)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError("No space left on device")

    monkeypatch.setattr("erphub.lake.delta.staging.write_deltalake", full)
    run = house.run(house.job())
    assert run.status is Status.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "lake_unavailable"
    assert house.count("gl_transactions") == 120


def test_data_that_cannot_be_published_now_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = house.lake.publish

    def busy(target: Any, staged: Any) -> Any:
        if target.company == "F0001":
            raise Unavailable("The table is busy.", code="lake_busy")
        return real(target, staged)

    monkeypatch.setattr(house.lake, "publish", busy)
    run = house.run(house.job())
    assert run.status is Status.PARTIALLY_SUCCEEDED
    ended = {key: (unit.status, (unit.problem or {}).get("code")) for key, unit in house.units(run).items()}
    assert ended == {
        (dataset, company): (UnitStatus.FAILED, "lake_busy") if company == "F0001" else (UnitStatus.PUBLISHED, None)
        for dataset in ("accounts", "gl_transactions")
        for company in ("F0001", "F0002")
    }
    lines = house.runs.log_page(run.ref, 200, None).items
    given_up = {line.unit for line in lines if line.level == "error"}
    assert given_up == {"accounts of Company F0001", "gl_transactions of Company F0001"}, "only these are given up"


@pytest.mark.parametrize("step", ["stage", "publish"])
def test_data_that_costs_every_worker_its_life_is_left_for_last(
    house: House, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the first of its package: whoever began with it each time would never come to the others."""
    real = getattr(house.lake, step)
    house.sources.datasets = ("accounts",)
    house.importing = replace(house.importing, part_rows=1000)

    def deadly(what: Any, *rest: Any) -> Any:
        if (what.company if step == "publish" else what.split("/")[-2]) in ("F0001", "000000"):
            raise Killed(step)
        return real(what, *rest)

    ref = house.queue(house.job())
    monkeypatch.setattr(house.lake, step, deadly)

    def drive(packages: list[dict[str, Any]], work: Any, *, parts: bool) -> None:
        (package,) = packages
        first, end = package["from"], package["to"]
        try:
            house.task(lambda: work(ref, first, end, lambda: 900.0))
        except Killed:
            house.importing.abandon(ref, first, end, parts=parts)

    drive(house.importing.plan(ref, lambda: 900.0)["packages"], house.importing.read, parts=True)
    drive(house.importing.publishing(ref)["packages"], house.importing.publish, parts=False)
    house.importing.finish(ref)
    problems = {company: unit.problem for (_, company), unit in house.units(house.runs.get(ref)).items()}
    assert problems["F0002"] is None
    assert set(problems["F0001"] or {}) == {"code", "detail"}
    assert (problems["F0001"] or {})["code"] == "worker_lost"
    assert house.runs.get(ref).status is Status.PARTIALLY_SUCCEEDED


def test_tables_that_stay_locked_hold_up_no_other_of_their_package(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.erp.data |= {company: {"accounts": chart(3)} for company in ("F0003", "F0004")}
    house.sources.datasets = ("accounts",)
    house.importing = replace(house.importing, part_rows=1000)
    real = house.erp.read

    def read(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key < "F0004":
            raise Unavailable("Somebody holds a lock on the table.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(house.erp, "read", read)
    ended = {key[1]: (unit.problem or {}).get("code") for key, unit in house.units(house.run(house.job())).items()}
    assert ended == {"F0001": "lock_timeout", "F0002": "lock_timeout", "F0003": "lock_timeout", "F0004": None}


def test_a_killed_worker_is_never_caught_by_mistake() -> None:
    assert not issubclass(Killed, Exception)


def test_a_company_that_stays_away_fails_alone_after_some_tries(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tried = house.erp.survey, []

    def survey(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key == "F0001" and dataset.id == "accounts":
            tried.append(company.key)
            raise Unavailable("The server did not answer in time.", code="query_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(house.erp, "survey", survey)
    run = house.run(house.job())
    assert run.status is Status.PARTIALLY_SUCCEEDED
    assert len(tried) == 3
    problem = house.units(run)["accounts", "F0001"].problem
    assert problem is not None
    assert problem["code"] == "query_timeout"
    assert house.units(run)["gl_transactions", "F0001"].status is UnitStatus.PUBLISHED


@pytest.mark.parametrize("away", [{"F0001"}, {"F0001", "F0002"}, {"F0002", "F0003", "F0004"}])
def test_companies_that_stay_locked_hold_up_no_other_while_the_run_is_planned(
    house: House, away: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.erp.data |= {f"F{n:04}": {"accounts": chart(3 * n)} for n in range(3, 9)}
    real = house.erp.survey

    def survey(dataset: Any, company: Any, *rest: Any) -> Any:
        if company.key in away:
            raise Unavailable("Somebody holds a lock.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(house.erp, "survey", survey)
    run = house.run(house.job())
    assert run.status is Status.PARTIALLY_SUCCEEDED
    ended = {key: (unit.problem or {}).get("code") for key, unit in house.units(run).items()}
    assert ended == {key: "lock_timeout" if key[1] in away else None for key in ended}


def test_what_could_be_looked_at_only_at_the_second_try_is_read_whole(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tried = house.erp.survey, []

    def survey(dataset: Any, company: Any, *rest: Any) -> Any:
        tried.append((dataset.id, company.key))
        if len(tried) == 1:
            raise Unavailable("Somebody holds a lock.", code="lock_timeout")
        return real(dataset, company, *rest)

    monkeypatch.setattr(house.erp, "survey", survey)
    run = house.run(house.job())
    assert run.status is Status.SUCCEEDED
    assert tried[0] == tried[-1] == ("accounts", "F0001"), "the others came first"
    assert (house.count("accounts"), house.count("gl_transactions")) == (24, 120)


def test_an_erp_that_is_away_is_not_asked_for_each_of_its_companies(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.erp.data = {f"F{n:04}": {} for n in range(40)}
    asked: list[str] = []

    def survey(_: Any, company: Any, *__: Any) -> Any:
        asked.append(company.key)
        raise Unavailable("The server does not answer.", code="connection_cut")

    monkeypatch.setattr(house.erp, "survey", survey)
    ref = house.queue(house.job())
    for _ in range(5):
        with pytest.raises(Unavailable):
            house.importing.plan(ref, lambda: 900.0)
    assert len(asked) == 25


def test_an_erp_that_stays_away_while_a_run_is_planned_is_what_the_run_says(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("The server does not answer.", code="connection_cut")

    with monkeypatch.context() as patched:
        patched.setattr(house.sources, "companies", away)
        ref = house.queue(house.job())
        for _ in range(5):
            with pytest.raises(Unavailable):
                house.importing.plan(ref, lambda: 900.0)
    house.importing.finish(ref, {"code": "machine_failed", "detail": "It could not be carried out."})
    run = house.runs.get(ref)
    assert run.problem == {"code": "connection_cut", "detail": "The server does not answer."}
    assert house.log(run).count("connection_cut") == 1, "said once, however often it was tried"


def test_an_erp_that_was_away_only_at_first_is_no_problem_of_the_run(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = house.sources.companies, []

    def away_once(source: Any) -> Any:
        calls.append(source)
        if len(calls) == 1:
            raise Unavailable("The server does not answer.", code="connection_cut")
        return real(source)

    monkeypatch.setattr(house.sources, "companies", away_once)
    run = house.run(house.job())
    assert (run.status, run.problem, run.trouble) == (Status.SUCCEEDED, None, None)


def test_a_run_that_is_cancelled_while_it_is_planned_asks_the_erp_nothing_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.erp.data |= {f"F{n:04}": {} for n in range(3, 9)}
    real, asked = house.erp.survey, []
    ref = house.queue(house.job())

    def survey(*what: Any) -> Any:
        asked.append(what)
        house.runs.change(ref, cancel_requested=True)
        return real(*what)

    monkeypatch.setattr(house.erp, "survey", survey)
    house.drive(ref)
    assert len(asked) == 1
    assert house.runs.get(ref).status is Status.CANCELLED
    assert house.importing.plan(house.queue(house.job()), lambda: 900.0)["outcome"] == "ready", "its leases are free"


def test_an_empty_plan_says_so(house: House) -> None:
    house.sources.datasets = ()
    run = house.run(house.job())
    assert run.status is Status.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "nothing_to_import"


@pytest.mark.parametrize("call", ["put", "update", "get", "put_many", "delete"])
def test_a_throttled_table_delays_a_run_and_loses_nothing(
    house: House, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = getattr(house.table, call), []

    def throttled(*arguments: Any, **more: Any) -> Any:
        if len(refused) < 2:
            refused.append(call)
            raise Unavailable("The table is busy. Try again in a moment.", code="table_busy")
        return real(*arguments, **more)

    ref = house.queue(house.job())
    monkeypatch.setattr(house.table, call, throttled)
    house.drive(ref)
    assert len(refused) == 2
    assert house.runs.get(ref).status is Status.SUCCEEDED
    assert house.count("gl_transactions") == 120
    assert house.count("accounts") == 24


@pytest.mark.parametrize("step", ["survey", "stage", "publish"])
def test_services_of_the_hubs_own_that_are_busy_are_waited_for_and_held_against_no_company(
    house: House, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long: a company's own trouble is counted, that of the table, the bucket or the password store is not."""
    ref = house.queue(house.job())
    work: Callable[[], Any] = lambda: house.importing.plan(ref, lambda: 900.0)  # noqa: E731
    if step != "survey":
        packages = work()["packages"]
        if step == "stage":
            work = lambda: house.importing.read(ref, 0, packages[-1]["to"], lambda: 900.0)  # noqa: E731
        else:
            house.map(ref, packages, house.importing.read, parts=True)
            work = lambda: house.importing.publish(ref, 0, 4, lambda: 900.0)  # noqa: E731

    def busy(*_: Any, **__: Any) -> Any:
        raise ServiceBusy("The table is busy.", code="table_busy")

    with monkeypatch.context() as patched:
        patched.setattr(house.erp if step == "survey" else house.lake, step, busy)
        for _ in range(8):
            with pytest.raises(ServiceBusy):
                work()
    house.drive(ref)
    run = house.runs.get(ref)
    assert (run.status, run.trouble) == (Status.SUCCEEDED, None)
    assert "table_busy" not in house.log(run)
