"""A table in memory, a lake in a folder, an ERP in memory, and the import machine walked by hand."""

import shutil
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, override

import pytest
from deltalake import DeltaTable

from erphub.connections.models import Company, Connection, ConnectionStatus
from erphub.erp.datasets import BY_ID
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Everything, Job, Period
from erphub.imports.jobs.service import ImportJobService
from erphub.imports.runs.dynamodb.leases import RunLeaseTable
from erphub.imports.runs.dynamodb.log import RunLogTable
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.dynamodb.units import PartTable, UnitTable
from erphub.imports.runs.execution import RunExecution
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger, Unit
from erphub.imports.runs.planning import RunPlanner
from erphub.imports.runs.ports import RunStores, Sources
from erphub.imports.runs.service import ImportRunService
from erphub.imports.wiring import stock_counts
from erphub.lake.datasets.dynamodb import TableTypesTable
from erphub.lake.delta import sql as lake_sql
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.delta.rows import LakeRows
from erphub.lake.locations import table_key
from erphub.lake.ports import Lake
from erphub.platform.actors import HUB, ActorDirectory, ActorKind, ActorView
from erphub.platform.aws import clients
from erphub.platform.aws.limits import LimitTable
from erphub.platform.aws.table import Table
from erphub.platform.clock import Clock
from erphub.platform.errors import ServiceBusy, Unavailable
from erphub.platform.ids import new_id
from erphub.platform.limits import Limits
from erphub.platform.wire import instant
from tests.support.aws import TENANTS, make_table
from tests.support.erp import FakeErp, FakeSources, Row
from tests.support.files import FolderFiles
from tests.support.integration import integration

CLIENT = "01HZZZZZZZZZZZZZZZZZZZZZZC"
CONNECTION = "01HZZZZZZZZZZZZZZZZZZZZZZ0"
FIRST_DAY = date(2026, 1, 1)


CHECKPOINTS = (
    "plan.units",
    "plan.leases",
    "plan.parts",
    "plan.unit_planned",
    "plan.lake",
    "plan.done",
    "read.batch",
    "stage.piece",
    "stage.manifest",
    "read.staged",
    "read.saved",
    "publish.copied",
    "publish.committed",
    "publish.done",
    "publish.saved",
    "finish.freed",
    "finish.ended",
)
"""Where a worker is killed, one after the other."""


class Killed(BaseException):
    """The worker's end: nothing catches it."""


@pytest.fixture
def table(aws: None) -> Table:
    """The tenant table."""
    return make_table(TENANTS)


