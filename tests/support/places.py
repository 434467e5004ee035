"""A hub in which there is one of everything, and where its routes lead.

A plugin: `tests/conftest.py` loads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from erphub import openapi
from erphub.connections.problems import CONNECTION_DELETING
from erphub.openapi_examples import BODIES
from erphub.platform.aws.transactions import make_waiting_writes
from erphub.platform.aws.workers import FunctionWorker
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel
from erphub.platform.wire import Model
from tests.support.connect import FakeSystem
from tests.support.hub import ADMINISTRATOR, VIEWER, Answer, Hub
from tests.support.receiver import HOST
from tests.support.whole import OPERATOR

NOTHING = "01JCG0W1ZARD0000000000000A"
"""An identifier that nothing in the hub has."""
HOOK = f"https://{HOST}/hook"


@dataclass
class Places:
    """Where the routes lead in a hub in which there is one of everything."""

    hub: Hub
    names: dict[str, str]

    def call(self, route: Route, body: Any = None, **more: Any) -> Answer:
        """A request to a route, by somebody who may; what its path names and is not there has an identifier."""
        path = route.path
        for name in route.names:
            path = path.replace(f"{{{name}}}", self.names.get(name, NOTHING))
        user = OPERATOR if route.needs is AccessLevel.PLATFORM_ADMINISTRATOR else ADMINISTRATOR
        return self.hub.call(route.method, path, body, **{"user": user, **more})

    def good(self, route: Route) -> dict[str, Any]:
        """A body that the route takes."""
        return good(route, {name: self.names[name] for name in ("client_id", "connection_id", "user_id")})


def good(route: Route, known: Mapping[str, str]) -> dict[str, Any]:
    """The first example of a route's body, whole, of what there is in the hub."""
    example = dict(next(iter(BODIES[route.operation].values())))
    if isinstance(route.takes, type) and issubclass(route.takes, Model):
        example = route.takes.model_validate(example).model_dump(mode="json", by_alias=True)
    return example | {name: value for name, value in (known | {"url": HOOK}).items() if example.get(name)}


def paused(*_: Any) -> None:
    raise CONNECTION_DELETING()  # in place of an ERP, which is not asked


@pytest.fixture
def places(whole: Hub, connection: str, monkeypatch: pytest.MonkeyPatch) -> Places:
    # What lies beyond a body's form is no matter here: the ERP, the worker, and that each act is audited.
    monkeypatch.setattr(FakeSystem, "connected", paused, raising=False)
    monkeypatch.setattr(FunctionWorker, "ask", lambda *_: make_waiting_writes())
    monkeypatch.setattr(Hub, "_require_act", lambda *_: None)

    def made(operation: str) -> str:
        (route,) = (route for route in openapi.routes() if route.operation == operation)
        body = good(route, {"connection_id": connection, "erp_system": "visma-business"})
        answer = whole.call(route.method, route.path.replace("{client_id}", whole.client), body)
        assert answer.status == 201, answer.text
        return str(answer.json["id"])

    upper = whole.call(
        "PUT", whole.in_client(f"/connections/{connection}/documents/customer/K1"), {"name": "Kari Nordmann"}
    )
    assert upper.status == 200, upper.text
    names = {
        "client_id": whole.client,
        "customer_id": whole.customer,
        "connection_id": connection,
        "webhook_id": made("create_webhook"),
        "job_id": made("create_import_job"),
        "wizard_id": made("start_wizard"),
        "key_id": made("create_api_key"),
        "entry_id": upper.json["id"],
        "user_id": VIEWER,
        "role": "helper",
        "limit_name": "webhooks",
        "step_id": "server",
        "kind": "settlement",
        "external_id": "S1",
        "entity": "company",
        "record_id": "1",
        "actor_type": "customer",
    }
    return Places(whole, names)
