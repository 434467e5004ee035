"""A user with a wizard on the deployed hub, who remembers everything the hub answered."""

import time
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.e2e.waiting import until

ANSWERS: dict[str, dict[str, Any]] = {"vouchers": {"voucher_provider": "none"}, "finish": {}}


@dataclass
class WizardUser:
    """One user of one client."""

    hub: Any
    name: str = "administrator"
    said: list[str] = field(default_factory=list)
    client: str = ""

    @classmethod
    def of_a_new_customer(cls, hub: Any) -> Self:
        """The administrator in a customer of its own: within one, a company is connected only once."""
        name = f"Customer {uuid4().hex[:8]}"
        owner = {"name": name, "administrator": hub.user("administrator")["name"]}
        customer = hub.call("POST", "/customers", json=owner).json()["id"]
        client = hub.call("POST", f"/customers/{customer}/clients", json={"name": name}).json()["id"]
        return cls(hub, client=client)

    def __post_init__(self) -> None:
        self.client = self.client or self.hub.user(self.name)["clients"][0]["id"]
        self.stand_in: dict[str, Any] = self.hub.described["stand_ins"]["sqlserver"]
        self.path = ""

    @property
    def server(self) -> dict[str, Any]:
        """The right answer to the first step."""
        return {
            "server": f"127.0.0.1,{self.stand_in['port']}",
            "login": self.stand_in["login"],
            "password": self.stand_in["password"],
            "encryption": "trust",
        }

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.hub.call(method, f"/clients/{self.client}{path}", user=self.name, **more)
        self.said.append(f"{answer.status_code} {answer.headers} {answer.text}")
        return answer

    def start(self, system: str = "visma-business") -> "WizardUser":
        made = self.call("POST", "/wizards", json={"erp_system": system})
        assert made.status_code == 201, made.text
        assert made.json()["status"] == "waiting"
        self.path = f"/wizards/{made.json()['id']}"
        return self

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    def unused(self, name: str) -> str:
        """The name with something of the wizard's own, so that a stack can be tested twice."""
        return f"{name} {self.id[-6:]}"

    def get(self) -> dict[str, Any]:
        return self.call("GET", self.path).json()

    def put(self, step: str, body: Any, **more: Any) -> httpx.Response:
        return self.call("PUT", f"{self.path}/steps/{step}", json=body, **more)

    def settled(self) -> dict[str, Any]:
        """The wizard as soon as it no longer works."""
        return until(lambda: wizard if (wizard := self.get())["status"] != "working" else None, every=0.1)

    def answer(self, step: str, body: Any) -> dict[str, Any]:
        answered = self.put(step, body)
        if answered.status_code == 429 and answered.json()["code"] == "too_many_attempts":
            # Tests beside this one have tried the same server and login with a wrong password.
            time.sleep(min(int(answered.headers["retry-after"]), 60))
            answered = self.put(step, body)
        assert answered.status_code == 202, answered.text
        return self.settled()

    def connect(self, name: str, companies: Any = "all") -> str:
        """All steps from the first to the last; the connection's id."""
        self.start()
        self.answer("server", self.server)
        self.answer("companies", {"companies": companies})
        self.answer("name", {"name": self.unused(name)})
        self.answer("vouchers", {})
        done = self.answer("finish", {})
        assert done["status"] == "finished", done
        return done["connection_id"]

    def secret(self) -> str | None:
        """What is kept for this wizard's connection."""
        item = self.item()
        connection = item["body"]["S"].partition('"connection_id":"')[2][:26]
        manager = self.hub.aws.client("secretsmanager")
        try:
            return manager.get_secret_value(SecretId=f"{self.hub.outputs['SecretPrefix']}{self.client}/{connection}")[
                "SecretString"
            ]
        except manager.exceptions.ResourceNotFoundException:
            return None

    def key(self, *parts: str) -> dict[str, Any]:
        return {"pk": {"S": f"CLIENT#{self.client}"}, "sk": {"S": "#".join(("WIZARD", self.id, *parts))}}

    def item(self, *parts: str) -> dict[str, Any]:
        """One of the wizard's items as it is kept."""
        table = self.hub.aws.client("dynamodb")
        return table.get_item(TableName=self.hub.outputs["TableName"], Key=self.key(*parts), ConsistentRead=True).get(
            "Item", {}
        )
