"""From the till to the ledger on the deployed hub: settings, documents, transfers, the ERP's faults, the export log."""

import base64
import json
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from erphub.platform.ids import new_id
from local.emulator import ROOT
from tests.e2e.till import Till, connect
from tests.e2e.waiting import until


@pytest.fixture(scope="module")
def connected(hub: Any) -> Till:
    made = connect(hub)
    made.set_up()
    return made


@pytest.fixture
def till(connected: Till) -> Generator[Till]:
    connected.mend()
    yield connected
    connected.mend()


@pytest.fixture
def first() -> int:
    """A number that no test before used, so that a stack can be tested again."""
    return int(time.time() * 10) % 100_000_000 * 10


def test_everything_wrong_with_the_settings_is_said_at_once_and_nothing_saved(till: Till) -> None:
    before = till.call("GET", "/sync", status=200)
    wrong = {
        "z_report": True,
        "settlement_target": "inbox",
        "from_date": "2026-01-01",
        "department": "99",
        "voucher_type": "77",
        "accounts": {"sales": {"25": "3999"}, "payment_means": {"cash": "9999"}},
    }
    answer = till.call("PUT", "/sync", json=wrong)
    assert answer.status_code == 422
    assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == {
        ("/settlement_target", "import_type_not_supported"),
        ("/department", "department_unknown"),
        ("/voucher_type", "voucher_type_unknown"),
        ("/accounts/sales/25", "account_without_sales_type"),
        ("/accounts/payment_means/cash", "account_missing"),
    }
    assert till.call("GET", "/sync", status=200) == before


def test_a_month_with_two_failures_ends_with_each_voucher_once(till: Till, first: int) -> None:
    days = {first + day: f"2026-01-{day:02}" for day in range(1, 9)}
    for number, day in days.items():
        till.settlement(number, day, means="vipps" if number == first + 3 else "cash")
    till.fault("rest:POST /transactions", "timeout_after", after=4)
    done = till.transfer()
    assert done["counts"]["rejected"] == 1
    assert done["counts"]["uncertain"] == 1
    assert done["status"] == "partially_succeeded"
    codes = {group["code"] for group in till.call("GET", "/export-log/codes", status=200)["items"]}
    assert len(codes) == 2

    rejected = till.entry(f"Z{first + 3}")
    assert rejected["status"] == "rejected"
    till.set_up(
        accounts={
            "sales": {"25": "3000", "15": "3001"},
            "payment_means": {"cash": "1900", "bankaxept": "1920", "card": "2380", "rounding": "7740", "vipps": "1910"},
        }
    )
    till.call("POST", "/export-log/retry", json={"code": rejected["code"]}, status=202)

    def all_sent() -> bool | None:
        till.transfer()
        return all(till.entry(f"Z{number}")["status"] == "sent" for number in days) or None

    until(all_sent)
    for number, day in days.items():
        assert len(till.vouchers(number, day)) == 1


@pytest.mark.parametrize("kind", ["cut_before", "cut_after", "half", "error_before", "error_after"])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(till: Till, first: int, kind: str) -> None:
    till.settlement(first, "2026-02-02")
    till.fault("rest:POST /transactions", kind)
    till.transfer()
    assert till.entry(f"Z{first}")["status"] in ("uncertain", "pending")

    def sent() -> bool | None:
        till.transfer()
        return till.entry(f"Z{first}")["status"] == "sent" or None

    until(sent)
    assert len(till.vouchers(first, "2026-02-02")) == 1


def test_a_limit_of_the_erp_is_waited_for(till: Till, first: int) -> None:
    till.settlement(first, "2026-02-03")
    till.fault("rest:POST /transactions", "rate_limited", times=3, seconds=1)

    def sent() -> bool | None:
        till.transfer()
        return till.entry(f"Z{first}")["status"] == "sent" or None

    until(sent)
    assert len(till.vouchers(first, "2026-02-03")) == 1


