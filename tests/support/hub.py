"""The handlers of functions/connections with real events, over DynamoDB in memory, a fake machine and a fake ERP.

A plugin: `tests/conftest.py` loads it, so that every package's API tests have the fixture `hub`."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import time_ns
from types import ModuleType
from typing import Any

import pytest

from erphub.audit.dynamodb import AuditTable
from erphub.audit.service import AuditTrail
from erphub.companies.dynamodb import CompanyTable
from erphub.companies.service import CompanyRegistry
from erphub.connections.access import ConnectionAccess
from erphub.connections.dynamodb import ConnectionTable
from erphub.connections.health import HealthService, PauseService
from erphub.connections.service import ConnectionService
from erphub.events.dynamodb import EventTable
from erphub.events.notifications import NotificationService
from erphub.events.publisher import EventPublisher
from erphub.platform import logging, redaction
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import MARK
from erphub.platform.clock import Ids
from erphub.platform.ids import derived_id_at, new_id
from erphub.platform.outbound.addresses import AddressGuard
from erphub.platform.problems import as_problem
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import TenancyTable
from erphub.tenancy.models import Client, Customer, Membership, User
from erphub.tenancy.service import TenancyService
from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable
from erphub.webhooks.service import WebhookService
from erphub.wizards.completion import WizardCompletion
from erphub.wizards.dynamodb import WizardTable
from erphub.wizards.service import WizardService
from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
from erphub.wizards.tasks import WizardTasks
from tests.support import services
from tests.support.aws import TENANTS, everything_in, make_table
from tests.support.bus import FakeBus
from tests.support.connect import FakeMachine, FakeSecrets, FakeSystem, FakeUsers
from tests.support.gateway import addressed
from tests.support.receiver import HOST

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events" / "connections"
ADMINISTRATOR, ACCOUNTANT, VIEWER, NEIGHBOUR = "administrator", "accountant", "viewer", "neighbour"


def handler_module(name: str) -> ModuleType:
    """A function's module, as Lambda loads it: from its folder."""
    spec = importlib.util.spec_from_file_location(f"handler_{name}", ROOT / f"functions/connections/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    """One of the real events."""
    return json.loads((EVENTS / f"{name}.json").read_text())


@dataclass
class Answer:
    """What came back: the status, the body, and the headers."""

    status: int
    json: Any
    headers: dict[str, str]
    text: str

    @property
    def code(self) -> str:
        """The problem's code."""
        return self.json["code"]


@dataclass
class Hub:
    """The hub with its outside replaced; `call` sends one event through the API's handler."""

    machine: FakeMachine
    secrets: FakeSecrets
    users: FakeUsers
    system: FakeSystem
    customer: str
    client: str
    other_client: str
    time: list[datetime]
    table: str
    started: list[tuple[str, str, str]] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    edited: list[Any] = field(default_factory=list)
    bus: FakeBus = field(default_factory=FakeBus)
    catch_ups: list[Any] = field(default_factory=list)
    """The catch-ups that were asked for after a pause."""
    api: Any = None

    def call(
        self, method: str, path: str, body: Any = None, *, user: str | None = ADMINISTRATOR, **more: Any
    ) -> Answer:
        request = addressed(event("api"), self.api.handler.routes.all(), method, path)
        request["queryStringParameters"] = more.get("query")
        request["body"] = body if isinstance(body, str) or body is None else json.dumps(body)
        request["headers"] |= more.get("headers", {})
        sent = more.get("sent", self.time[0])
        request["requestContext"]["requestTimeEpoch"] = int(sent.timestamp() * 1000)
        request["isBase64Encoded"] = more.get("base64", False)
        if user is None:
            del request["requestContext"]["authorizer"]
        else:
            claims = {"sub": user, "email": f"{user}@example.test"} | more.get("claims", {})
            request["requestContext"]["authorizer"]["claims"] |= claims
        return self.send(request)

    def send(self, request: dict[str, Any]) -> Answer:
        """One event through the handler as it is."""
        answer = self.api.handler(request, None)
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], json.loads(answer["body"] or "null"), headers, answer["body"])

    def in_client(self, path: str) -> str:
        return f"/clients/{self.client}{path}"

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table, without the marks by which its writes know themselves again."""
        found = (
            {name: value for name, value in item.items() if name != MARK} for item in everything_in(Table(self.table))
        )
        return sorted(found, key=str)

    def pass_time(self, **how_long: float) -> None:
        self.time[0] += timedelta(**how_long)


def _not_swept(what: str, error: Exception) -> None:
    logging.logger().error("could not be swept", exc_info=error, extra={"what": what})


@pytest.fixture
def hub(aws: None, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one customer of two clients, in a table of its own: all but the neighbour are in the first client."""
    name = f"tenants-{new_id()}"
    monkeypatch.setenv("TABLE_NAME", name)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "erphub")
    make_table(TENANTS, name)
    return _hub(monkeypatch, name)


