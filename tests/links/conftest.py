"""What tests of links share: the function that serves them, and an ERP whose actors are in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from erphub.connections.erp_access import ErpAccess
from erphub.erp.actors import (
    Actor,
    ActorField,
    ActorFieldType,
    ActorSupport,
    ActorType,
    FieldAccess,
    KnowsActors,
    ListItem,
)
from erphub.erp.system import FoundCompany
from erphub.platform.errors import HubError
from tests.support import services
from tests.support.dialogue import Wizard
from tests.support.hub import Hub, handler_module

FIELDS = (
    ActorField("NAME", "Name", access=FieldAccess.MANDATORY),
    ActorField("NUMBER2", "Number", ActorFieldType.INTEGER, FieldAccess.READ_ONLY),
    ActorField("PHONE", "Phone", ActorFieldType.PHONE),
    ActorField("URL", "Web address", max_length=10),
    ActorField("BRANCH", "Branch", ActorFieldType.LIST, list_name="branches"),
    ActorField("CREDIT", "Credit limit", ActorFieldType.DECIMAL),
)


@dataclass
class ActorsErp(KnowsActors):
    """An ERP with customers alone."""

    raises: list[HubError] = field(default_factory=list[HubError])

    def connected(self, _: Any) -> "ActorsErp":
        return self

    def actor_types(self) -> Mapping[ActorType, ActorSupport | str]:
        if self.raises:
            raise self.raises.pop()
        nothing: dict[ActorType, ActorSupport | str] = dict.fromkeys(ActorType, "This ERP has customers alone.")
        return nothing | {ActorType.CUSTOMER: ActorSupport("customer", can_create=True, can_save=True)}

    def actor_fields(self, actor_type: ActorType, company: FoundCompany) -> Sequence[ActorField]:
        assert company.key == "F0001"
        return FIELDS

    def actor_list(self, list_name: str, company: FoundCompany) -> Sequence[ListItem]:
        assert list_name == "branches"
        return [ListItem("1", "Retail"), ListItem("2", "Wholesale")]

    def actors(self, actor_type: ActorType, keys: Sequence[str], company: FoundCompany) -> Mapping[str, Actor]:
        raise NotImplementedError

    def actors_changed_since(
        self, actor_type: ActorType, since: datetime | None, company: FoundCompany
    ) -> Iterator[Actor]:
        raise NotImplementedError

    def actor_keys(self, actor_type: ActorType, company: FoundCompany) -> Iterator[str]:
        raise NotImplementedError


@pytest.fixture
def crm(hub: Hub) -> Hub:
    """The hub's function that serves links."""
    hub.api = handler_module("api", "sync")
    return hub


@pytest.fixture
def erp(monkeypatch: pytest.MonkeyPatch, connections: tuple[str, str]) -> ActorsErp:
    """The ERP behind every connection."""
    system = ActorsErp()
    services.use(monkeypatch, {ErpAccess: system})
    return system


@pytest.fixture
def connections(hub: Hub) -> tuple[str, str]:
    """Two connections of the client, made by the function that serves wizards."""
    made: list[str] = []
    served, hub.api = hub.api, handler_module("api")
    for number in range(2):
        hub.system.installation = f"installation-{number}"
        wizard = Wizard(hub).until("companies")
        wizard.answer("name", {"name": f"Office {number}"})
        wizard.answer("vouchers", {"voucher_provider": "none"})
        made.append(wizard.answer("finish", {})["connection_id"])
    hub.api = served
    return made[0], made[1]
