"""Who may call which route: every route of every package, asked by everybody there is, with services that only record.

What is expected follows from what a route declares that it needs. A refused call has reached no service.
"""

import json
from dataclasses import dataclass, field
from typing import Any, override

import pytest

from erphub import app, capabilities, openapi
from erphub.app import PackageRoutes
from erphub.platform.acts import ActLog
from erphub.platform.capability import Permission
from erphub.platform.errors import Conflict
from erphub.platform.http import gateway
from erphub.platform.http.caller_context import to_context
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel, Caller, Program, SignInMethod
from erphub.tenancy.access import Authorizer
from erphub.tenancy.models import Affiliations, Membership, Role
from erphub.tenancy.ports import CustomerStore, MemberStore, PlatformAdministrators, RoleStore
from local import permissions
from local.emulator import ROOT
from tests.support.gateway import NoLimits, NoLog, addressed, said_of

ROUTES = openapi.routes()
EVENT = json.loads((ROOT / "events/connections/api.json").read_text())
CUSTOMER, CLIENT, OTHER, SOME_ID = (f"01{name:0<24}" for name in ("C0ST0MER", "C1ENT", "0THER", "ANYTH1NG"))
KNOWN = {
    "customer_id": CUSTOMER,
    **dict.fromkeys(("system", "erp_system"), "visma-business"),
    **dict.fromkeys(("kind", "document_kind"), "customer"),
    "code": "connection_not_found",
}
"""What stands in a path, where it is no identifier."""
DOCUMENT = {"name": "Kari"}
"""A document of that kind: its route reads it before it asks its service."""
WITHOUT, ONLY = "without", "only"
NOBODY, STRANGER, NEIGHBOUR = "nobody", "stranger", "neighbour"
CUSTOMER_ADMINISTRATOR, PLATFORM_ADMINISTRATOR = "customer's administrator", "platform's administrator"
REACHED = "reached"
MEMBERS = (WITHOUT, ONLY, *capabilities.built_in_roles())
KEY = "key of "
"""A program's key, with what it may do: as a member may, in its client and nowhere else."""
KEYS = tuple(KEY + member for member in MEMBERS)
NEIGHBOURS_KEY, REVOKED_KEY = KEY + NEIGHBOUR, KEY + "nobody any more"
CALLERS = (
    *(NOBODY, STRANGER, NEIGHBOUR, *MEMBERS, CUSTOMER_ADMINISTRATOR, PLATFORM_ADMINISTRATOR),
    *(*KEYS, NEIGHBOURS_KEY, REVOKED_KEY),
)


def _belongs(client_id: str, user: str) -> bool:
    """A customer has two clients: a member of the first in each role, a member of the second who may do everything."""
    return (client_id == CLIENT and user in MEMBERS) or (client_id == OTHER and user == NEIGHBOUR)


class Members(MemberStore):
    @override
    def get(self, client_id: str, user: str) -> Membership | None:
        role = user if user in MEMBERS else "administrator"
        return Membership(client_id, CUSTOMER, user, role) if _belongs(client_id, user) else None

    @override
    def find_affiliations(self, user: str) -> Affiliations:
        found = [one for client_id in (CLIENT, OTHER) if (one := self.get(client_id, user))]
        return Affiliations([CUSTOMER] if user == CUSTOMER_ADMINISTRATOR else [], found)


@dataclass(frozen=True)
class Roles(RoleStore):
    needed: object
    """What the role `only` has, and `without` lacks."""

    @override
    def get(self, customer_id: str, name: str) -> Role | None:
        every = frozenset(capabilities.permissions().values())
        mine = frozenset(one for one in every if one == self.needed)
        allowed = {WITHOUT: every - mine, ONLY: mine, **capabilities.built_in_roles()}
        return Role(customer_id, name, allowed[name])


class Customers(CustomerStore):
    @override
    def is_administrator(self, customer_id: str, user: str) -> bool:
        return customer_id == CUSTOMER and user == CUSTOMER_ADMINISTRATOR


class Platform(PlatformAdministrators):
    @override
    def contains(self, user: str) -> bool:
        return user == PLATFORM_ADMINISTRATOR


@dataclass
class Recorder:
    """A service that writes down what it is asked to do, and then refuses to."""

    calls: list[str] = field(default_factory=list[str])

    def __getattr__(self, name: str) -> Any:
        def call(*given: object, **named: object) -> None:
            self.calls.append(name)
            raise Conflict("A service was reached.", code=REACHED)

        return call


class Anything:
    """A body that has whatever member is looked for."""

    def __getattr__(self, name: str) -> Any:
        return Anything()


@dataclass
class Api:
    """Every package's routes, with recording services."""

    needed: object
    recorder: Recorder = field(default_factory=Recorder)

    def service(self, kind: type[Any]) -> Any:
        return self.recorder

    def authorization(self) -> Authorizer:
        return Authorizer(Members(), Roles(self.needed), Customers(), Platform())

    def programs(self) -> "Api":
        return self

    def admit(self, caller: Caller, program: Program) -> None:
        """From wherever it is. `tests/api_keys` has the networks."""

    def act_log(self) -> ActLog:
        return NoLog()

    def idempotency(self) -> Any:
        pytest.fail("nobody sent an Idempotency-Key")

    def cursors(self) -> Any:
        pytest.fail("nobody asked for a next page")

    def limits(self) -> Any:
        return NoLimits()

    def allowed_origins(self) -> frozenset[str]:
        return frozenset()

    def call(self, route: Route, caller: str, client: str = CLIENT) -> tuple[int, str]:
        dispatcher = Dispatcher(PackageRoutes(capabilities.api_packages()), self)
        path = route.path
        for name in route.names:
            path = path.replace(f"{{{name}}}", {**KNOWN, "client_id": client}.get(name, SOME_ID))
        event = addressed(EVENT, ROUTES, route.method, path)
        event["requestContext"]["authorizer"] = _said_of(caller)
        event["headers"] = {}
        answer = dispatcher(event, None)
        code = json.loads(answer["body"]).get("code", "") if int(answer["statusCode"]) >= 400 else ""
        return int(answer["statusCode"]), code


