"""(f) and (g): warm milliseconds of a listing call, and AWS calls of a wizard and of the scheduler's ticks, in process.

`python -m benchmarks.in_process`. AWS is moto, in the same process; calls are counted where they leave botocore. The
hub is put together as in Lambda, by the capabilities' `wiring`; only the ERP and the state machines are pretended.
"""

import importlib.util
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from types import ModuleType
from typing import Any

from moto import mock_aws

from benchmarks.measure import ROOT, tell
from benchmarks.servers import TABLE, make_table

MANY_JOBS, DUE = 10_000, (0, 10, 1_000)
USER, CLIENT = "user-of-the-benchmark", "01BENCHBENCHBENCHBENCHBENC"
ENVIRONMENT = {
    "TABLE_NAME": TABLE,
    "AWS_DEFAULT_REGION": "eu-north-1",
    "AWS_REGION": "eu-north-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "SECRET_PREFIX": "bench/",
    "SEALED_TABLE": "bench-credentials",
    "CONNECT_MACHINE_ARN": "arn:aws:states:eu-north-1:000000000000:stateMachine:connect",
    "IMPORT_MACHINE_ARN": "arn:aws:states:eu-north-1:000000000000:stateMachine:import",
    "POWERTOOLS_SERVICE_NAME": "erphub",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}


def handler_module(folder: str, name: str) -> ModuleType:
    """A function's module, from its folder."""
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", ROOT / f"functions/{folder}/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Machines:
    """Both state machines: the import's is only counted, the wizard's is walked. Each call counts as one of AWS."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Whatever a state machine is asked."""
        from erphub.platform.aws.clients import calls

        def asked(*given: Any) -> Any:
            if name != "execution":
                calls[f"sfn.{name}"] += 1
            if self._arn.endswith("import"):
                return f"{self._arn}:{given[0]}"
            return getattr(walked(), name)(*given)

        return asked


_walked: list[Any] = []


