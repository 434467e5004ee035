"""Imports on the deployed hub: from a SQL Server over the wire to rows a client reads, and what goes wrong."""

import os
import signal
import time
from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.books import COMPANY, Books
from tests.e2e.waiting import until

HELD = 100
"""Seconds for which an answer is held back unless the test releases it before, as soon as it has seen enough."""


@pytest.fixture(scope="module")
def everything(hub: Any) -> Books:
    """A client whose first import has ended; tests of this module share it and leave it working."""
    books = Books(hub, [COMPANY])
    job = books.first_job()
    assert books.ended(job, books.started_by_itself(job))["status"] == "succeeded"
    return books


@pytest.fixture
def books(everything: Books) -> Generator[Books]:
    yield everything
    everything.mend()


def ledger_job(books: Books, **values: Any) -> str:
    return books.job(**{"dataset_ids": ["gl_transactions"]} | values)


def add_line(books: Books, day: date, amount: str, text: str = "Added by a test") -> None:
    books.sql(
        "INSERT INTO {AcTr} (JNo, EntNo, VoNo, VoDt, AcNo, AcYrPr, AcAm, Txt) "
        f"SELECT max(JNo) + 1, 1, 1, {day:%Y%m%d}, 3000, 202601, {amount}, '{text}' FROM {{AcTr}}"
    )


def test_a_new_connection_imports_everything_once_and_the_sums_agree(books: Books) -> None:
    until(lambda: set(books.jobs()) >= {"Everything", "This year", "Last 40 days"} or None)
    assert books.ledger_here() == books.ledger_in_the_erp()
    job = books.first_job()
    runs = books.of_client("GET", f"/import-jobs/{job}/runs")["items"]
    assert [run["trigger"] for run in runs] == ["first"]
    run = books.run(job, runs[0]["id"])
    assert {unit["dataset_id"] for unit in run["units"]["items"]} >= {
        "accounts",
        "gl_transactions",
        "customers",
        "suppliers",
    }
    assert all(
        unit["status"] == "published" and unit["rows_read"] == unit["rows_planned"] for unit in run["units"]["items"]
    )
    assert run["cost"]["aws_calls"]["s3.CopyObject"] > 0
    assert [unit["rows_by_reader"] for unit in run["units"]["items"] if unit["rows_read"]] == [
        {"mssql-odbc": unit["rows_written"]} for unit in run["units"]["items"] if unit["rows_read"]
    ]
    assert float(run["cost"]["estimated_usd"]) > 0
    assert "succeeded" in [line["code"] for line in books.log(job, run["id"])]


def test_a_fixed_period_replaces_its_days_and_nothing_else(books: Books) -> None:
    today = date.today()  # noqa: DTZ011
    before, _ = books.ledger_here()
    add_line(books, today, "11.110000")
    add_line(books, today - timedelta(days=300), "22.220000")
    first = today - timedelta(days=40)
    job = ledger_job(books, period={"kind": "range", "from_date": str(first), "to_date": str(today)})
    assert books.ended(job, books.start(job))["status"] == "succeeded"
    assert books.ledger_here()[0] == before + 1, "the old day is outside of the period"
    again = ledger_job(books)
    assert books.ended(again, books.start(again))["status"] == "succeeded"
    assert books.ledger_here() == books.ledger_in_the_erp()


def test_a_rolling_window_brings_older_days_that_differ_from_the_erps(books: Books) -> None:
    before, _ = books.ledger_here()
    add_line(books, date.today(), "33.330000")  # noqa: DTZ011
    add_line(books, date.today() - timedelta(days=300), "44.440000")  # noqa: DTZ011
    job = ledger_job(books, period={"kind": "days", "days": 40})
    run = books.ended(job, books.start(job))
    assert run["status"] == "succeeded", run
    assert "late_changes_found" in [line["code"] for line in books.log(job, run["id"])]
    assert run["totals"]["rows_read"] < before, "not everything was read again"
    assert books.ledger_here() == books.ledger_in_the_erp()