def _said_of(caller: str) -> dict[str, Any]:
    """What the authorizer says of a caller."""
    if caller == NOBODY:
        return {}
    if not caller.startswith(KEY):
        return said_of(caller)
    home = OTHER if caller == NEIGHBOURS_KEY else CLIENT
    program = Caller(caller.removeprefix(KEY), method=SignInMethod.API_KEY, program=Program(home, "Till"))
    return dict(to_context(program))


@pytest.fixture(autouse=True)
def _any_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is of no interest here: rights are looked at before it is read."""
    anything = Anything()
    monkeypatch.setattr(
        gateway.Request, "body", lambda self, takes: anything if isinstance(takes, type) else dict(DOCUMENT)
    )
    monkeypatch.setattr(gateway.Request, "query", lambda self, shape: anything)


def expected(route: Route, caller: str) -> tuple[int, str] | None:
    """The refusal that a caller gets; None for whoever is let in."""
    if route.needs is AccessLevel.PUBLIC:
        return None
    if caller == NOBODY:
        return 401, "not_signed_in"
    if caller == REVOKED_KEY:
        return 401, "api_key_revoked"
    caller = caller.removeprefix(KEY)
    if isinstance(route.needs, Permission):
        if caller not in MEMBERS:
            return 404, "client_not_found"
        built_in = capabilities.built_in_roles().get(caller, frozenset())
        return None if caller == ONLY or route.needs in built_in else (403, "permission_missing")
    if route.needs is AccessLevel.SIGNED_IN:
        return None
    if route.needs is AccessLevel.PLATFORM_ADMINISTRATOR:
        return None if caller == PLATFORM_ADMINISTRATOR else (403, "platform_administrators_only")
    if caller == CUSTOMER_ADMINISTRATOR:
        return None
    if caller == PLATFORM_ADMINISTRATOR and route.needs is AccessLevel.ANY_ADMINISTRATOR:
        return None
    belongs = caller in (*MEMBERS, NEIGHBOUR)
    return (403, "customer_administrators_only") if belongs else (404, "customer_not_found")


def reached(route: Route, status: int, code: str, api: Api) -> bool:
    """Whether a call was let in: it came to its service, or, where the route needs none, to its answer."""
    if not route.services:
        return status not in (401, 403, 404)
    assert (code == REACHED) == bool(api.recorder.calls), "a call that was refused did something"
    return code == REACHED


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_lets_in_whoever_has_what_it_needs_and_nobody_else(route: Route):
    outcomes: dict[str, tuple[int, str] | None] = {}
    for caller in CALLERS:
        api = Api(route.needs)
        status, code = api.call(route, caller)
        outcomes[caller] = None if reached(route, status, code, api) else (status, code)
    assert outcomes == {caller: expected(route, caller) for caller in CALLERS}


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if "client_id" in one.names], ids=lambda route: f"{route.method} {route.path}"
)
def test_whoever_may_do_everything_in_a_client_may_do_nothing_in_another(route: Route):
    assert Api(route.needs).call(route, NEIGHBOUR, OTHER)[1] == REACHED
    assert Api(route.needs).call(route, NEIGHBOURS_KEY, OTHER)[1] == REACHED
    for caller in (*MEMBERS, *KEYS, REVOKED_KEY):
        assert Api(route.needs).call(route, caller, OTHER) == (404, "client_not_found")


def test_a_route_that_needs_less_than_it_says_would_be_noticed():
    (route,) = [one for one in ROUTES if one.operation == "list_connections"]
    seen = Api("connections:manage").call(route, WITHOUT)
    assert seen[1] == REACHED, "the member lacks another permission than the one that this route needs"


def test_the_reviewed_list_says_who_may():
    listed = (ROOT / "tests/contract/permissions.txt").read_text()
    assert listed == permissions.text(), "say `make openapi` and look at what changed"
    assert len(listed.splitlines()) == len(ROUTES)
    (line,) = [one for one in listed.splitlines() if one.split()[:2] == ["GET", "/clients/{client_id}/datasets"]]
    assert line.split(maxsplit=3)[2:] == ["data:view", "accountant, administrator, viewer"]


def test_every_permission_is_declared_once_and_every_role_has_what_it_had():
    roles = {name: {str(one) for one in allowed} for name, allowed in capabilities.built_in_roles().items()}
    assert roles["administrator"] == set(capabilities.permissions())
    assert {"connections:view", "imports:run", "data:view", "sync:run", "vouchers:view"} <= roles["accountant"]
    assert {"connections:view", "data:view", "links:view"} == roles["viewer"]
    assert set(roles) == {"administrator", "accountant", "viewer"}
    assert len({package for package, _ in app.all_routes()}) == len(capabilities.api_packages())