def ledger(count: int, *, first: int = 0, cents: int = 100, per_day: int = 2) -> list[Row]:
    """Ledger lines, two a day from New Year on."""
    return [
        {
            "journal_no": str(number),
            "entry_no": "1",
            "voucher_date": FIRST_DAY + timedelta(days=number // per_day),
            "account_no": "3000",
            "amount": Decimal(number * cents) / 100,
        }
        for number in range(first, first + count)
    ]


def chart(count: int, name: str = "Sales") -> list[Row]:
    return [{"account_no": str(3000 + number), "name": f"{name} {number}"} for number in range(count)]


class RecordingMachine:
    """Step Functions, as far as starting goes: a name is started once."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.asked = 0
        self.refuses = 0

    def start(self, name: str, input: dict[str, str]) -> str:
        self.asked += 1
        if self.refuses:
            self.refuses -= 1
            raise OSError("Step Functions is away")
        if name not in self.started:
            self.started.append(name)
        return name

    def execution(self, name: str) -> str:
        return name

    def is_running(self, execution: str) -> bool:
        return execution in self.started


@dataclass
class Connections:
    """Connections as they are asked for: every one is there, but those `missing`."""

    status: ConnectionStatus = ConnectionStatus.ACTIVE
    missing: set[str] = field(default_factory=set)
    erp_system: str = "visma-business"
    settings: dict[str, Any] = field(default_factory=dict)

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        if connection_id in self.missing:
            return None
        return Connection(
            id=connection_id,
            client_id=client_id,
            erp_system=self.erp_system,
            name="Main office",
            owner="u",
            is_shared=False,
            status=self.status,
            settings=self.settings,
            includes_new_companies=True,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            updated_at=datetime(2026, 1, 1, tzinfo=UTC),
        )

    def companies(self, client_id: str, connection_id: str) -> list[Company]:
        return [Company(key=key, name=f"Company {key}") for key in ("F0001", "F0002", "F'2")]

    def search_companies(self, *_: Any) -> Any:
        raise AssertionError("nobody searches here")


def run_stores(table: Table) -> RunStores:
    """All that is kept of runs."""
    return RunStores(RunTable(table), UnitTable(table), PartTable(table), RunLogTable(table), RunLeaseTable(table))


class Actors(ActorDirectory):
    """Everybody is known, by no name."""

    @override
    def find(self, client_id: str, ids: Iterable[str | None]) -> dict[str, ActorView]:
        kinds = {one: ActorKind.SYSTEM if one == HUB else ActorKind.PERSON for one in ids if one}
        return {one: ActorView(id=one, name=None, kind=kind) for one, kind in kinds.items()}


def run_service(table: Table, machine: Any, clock: Clock, connections: Any = None) -> ImportRunService:
    """Starts runs of jobs on a state machine that the test looks at."""
    known = connections or Connections()
    return ImportRunService(JobTable(table), run_stores(table), known, Actors(), machine, clock, new_id)


def run_limits(table: Table, clock: Clock, **maxima: int) -> Limits:
    """How many runs there may be at once, as deployed or as said."""
    over: Any = SimpleNamespace(platform=SimpleNamespace(table=table))
    return Limits(LimitTable(table), lambda: stock_counts(over), maxima, clock, pause=lambda _: None)


def job_service(table: Table, clock: Clock, connections: Any = None) -> ImportJobService:
    """Makes and changes jobs."""
    known = connections or Connections()
    return ImportJobService(JobTable(table), known, known, Actors(), clock, new_id)


@dataclass
class Imports:
    """Everything an import needs, in one place."""

    folder: Path
    table: Table
    erp: FakeErp
    now: datetime = datetime(2026, 1, 24, 8, tzinfo=UTC)
    dies_at: str | None = None
    seen: list[str] = field(default_factory=list)
    on_checkpoint: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self.jobs = JobTable(self.table)
        self.stores = run_stores(self.table)
        self.runs = self.stores.runs
        self.types = TableTypesTable(self.table)
        self.sources = FakeSources(self.erp)
        self.lake = DeltaLake(str(self.folder), FolderFiles(self.folder), {}, checkpoint=self.checkpoint)
        self.read_through(self.sources)

    def read_through(self, sources: Sources) -> None:
        """Runs read through these."""
        lake = Lake(self.lake, self.lake, self.types)
        self.planner = RunPlanner(self.jobs, self.stores, sources, lake, self.clock, self.checkpoint, part_rows=25)
        self.execution = RunExecution(self.stores, sources, self.lake, self.clock, self.checkpoint)

    def clock(self) -> datetime:
        return self.now

    def checkpoint(self, name: str) -> None:
        self.seen.append(name)
        if self.on_checkpoint:
            self.on_checkpoint(name)
        if name == self.dies_at:
            self.dies_at = None
            raise Killed(name)

    def job(self, period: Period | None = None, **values: Any) -> Job:
        job = Job(
            id=new_id(),
            client_id=CLIENT,
            name="All",
            connection_id=CONNECTION,
            period=period or Everything(kind="everything"),
            created_by="u",
            created_at=self.now,
            updated_at=self.now,
            **values,
        )
        self.jobs.add(job)
        return job

    def queue(self, job: Job, trigger: RunTrigger = RunTrigger.MANUAL) -> RunRef:
        ref = RunRef(CLIENT, job.id, new_id())
        at = instant(self.now)
        self.runs.add(
            Run(
                ref=ref,
                connection_id=CONNECTION,
                trigger=trigger,
                status=RunStatus.QUEUED,
                started_by="u",
                created_at=at,
            )
        )
        return ref

    def run(self, job: Job, trigger: RunTrigger = RunTrigger.MANUAL) -> Run:
        """One run from beginning to end, as the state machine would drive it."""
        self.now += timedelta(minutes=1)
        ref = self.queue(job, trigger)
        self.drive(ref)
        return self.runs.get(ref)

    def drive(self, ref: RunRef) -> None:
        """The state machine by hand: each task again when its worker was killed, thrice when something was away, and
        more often when a service of AWS was busy."""
        plan = self.task(lambda: self.planner.plan(ref, lambda: 900.0))
        while plan["outcome"] == "more":
            plan = self.task(lambda: self.planner.plan(ref, lambda: 900.0))
        if plan["outcome"] == "ready":
            self.map(ref, plan["packages"], self.execution.read, parts=True)
            packages = self.task(lambda: self.execution.list_publications(ref))["packages"]
            self.map(ref, packages, self.execution.publish, parts=False)
        if plan["outcome"] != "wait":
            self.task(lambda: self.execution.finish(ref))

    def map(self, ref: RunRef, packages: list[dict[str, Any]], work: Callable[..., Any], *, parts: bool) -> None:
        for package in packages:
            first, end = package["from"], package["to"]
            try:
                self.task(lambda first=first, end=end: work(ref, first, end, lambda: 900.0))
            except Unavailable:
                self.execution.abandon(ref, first, end, parts=parts)

    def task(self, work: Callable[[], Any], busy: int = 20) -> Any:
        for last in (False, False, True):
            try:
                return work()
            except Killed:
                continue
            except ServiceBusy:
                if not busy:
                    raise
                return self.task(work, busy - 1)
            except Unavailable:
                if last:
                    raise
        return work()

    def rows(self, dataset: str, columns: str = "*", where: str = "TRUE") -> list[dict[str, Any]]:
        uri = str(self.folder / table_key(CLIENT, dataset))
        keys = ", ".join(f'"{key}"' for key in BY_ID[dataset].keys)
        text = f"SELECT {columns} FROM t WHERE {where} ORDER BY company, {keys}"
        return lake_sql.rows(lake_sql.query({"t": DeltaTable(uri)}, text))

    def count(self, dataset: str, where: str = "TRUE") -> int:
        return len(self.rows(dataset, "company, " + ", ".join(f'"{k}"' for k in BY_ID[dataset].keys), where))

    def units(self, run: Run) -> dict[tuple[str, str], Unit]:
        return {(unit.dataset, unit.company): unit for unit in self.stores.units.of_run(run.ref)}

    def log(self, run: Run) -> list[str]:
        return [line.code for line in self.stores.log.page(run.ref, 200, None).items]

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.folder / "staging").rglob("*") if path.is_file()]

    def reader(self) -> LakeRows:
        return LakeRows(str(self.folder), {})


@dataclass(frozen=True)
class Snapshot:
    """What imports held at one moment: lake, table in memory, ERP and clock."""

    folder: Path
    kept: Any
    erp: FakeErp
    now: datetime
    seen: list[str]

    @classmethod
    def of(cls, imports: Imports, folder: Path) -> "Snapshot":
        shutil.copytree(imports.folder, folder)
        return cls(folder, deepcopy(_kept(imports)), deepcopy(imports.erp), imports.now, list(imports.seen))

    def put_into(self, imports: Imports) -> None:
        """Make everything what it was then; the snapshot stays as it is."""
        shutil.copytree(self.folder, imports.folder, dirs_exist_ok=True)
        vars(_kept(imports)).update(deepcopy(vars(self.kept)))
        vars(imports.erp).update(deepcopy(vars(self.erp)))
        imports.now, imports.seen = self.now, list(self.seen)


def _kept(imports: Imports) -> Any:
    """The table in memory behind the stores."""
    return clients.client("dynamodb").tables[imports.table.name]


type Prepared = Callable[[Imports, str, Callable[[Imports], object]], Imports]
_snapshots: dict[str, Snapshot] = {}


@pytest.fixture
def prepared(where: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """All of it after this work, which is done once: who asks for the same name later gets what it came to."""

    def prepare(imports: Imports, name: str, work: Callable[[Imports], object]) -> Imports:
        if name in _snapshots and where == "memory":
            _snapshots[name].put_into(imports)
            return imports
        work(imports)
        if where == "memory":
            _snapshots[name] = Snapshot.of(imports, tmp_path_factory.mktemp(name) / "lake")
        return imports

    return prepare


@pytest.fixture
@integration
def imports(tmp_path: Path, table: Table) -> Imports:
    """A hub with one connection to an ERP that has two companies."""
    erp = FakeErp()
    for company in ("F0001", "F0002"):
        erp.data[company] = {"accounts": chart(12), "gl_transactions": ledger(60)}
    return Imports(tmp_path, table, erp)
