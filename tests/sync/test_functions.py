"""The handlers of functions/sync with real events: what they ask of the hub, and what they answer."""

import importlib.util
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from erphub import app, capabilities
from erphub.audit.dynamodb import AuditTable
from erphub.audit.service import AuditLog
from erphub.erp.approvals import Edit
from erphub.erp.documents import Address
from erphub.platform import logging, redaction
from erphub.platform.actors import ActorKind, ActorView
from erphub.platform.aws.limits import LimitTable
from erphub.platform.capability import Permission
from erphub.platform.errors import Unavailable
from erphub.platform.identity import Member
from erphub.platform.ids import new_id
from erphub.platform.tasks import TaskFailed
from erphub.sync.capability import SYNC_RUN
from erphub.sync.changes.service import ChangeService
from erphub.sync.documents.pdfs import DocumentPdfs
from erphub.sync.documents.service import DocumentService
from erphub.sync.export_log.service import ExportLogService
from erphub.sync.scheduler import SyncScheduler
from erphub.sync.settings.service import SyncService
from erphub.sync.tasks import SyncTasks
from erphub.sync.transfers.api import get_transfer
from erphub.sync.transfers.service import TransferService
from erphub.sync.uploads.service import UploadService
from erphub.tenancy.access import Authorizer
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.limits import TenantLimits
from tests.support import described, services
from tests.support.gateway import addressed
from tests.support.saft import file, report
from tests.support.sync import CLIENT, CONNECTION, SETTINGS, SyncHub, z_report

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 280_000, aws_request_id="r1")
type Ask = Callable[..., tuple[int, Any]]


