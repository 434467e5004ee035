"""A client with two connections to the same companies, everything that can hang on one, and a way to die anywhere."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from erphub import capabilities
from erphub.audit.service import AuditLog
from erphub.capabilities import CAPABILITIES
from erphub.companies.dynamodb import CompanyTable
from erphub.companies.service import CompanyRegistry
from erphub.connections.dynamodb import ConnectionTable
from erphub.connections.models import Company, Connection
from erphub.deletions.dynamodb import DeletionTable
from erphub.deletions.service import DeletionService
from erphub.deletions.tasks import DeletionTasks
from erphub.erp.documents import DocumentKind
from erphub.erp.dynamodb import rate_limit_key, token_key
from erphub.events.dynamodb import event_item_key
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Days, Job, Schedule
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import LogLine, Part, Run, RunRef, RunStatus, RunTrigger, Unit
from erphub.lake.datasets.dynamodb import TableTypesTable
from erphub.lake.delta.removal import LakeRemoval
from erphub.lake.locations import connection_folder
from erphub.platform.aws import clients
from erphub.platform.identity import Member
from erphub.platform.ids import derived_id
from erphub.platform.resources import PlatformResources
from erphub.platform.services import Services
from erphub.platform.settings import Settings, read_settings
from erphub.platform.wire import instant
from erphub.sync.export_log.dynamodb import EntryTable
from erphub.sync.export_log.models import Attempt, Entry, EntryStatus
from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
from erphub.sync.settings.models import Sync, SyncSettings
from erphub.sync.transfers.dynamodb import TransferTable
from erphub.sync.transfers.models import Transfer
from erphub.sync.uploads.dynamodb import UploadTable
from erphub.sync.uploads.models import Upload, UploadFormat
from erphub.webhooks.dynamodb import webhook_delivery_key
from erphub.wizards.dynamodb import WizardTable, wizard_company_key, wizard_token_key
from erphub.wizards.models import Edit, Wizard, WizardStatus
from tests.support.aws import AWS, CREDENTIALS, EXPORTS, TENANTS, everything_in, make_table
from tests.support.imports import run_stores
from tests.support.tenants import add_client, add_customer, add_member

MINE, OTHER = derived_id("mine"), derived_id("other")
CLIENT, CUSTOMER = derived_id("client"), derived_id("customer")
OWNER, COLLEAGUE = "owner", "colleague"
PREFIX, BUCKET = "hub/connections/", "lake"
PASSWORD = "S3cret-of-the-ERP"
NAME = "Regnskap Nord"


class Killed(BaseException):
    """The worker's end: nothing catches it."""