def test_the_tills_pdf_goes_up_by_a_signed_address_and_with_the_voucher(till: Till, first: int) -> None:
    from reportlab.pdfgen.canvas import Canvas

    handed = till.settlement(first, "2026-02-04", params={"pdf": "true"})
    slot = handed["pdf_upload"]
    page = Canvas("unused.pdf")
    page.drawString(100, 100, "Z-rapport")
    httpx.put(slot["url"], content=page.getpdfdata(), headers=slot["headers"], timeout=20).raise_for_status()
    till.transfer()
    entry = till.entry(f"Z{first}")
    assert (entry["status"], entry["attachment"]) == ("sent", "attached")
    [voucher] = till.vouchers(first, "2026-02-04")
    assert voucher["document"]


def test_the_published_cash_register_file_goes_through(till: Till, samples: Path) -> None:
    [file] = (samples / "saft").glob("*Cash_Register_9*.xml")
    answer = till.call(
        "POST",
        "/documents/saft-cash-register",
        content=file.read_bytes(),
        headers={"Content-Type": "application/xml"},
        status=200,
    )
    [settlement] = answer["settlements"]
    assert settlement["title"].startswith("Z-report 1 Location A: Shop Frogner ")
    assert " of 2020-01-01, 514.20" in settlement["title"]
    assert settlement["code"] == "before_from_date", "its day is long before the sync's first"
    assert answer["refused"] == []


def test_a_cash_register_file_in_an_older_encoding_arrives_byte_for_byte(till: Till) -> None:
    event = json.loads((ROOT / "events/sync/cash-register.json").read_text())
    answer = till.call(
        "POST",
        "/documents/saft-cash-register",
        content=base64.b64decode(event["body"]),
        headers={"Content-Type": "application/xml"},
        status=200,
    )
    [settlement] = answer["settlements"]
    assert "Sjøboden" in settlement["title"]


def test_a_batch_of_products_is_one_upload(till: Till, first: int) -> None:
    made = till.call("POST", "/document-uploads", json={}, status=201)
    lines = [
        json.dumps(
            {
                "kind": "product",
                "external_id": f"B{first}-{n}",
                "number": f"B{first}-{n}",
                "name": f"Vare {n}",
                "price": "10",
            }
        )
        for n in range(60)
    ]
    slot = made["upload"]
    httpx.put(
        slot["url"], content="\n".join([*lines, "{broken"]).encode(), headers=slot["headers"], timeout=20
    ).raise_for_status()
    till.call("POST", f"/document-uploads/{made['id']}/take", json={}, status=202)

    def done() -> dict[str, Any] | None:
        found = till.call("GET", f"/document-uploads/{made['id']}", status=200)
        return found if found["status"] in ("done", "failed") else None

    found = until(done)
    assert (found["accepted_count"], found["refused_count"], found["errors"][0]["line_number"]) == (60, 1, 61)
    for n in range(3, 60):
        entry = _entry_id(till, "product", f"B{first}-{n}")
        till.call("POST", f"/export-log/{entry}/skip", json={"reason": "not needed here"}, status=200)
    transferred = till.transfer(kind="product")
    assert transferred["counts"]["sent"] == 3, transferred


def _entry_id(till: Till, kind: str, external_id: str) -> str:
    from erphub.erp.documents import DocumentKind
    from erphub.sync.canonical import entry_id

    return entry_id(till.connection, DocumentKind(kind), external_id)


def test_an_invoice_follows_its_customer_and_both_are_in_the_erp(till: Till, first: int) -> None:
    line = {"description": "Kaffe", "quantity": "2", "unit_price": "40", "vat_rate": "25"}
    body = {"date": "2026-02-05", "customer_id": f"K{first}", "lines": [line]}
    till.call("PUT", f"/documents/invoice/I{first}", json=body, status=200)
    till.call("PUT", f"/documents/customer/K{first}", json={"name": f"Fjell Bygg {first}"}, status=200)
    done = till.transfer()
    assert done["counts"]["sent"] == 2, done
    assert till.entry(f"I{first}")["status"] == "sent"
    again = till.transfer()
    assert again["counts"]["sent"] == 0
    assert till.call("GET", "/changes", status=200)["items"] == [], "our own writes do not come back"