def _ids_in_order() -> Ids:
    """Identifiers a millisecond apart, as on AWS, where nothing is faster than that; here everything is."""
    moments = count(time_ns() // 1_000_000)
    return lambda: derived_id_at(next(moments), new_id())


def _hub(monkeypatch: pytest.MonkeyPatch, name: str) -> Hub:
    platform = services.anew(monkeypatch).platform
    table, system, secrets, users = platform.table, FakeSystem(), FakeSecrets(), FakeUsers()
    time = [datetime(2026, 11, 22, 8, tzinfo=UTC)]
    clock: Callable[[], datetime] = lambda: time[0]  # noqa: E731
    wizards, found = WizardTable(table), ConnectionTable(table)
    started: list[tuple[str, str, str]] = []
    store = TenancyTable(table)
    asked: list[Any] = []
    bus, catch_ups, events = FakeBus(), list[Any](), EventTable(table)
    publisher = EventPublisher(events, bus, clock)
    health = HealthService(found, publisher, lambda *missed: catch_ups.append(missed), clock)
    edited: list[Any] = []
    editors, trail = ConnectionAccess(found, store), AuditTrail(AuditTable(table), redaction, clock, _ids_in_order())
    identities = CompanyRegistry(CompanyTable(table), found, store, lambda *told: asked.append(told), lambda _: None)
    finishing = WizardCompletion(
        wizards,
        found,
        secrets,
        identities,
        trail,
        clock,
        lambda *new: started.append(new),
        lambda *both: edited.append(both),
    )
    connecting = WizardTasks(
        wizards, found, secrets, redaction, clock, system.open, finishing, as_problem, health.tested
    )

    def task(name: str, given: Any) -> Any:
        wanted = {key: value for key, value in given.items() if key.endswith("_id") or key == "reason"}
        return getattr(connecting, name)(**wanted)

    machine = FakeMachine(table, task)
    rules = editors, identities, lambda _: None
    secrets.clock = clock
    webhooks = WebhookTable(table)
    guard = AddressGuard((), lambda host: ["8.8.8.8"] if host == HOST else ["10.0.0.5"])
    actors = MemberDirectory(store)
    given = [
        OverdueWizards(wizards, machine, connecting.finish, clock, _not_swept),
        OrphanedSecrets(secrets, found, wizards, lambda *names: webhooks.get(*names) is not None, clock, _not_swept),
        WizardService(wizards, found, secrets, machine, redaction, clock, platform.new_id, 86400, *rules),
        TenancyService(TenancyTable(table), users, clock, platform.new_id),
        ConnectionService(found, machine, clock, platform.new_id, editors, trail),
        connecting,
        identities,
        trail,
        NotificationService(events, actors, clock),
        PauseService(editors, health, trail),
        WebhookService(webhooks, DeliveryTable(table), secrets, guard, actors, clock, platform.new_id),
    ]
    services.use(monkeypatch, {type(one): one for one in given})
    for person in (ADMINISTRATOR, ACCOUNTANT, VIEWER, NEIGHBOUR):
        users.people[person] = User(person, f"{person}@example.test")
    customer, ids = new_id(), (new_id(), new_id())
    store.add_customer(Customer(customer, "Example AS", time[0]), ADMINISTRATOR)
    for client_id, owner in zip(ids, (ADMINISTRATOR, NEIGHBOUR), strict=True):
        store.add_client(
            Client(client_id, customer, f"Client of {owner}", time[0]),
            Membership(client_id, customer, owner, "administrator", f"{owner}@example.test"),
        )
    for person in (ACCOUNTANT, VIEWER):
        store.put_member(Membership(ids[0], customer, person, person, f"{person}@example.test"), None, None)
    hub = Hub(machine, secrets, users, system, customer, *ids, time, name, started, asked, edited, bus, catch_ups)
    hub.api = handler_module("api")
    return hub