def walked() -> Any:
    """The wizard's machine in memory: its tasks are the real ones."""
    if not _walked:
        from erphub import app
        from erphub.wizards.tasks import WizardTasks
        from tests.support.connect import FakeMachine

        def task(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
            arguments = {key: value for key, value in given.items() if key.endswith("_id") or key == "reason"}
            return getattr(app.services().get(WizardTasks), name)(**arguments)

        _walked.append(FakeMachine(app.services().platform.table, task))
    return _walked[0]


def prepare() -> None:
    """A table with a customer, a client and its administrator; pretended machines and ERP."""
    from erphub import app
    from erphub.connections.erp_access import ErpAccess
    from erphub.platform.aws import state_machines as machines
    from erphub.platform.aws.clients import client
    from erphub.tenancy.dynamodb import ClientTable, CustomerTable
    from erphub.tenancy.models import Client, Customer, Membership, User
    from tests.support.connect import FakeSystem

    make_table(client("dynamodb"), TABLE)
    make_table(client("dynamodb"), ENVIRONMENT["SEALED_TABLE"])
    machines.StepFunctionsMachine = Machines  # pyright: ignore[reportAttributeAccessIssue]
    system = FakeSystem()
    ErpAccess.open = lambda _, *asked: system.open(*asked)  # pyright: ignore[reportAttributeAccessIssue]
    table, now = app.services().platform.table, app.services().platform.clock()
    CustomerTable(table).add(Customer("01BENCHBENCHBENCHBENCHBEN0", "Bench", now), User(USER, "bench@example.test"))
    member = Membership(CLIENT, "01BENCHBENCHBENCHBENCHBEN0", USER, "administrator", "bench@example.test")
    ClientTable(table).add(Client(CLIENT, "01BENCHBENCHBENCHBENCHBEN0", "Bench", now), member)


def request(api: ModuleType, method: str, path: str, body: Any = None) -> Any:
    """One event through a handler; returns the answer's JSON. Raises RuntimeError when it is no success."""
    from tests.support.gateway import addressed, said_of

    event = json.loads((ROOT / "events/connections/api.json").read_text())
    event = addressed(event, api.handler.routes.all(), method, path) | {
        "body": None if body is None else json.dumps(body)
    }
    event |= {"queryStringParameters": None, "isBase64Encoded": False}
    event["requestContext"]["requestTimeEpoch"] = int(time.time() * 1000)
    event["requestContext"]["authorizer"] = said_of(USER)
    answer = api.handler(event, None)
    if answer["statusCode"] >= 300:
        raise RuntimeError(f"{method} {path}: {answer['statusCode']} {answer['body']}")
    return json.loads(answer["body"] or "null")


def walk_wizard(api: ModuleType) -> None:
    """A whole wizard, each step answered once and looked at once."""
    wizards = f"/clients/{CLIENT}/wizards"
    wizard = f"{wizards}/{request(api, 'POST', wizards, {'erp_system': 'visma-business'})['id']}"
    server = {"server": "db01.example.test", "login": "reader", "password": "right", "encryption": "trust"}
    answers: dict[str, dict[str, Any]] = {
        "server": server,
        "companies": {"companies": ["F0001", "F0002"]},
        "name": {"name": "Main office"},
        "vouchers": {"voucher_provider": "none"},
        "finish": {},
    }
    for step, answer in answers.items():
        request(api, "PUT", f"{wizard}/steps/{step}", answer)
        seen = request(api, "GET", wizard)
    if seen["status"] != "finished":
        raise RuntimeError(f"the wizard is {seen['status']} at {seen['step']}: {seen['problem']}")


def wizard_calls(api: ModuleType) -> dict[str, int]:
    """AWS calls of a wizard from its start to the finished connection with its jobs and its first run begun."""
    from erphub.platform.aws.clients import calls

    before = dict(calls)
    walk_wizard(api)
    return {name: count - before.get(name, 0) for name, count in sorted(calls.items()) if count > before.get(name, 0)}


def listing(api: ModuleType, times: int = 300) -> dict[str, float]:
    """Warm milliseconds of listing connections; and of its DynamoDB calls alone, made bare."""
    from erphub.platform.aws.clients import client

    sent: list[dict[str, Any]] = []

    def heard(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append({"operation": model.name, "body": json.loads(params["body"])})

    events = client("dynamodb").meta.events
    events.register("before-call.dynamodb", heard)
    request(api, "GET", f"/clients/{CLIENT}/connections")
    events.unregister("before-call.dynamodb", heard)
    whole, bare = [], []
    names = {"GetItem": "get_item", "Query": "query", "BatchGetItem": "batch_get_item"}
    for _ in range(times):
        began = time.perf_counter()
        request(api, "GET", f"/clients/{CLIENT}/connections")
        whole.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        for one in sent:
            getattr(client("dynamodb"), names[one["operation"]])(**one["body"])
        bare.append((time.perf_counter() - began) * 1000)
    return {"whole_ms": median(whole), "calls_ms": median(bare), "calls": len(sent)}


def ticks() -> dict[int, dict[str, int]]:
    """AWS calls of one tick of the scheduler by how many of MANY_JOBS jobs are due."""
    from erphub import app
    from erphub.imports.jobs import dynamodb as store
    from erphub.imports.jobs.models import Days, Job, Schedule
    from erphub.imports.scheduler import Scheduler
    from erphub.platform.aws.clients import calls
    from erphub.platform.ids import new_id

    now = app.services().platform.clock()
    table, scheduled = app.services().platform.table, Schedule(run_time="02:30", time_zone="Europe/Oslo")

    def job(due_at: datetime) -> Job:
        return Job(
            id=new_id(), client_id=CLIENT, name="Nightly", connection_id=new_id(), period=Days(kind="days", days=40),
            schedule=scheduled, due_at=due_at, created_by=USER, created_at=now, updated_at=now,
        )  # fmt: skip

    later = now + timedelta(days=30)
    item: Callable[[Job], dict[str, Any]] = store.JobTable(table)._item
    for _ in range(MANY_JOBS // 25):
        table.put_many([item(job(later)) for _ in range(25)])
    counted: dict[int, dict[str, int]] = {}
    for due in DUE:
        for at in range(0, due, 25):
            table.put_many([item(job(now - timedelta(minutes=1))) for _ in range(min(25, due - at))])
        before = dict(calls)
        started = app.services().get(Scheduler).start_due_jobs()
        if started != due:
            raise RuntimeError(f"{due} jobs were due and {started} started")
        counted[due] = {name: n - before.get(name, 0) for name, n in sorted(calls.items()) if n > before.get(name, 0)}
    return counted


def main() -> None:
    """All of it."""
    os.environ.update(ENVIRONMENT)
    with mock_aws():
        prepare()
        api = handler_module("connections", "api")
        wizard = wizard_calls(api)
        tell(wizard=wizard, listing=listing(api), ticks=ticks(), at=datetime.now(UTC).isoformat())


if __name__ == "__main__":
    main()
