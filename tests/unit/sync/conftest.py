"""A till, a hub with its tables in memory, and an ERP with faults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from erphub.connections.models import Connection, ConnectionStatus
from erphub.platform.aws.clients import calls
from erphub.platform.aws.items import Item, decode
from erphub.platform.aws.table import Table
from erphub.platform.errors import HubError, NotFound, Unavailable
from erphub.platform.ids import derived_id
from erphub.sync.changes.service import ChangeService
from erphub.sync.documents.service import DocumentService, HandedIn, read_incoming
from erphub.sync.export_log.canonical import entry_id, posting_key
from erphub.sync.export_log.dynamodb import ExportLogTable
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.ports import UploadSlot
from erphub.sync.export_log.service import ExportLogService
from erphub.sync.settings.dynamodb import SyncTable
from erphub.sync.settings.models import SyncInput
from erphub.sync.settings.service import SyncService, tick
from erphub.sync.transfers.execution import TransferExecutor
from erphub.sync.transfers.models import Transfer
from erphub.sync.transfers.schemas import NewTransfer
from erphub.sync.uploads.service import UploadService
from tests.support.aws import EXPORTS, TENANTS, everything_in, make_table
from tests.support.ledger import Clock, Died, LedgerErp

CLIENT, CONNECTION = derived_id("client"), derived_id("connection")
SETTLE = timedelta(minutes=10)


class MemoryPapers:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        return UploadSlot(f"memory:{name}", {"Content-Type": content_type}, now + timedelta(minutes=15))

    def size(self, name: str) -> int | None:
        return len(self.files[name]) if name in self.files else None

    def read(self, name: str) -> bytes:
        if name not in self.files:
            raise NotFound("not there", code="file_missing")
        return self.files[name]

    def lines(self, name: str) -> Any:
        yield from self.read(name).splitlines()


class Queue:
    """Work that was asked for and not done yet."""

    def __init__(self) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.machines: list[tuple[str, dict[str, Any]]] = []

    def ask(self, task: Mapping[str, Any]) -> None:
        self.tasks.append(dict(task))

    def ask_machine(self, name: str, task: Mapping[str, Any]) -> None:
        self.machines.append((name, dict(task)))


class Connections:
    def __init__(self, connection: Connection) -> None:
        self.connection: Connection | None = connection

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        mine = (client_id, connection_id) == (CLIENT, CONNECTION)
        return self.connection if mine else None


class Told:
    def __init__(self) -> None:
        self.notices: list[str] = []
        self.facts: list[dict[str, Any]] = []

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        self.notices.append(code)
        self.facts.append(facts | {"detail": detail})


SETTINGS: dict[str, Any] = {
    "company": "1",
    "department": "10",
    "z_report": True,
    "import_type": "ledger",
    "confirm_ledger": True,
    "invoices": "order",
    "customers": "till",
    "products": "till",
    "from_date": "2026-01-01",
    "automatic": True,
    "voucher_type": "5",
    "accounts": {
        "sales": {"25": "3000", "15": "3010"},
        "means": {"cash": "1900", "card": "2380", "rounding": "7740"},
    },
}


@dataclass
class World:
    """Everything of a sync, and the verbs of a till, of people and of time."""

    clock: Clock = field(default_factory=lambda: Clock(datetime(2026, 2, 1, 8, 0, tzinfo=UTC)))
    table: Table = field(default_factory=lambda: make_table(TENANTS | EXPORTS))
    papers: MemoryPapers = field(default_factory=MemoryPapers)
    queue: Queue = field(default_factory=Queue)
    told: Told = field(default_factory=Told)
    surprises: list[Exception] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    render: Callable[[Any], bytes] = lambda settlement: b"%PDF-rendered"
    settings: dict[str, Any] = field(default_factory=dict)
    figures: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = count(1)
        self.erp = LedgerErp(self.clock)
        self.log, self.syncs = ExportLogTable(self.table), SyncTable(self.table)
        self.connections = Connections(
            Connection(
                id=CONNECTION,
                client_id=CLIENT,
                erp_system="ledger",
                name="Ledger",
                owner="ada",
                shared=True,
                status=ConnectionStatus.ACTIVE,
                settings={},
                all_companies=True,
                created_at=self.clock(),
                updated_at=self.clock(),
            )
        )
        ids = lambda: derived_id("made", str(next(numbers)))  # noqa: E731
        self.desk = SyncService(
            self.syncs, self.log, self.connections, lambda _: self.erp, self.queue, self.clock, ids, self.told
        )
        self.intake = DocumentService(self.syncs, self.log, self.papers, self.clock)
        self.uploads = UploadService(self.intake, self.log, self.papers, self.queue, self.clock, ids)
        self.exports = ExportLogService(self.syncs, self.log, self.intake, self.clock)
        self.changes = ChangeService(self.log, self.clock)
        self.carrier = TransferExecutor(
            self.syncs,
            self.log,
            self.papers,
            self.connections,
            lambda _: self.erp,
            lambda _, error: self.refusals.append(error.code),
            self.queue,
            self.told,
            self.clock,
            SETTLE,
            lambda settlement: self.render(settlement),
            _problem,
            lambda _, error: self.surprises.append(error),
        )
        self.save()

    def save(self, **changes: Any) -> Any:
        self.settings = SETTINGS | self.settings | changes
        return self.desk.save(CLIENT, CONNECTION, "ada", SyncInput.model_validate(self.settings))

    def items(self) -> dict[tuple[str, str], Item]:
        """Everything in the table by its key."""
        return {(item["pk"], item["sk"]): item for item in map(decode, everything_in(self.table))}

    def expire(self) -> None:
        """Everything whose time is over goes, as the table lets it go by itself."""
        over = int(self.clock().timestamp())
        gone = [key for key, item in self.items().items() if int(item.get("expires_at") or over) < over]
        self.table.delete_many([{"pk": pk, "sk": sk} for pk, sk in gone])

    def forget(self, prefix: str = "") -> None:
        """Lose what is kept under sort keys that begin so."""
        self.table.delete_many([{"pk": pk, "sk": sk} for pk, sk in self.items() if sk.startswith(prefix)])

    def sync(self) -> Any:
        return self.desk.get(CLIENT, CONNECTION)

    def hand_in(self, kind: str, external_id: str, pdf_follows: bool = False, **fields: Any) -> HandedIn:
        coming = read_incoming(kind, external_id, fields)
        return self.intake.hand_in(CLIENT, CONNECTION, "till", coming, pdf_follows=pdf_follows)

    def settlement(
        self, number: int = 1, day: str = "2026-01-31", amount: str = "125.00", means: str = "cash", **more: Any
    ) -> HandedIn:
        return self.hand_in("settlement", f"Z{number}", **z_report(number, day, amount, means), **more)

    def transfer(self, seconds: float | Callable[[], float] = 280, **wanted: Any) -> Transfer:
        """Start a transfer by hand and do the work at once."""
        started = self.desk.transfer(CLIENT, CONNECTION, "ada", NewTransfer(**wanted))
        self.work(seconds)
        return self.reread(started)

    def reread(self, transfer: Transfer) -> Transfer:
        found = self.log.transfer(CLIENT, CONNECTION, transfer.id)
        assert found is not None
        return found

    def work(self, seconds: float | Callable[[], float] = 280) -> None:
        """Do everything that was asked for; work that dies is left for dead."""
        while self.queue.tasks:
            self.do(self.queue.tasks.pop(0), seconds)

    def do(self, task: dict[str, Any], seconds: float | Callable[[], float] = 280, worker: str = "w1") -> Any:
        time_left = seconds if callable(seconds) else lambda: seconds
        try:
            match task["task"]:
                case "whole":
                    return self.carrier.whole(task, worker, time_left)
                case "preview":
                    return self.carrier.preview(task)
                case "read_upload":
                    return self.uploads.read(CLIENT, CONNECTION, task["upload_id"])
                case name:
                    raise AssertionError(name)
        except Died:
            return "died"
        except Unavailable as error:
            return error.code

    def tick(self) -> dict[str, int]:
        done = tick(
            self.desk,
            lambda function, items: [function(item) for item in items],
            lambda _, error: self.surprises.append(error),
        )
        self.work()
        return done

    def entry(self, kind: Any, external_id: str) -> Entry:
        found = self.log.entry(CLIENT, CONNECTION, entry_id(CONNECTION, kind, external_id))
        assert found is not None
        return found

    def vouchers(self, kind: Any, external_id: str) -> list[Any]:
        return self.erp.with_key(posting_key(entry_id(CONNECTION, kind, external_id)))

    def attempts(self, kind: Any, external_id: str) -> list[Any]:
        return self.log.attempts(CLIENT, CONNECTION, entry_id(CONNECTION, kind, external_id))


def _problem(error: HubError) -> dict[str, Any]:
    status = 503 if isinstance(error, Unavailable) else 502
    return {"code": error.code, "detail": error.detail, "status": status} | error.facts


def writes_so_far() -> int:
    """How many requests of this process were to change a table."""
    return sum(
        count
        for call, count in calls.items()
        if call.startswith("dynamodb.") and "Get" not in call and not call.endswith(("Query", "Scan"))
    )


def z_report(number: int = 1, day: str = "2026-01-31", amount: str = "125.00", means: str = "cash") -> dict[str, Any]:
    vat = (Decimal(amount) / 5).quantize(Decimal("0.01"))
    return {
        "date": date.fromisoformat(day).isoformat(),
        "number": number,
        "sales": [{"vat_rate": "25", "amount": amount, "vat": str(vat)}],
        "payments": [{"means": means, "amount": amount}],
    }


@pytest.fixture(autouse=True)
def _aws(aws: None) -> None:
    """Worlds have their table there."""


@pytest.fixture
def world() -> World:
    return World()
