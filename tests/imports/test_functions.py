"""The handlers of functions/imports with real events: what they ask for, and what they answer."""

import importlib.util
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from erphub.audit.dynamodb import AuditTable
from erphub.audit.service import AuditLog
from erphub.connections.health import HealthService
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.scheduler import Scheduler
from erphub.imports.wiring import stock_counts
from erphub.lake.datasets.service import DatasetService
from erphub.lake.rows.service import RowService
from erphub.platform import redaction
from erphub.platform.aws.limits import LimitTable
from erphub.platform.aws.table import Table
from erphub.platform.errors import Unavailable
from erphub.platform.ids import new_id
from erphub.platform.tasks import TaskFailed
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import MemberTable
from erphub.tenancy.limits import TenantLimits
from tests.support import described, services
from tests.support.gateway import addressed
from tests.support.imports import Imports, RecordingMachine, job_service, run_service
from tests.support.tenants import add_client, add_customer, authorizer_over

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "01JCG0C1H3NT0000000000000A"
USER = "0f0e0d0c-0000-4000-8000-000000000001"
NOW = datetime(2026, 1, 24, 8, tzinfo=UTC)
CONTEXT = SimpleNamespace(
    get_remaining_time_in_millis=lambda: 900_000, aws_request_id="r", function_name="f", memory_limit_in_mb=1
)


