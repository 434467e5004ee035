"""The handlers of functions/connections with real events, over DynamoDB in memory, a fake machine and a fake ERP.

A plugin: `tests/conftest.py` loads it, so that every package's API tests have the fixture `hub`."""

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from time import time_ns
from types import ModuleType
from typing import Any

import pytest

from erphub.api_keys.credentials.dynamodb import CredentialTable
from erphub.audit.dynamodb import AuditTable
from erphub.audit.service import AuditLog
from erphub.companies.access_requests import AccessRequests
from erphub.companies.models import CompanyUse
from erphub.companies.service import CompanyRegistry
from erphub.connections.dynamodb import ConnectionTable
from erphub.connections.erp_access import ErpAccess
from erphub.connections.health import HealthService
from erphub.connections.hooks import AllConnectionHooks
from erphub.connections.models import Connection
from erphub.events.dynamodb import EventTable
from erphub.events.publisher import EventPublisher
from erphub.platform import redaction
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import MARK
from erphub.platform.aws.transactions import make_waiting_writes
from erphub.platform.capability import Act
from erphub.platform.clock import IdGenerator
from erphub.platform.http.caller_context import to_context
from erphub.platform.ids import derived_id_at, new_id
from erphub.platform.outbound.addresses import AddressGuard
from erphub.sign_in.keys import KeySignIn
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import MemberTable
from erphub.tenancy.models import User
from erphub.tenancy.people import PersonLookup
from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable
from erphub.webhooks.service import WebhookService
from erphub.wizards.machine import WizardMachine
from erphub.wizards.tasks import WizardTasks
from tests.support import described, services
from tests.support.aws import TENANTS, everything_in, make_table
from tests.support.bus import FakeBus
from tests.support.connect import FakeMachine, FakeSecrets, FakeSystem, FakeUsers
from tests.support.gateway import addressed, said_of
from tests.support.receiver import HOST
from tests.support.tenants import add_client, add_customer, add_member, address

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events" / "connections"
ADMINISTRATOR, ACCOUNTANT, VIEWER, NEIGHBOUR = "administrator", "accountant", "viewer", "neighbour"


