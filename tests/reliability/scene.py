"""What a scene of the fault sweep is: prepared once, played once for each fault."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from erphub.connections.erp_access import ErpAccess
from erphub.erp import catalogue as erp
from local.erps.twentyfourseven import App, Transport, seed
from tests.reliability import views
from tests.reliability.stage import CLIENT, Stage

HERE = f"/clients/{CLIENT}"


class Scene:
    """One scene. It is prepared once, and played once for each fault."""

    name: str

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        """Set up the outside world."""

    def prepare(self, stage: Stage) -> None:
        """What was there before."""

    def play(self, stage: Stage) -> None:
        """What is disturbed."""

    def failed(self, stage: Stage) -> str | None:
        """How the hub says that it failed; None when it says nothing of the kind."""

    def harm(self, stage: Stage) -> str | None:
        """What must not be, also when it failed."""

    def again(self, stage: Stage) -> None:
        """Do it once more, as people would who were told that it failed."""

    def record(self, stage: Stage) -> list[str]:
        """All that is compared with the undisturbed run."""
        return [*self.outcome(stage), *views.items(stage)]

    def outcome(self, stage: Stage) -> list[str]:
        """What counts in the end, however often it was tried."""
        return []


class With24SevenOffice(Scene):
    """The real client over the stand-in, without sockets; its sessions and rate limits are in the hub's table."""

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        app = App.seeded()
        stage.erp = app
        patch.setenv("ERP_APPLICATIONS", f"24sevenoffice={seed.APPLICATION_ID}")

        def opened(
            self: ErpAccess, system: str, settings: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
        ) -> Any:
            resources = replace(self.resources(*secret_name.split("/")[:2]), pause=stage.wait)
            return erp.open_system(system, settings, secret, networks=(), transport=Transport(app), resources=resources)

        patch.setattr(ErpAccess, "open", opened)