def handler_of(name: str) -> ModuleType:
    """A function's module, as Lambda loads it."""
    spec = importlib.util.spec_from_file_location(f"imports_{name}", ROOT / f"functions/imports/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "events/imports" / f"{name}.json").read_text())


type Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def machine() -> RecordingMachine:
    return RecordingMachine()


@pytest.fixture
def ask(imports: Imports, table: Table, machine: RecordingMachine, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Send one event, changed as said, through a handler; an administrator asks unless another user is named."""
    customer = "01JCG0CVST0000000000000000"
    add_customer(table, customer, USER, NOW)
    add_client(table, CLIENT, customer, USER, NOW)
    runs, jobs = run_service(table, machine, lambda: NOW), job_service(table, lambda: NOW)
    datasets, rows = DatasetService(imports.types), RowService(imports.reader())
    given = [authorizer_over(table), jobs, runs, datasets, rows, imports.planner, imports.execution, imports.runs]
    health = SimpleNamespace(report=lambda _: None)
    audit = AuditLog(AuditTable(table), redaction, MemberDirectory(MemberTable(table)), lambda: NOW, new_id)
    given.append(audit)
    over: Any = SimpleNamespace(platform=SimpleNamespace(table=table))
    limits = TenantLimits(LimitTable(table), lambda: stock_counts(over), {}, lambda: NOW)
    services.use(monkeypatch, {type(one): one for one in [*given, limits]} | {HealthService: health})
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "erphub-test")

    def send(
        name: str, method: str | None = None, path: str | None = None, body: Any = None, user: str = USER, **query: str
    ) -> tuple[int, Any]:
        sent, api = event(name), handler_of(name)
        if path is not None:
            sent = addressed(sent, api.handler.routes.all(), method or "", f"/clients/{CLIENT}{path}")
            sent |= {"body": json.dumps(body) if body else None, "queryStringParameters": query or None}
        sent["requestContext"]["authorizer"]["user"] = user
        answer = api.handler(sent, CONTEXT)
        described.require_described(sent, answer)
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    return send


def test_a_job_is_made_shown_changed_run_and_deleted(ask: Ask, machine: RecordingMachine) -> None:
    status, job = ask("api")
    assert (status, job["name"], job["next_run_at"]) == (201, "Last 40 days", "2026-01-25T01:30:00Z")
    path = f"/import-jobs/{job['id']}"
    assert ask("api", "GET", "/import-jobs")[1]["items"] == [job]
    assert ask("api", "GET", path) == (200, job)
    status, changed = ask("api", "PATCH", path, {"version": 1, "name": "Nights"})
    assert (status, changed["name"]) == (200, "Nights")
    assert ask("api", "PATCH", path, {"version": 1, "name": "Again"})[0] == 409
    status, run = ask("api", "POST", f"{path}/runs")
    assert (status, run["status"], machine.started) == (202, "queued", [run["id"]])
    assert ask("api", "GET", f"{path}/runs")[1]["items"][0]["id"] == run["id"]
    status, shown = ask("api", "GET", f"{path}/runs/{run['id']}")
    assert (status, shown["units"]) == (200, {"items": [], "next": None})
    assert ask("api", "POST", f"{path}/runs/{run['id']}/cancel")[1]["cancel_requested"] is True
    assert ask("api", "GET", f"{path}/runs/{run['id']}/log") == (200, {"items": [], "next": None})
    assert ask("api", "DELETE", path) == (204, None)
    assert ask("api", "GET", path)[0] == 404


def test_a_stranger_finds_nothing(ask: Ask) -> None:
    for name in ("api", "rows"):
        status, problem = ask(name, user="somebody")
        assert (status, problem["code"]) == (404, "client_not_found")


def test_a_wrong_job_names_every_wrong_field(ask: Ask) -> None:
    body = {"name": "\u202e", "connection_id": "x", "period": {"kind": "days", "days": 101}, "extra": 1}
    status, problem = ask("api", "POST", "/import-jobs", body)
    assert status == 422
    assert {error["pointer"] for error in problem["errors"]} == {
        "/name",
        "/connection_id",
        "/period/days",
        "/extra",
    }


def test_rows_of_a_client_that_imported_nothing_are_none(ask: Ask) -> None:
    assert ask("rows") == (200, {"items": [], "next": None})
    assert ask("rows", "GET", "/datasets/passwords/rows")[0] == 404
    assert ask("rows", "GET", "/datasets/accounts/rows", limit="2001")[0] == 422
    assert len(ask("api", "GET", "/datasets")[1]["items"]) == 8


def queued(imports: Imports, sent: dict[str, Any]) -> RunRef:
    job = imports.job()
    ref = RunRef(job.client_id, job.id, sent["run_id"])
    at = "2026-01-24T08:00:00Z"
    imports.runs.add(Run(ref, job.connection_id, RunTrigger.MANUAL, RunStatus.QUEUED, "u", at))
    return ref


def test_the_tasks_of_a_run_do_the_run_and_note_what_it_cost(ask: Ask, imports: Imports) -> None:
    tasks, sent = handler_of("tasks"), event("tasks")
    ref = queued(imports, sent)
    plan = tasks.handler({"task": "plan", **ref.as_json()}, CONTEXT)
    for package in plan["packages"]:
        assert tasks.handler({"task": "read", **package}, CONTEXT) == {"outcome": "done"}
    for package in tasks.handler({"task": "list_publications", **ref.as_json()}, CONTEXT)["packages"]:
        assert tasks.handler({"task": "publish", **package}, CONTEXT) == {"outcome": "done"}
    done = tasks.handler({"task": "finish", **ref.as_json()}, CONTEXT)
    assert done == {"outcome": "done", "status": "succeeded"}
    run = imports.runs.get(ref)
    assert run.tasks == 3 + len(plan["packages"]) + 2
    assert run.calls["dynamodb.PutItem"] > 0


def test_a_run_whose_execution_broke_off_is_ended_and_its_data_free(ask: Ask, imports: Imports) -> None:
    sent = event("tasks-broke")
    ref = queued(imports, json.loads(sent["detail"]["input"]))
    imports.planner.plan(ref, lambda: 900.0)
    sent["detail"]["input"] = json.dumps(ref.as_json())
    for _ in range(2):  # EventBridge may say it twice
        handler_of("tasks").handler(sent, CONTEXT)
    run = imports.runs.get(ref)
    assert run.status is RunStatus.FAILED
    assert run.problem is not None
    assert run.problem["code"] == "machine_failed"
    other = imports.queue(imports.job())
    assert imports.planner.plan(other, lambda: 900.0)["outcome"] == "ready"


def test_what_a_task_raises_names_no_cause(ask: Ask, imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> Any:
        raise Unavailable("The ERP is away.", code="connection_cut") from OSError("login=sa password=hunter2")

    ref = queued(imports, event("tasks"))
    monkeypatch.setattr(type(imports.execution), "list_publications", failing)
    with pytest.raises(Unavailable) as away:
        handler_of("tasks").handler({"task": "list_publications", **ref.as_json()}, CONTEXT)
    assert away.value.__cause__ is None
    with pytest.raises(TaskFailed):
        handler_of("tasks").handler({"task": "unheard-of", **ref.as_json()}, CONTEXT)


def test_the_clock_starts_what_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    services.use(monkeypatch, {Scheduler: SimpleNamespace(start_due_jobs=lambda: 3)})
    assert handler_of("schedule").handler(event("schedule"), CONTEXT) == {"started": 3}
