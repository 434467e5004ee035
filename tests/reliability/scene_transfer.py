"""A till's documents on their way to the ERP, while the hub's own services fail."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from erphub.platform.aws.due import sortable
from erphub.platform.aws.table import Table, key_of
from erphub.sync.transfers.models import LEASE_DURATION
from local.erps.twentyfourseven import seed
from tests.e2e.till import SETTINGS
from tests.reliability import views
from tests.reliability.scene import HERE, With24SevenOffice
from tests.reliability.scene_wizard import Wizard
from tests.reliability.stage import Stage


class Transfer(With24SevenOffice):
    """A till hands in a settlement and has what waits transferred to the ERP: customers, settlements, their PDFs."""

    name = "transfer"
    _CONNECT: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "sign-in": {
            "sign_in": "organisation",
            "organisation_id": str(seed.SHOP),
            "client_id": seed.CLIENT_ID,
            "client_secret": seed.CLIENT_SECRET,
        },
        "companies": {"companies": "all"},
        "departments": {"departments": "all"},
        "name": {"name": "Till"},
        "finish": {},
    }

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        super().equip(patch, stage)
        stage.machines.held = frozenset({"import"})
        self.said: str | None = None

    def prepare(self, stage: Stage) -> None:
        stage.settle_in()
        wizard = Wizard()
        wizard.answers = self._CONNECT
        wizard.play(stage)
        assert wizard.said is None, wizard.said
        [connection] = stage.call("GET", f"{HERE}/connections").json["items"]
        self.path = f"{HERE}/connections/{connection['id']}"
        saved = stage.call("PUT", f"{self.path}/sync", {**SETTINGS, "is_automatic": True}, api="sync")
        assert saved.status == 200, saved
        for number in (1, 2):
            self._settle(stage, number)
        customer = {"name": "Fjell Bygg AS", "organisation_no": "999888777"}
        assert stage.call("PUT", f"{self.path}/documents/customer/K1", customer, api="sync").status in (200, 201)
        # The wizard's imports are another scene's, and no session of before is known to a new stand-in.
        table = Table(stage.tenants)
        table.delete_many([key_of(item) for item in stage.items() if views.kind_of(item) in ("JOB", "RUN", "TOKEN")])

    def _settle(self, stage: Stage, number: int) -> str | None:
        body = {
            "date": f"{datetime.now(UTC):%Y}-01-{number + 10}",
            "number": number,
            "sales": [{"vat_rate": "25", "amount": f"{number}25.00", "vat": f"{number * 20 + 5}.00"}],
            "payments": [{"means": "cash", "amount": f"{number}25.00"}],
        }
        handed = stage.call("PUT", f"{self.path}/documents/settlement/Z{number}", body, api="sync")
        return None if handed.status in (200, 201) else handed.code or str(handed.status)

    def play(self, stage: Stage) -> None:
        self.said = self._settle(stage, 3) or self._transfer(stage, "start")
        stage.clock_strikes(2)
        if self.said is None:
            # What both sides agree on is found out again at the next look at the ERP's changes.
            stage.wait(1800)
            self.said = self._transfer(stage, "next")
        stage.wait(LEASE_DURATION.total_seconds())

    def _transfer(self, stage: Stage, key: str) -> str | None:
        started = stage.call("POST", f"{self.path}/transfers", {}, api="sync", key=key)
        if started.status != 202:
            return started.code or str(started.status)
        for _ in range(5):
            stage.drain()
            shown = stage.call("GET", f"{self.path}/transfers/{started.json['id']}", api="sync").json
            if shown["finished_at"]:
                break
            stage.wait(420)
        waiting = [one for one in self._entries(stage) if not one.endswith(" sent")]
        problem = (shown["problem"] or {}).get("code")
        if shown["status"] == "succeeded" and not waiting:
            return None
        return f"{shown['status']} {problem} {waiting}"

    def _entries(self, stage: Stage) -> list[str]:
        shown = stage.call("GET", f"{self.path}/export-log?limit=200", api="sync").json["items"]
        return sorted(f"{one['kind']} {one['external_id']} {one['status']}" for one in shown)

    def failed(self, stage: Stage) -> str | None:
        return self.said

    def harm(self, stage: Stage) -> str | None:
        vouchers = Counter(voucher.partition(" is ")[0] for voucher in self._vouchers(stage))
        twice = [voucher for voucher, times in vouchers.items() if times > 1]
        return f"posted twice: {twice}" if twice else None

    def _vouchers(self, stage: Stage) -> list[str]:
        """What came through the hub, by what the till calls it."""
        names = {item["sk"].rpartition("#")[2]: views.text(json.loads(item["data"])["title"]) for item in stage.items()
                 if views.kind_of(item) == "ENTRY" and "data" in item}  # fmt: skip
        found: list[str] = []
        for voucher in stage.erp.world.organisations[seed.SHOP].vouchers.values():
            comments = " ".join(line.comment for line in voucher.lines)
            known = [title for name, title in names.items() if name in comments]
            if known:
                amounts = sorted(f"{line.account} {line.amount}" for line in voucher.lines)
                found.append(f"{known[0]} is {amounts}")
        return sorted(found)

    def again(self, stage: Stage) -> None:
        for number in range(4):
            stage.wait(660)
            self.said = self._settle(stage, 3) or self._transfer(stage, f"again-{number}")
            if self.said is None:
                return

    def record(self, stage: Stage) -> list[str]:
        return [*self.outcome(stage), *views.items(stage, without=("SYNC", "TRANSFER", "EVENT", "ENTRY"))]

    def outcome(self, stage: Stage) -> list[str]:
        customers = stage.erp.world.organisations[seed.SHOP].customers.values()
        now = sortable(datetime.now(UTC))
        leases = [
            item["lease_holder"]
            for item in stage.items()
            if views.kind_of(item) == "SYNC-LEASE" and item.get("lease_until", "") > now
        ]
        return [
            *self._vouchers(stage),
            *self._entries(stage),
            f"customers: {sorted(str(one.fields) for one in customers)}",
            f"lease: {leases}",
        ]