def test_a_cut_connection_is_resumed(books: Books) -> None:
    books.fault(kind="cut", statement="rows", table="AcTr", after_rows=500, times=1)
    job = ledger_job(books)
    run = books.ended(job, books.start(job))
    assert run["status"] == "succeeded", run
    assert books.ledger_here() == books.ledger_in_the_erp()
    codes = [line["code"] for line in books.log(job, run["id"])]
    assert "connection_cut" in codes


def test_a_worker_killed_while_it_reads_is_replaced_and_ends_in_the_same_table(books: Books) -> None:
    books.fault(kind="stall", statement="rows", table="AcTr", after_rows=500, times=1)
    job = ledger_job(books)
    run = books.start(job)
    until(lambda: books.struck("stall") or None)
    killed = [pid for pid in workers(books.hub.stack.directory, "ImportTasks") if kill(pid)]
    assert killed, "there was no worker to kill"
    ended = books.ended(job, run)
    assert ended["status"] == "succeeded", ended
    assert books.ledger_here() == books.ledger_in_the_erp()


def workers(directory: Path, function: str) -> list[int]:
    """The processes in which this stack runs a function."""
    found: list[int] = []
    for process in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has ended meanwhile
            continue
        if str(directory) in command and f"-{function}-" in command and "_worker.py" in command:
            found.append(int(process.name))
    return found


def kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test_a_cancelled_run_stops_and_changes_nothing(books: Books) -> None:
    before = books.ledger_here()
    add_line(books, date.today(), "33.330000")  # noqa: DTZ011
    books.fault(kind="delay", statement="rows", table="AcTr", seconds=HELD, times=1)
    job = ledger_job(books)
    run = books.start(job)
    until(lambda: books.struck("delay") or None)
    books.of_client("POST", f"/import-jobs/{job}/runs/{run}/cancel")
    books.release()
    ended = books.ended(job, run)
    assert ended["status"] == "cancelled"
    assert ended["units"]["items"][0]["rows_written"] == 0
    assert books.ledger_here() == before
    answer = books.hub.call("POST", f"/clients/{books.client}/import-jobs/{job}/runs/{run}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "run_ended")
    staged = [key for key in books.hub.objects() if key.startswith(f"staging/{books.client}/")]
    assert staged == []


def test_a_ledger_that_somebody_works_in_is_read_again_until_it_agrees(books: Books) -> None:
    before, _ = books.ledger_here()
    books.erp("POST", "/databases/snapshot", name=COMPANY, allowed=False)
    books.fault(kind="delay", statement="rows", table="AcTr", seconds=HELD, times=2)
    job = ledger_job(books)
    run = books.start(job)
    try:
        for seen in (1, 2):  # each of these readings meets a line that was not there when it was counted
            until(lambda seen=seen: books.struck("delay") >= seen or None)
            assert books.ledger_here()[0] == before, "nothing of what does not agree is published"
            add_line(books, date.today(), "44.440000")  # noqa: DTZ011
            books.release()
        ended = books.ended(job, run)
    finally:
        books.erp("POST", "/databases/snapshot", name=COMPANY, allowed=True)
    assert ended["status"] == "succeeded", ended
    assert [line["code"] for line in books.log(job, run)].count("changed_while_reading") == 2
    assert books.ledger_here() == books.ledger_in_the_erp()


def test_a_company_that_went_offline_fails_alone(hub: Any) -> None:
    books = Books(hub, ["F0003", COMPANY])
    first = books.first_job()
    assert books.ended(first, books.started_by_itself(first))["status"] == "succeeded"
    job = books.job(dataset_ids=["accounts"])
    books.put_company("F0003", "OFFLINE")
    try:
        run = books.ended(job, books.start(job))
    finally:
        books.put_company("F0003", "ONLINE")
    assert run["status"] == "partially_succeeded"
    problems = {unit["company_key"]: (unit["problem"] or {}).get("code") for unit in run["units"]["items"]}
    assert problems == {"F0003": "company_unavailable", COMPANY: None}
    assert len(books.rows("accounts", company_key="F0003")) > 0, "what was imported before stays"


def test_a_wrong_job_is_refused_with_every_reason(books: Books) -> None:
    body = {"name": "\u202e", "connection_id": books.connection, "period": {"kind": "days", "days": 101}}
    answer = books.hub.call("POST", f"/clients/{books.client}/import-jobs", json=body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/name", "/period/days"}


def test_the_scheduler_starts_what_is_due_once_however_often_it_is_called(books: Books) -> None:
    schedule = {"run_time": "02:30", "time_zone": "Europe/Oslo"}
    job = ledger_job(books, period={"kind": "days", "days": 1}, schedule=schedule)
    due = datetime.now(UTC) - timedelta(minutes=5)
    table = books.hub.outputs["TableName"]
    books.hub.aws.client("dynamodb").update_item(
        TableName=table,
        Key={"pk": {"S": f"CLIENT#{books.client}"}, "sk": {"S": f"JOB#{job}"}},
        UpdateExpression="SET due_at = :due",
        ExpressionAttributeValues={":due": {"S": due.strftime("%Y-%m-%dT%H:%M:%S.000Z")}},
    )
    for _ in range(3):
        answer = books.hub.aws.client("lambda").invoke(
            FunctionName=books.hub.outputs["ScheduleFunction"], Payload=b"{}"
        )
        assert "FunctionError" not in answer
    runs = books.of_client("GET", f"/import-jobs/{job}/runs")["items"]
    assert [run["trigger"] for run in runs] == ["schedule"]
    assert runs[0]["due_at"] == due.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert books.ended(job, runs[0]["id"])["status"] == "succeeded"
    assert books.of_client("GET", f"/import-jobs/{job}")["next_run_at"] > due.isoformat()


def test_two_runs_at_once_wait_for_each_other_and_both_succeed(books: Books) -> None:
    books.fault(kind="delay", statement="rows", table="AcTr", seconds=HELD, times=1)
    one, other = ledger_job(books), ledger_job(books)
    first = books.start(one)
    until(lambda: books.struck("delay") or None)
    second = books.start(other)
    until(lambda: "waiting" in [line["code"] for line in books.log(other, second)] or None)
    books.release()
    assert books.ended(one, first)["status"] == "succeeded"
    assert books.ended(other, second)["status"] == "succeeded"
    assert books.ledger_here() == books.ledger_in_the_erp()


def test_rows_are_read_by_page_column_company_and_day(books: Books) -> None:
    year = {"from_date": "2025-01-01", "to_date": "2025-01-31"}
    rows = books.rows("gl_transactions", limit=50, columns="voucher_date,amount,company", **year)
    assert rows
    assert {row["company"] for row in rows} == {COMPANY}
    assert all("2025-01-01" <= row["voucher_date"] <= "2025-01-31" for row in rows)
    counted = books.sql("SELECT count(*) FROM {AcTr} WHERE VoDt BETWEEN 20250101 AND 20250131")
    assert len(rows) == int(counted[0][0])
    listed = {view["id"]: view for view in books.of_client("GET", "/datasets")["items"]}
    amount = next(column for column in listed["gl_transactions"]["columns"] if column["name"] == "amount")
    assert amount["type"] == "decimal(28,6)"


def test_a_post_sent_twice_with_the_same_key_starts_one_run(books: Books) -> None:
    job = ledger_job(books, dataset_ids=["accounts"])
    key = {"Idempotency-Key": f"test-{time.time_ns()}"}
    path = f"/clients/{books.client}/import-jobs/{job}/runs"
    first, second = (books.hub.call("POST", path, headers=key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    books.ended(job, first.json()["id"])


def test_a_run_whose_execution_is_stopped_from_outside_ends_and_frees_its_data(books: Books) -> None:
    before = books.ledger_here()
    books.fault(kind="delay", statement="rows", table="AcTr", seconds=HELD, times=1)
    job = ledger_job(books)
    run = books.start(job)
    until(lambda: books.struck("delay") or None)
    machine = books.hub.outputs["ImportMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{run}"
    books.hub.aws.client("stepfunctions").stop_execution(executionArn=execution, cause="a test")
    books.release()
    ended = books.ended(job, run)
    assert (ended["status"], ended["problem"]["code"]) == ("failed", "machine_failed")
    assert books.ledger_here() == before
    again = books.start(job)
    assert books.ended(job, again)["status"] == "succeeded"