def load_function(name: str) -> ModuleType:
    """A function's module, as Lambda loads it."""
    spec = importlib.util.spec_from_file_location(f"sync_{name}", ROOT / f"functions/sync/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "events/sync" / f"{name}.json").read_text())


class EverybodyIsTheTill:
    """Access that lets one user in, with what the test allows."""

    def require(self, client_id: str, caller: Any, permission: Permission) -> Member:
        return Member(client_id, "customer", caller.user, "till", frozenset(capabilities.permissions().values()))


class EverybodyIsCalledAda:
    """Names of those who did something."""

    def find(self, client_id: str, ids: Iterable[str | None]) -> dict[str, ActorView]:
        return {one: ActorView(id=one, name="ada@kunde.test", kind=ActorKind.PERSON) for one in ids if one}


@pytest.fixture
def served(hub: SyncHub, monkeypatch: pytest.MonkeyPatch) -> SyncHub:
    """What the functions serve, in place of what they would make."""
    health: Any = SimpleNamespace(report=lambda _: None)
    given: dict[type, Any] = {
        SyncService: hub.settings_service,
        DocumentService: hub.documents,
        ExportLogService: hub.exports,
        DocumentPdfs: hub.pdfs,
        UploadService: hub.uploads,
        ChangeService: hub.changes,
        TransferService: hub.transfer_service,
        SyncTasks: SyncTasks(hub.executor, hub.uploads, hub.transfers, health, hub.approvals),
        SyncScheduler: hub.scheduler,
        Authorizer: EverybodyIsTheTill(),
        MemberDirectory: EverybodyIsCalledAda(),
        TenantLimits: TenantLimits(LimitTable(hub.table), tuple, {}, hub.clock),
        AuditLog: AuditLog(
            AuditTable(hub.table), redaction, EverybodyIsCalledAda(), lambda: datetime(2026, 3, 6, tzinfo=UTC), new_id
        ),
    }
    services.use(monkeypatch, given)
    monkeypatch.setattr(logging, "emit_metrics", lambda dimensions, **figures: hub.figures.append(figures))
    return hub


@pytest.fixture
def api(served: SyncHub) -> ModuleType:
    """The API's function, where everybody is the till."""
    return load_function("api")


@pytest.fixture
def ask(api: ModuleType) -> Ask:
    def send(method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        where = f"/clients/{CLIENT}/connections/{CONNECTION}{path}"
        name = "cash-register" if isinstance(body, bytes) else "api"
        request = addressed(event(name), api.handler.routes.all(), method, where)
        text = b64encode(body).decode() if isinstance(body, bytes) else json.dumps(body)
        request["body"] = body if isinstance(body, str) or body is None else text
        answer = api.handler(request | {"queryStringParameters": query or None}, CONTEXT)
        described.require_described(request, answer)
        return answered(answer)

    return send


def answered(answer: dict[str, Any]) -> tuple[int, Any]:
    """The status and what was said."""
    kind = answer["multiValueHeaders"]["Content-Type"][0]
    return answer["statusCode"], json.loads(answer["body"]) if "json" in kind else answer["body"]


def test_a_settlement_goes_in_and_to_the_ledger_by_the_functions_alone(hub: SyncHub, ask: Ask) -> None:
    hub.save(locations=[{"departments": [json.loads(event("api")["body"])["department"]], "department": "10"}])
    status, handed = ask("PUT", "/documents/settlement/Z118", event("api")["body"])
    assert (status, handed["outcome"], handed["status"], handed["document_date"]) == (
        200,
        "created",
        "pending",
        "2026-01-31",
    )
    status, started = ask("POST", "/transfers", {})
    assert (status, started["status"]) == (202, "queued")
    assert load_function("tasks").handler(event("tasks") | hub.queue.tasks[0], CONTEXT)["counts"]["sent"] == 1
    assert hub.figures[0]["documents_sent"] == 1
    status, done = ask("GET", f"/transfers/{started['id']}")
    assert (status, done["status"]) == (200, "succeeded")
    status, log = ask("GET", "/export-log", status="sent")
    assert [item["external_id"] for item in log["items"]] == ["Z118"]
    status, shown = ask("GET", f"/export-log/{log['items'][0]['id']}")
    assert [one["outcome"] for one in shown["attempts"]] == ["sent", "attached"]
    assert ask("PUT", "/documents/settlement/Z118", z_report(118, amount="1.00"))[1]["code"] == "already_sent"


def test_a_pdf_is_replaced_with_a_word_and_that_stands_in_the_audit_log(hub: SyncHub, ask: Ask) -> None:
    ask("PUT", "/documents/settlement/Z1", z_report(1))
    path, first, second = "/documents/settlement/Z1/pdf", b"%PDF-1.4 \xff first", b"%PDF-1.4 \xff second"
    assert ask("PUT", path, first)[1]["outcome"] == "created"
    status, refused = ask("PUT", path, second)
    assert (status, refused["code"], len(refused["digest"])) == (409, "pdf_exists", 64)
    assert ask("PUT", path, first)[1]["outcome"] == "unchanged"
    status, replaced = ask("PUT", path, second, replace="true")
    assert (status, replaced["outcome"], len(replaced["pdf"]["files"])) == (200, "replaced", 2)
    assert ask("PUT", path, b"MZ")[1]["code"] == "pdf_invalid"
    acts = [text for item in hub.items().values() if "document.pdf_kept" in (text := str(item))]
    assert len(acts) == 2, "the first and its replacement; neither what was refused nor the same again"
    assert any(refused["digest"] in text and replaced["pdf"]["digest"] in text for text in acts)


def test_settings_are_shown_tested_and_saved(ask: Ask) -> None:
    status, tested = ask("POST", "/sync/test", SETTINGS | {"company": ""})
    assert (status, tested["has_passed"], tested["errors"][0]["code"]) == (200, False, "company_required")
    assert {choice["key"] for choice in tested["choices"]["companies"]} == {"1", "2"}
    status, problem = ask("PUT", "/sync", SETTINGS | {"voucher_type": "9"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/voucher_type")
    status, saved = ask("PUT", "/sync", SETTINGS | {"retention_days": 60, "version": 1})
    assert (status, saved["version"], saved["settings"]["retention_days"]) == (200, 2, 60)
    assert ask("PUT", "/sync", SETTINGS | {"version": 1})[0] == 409
    status, shown = ask("GET", "/sync")
    assert shown["next_transfer_reason"]
    assert shown["settings"]["accounts"]["payment_means"]["cash"] == "1900"


def test_a_cash_register_file_goes_in_as_it_is(ask: Ask) -> None:
    xml = file(report("1") + report("2", "2026-02-01", paid="1.00"))
    status, answer = ask("POST", "/documents/saft-cash-register", xml)
    assert (status, len(answer["settlements"])) == (200, 1)
    assert answer["refused"][0]["z_report"] == "R 1:2"
    assert ask("POST", "/documents/saft-cash-register", b"no xml")[1]["code"] == "malformed_xml"
    assert ask("POST", "/documents/saft-cash-register", b"x" * (4 * 1024 * 1024 + 1))[0] == 413


def test_a_cash_register_file_in_an_older_encoding_is_read_to_the_letter(api: ModuleType) -> None:
    """The event holds the file's bytes in base64, as AWS hands on what has a binary media type."""
    sent = event("cash-register")
    assert "Sjøboden".encode("latin-1") in b64decode(sent["body"])
    sent["pathParameters"] = {"client_id": CLIENT, "connection_id": CONNECTION}
    status, answer = answered(api.handler(sent, CONTEXT))
    assert (status, len(answer["settlements"])) == (200, 1)
    assert "Sjøboden" in answer["settlements"][0]["title"]


def test_the_log_comes_as_csv_too(ask: Ask) -> None:
    ask("PUT", "/documents/settlement/Z1", z_report(1))
    status, text = ask("GET", "/export-log/csv")
    assert status == 200
    assert text.splitlines()[1].startswith("2026-01-31,settlement,Z1,")


def test_the_log_is_put_right_through_the_api(ask: Ask, hub: SyncHub) -> None:
    ask("PUT", "/documents/settlement/Z1", z_report(1, means="vipps"))
    hub.transfer()
    _status, groups = ask("GET", "/export-log/codes")
    assert groups["items"][0]["code"] == "account_missing"
    assert ask("POST", "/export-log/retry", {"code": "account_missing"})[1] == {"retried_count": 1, "failed": []}
    [item] = ask("GET", "/export-log")[1]["items"]
    assert ask("POST", f"/export-log/{item['id']}/skip", {"reason": "demo"})[1]["status"] == "skipped"
    assert ask("POST", f"/export-log/{item['id']}/posted-by-hand", {"voucher": "B1"})[1]["reference"] == "B1"
    assert ask("GET", "/export-log/gaps")[1]["items"][0]["missing_numbers"] == []
    assert ask("GET", "/export-log/0000000000000000000000000A")[0] == 404
    assert ask("POST", "/export-log/retry", {})[0] == 422


def test_a_batch_is_opened_put_and_taken(ask: Ask, hub: SyncHub) -> None:
    status, made = ask("POST", "/document-uploads", {})
    assert (status, made["upload"]["method"]) == (201, "PUT")
    assert ask("POST", f"/document-uploads/{made['id']}/take", {})[1]["code"] == "file_missing"
    hub.files.files[made["upload"]["url"].removeprefix("memory:")] = b'{"kind":"product","external_id":"1"}'
    assert ask("POST", f"/document-uploads/{made['id']}/take", {})[0] == 202
    assert load_function("tasks").handler(hub.queue.tasks[0], CONTEXT) == {"outcome": "done", "line_count": 1}
    _, done = ask("GET", f"/document-uploads/{made['id']}")
    assert (done["refused_count"], done["errors"][0]["line_number"]) == (1, 1)


def test_changes_are_read_and_acknowledged(ask: Ask, hub: SyncHub) -> None:
    from erphub.erp.documents import Customer

    hub.save(customer_direction="erp")
    hub.erp.create(Customer(name="Kyst"))
    hub.transfer()
    status, feed = ask("GET", "/changes")
    assert (status, feed["items"][0]["document"]["name"]) == (200, "Kyst")
    assert ask("GET", "/changes", since=feed["since"])[1]["items"] == []
    body = {"changes": [{"change_id": feed["since"], "external_id": "K7"}]}
    _, done = ask("POST", "/changes/acknowledge", body)
    assert (done["acknowledged"], done["superseded"]) == ([feed["since"]], [])
    assert [(one["external_id"], one["document"]["name"]) for one in done["records"]] == [("K7", "Kyst")]
    _, again = ask("POST", "/changes/acknowledge", body)
    assert again == {"acknowledged": [], "superseded": [feed["since"]], "records": []}


def test_what_was_lost_in_a_conflict_shows_nobody_in_the_log(ask: Ask, hub: SyncHub) -> None:
    hub.save(customer_direction="erp")
    person = {"name": "Ola Nordmann", "is_company": False, "address": {"street": "Storgata 1"}}
    ask("PUT", "/documents/customer/K1", person | {"email": "ola@example.test"})
    hub.transfer()
    hub.clock.pass_(minutes=5)
    hub.erp.edit("1", email="erp@example.test", address=Address(street="Torget 2"))
    ask("PUT", "/documents/customer/K1", person | {"email": "till@example.test", "address": {"street": "Havna 3"}})
    hub.transfer()
    [listed] = ask("GET", "/export-log", kind="customer")[1]["items"]
    shown = ask("GET", f"/export-log/{listed['id']}")[1]
    assert (
        listed["overridden_values"] == shown["overridden_values"] == {"till": {"email": "t…", "address.street": "H…"}}
    )
    for word in ("Ola", "Havna", "Torget", "example"):
        assert word not in json.dumps([listed, shown])
    assert ask("GET", "/changes")[1]["items"][0]["overridden_values"]["email"] == "till@example.test", (
        "the till itself is told"
    )


@pytest.mark.parametrize("may_send", [True, False])
def test_a_dry_run_shows_its_vouchers_to_whoever_may_send_them(served: SyncHub, may_send: bool) -> None:
    served.submit("customer", "K1", name="Kari Nordmann", email="kari@example.test")
    transfer = served.transfer(dry_run=True)
    allowed = frozenset(capabilities.permissions().values()) - (set() if may_send else {SYNC_RUN})
    member = Member(CLIENT, "customer", "ada", "viewer", allowed)
    shown = get_transfer(app.services().get(TransferService), EverybodyIsCalledAda(), member, CONNECTION, transfer.id)
    assert [one.action for one in shown.preview] == ["post"]
    assert ("Kari Nordmann" in shown.model_dump_json()) is may_send


def test_the_clock_starts_what_is_due(ask: Ask, hub: SyncHub) -> None:
    ask("PUT", "/documents/settlement/Z1", z_report(1))
    hub.clock.pass_(hours=1)
    assert load_function("schedule").handler(event("schedule"), CONTEXT) == {
        "due": 1,
        "started": 1,
        "failed": 0,
        "silent": 0,
    }
    assert load_function("tasks").handler(hub.queue.tasks[0], CONTEXT)["status"] == "succeeded"


def test_what_became_of_vouchers_in_the_inbox_is_looked_up_by_the_functions_alone(ask: Ask, hub: SyncHub) -> None:
    hub.save(settlement_target="inbox", is_automatic=False)
    for number in (1, 2):
        hub.settlement(number)
    hub.transfer()
    hub.erp.approve("1", Edit("amount", "-100.00", "-90.00", "3000"))
    hub.erp.discard("2")
    hub.clock.pass_(hours=1)
    assert load_function("schedule").handler(event("schedule"), CONTEXT)["started"] == 1
    assert load_function("tasks").handler(hub.queue.tasks.pop(), CONTEXT) == {"outcome": "looked"}
    status, approved = ask("GET", "/documents/settlement/Z1")
    assert (status, approved["status"], approved["reference"], approved["is_awaiting_approval"]) == (
        200, "sent", "L1", False,
    )  # fmt: skip
    edit = {"field": "amount", "account": "3000", "handed_over": "-100.00", "in_erp": "-90.00"}
    assert (approved["edits"], approved["approved_at"] is not None) == ([edit], True)
    status, log = ask("GET", "/export-log", status="discarded")
    assert [item["external_id"] for item in log["items"]] == ["Z2"]
    here = f"/export-log/{log['items'][0]['id']}/retry"
    status, refused = ask("POST", here)
    assert (status, refused["code"]) == (409, "discarded_in_erp")
    status, freed = ask("POST", here, resend_discarded="true")
    assert (status, freed["status"]) == (202, "pending")


def test_only_what_is_worth_another_try_is_raised(hub: SyncHub, ask: Ask) -> None:
    ask("PUT", "/documents/settlement/Z1", z_report(1))
    _, started = ask("POST", "/transfers", {})
    task = hub.queue.tasks[0]
    hub.erp.down = True
    assert load_function("tasks").handler(task, CONTEXT)["status"] == "failed", (
        "the ERP's silence is a result, not a crash"
    )
    other = SimpleNamespace(get_remaining_time_in_millis=lambda: 280_000, aws_request_id="r2")
    _status, started = ask("POST", "/transfers", {})
    hub.leases.acquire(CLIENT, CONNECTION, started["id"], "somebody", hub.clock.now.replace(year=2027), hub.clock.now)
    with pytest.raises(Unavailable):
        load_function("tasks").handler(hub.queue.tasks[-1], other)


def test_a_task_nobody_knows_is_a_mistake(served: SyncHub) -> None:
    with pytest.raises(TaskFailed, match="ValueError"):
        load_function("tasks").handler({"task": "dance"}, CONTEXT)


def test_what_a_library_says_when_it_fails_goes_to_no_caller(served: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        redaction.redact(["S3cret-of-the-ERP"])
        raise RuntimeError("cannot log in with 'S3cret-of-the-ERP'")

    services.use(monkeypatch, {SyncTasks: SimpleNamespace(do=fails)})
    with pytest.raises(TaskFailed) as raised:
        load_function("tasks").handler({"task": "run", "client_id": CLIENT}, CONTEXT)
    assert str(raised.value) == "RuntimeError, correlation id r1"
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True), "what AWS writes of it"
