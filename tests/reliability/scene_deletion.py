"""A connection is deleted with all that hangs on it."""

import json
from typing import Any

import pytest

from erphub import app
from erphub.companies.dynamodb import CompanyTable
from erphub.erp.dynamodb import token_key
from erphub.lake.locations import connection_folder
from erphub.platform.aws.objects import Bucket
from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from erphub.sync.transfers.dynamodb import TransferTable
from erphub.sync.transfers.models import Transfer
from tests.reliability import views
from tests.reliability.scene import HERE
from tests.reliability.scene_import import BOOKS, OLD, WithImports, connect
from tests.reliability.stage import CLIENT, CUSTOMER, USER, Stage

OTHER = "01JCG0C1H3NT0000000000000C"


class Deletion(WithImports):
    """A connection is deleted with all that hangs on it, beside another one to the same company that stays."""

    name = "deletion"
    data = OLD

    def prepare(self, stage: Stage) -> None:
        stage.settle_in()
        CompanyTable(Table(stage.tenants)).set_allow_duplicates(CUSTOMER, True)
        for connection, name in ((BOOKS, "Books"), (OTHER, "Others")):
            connect(stage, connection, name, ["F0001"])
            path = f"{HERE}/import-jobs/{self.job(stage, connection)}/runs"
            started = stage.call("POST", path, api="imports")
            assert self.ended(stage, f"{path}/{started.json['id']}") is None
            bucket = Bucket(stage.bucket)
            bucket.write(f"documents/{CLIENT}/{connection}/z/1.pdf", b"%PDF " + connection.encode())
            now = app.services().platform.clock()
            ids: dict[str, Any] = {"client_id": CLIENT, "connection_id": connection}
            TransferTable(Table(stage.exports)).save(Transfer(id=new_id(), **ids, started_by=USER, created_at=now), 400)
            app.services().platform.table.put({**token_key(CLIENT, connection, "session"), "lease_until": "x"})

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        super().equip(patch, stage)
        self.said: str | None = None

    def play(self, stage: Stage) -> None:
        self.said = self._delete(stage)

    def _delete(self, stage: Stage) -> str | None:
        stage.seen.clear()
        path = f"{HERE}/connections/{BOOKS}"
        seen = ""
        for _ in range(4):
            plan = stage.call("POST", f"{path}/deletion-preview")
            if plan.status == 200:
                token = plan.json["plan_token"]
                seen = stage.call("DELETE", f"{path}?plan_token={token}").code
            else:
                seen = plan.code
            stage.drain()
            shown = stage.call("GET", path)
            if shown.status == 404:
                return None
            if shown.json["status"] == "deleting":
                stage.clock_strikes(5)
                stage.drain()
                if stage.call("GET", path).status == 404:
                    return None
        return seen

    def failed(self, stage: Stage) -> str | None:
        return self.said

    def harm(self, stage: Stage) -> str | None:
        """Nothing of the other connection is touched; of the deleted one nothing is left without it."""
        others = [secret for secret in stage.secrets() if OTHER in secret]
        if len(others) != 1:
            return "the other connection's password is gone"
        items = [views.kind_of(item) for item in stage.items() if BOOKS in json.dumps(item, default=str)]
        items = [kind for kind in items if kind not in ("ENTRY", "ENTRY-KEY", "DELETION-PLAN", "EVENT")]
        if "CONNECTION" not in items and (items or any(BOOKS in secret for secret in stage.secrets())):
            return f"left without an owner: {items}"
        return None

    def again(self, stage: Stage) -> None:
        self.said = self._delete(stage)

    def outcome(self, stage: Stage) -> list[str]:
        rows = [f"{name}: {len(rows)}" for name, rows in self.lake(stage).items()]
        bucket = [views.text(name) for name in stage.objects() if "_delta_log" not in name]
        mine = [name for name in stage.objects() if BOOKS in name or connection_folder(BOOKS) in name]
        return [*rows, f"objects: {len(bucket)}", f"mine: {mine}", f"secrets: {len(stage.secrets())}"]