class Machines:
    """A state machine that only remembers which executions go on; a name that was used once stays taken."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.running: dict[str, Mapping[str, Any]] = {}
        self.stopped: list[str] = []
        self.taken: set[str] = set()

    def execution(self, name: str) -> str:
        return f"{self.kind}:{name}"

    def start(self, name: str, input: Mapping[str, Any]) -> str:
        execution = self.execution(name)
        if execution not in self.taken:
            self.taken.add(execution)
            self.running[execution] = dict(input)
        return execution

    def stop(self, execution: str, cause: str) -> None:
        if self.running.pop(execution, None) is not None:
            self.stopped.append(execution)

    def is_running(self, execution: str) -> bool:
        return execution in self.running

    def resume(self, token: str, output: Mapping[str, Any]) -> None:
        raise NotImplementedError


@dataclass
class Death:
    """Kills the worker behind the nth call that changes something."""

    at: int | None = None
    changes: list[str] = field(default_factory=list)

    READS = ("Get", "List", "Query", "Scan", "Describe", "Head", "BatchGet", "Create")

    def __call__(self, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if operation.startswith(self.READS):
            return
        self.changes.append(operation)
        if self.at is not None and len(self.changes) == self.at:
            self.at = None
            raise Killed(operation)


class ScenePlatform(PlatformResources):
    """The deployment in this process: its state machines only remember."""

    def __init__(self, settings: Settings, machines: Sequence[Machines]) -> None:
        super().__init__(settings)
        self._machines = {one.kind: one for one in machines}

    def machine(self, arn: str) -> Machines:
        return self._machines[arn]


@dataclass
class Scene:
    """The hub's stores with everything in them, and the use-cases of deletion over them."""

    death: Death
    grace: timedelta = timedelta(days=30)
    now: datetime = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def __post_init__(self) -> None:
        settings = {
            "TABLE_NAME": "tenants",
            "EXPORT_LOG_TABLE": "exports",
            "LAKE_BUCKET": BUCKET,
            "SECRET_PREFIX": PREFIX,
            "SEALED_TABLE": "credentials",
            "DELETE_MACHINE_ARN": "delete",
            "CONNECT_MACHINE_ARN": "connect",
            "IMPORT_MACHINE_ARN": "import",
        }
        self.connect, self.imports, self.machine = Machines("connect"), Machines("import"), Machines("delete")
        platform = ScenePlatform(read_settings(settings), [self.connect, self.imports, self.machine])
        platform.clock = self.clock
        self.platform = platform
        self.table, self.exports, self.bucket = platform.table, platform.export_log_table, platform.bucket
        self.secrets = platform.stored_secrets
        self.services = Services(CAPABILITIES, platform, {LakeRemoval: self})
        self.connections, self.store = self.services.get(ConnectionTable), self.services.get(DeletionTable)
        self.audit, self.companies = self.services.get(AuditLog), self.services.get(CompanyRegistry)
        self.tasks = self.services.get(DeletionTasks)
        self.dependents = self.tasks.dependents

    @property
    def service(self) -> DeletionService:
        return replace(self.services.get(DeletionService), grace_period=self.grace)

    def clock(self) -> datetime:
        return self.now

    def remove(self, client_id: str, connection_id: str, time_left: Callable[[], float]) -> bool:
        """The table engine's part without the engine: what becomes of the tables' logs is tested with real tables."""
        owner = connection_folder(connection_id)
        self.bucket.purge(f"lake/{client_id}/", lambda name: f"/{owner}/" in name)
        return True

    def member(self, user: str = OWNER) -> Member:
        permissions = capabilities.built_in_roles()["administrator"]
        return Member(CLIENT, CUSTOMER, user, "administrator", permissions, f"{user}@example.test", "192.0.2.7")

    # --- the two ways of going on ----------------------------------------------------------------------------

    def ask(self, token: str | None = None) -> Any:
        """DELETE, after a look at the preview."""
        return self.service.delete(self.member(), MINE, token or self.service.preview(self.member(), MINE).plan_token)

    def walk(self) -> list[str]:
        """The delete machine by hand, every execution that goes on; what it was told at each step."""
        steps: list[str] = []
        for execution, names in list(self.machine.running.items()):
            ids = names["client_id"], names["connection_id"], names["deletion_id"]
            steps.append(self.tasks.schedule(*ids)["next"])
            while steps[-1] in ("stop_work", "still_running"):
                steps.append(self.tasks.stop(*ids)["next"])
            if steps[-1] == "wait":
                found = self.store.get(CLIENT, MINE)
                self.now = max(self.now, found.restorable_until) if found else self.now
            while steps[-1] != "done":
                steps.append(self.tasks.remove(*ids, lambda: 900.0)["next"])
            self.machine.running.pop(execution, None)
        return steps

    # --- looking ----------------------------------------------------------------------------

    def connection(self, connection_id: str = MINE) -> Connection | None:
        return self.connections.get(CLIENT, connection_id)

    def items(self) -> list[tuple[str, dict[str, Any]]]:
        return [(table.name, item) for table in (self.table, self.exports) for item in everything_in(table)]

    def traces(self, of: str) -> list[str]:
        """Where the word is found: in items, in names and bodies of objects with all versions, in secrets."""
        found = [
            f"{table}:{item['pk']['S']} {item['sk']['S']}"
            for table, item in self.items()
            if of in json.dumps(item, default=str)
        ]
        s3 = clients.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
            for version in page.get("Versions", []):
                body = s3.get_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()  # type: ignore[typeddict-item]
                if of.encode() in body or of in version["Key"]:  # type: ignore[typeddict-item]
                    found.append(f"s3:{version['Key']}")  # type: ignore[typeddict-item]
        found += [f"secret:{name}" for name in self.secrets.names("") if of in name]
        return sorted(found)

    def others(self) -> list[str]:
        """Everything that is the other connection's."""
        return [trace for trace in self.traces(OTHER) if MINE not in trace]

    # --- filling ----------------------------------------------------------------------------

    def fill(self) -> None:
        """Everything a connection can have, for both connections."""
        add_customer(self.table, CUSTOMER, OWNER, self.now)
        add_client(self.table, CLIENT, CUSTOMER, OWNER, self.now)
        add_member(self.table, CLIENT, CUSTOMER, COLLEAGUE, "administrator")
        CompanyTable(self.table).set_allow_duplicates(CUSTOMER, True)
        self.connect_one(MINE, NAME, [Company(key="F0001", name="Nord AS"), Company(key="F0002", name="Sør AS")])
        self.connect_one(OTHER, "Regnskap Sør", [Company(key="F0002", name="Sør AS")])
        for connection in (MINE, OTHER):
            self.imported(connection)
            self.synced(connection)
            self.rest(connection)

    def connect_one(self, connection_id: str, name: str, companies: list[Company]) -> None:
        wizard = self.wizard(connection_id, status=WizardStatus.WORKING)
        WizardTable(self.table).create(wizard)
        connection = Connection(
            id=connection_id,
            client_id=CLIENT,
            erp_system="visma-business",
            name=name,
            owner=OWNER,
            is_shared=False,
            settings={"server": "db.example.test", "login": "erphub"},
            includes_new_companies=False,
            generation=wizard.id,
            created_at=self.now,
            updated_at=self.now,
        )
        self.companies.claim(CUSTOMER, connection, companies, allow_duplicates=True)
        entry = self.audit.entry(OWNER, "connection.created", None, {"name": name}, "192.0.2.7")
        finished = wizard.model_copy(update={"status": WizardStatus.FINISHED})
        _, ended = WizardTable(self.table).replacing(finished)
        self.connections.create(connection, companies, entry, [ended])
        self.secrets.put(connection.secret_name, {"password": PASSWORD}, CLIENT)

    def wizard(self, connection_id: str, **changes: Any) -> Wizard:
        wizard_id = derived_id("wizard", connection_id, str(changes))
        return Wizard(
            id=wizard_id,
            client_id=CLIENT,
            customer_id=CUSTOMER,
            erp_system="visma-business",
            owner=OWNER,
            step="server",
            connection_id=connection_id,
            execution=self.connect.execution(wizard_id),
            created_at=self.now,
            expires_at=self.now + timedelta(days=1),
            **changes,
        )

    def draft(self, connection_id: str) -> Wizard:
        """An edit in progress, with a password of its own and what it found."""
        edit = Edit(version=1, secret_name=f"{CLIENT}/{connection_id}", original_answers={}, has_own_secret=True)
        wizard = self.wizard(connection_id, status=WizardStatus.WAITING, edit=edit)
        WizardTable(self.table).create(wizard)
        self.table.put({**wizard_token_key(CLIENT, wizard.id), "token": "token"})
        self.table.put({**wizard_company_key(CLIENT, wizard.id, "F0003"), "key": "F0003", "name": "Vest AS"})
        self.secrets.put(wizard.secret_name, {"password": PASSWORD}, CLIENT)
        self.connect.start(wizard.id, {"wizard_id": wizard.id})
        return wizard

    def imported(self, connection_id: str) -> None:
        job = Job(
            id=derived_id("job", connection_id),
            client_id=CLIENT,
            name="Last 40 days",
            connection_id=connection_id,
            period=Days(kind="days", days=40),
            schedule=Schedule(run_time="03:00", time_zone="Europe/Oslo"),
            created_by=OWNER,
            created_at=self.now,
            updated_at=self.now,
            due_at=self.now + timedelta(hours=10),
        )
        JobTable(self.table).add(job)
        ref = RunRef(CLIENT, job.id, derived_id("run", connection_id))
        self.run(ref, connection_id, ended=True)
        stores = run_stores(self.table)
        unit = Unit(0, "accounts", connection_id, "F0002", "Sør AS", {})
        stores.units.add(ref, [unit])
        stores.parts.add(ref, [Part(0, 0, {"database": "F0002"}, 3)])
        stores.log.add(ref, LogLine(instant(self.now), "info", "published", "3 rows, reconciled with the ERP."))
        stores.leases.acquire(ref, unit, self.now)
        TableTypesTable(self.table).save(CLIENT, "accounts", {"account_no": "string"})
        file = f"lake/{CLIENT}/accounts/company=F0002/{connection_folder(connection_id)}/part.parquet"
        for body in (b"old rows", b"rows"):
            self.bucket.write(file, body + connection_id.encode())
        self.bucket.write(f"staging/{CLIENT}/{ref.run_id}/000000/part", connection_id.encode())
        self.bucket.delete_all(f"staging/{CLIENT}/{ref.run_id}/")

    def run(self, ref: RunRef, connection_id: str, *, ended: bool) -> None:
        runs, at = RunTable(self.table), instant(self.now)
        runs.add(
            Run(
                ref=ref,
                connection_id=connection_id,
                trigger=RunTrigger.MANUAL,
                status=RunStatus.QUEUED,
                started_by=OWNER,
                created_at=at,
            )
        )
        if ended:
            runs.end(ref, self.now, {"status": RunStatus.SUCCEEDED.value})

    def synced(self, connection_id: str) -> None:
        log = EntryTable(self.exports)
        ids: dict[str, Any] = {"client_id": CLIENT, "connection_id": connection_id}
        settings = SyncSettings(z_report=True, from_date=date(2026, 1, 1), is_automatic=True)
        next_at = self.now + timedelta(minutes=30)
        SyncTable(self.table).save(Sync(**ids, settings=settings, saved_at=self.now, saved_by=OWNER, next_at=next_at))
        TransferLeaseTable(self.table).acquire(
            CLIENT, connection_id, "ended", "", self.now - timedelta(hours=1), self.now
        )
        for number, status in enumerate((EntryStatus.SENT, EntryStatus.PENDING, EntryStatus.PENDING)):
            entry = Entry(
                id=derived_id("entry", connection_id, str(number)),
                **ids,
                kind=DocumentKind.SETTLEMENT,
                external_id=f"Z-{number}",
                date=self.now.date(),
                status=status,
                body="{}",
                body_hash="x",
                created_at=self.now,
                created_by=OWNER,
                updated_at=self.now,
                arrived_at=self.now,
            )
            log.save(entry, 400)
            log.add_attempt(entry, _attempt(self.now), 400)
        TransferTable(self.exports).save(
            Transfer(id=derived_id("t", connection_id), **ids, started_by=OWNER, created_at=self.now), 400
        )
        upload = Upload(
            id=derived_id("u", connection_id),
            **ids,
            created_by=OWNER,
            format=UploadFormat.JSON_LINES,
            created_at=self.now,
        )
        UploadTable(self.exports).save(upload, 400)
        self.bucket.write(f"documents/{CLIENT}/{connection_id}/z/1.pdf", b"%PDF " + connection_id.encode())
        self.bucket.write(f"staging/uploads/{CLIENT}/{connection_id}/{upload.id}", connection_id.encode())

    def rest(self, connection_id: str) -> None:
        """What only serves: tokens, rate limits, notifications, deliveries, kept answers."""
        event = json.dumps({"id": "e", "connection_id": connection_id})
        for item in (
            {**token_key(CLIENT, connection_id, "session"), "lease_until": "x"},
            {**rate_limit_key(CLIENT, connection_id, "calls"), "used": 3},
            {**event_item_key(CLIENT, derived_id("event", connection_id)), "connection_id": connection_id},
            {**webhook_delivery_key(CLIENT, derived_id("hook"), derived_id("d", connection_id)), "data": event},
            {"pk": f"IDEMPOTENCY#{COLLEAGUE}", "sk": f"request#{connection_id[:8]}", "data": event},
        ):
            self.table.put(item)


def make_tables() -> None:
    """Both tables with their indexes, and the bucket with its versions, as the template makes them."""
    make_table(TENANTS, "tenants")
    make_table(EXPORTS, "exports")
    make_table(CREDENTIALS, "credentials")
    s3 = clients.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def fresh_scene(where: str) -> Iterator[Scene]:
    """A filled scene in an AWS of its own."""
    with AWS[where]():
        death = Death()
        clients._session().register("after-call", death)
        make_tables()
        scene = Scene(death)
        scene.fill()
        death.changes.clear()
        yield scene


@pytest.fixture
def scene(where: str) -> Iterator[Scene]:
    """A client with two connections, and all that can hang on them."""
    yield from fresh_scene(where)


def _attempt(at: datetime) -> Attempt:
    return Attempt(number=1, attempted_at=at, finished_at=at, started_by=OWNER, transfer_id="t", outcome="sent")
