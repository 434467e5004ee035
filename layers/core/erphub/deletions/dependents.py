"""Every kind of thing that refers to a connection, in the order of their removal. A new kind is one entry here.

Passwords go first, data next, then what describes it; companies and licences go last, and the connection itself after
them, in the deletion's own last step. So whatever is left after dying anywhere still has its owner, and is found by it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from erphub.companies.dependents import Companies, LicencesUsed
from erphub.companies.models import KnownCompany
from erphub.connections.dependents import Passwords, companies_of
from erphub.imports.dependents import Jobs, Runs
from erphub.lake.dependents import LakeTables
from erphub.platform.aws.objects import Objects
from erphub.platform.aws.removal import Items, Under
from erphub.platform.aws.table import Table
from erphub.platform.clock import Clock
from erphub.platform.removal import Dependent
from erphub.platform.secrets import Secrets
from erphub.platform.state_machines import StateMachine
from erphub.platform.tasks import TimeLeft
from erphub.sync.dependents import Documents, Papers, SyncSettings
from erphub.tenancy.dependents import Answers
from erphub.tenancy.dynamodb import client_key
from erphub.wizards.dependents import Wizards

LAST = ("tenants:CONNECTION", "tenants:CONNECTION-NAME", "tenants:DELETION")
"""Items that `Deletions.forget` removes, all at once, when all else is gone."""


@dataclass(frozen=True)
class Stores:
    """What the kinds reach into."""

    table: Table
    exports: Table
    objects: Objects
    secrets: Secrets
    secret_names: Callable[[str], Sequence[str]]
    connect: StateMachine
    imports: StateMachine
    clock: Clock
    erase: Callable[[str, str, TimeLeft], bool]
    held: Callable[[str, str], Sequence[KnownCompany]]
    release: Callable[[str, str], object]


def kinds(stores: Stores) -> list[Dependent]:
    """The registry, in the order of removal."""
    table = stores.table

    def of_client(prefix: str) -> Under:
        return lambda of: (client_key(of.client_id)["pk"], f"{prefix}#")

    def of_connection(prefix: str) -> Under:
        return lambda of: (client_key(of.client_id)["pk"], f"{prefix}#{of.id}#")

    registry: list[Dependent] = [
        Passwords("secrets", "Passwords", (), secrets=stores.secrets, names=stores.secret_names),
        Items("tokens", "ERP tokens", ("tenants:TOKEN",), shown=False, table=table, under=of_connection("TOKEN")),
        Items("budgets", "Calls left", ("tenants:BUDGET",), shown=False, table=table, under=of_connection("BUDGET")),
        LakeTables(
            "lake_tables",
            "Imported data",
            (),
            objects=stores.objects,
            erase=stores.erase,
            companies=lambda of: companies_of(table, of),
        ),
        Papers("papers", "PDFs and batches handed over", (), objects=stores.objects),
        Documents("documents", "Export log", ("exports:*",), table=stores.exports, clock=stores.clock),
        SyncSettings(
            "sync",
            "Sync settings",
            ("tenants:SYNC", "tenants:SYNC-LEASE"),
            table=table,
            under=lambda of: (client_key(of.client_id)["pk"], "SYNC"),
            belongs=lambda item, of: item["sk"].split("#")[1] == of.id,
            clock=stores.clock,
        ),
        Runs(
            "runs",
            "Import runs",
            (
                "tenants:RUN",
                "tenants:RUN-OPEN",
                "tenants:RUN-UNIT",
                "tenants:RUN-PART",
                "tenants:RUN-LOG",
                "tenants:LEASE",
            ),
            table=table,
            objects=stores.objects,
            machine=stores.imports,
            clock=stores.clock,
        ),
        Jobs(
            "import_jobs",
            "Import jobs",
            ("tenants:JOB",),
            table=table,
            under=of_client("JOB"),
            belongs=lambda item, of: json.loads(item["body"])["connection_id"] == of.id,
        ),
        Wizards(
            "wizards",
            "Wizards in progress",
            ("tenants:WIZARD",),
            table=table,
            under=of_client("WIZARD"),
            belongs=lambda item, of: "body" in item and json.loads(item["body"])["connection_id"] == of.id,
            machine=stores.connect,
            secrets=stores.secrets,
        ),
        Items(
            "notifications",
            "Notifications",
            ("tenants:NOTICE",),
            shown=False,
            table=table,
            under=of_client("NOTICE"),
            belongs=lambda item, of: item.get("connection_id") == of.id,
        ),
        Items(
            "occasions",
            "What was told once",
            ("tenants:NOTICE-ONCE",),
            shown=False,
            table=table,
            under=of_connection("NOTICE-ONCE"),
        ),
        Items(
            "deliveries",
            "Webhook deliveries",
            ("tenants:WEBHOOK-DELIVERY",),
            shown=False,
            table=table,
            under=of_client("WEBHOOK-DELIVERY"),
            belongs=lambda item, of: of.id in item["data"],
        ),
        Answers("answers", "Answers kept for repeated requests", ("tenants:IDEMPOTENCY",), shown=False, table=table),
        Items(
            "plans",
            "Plans of a deletion",
            ("tenants:DELETION-PLAN",),
            shown=False,
            table=table,
            under=of_connection("DELETION-PLAN"),
        ),
        LicencesUsed("licences", "Licences freed", ("tenants:COMPANY",), held=stores.held, release=stores.release),
        Companies(
            "companies",
            "Companies",
            ("tenants:CONNECTION-COMPANY",),
            table=table,
            under=of_connection("CONNECTION-COMPANY"),
        ),
    ]
    return registry
