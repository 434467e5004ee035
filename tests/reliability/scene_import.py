"""An import of two companies, in several parts of several pieces, over what was imported before."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from deltalake import DeltaTable

from erphub import app
from erphub.audit.service import AuditLog
from erphub.companies.service import CompanyRegistry
from erphub.connections.dynamodb import ConnectionTable
from erphub.connections.erp_access import ErpAccess
from erphub.connections.models import Company, Connection
from erphub.erp.datasets import BY_ID
from erphub.imports import wiring as imports_wiring
from erphub.imports.runs.planning import RunPlanner
from erphub.lake.delta import sql as lake_sql
from erphub.lake.locations import tables_prefix
from erphub.platform.ids import new_id
from erphub.platform.services import Services
from erphub.platform.settings import Settings
from erphub.wizards.dynamodb import WizardTable
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.service import WizardService
from tests.reliability import views
from tests.reliability.scene import HERE, Scene
from tests.reliability.stage import CLIENT, CUSTOMER, USER, Stage
from tests.support.erp import FakeErp, Row
from tests.support.imports import chart, ledger


class Connected(FakeErp):
    """An ERP that any settings open."""

    def check(self) -> list[Any]:
        return []


def connect(stage: Stage, connection_id: str, name: str, companies: list[str]) -> None:
    """A connection with its companies and its password, as a wizard leaves it."""
    now = app.services().platform.clock()
    wizard = Wizard(
        id=new_id(),
        client_id=CLIENT,
        customer_id=CUSTOMER,
        erp_system="visma-business",
        owner=USER,
        step="server",
        status=WizardStatus.WORKING,
        connection_id=connection_id,
        execution=app.services().get(WizardService).machine.execution("before"),
        created_at=now,
        expires_at=now,
    )
    app.services().get(WizardTable).create(wizard)
    connection = Connection(
        id=connection_id,
        client_id=CLIENT,
        erp_system="visma-business",
        name=name,
        owner=USER,
        is_shared=False,
        settings={"server": "db.example.test", "login": "erphub"},
        includes_new_companies=False,
        generation=wizard.id,
        created_at=now,
        updated_at=now,
    )
    kept = [Company(key=key, name=f"Company {key}") for key in companies]
    app.services().get(CompanyRegistry).claim(CUSTOMER, connection, kept, allow_duplicates=True)
    entry = app.services().get(AuditLog).entry(USER, "connection.created", None, {"name": name}, "192.0.2.7")
    finished = wizard.model_copy(update={"status": WizardStatus.FINISHED})
    _, ended = app.services().get(WizardTable).replacing(finished)
    app.services().get(ConnectionTable).create(connection, kept, entry, [ended])
    app.services().platform.secrets.put(connection.secret_name, {"password": "S3cret-of-the-ERP"}, CLIENT)


BOOKS = "01JCG0C1H3NT0000000000000B"
OLD: dict[str, dict[str, list[Row]]] = {
    company: {"accounts": chart(2), "gl_transactions": ledger(6)} for company in ("F0001", "F0002")
}
NEW: dict[str, dict[str, list[Row]]] = {
    "F0001": {"accounts": chart(3, "Other"), "gl_transactions": ledger(16, cents=200)},
    "F0002": {"accounts": chart(2), "gl_transactions": ledger(5, cents=300)},
}


class WithImports(Scene):
    """An ERP in memory, read in small parts that are staged in small pieces."""

    data = NEW

    def equip(self, patch: pytest.MonkeyPatch, stage: Stage) -> None:
        stage.erp = Connected({company: dict(tables) for company, tables in self.data.items()}, batch_rows=4)
        patch.setattr(ErpAccess, "open", lambda *_: stage.erp)
        given: Any = Settings.lake_options
        quick = {"max_retries": "4", "retry_timeout": "20s", "backoff_config.init_backoff": "1ms"}
        quick |= {"backoff_config.max_backoff": "2ms"}
        patch.setattr(Settings, "lake_options", property(lambda self: given.fget(self) | quick))

        def in_small_parts(services: Services) -> RunPlanner:
            planner = replace(imports_wiring.run_planner(services), part_rows=10)
            tables: Any = planner.lake.writer
            tables._staging = replace(tables._staging, piece_bytes=1000)
            return planner

        patch.setattr(imports_wiring, "PROVIDES", (in_small_parts, *imports_wiring.PROVIDES))

    def lake(self, stage: Stage) -> dict[str, list[str]]:
        """The rows of each dataset, by company, as they are when the scene has been played."""
        if "lake" not in stage.seen:
            stage.seen["lake"] = self._read(stage)
        return stage.seen["lake"]

    def _read(self, stage: Stage) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for dataset in ("accounts", "gl_transactions"):
            uri = f"s3://{stage.bucket}/{tables_prefix(CLIENT)}{dataset}"
            table = DeltaTable(uri, storage_options=app.services().platform.settings.lake_options)
            keys = ", ".join(f'"{key}"' for key in BY_ID[dataset].keys)
            columns = f"company, {keys}, " + ("name" if dataset == "accounts" else "amount")
            rows = lake_sql.rows(lake_sql.query({"t": table}, f"SELECT {columns} FROM t ORDER BY company, {keys}"))
            for row in rows:
                found.setdefault(f"{dataset} of {row['company']}", []).append(
                    " ".join(f"{value:f}" if isinstance(value, Decimal) else str(value) for value in row.values())
                )
        return found

    def job(self, stage: Stage, connection: str = BOOKS) -> str:
        """A job that imports all there is, by hand."""
        body = {"name": f"All of {connection[-3:]}", "connection_id": connection, "period": {"kind": "everything"}}
        body |= {"dataset_ids": ["accounts", "gl_transactions"]}
        made = stage.call("POST", f"{HERE}/import-jobs", body, api="imports")
        assert made.status == 201, made
        return made.json["id"]

    def ended(self, stage: Stage, path: str) -> str | None:
        """How a run says that it failed, once it has ended."""
        for _ in range(4):
            stage.drain()
            run = stage.call("GET", path, api="imports").json
            if run.get("finished_at"):
                return None if run["status"] == "succeeded" else f"{run['status']} {(run['problem'] or {}).get('code')}"
            stage.clock_strikes(6, every=6)
        return None


class Import(WithImports):
    """An import by hand over data that was imported before and has changed since."""

    name = "import"

    def prepare(self, stage: Stage) -> None:
        stage.settle_in()
        stage.erp.data = {company: dict(tables) for company, tables in OLD.items()}
        connect(stage, BOOKS, "Books", ["F0001", "F0002"])
        self.path = f"{HERE}/import-jobs/{self.job(stage)}/runs"
        self.play(stage, key="before")
        assert self.said is None, self.said
        self.old = self.lake(stage)

    def play(self, stage: Stage, key: str = "start") -> None:
        stage.seen.clear()
        started = stage.call("POST", self.path, api="imports", key=key)
        self.said = started.code or str(started.status)
        if started.status in (200, 201, 202):
            self.said = self.ended(stage, f"{self.path}/{started.json['id']}")
        stage.clock_strikes(2)

    def failed(self, stage: Stage) -> str | None:
        return self.said

    def harm(self, stage: Stage) -> str | None:
        new = {f"{dataset} of {company}": len(rows) for company, of in NEW.items() for dataset, rows in of.items()}
        for name, rows in self.lake(stage).items():
            if rows != self.old[name] and (len(rows) != new[name] or len(set(rows)) != len(rows)):
                return f"{name}: {len(rows)} rows are neither the old {len(self.old[name])} nor the new {new[name]}"
        return None

    def again(self, stage: Stage) -> None:
        self.play(stage, key="again")

    def outcome(self, stage: Stage) -> list[str]:
        leases = [item["sk"] for item in stage.items() if views.kind_of(item).startswith("LEASE")]
        aside = [name for name in stage.objects() if name.startswith("staging/")]
        rows = [f"{name}: {row}" for name, rows in self.lake(stage).items() for row in rows]
        return [*rows, f"leases: {leases}", f"put aside: {len(aside)}"]
