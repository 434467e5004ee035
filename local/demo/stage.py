"""Where a scene is played: on a hub that is started for it, or as the guest of one that is up already."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import deploy, processes, seed, standins
from local.demo.hub import Hub
from local.demo.screen import Screen
from local.emulator import Aws
from local.processes import Started
from local.stack import Stack

type Json = dict[str, Any]


@dataclass
class Stage:
    """One scene's stage. A guest disturbs nobody: it has a customer, a client and a SQL Server of its own."""

    screen: Screen
    stack: Stack
    folder: Path
    """For files of the scene's own; it goes when the scene is over."""
    guest: bool = False
    """Whether the hub was up before and stays up afterwards."""
    _server: Started | None = None

    def open(self, content: Sequence[str], erp: str, parameters: Mapping[str, str] | None = None) -> Json:
        """Everything the scene works with, in the words of stack.json.

        `content` is what the stand-in SQL Server holds, `erp` the name of the stand-in that the scene is about, and
        `parameters` are for the template where the hub is started for the scene. Raises StartupError, DemoFailed.
        """
        screen = self.screen
        screen.chapter("Set the stage")
        if self.guest:
            with screen.doing(f"Finding room in the hub of {self.stack.directory.name}"):
                return self._beside_others(content)
        with screen.doing("Building the functions and layers for this machine"):
            deploy.build()
        with screen.doing(f"Starting a local AWS, deploying template.yaml, starting a stand-in {erp}"):
            return self.stack.up(dict(parameters or {}), content)

    def _beside_others(self, content: Sequence[str]) -> Json:
        described = self.stack.require_up()
        self._server, address = standins.start("sqlserver", self.folder, {}, content)
        there = described["stand_ins"] | {"sqlserver": address}
        return described | {"stand_ins": there, "clients": [_client_of_its_own(described, self.stack.aws())]}

    def leave(self, hub: Hub, connection: str) -> None:
        """A connection that stays behind in somebody's hub is paused, because its SQL Server goes with the scene.

        Raises DemoFailed.
        """
        if self.guest:
            hub.post(f"./connections/{connection}/pause", {})
            self.screen.say("The hub goes on; this connection of it is paused, for its SQL Server ends here.", "dim")

    def close(self, *, keep: bool) -> None:
        """End what was started, but for a hub that is to be kept."""
        if self._server is not None:
            processes.stop(self._server, 0)
        if not self.guest and not keep:
            self.stack.destroy()


def _client_of_its_own(described: Json, aws: Aws) -> Json:
    """A client of a customer that nobody else uses: within a customer a company is connected once."""
    first = described["users"][0]
    token = seed.sign_in(aws, described["outputs"]["UserPoolClientId"], first["name"], first["password"])
    hub = Hub(described["api_url"], token, "")
    try:
        name = f"Demo {secrets.token_hex(3)}"
        customer = hub.post("/customers", {"name": name, "administrator": first["name"]})["id"]
        made = hub.post(f"/customers/{customer}/clients", {"name": name})
    finally:
        hub.close()
    return {"id": made["id"], "name": name}