def handler_module(name: str, folder: str = "connections") -> ModuleType:
    """A function's module, as Lambda loads it: from its folder."""
    spec = importlib.util.spec_from_file_location(f"handler_{folder}_{name}", ROOT / f"functions/{folder}/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(name: str) -> dict[str, Any]:
    """One of the real events."""
    return json.loads(_event_text(name))


@cache
def _event_text(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


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
    bus: FakeBus
    happenings: "Happenings"
    reconnections: list[tuple[str, str]]
    """Connections whose credentials an edit or a test has shown to be good."""
    api: Any = None

    @property
    def started(self) -> list[tuple[str, str, str]]:
        """New connections whose first imports were asked for."""
        return self.happenings.started

    @property
    def catch_ups(self) -> list[Any]:
        """The catch-ups that were asked for after a pause."""
        return self.happenings.catch_ups

    @property
    def asked(self) -> list[Any]:
        """The requests for access that owners were notified of."""
        return self.happenings.asked

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
        if (key := more.get("key")) is not None:
            return self._call_with_key(request, key, more.get("source", "192.0.2.10"))
        if user is None:
            del request["requestContext"]["authorizer"]
        else:
            request["requestContext"]["authorizer"] = said_of(user, more.get("valid_until"))
        answer = self.send(request)
        if 200 <= answer.status < 300:
            self._require_act(method, request, user)
        return answer

    def _call_with_key(self, request: dict[str, Any], key: str, source: str) -> Answer:
        """As the gateway calls for a program: whom its authorizer does not let in is refused there."""
        program = KeySignIn(CredentialTable(Table(self.table)), lambda: self.time[0]).find(key)
        if program is None:
            return Answer(401, {"code": "not_signed_in"}, {}, "")
        request["headers"]["Authorization"] = f"Bearer {key}"
        request["requestContext"]["authorizer"] = to_context(program) | {"principalId": program.user}
        request["requestContext"]["identity"]["sourceIp"] = source
        return self.send(request)

    def _require_act(self, method: str, request: dict[str, Any], user: str | None) -> None:
        """Whatever was done by a route that is an act stands in the audit log, with who did it."""
        route = self.api.handler.routes.find(method, request["resource"])
        if route is not None and isinstance(route.audited, Act):
            entries = [
                json.loads(item["body"]["S"]) for item in self.items() if item["pk"]["S"].endswith("#AUDIT#CHAIN")
            ]
            done = [one for one in entries if one["action"] == route.audited and one["actor"] == user]
            assert done, f"{method} {route.path} was answered and {route.audited} is not in the audit log"

    def send(self, request: dict[str, Any]) -> Answer:
        """One event through the handler as it is; the answer is one that the API's description tells of."""
        answer = self.api.handler(request, None)
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        described.require_described(request, answer)
        is_json = "json" in headers.get("Content-Type", "json")
        found = json.loads(answer["body"] or "null") if is_json else None
        return Answer(answer["statusCode"], found, headers, answer["body"])

    def in_client(self, path: str) -> str:
        return f"/clients/{self.client}{path}"

    def invite(self, user: str, role: str, by: str = ADMINISTRATOR) -> str:
        """Ask somebody into the first client; the invitation."""
        asked = self.call("PUT", self.in_client(f"/members/{address(user)}"), {"role": role}, user=by)
        assert (asked.status, asked.json["status"]) == (200, "invited"), asked.text
        return self.call("GET", "/me", user=user).json["invitations"][-1]["id"]

    def join(self, user: str, role: str, by: str = ADMINISTRATOR) -> None:
        """Somebody is invited into the first client and accepts."""
        accepted = self.call("POST", f"/me/invitations/{self.invite(user, role, by)}/accept", user=user)
        assert (accepted.status, accepted.json["role"]) == (200, role), accepted.text

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table but what was counted of requests, without the marks of its writes."""
        found = (
            {name: value for name, value in item.items() if name != MARK}
            for item in everything_in(Table(self.table))
            if not item["sk"]["S"].startswith("LIMIT#")
        )
        return sorted(found, key=str)

    def pass_time(self, **how_long: float) -> None:
        self.time[0] += timedelta(**how_long)


@dataclass
class Happenings:
    """What others would do about connections: remembered. Satisfies `ConnectionHooks` and `OwnerNotices`."""

    started: list[tuple[str, str, str]] = field(default_factory=list)
    catch_ups: list[Any] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        self.started.append((client_id, connection_id, owner))

    def reconnected(self, connection: Connection, since: datetime) -> None:
        self.catch_ups.append((connection, since))

    def request_access(self, use: CompanyUse, request_key: str, detail: str, details: Mapping[str, Any]) -> None:
        make_waiting_writes()  # as the event that is kept for it would
        self.asked.append((use, request_key, detail, details))


@dataclass(frozen=True)
class WatchedHealth(HealthService):
    """Remembers which connections an edit has reconnected, and from which status."""

    reconnections: list[tuple[str, str]] = field(default_factory=list)

    def reconnected(self, client_id: str, connection_id: str) -> None:
        self.reconnections.append((client_id, connection_id))
        super().reconnected(client_id, connection_id)


@pytest.fixture
def hub(aws: None, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one customer of two clients, in a table of its own: all but the neighbour are in the first client."""
    name = f"tenants-{new_id()}"
    monkeypatch.setenv("TABLE_NAME", name)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "erphub")
    make_table(TENANTS, name)
    return _hub(monkeypatch, name)


def _ids_in_order() -> IdGenerator:
    """Identifiers a millisecond apart, as on AWS, where nothing is faster than that; here everything is."""
    moments = count(time_ns() // 1_000_000)
    return lambda: derived_id_at(next(moments), new_id())


def _hub(monkeypatch: pytest.MonkeyPatch, name: str) -> Hub:
    platform: Any = services.anew(monkeypatch).platform
    table, system, secrets, users = platform.table, FakeSystem(), FakeSecrets(), FakeUsers()
    time = [datetime(2026, 11, 22, 8, tzinfo=UTC)]
    clock: Callable[[], datetime] = lambda: time[0]  # noqa: E731
    tasks: dict[str, Callable[..., Any]] = {}

    def task(name: str, given: Any) -> Any:
        wanted = {key: value for key, value in given.items() if key.endswith("_id") or key == "reason"}
        return tasks[name](**wanted)

    machine, bus, happenings = FakeMachine(table, task), FakeBus(), Happenings()
    secrets.clock = platform.clock = clock
    platform.secrets = platform.stored_secrets = secrets
    platform.machine = lambda _: machine
    publisher = EventPublisher(EventTable(table), bus, clock)
    actors = MemberDirectory(MemberTable(table))
    guard = AddressGuard((), lambda host: ["8.8.8.8"] if host == HOST else ["10.0.0.5"])
    health = WatchedHealth(ConnectionTable(table), publisher, happenings, clock)
    made = services.use(
        monkeypatch,
        {
            AuditLog: AuditLog(AuditTable(table), redaction, actors, clock, _ids_in_order()),
            AllConnectionHooks: happenings,
            AccessRequests: happenings,
            ErpAccess: system,
            EventPublisher: publisher,
            HealthService: health,
            PersonLookup: PersonLookup(users),
            WebhookService: WebhookService(
                WebhookTable(table), DeliveryTable(table), secrets, guard, actors, clock, platform.new_id
            ),
        },
    )
    made = services.use(
        monkeypatch,
        {
            WizardMachine: replace(made.get(WizardMachine), pause=lambda _: None),
            CompanyRegistry: replace(made.get(CompanyRegistry), pause=lambda _: None),
        },
    )
    wizards = made.get(WizardTasks)
    tasks |= {name: getattr(wizards, name) for name in ("process_answer", "record_failure", "finish")}
    tasks["test"] = wizards.test_connection
    for person in (ADMINISTRATOR, ACCOUNTANT, VIEWER, NEIGHBOUR):
        users.people[person] = User(person, address(person))
    customer, ids = new_id(), (new_id(), new_id())
    add_customer(table, customer, ADMINISTRATOR, time[0])
    for client_id, owner in zip(ids, (ADMINISTRATOR, NEIGHBOUR), strict=True):
        add_client(table, client_id, customer, owner, time[0])
    for person in (ACCOUNTANT, VIEWER):
        add_member(table, ids[0], customer, person, person)
    hub = Hub(machine, secrets, users, system, customer, *ids, time, name, bus, happenings, health.reconnections)
    hub.api = handler_module("api")
    return hub