def test_a_dry_run_shows_the_vouchers_and_posts_none(till: Till, first: int) -> None:
    till.settlement(first, "2026-02-06")
    done = till.transfer(dry_run=True)
    shown = [one for one in done["preview"] if one["entry_id"] == _entry_id(till, "settlement", f"Z{first}")]
    assert shown
    assert shown[0]["postings"], shown
    assert till.vouchers(first, "2026-02-06") == []
    till.call("POST", f"/export-log/{shown[0]['entry_id']}/posted-by-hand", json={"voucher": "B-1"}, status=200)


def test_what_is_due_is_started_by_the_clock_and_it_says_when_next(till: Till, first: int) -> None:
    till.set_up(is_automatic=True)
    till.settlement(first, "2026-02-07")
    planned = till.call("GET", "/sync", status=200)
    assert "wait" in planned["next_transfer_reason"]
    aws = till.hub.aws
    key = {"pk": {"S": f"CLIENT#{till.client}"}, "sk": {"S": f"SYNC#{till.connection}"}}
    past = datetime(2026, 1, 1, tzinfo=UTC)
    aws.client("dynamodb").update_item(
        TableName=till.hub.outputs["TableName"],
        Key=key,
        UpdateExpression="SET due_at = :at, next_at = :next",
        ExpressionAttributeValues={":at": {"S": "2026-01-01T00:00:00.000Z"}, ":next": {"S": past.isoformat()}},
    )
    aws.client("lambda").invoke(FunctionName=till.hub.outputs["TransferScheduleFunction"], Payload=b"{}")
    until(lambda: till.entry(f"Z{first}")["status"] == "sent" or None)
    until(lambda: "under way" not in till.call("GET", "/sync", status=200)["next_transfer_reason"] or None)
    after = till.call("GET", "/sync", status=200)
    assert after["next_transfer_at"] is not None
    till.set_up(is_automatic=False)


def test_the_machine_carries_on_what_is_too_long_for_one_call(till: Till, first: int) -> None:
    till.settlement(first, "2026-02-08")
    name, now = new_id(), datetime.now(UTC).isoformat()
    record = {"id": name, "client_id": till.client, "connection_id": till.connection, "started_by": "test"} | {
        "created_at": now
    }
    till.hub.aws.client("dynamodb").put_item(
        TableName=till.hub.outputs["ExportLogTable"],
        Item={
            "pk": {"S": f"CLIENT#{till.client}#CONNECTION#{till.connection}"},
            "sk": {"S": f"TRANSFER#{name}"},
            "rev": {"N": "1"},
            "data": {"S": json.dumps(record)},
        },
    )
    task = {"client_id": till.client, "connection_id": till.connection, "transfer_id": name}
    till.hub.aws.client("stepfunctions").start_execution(
        stateMachineArn=till.hub.outputs["TransferMachineArn"], name=name, input=json.dumps(task)
    )
    done = till.ended(name)
    assert done["counts"]["sent"] >= 1
    assert len(till.vouchers(first, "2026-02-08")) == 1


def test_missing_z_reports_are_listed_and_the_log_can_be_taken_away(till: Till, first: int) -> None:
    till.settlement(first, "2026-02-09")
    till.settlement(first + 2, "2026-02-11")
    [gaps] = till.call("GET", "/export-log/gaps?from_date=2026-01-01", status=200)["items"]
    assert gaps["missing_numbers"]
    answer = till.call("GET", "/export-log/csv?kind=settlement")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines()[0].startswith("document_date,kind,external_id")


def test_no_secret_and_no_customer_stands_in_the_log(till: Till, first: int) -> None:
    till.call("PUT", f"/documents/customer/K{first}", json={"name": f"Fjell Bygg {first}"}, status=200)
    till.transfer()
    items = till.call("GET", "/export-log?kind=customer", status=200)["items"]
    shown = till.call("GET", f"/export-log/{items[0]['id']}", status=200)
    assert "Fjell Bygg" not in json.dumps(shown)
    assert not [line for line in till.hub.logs("TransferTasks") if "hub-secret" in line]


def test_no_secret_reaches_a_table_an_object_or_a_history(till: Till) -> None:
    everything = json.dumps([till.hub.items(), till.hub.histories()], default=str)
    assert "hub-secret" not in everything
    assert not [name for name, content in till.hub.objects().items() if b"hub-secret" in content]
