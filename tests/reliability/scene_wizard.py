"""A wizard, answered by a person who tries again."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from local.erps.twentyfourseven import seed
from tests.reliability import views
from tests.reliability.scene import HERE, With24SevenOffice
from tests.reliability.stage import Stage


class Wizard(With24SevenOffice):
    """A wizard that makes a connection to an ERP, up to the start of its first import."""

    name = "wizard"
    answers: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "sign-in": {
            "sign_in": "user",
            "username": seed.USER,
            "password": seed.PASSWORD,
            "has_several_companies": True,
        },
        "companies": {"companies": [str(seed.SHOP), str(seed.CAFE)]},
        "departments": {"departments": "all"},
        "name": {"name": "Books"},
        "vouchers": {"voucher_provider": "none"},
        "finish": {},
    }

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        super().equip(patch, stage)
        stage.machines.held = frozenset({"import"})
        self.said: str | None = None

    def prepare(self, stage: Stage) -> None:
        stage.settle_in()

    def play(self, stage: Stage, key: str = "start") -> None:
        started = stage.call("POST", f"{HERE}/wizards", {"erp_system": "24sevenoffice"}, key=key)
        self.said = None if started.status == 201 else started.code or str(started.status)
        if self.said is None:
            self.said = self._answer_all(stage, f"{HERE}/wizards/{started.json['id']}")
        self._let_time_pass(stage)

    def _answer_all(self, stage: Stage, path: str) -> str | None:
        """Answer what is asked until the wizard has ended; how it says that it failed."""
        seen = ""
        for _ in range(40):
            stage.drain()
            reply = stage.call("GET", path)
            if reply.status != 200:
                return reply.code
            seen = reply.json["status"]
            if seen == "finished":
                return None
            if seen in ("failed", "expired", "cancelled"):
                return seen
            if seen == "working":  # whoever took the answer died before the machine was woken: it may be given again
                stage.wait(61)
            answered = stage.call("PUT", f"{path}/steps/{reply.json['step']}", self.answers[reply.json["step"]])
            if answered.status == 409:
                stage.wait(31)
        return None

    @staticmethod
    def _let_time_pass(stage: Stage) -> None:
        """Wizards that nobody goes on with expire; the clock calls its functions."""
        for execution in list(stage.machines.executions.values()):
            if execution.machine == "connect" and execution.status == "RUNNING" and execution.waiting:
                stage.machines.time_out(execution)
        stage.drain()
        stage.clock_strikes(2)

    def failed(self, stage: Stage) -> str | None:
        return self.said

    def harm(self, stage: Stage) -> str | None:
        connected = [item for item in stage.items() if views.kind_of(item) == "CONNECTION"]
        if len(stage.secrets()) != len(connected):
            return f"{len(stage.secrets())} passwords for {len(connected)} connections"
        return None

    def again(self, stage: Stage) -> None:
        self.play(stage, key="again")

    def record(self, stage: Stage) -> list[str]:
        return [*self.outcome(stage), *views.items(stage, without=("WIZARD",))]

    def outcome(self, stage: Stage) -> list[str]:
        kinds = ("CONNECTION", "CONNECTION-NAME", "CONNECTION-COMPANY", "COMPANY", "LICENCES", "JOB")
        of_wizards = [item for item in stage.items() if views.kind_of(item).startswith("WIZARD")]
        left = [views.kind_of(item) for item in of_wizards if views.kind_of(item) != "WIZARD"]
        finished = sum(item.get("status") == "finished" for item in of_wizards)
        return [
            *(views.text(item) for item in stage.items() if views.kind_of(item) in kinds),
            f"{len(stage.secrets())} passwords",
            f"left of wizards: {sorted(left)}",
            f"{finished} finished",
            f"{sum(one.machine == 'import' for one in stage.machines.executions.values())} first imports",
        ]
