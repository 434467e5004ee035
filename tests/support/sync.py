"""A till, a hub with its tables in memory, and an ERP with faults."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from erphub.connections.health import Outcome
from erphub.connections.models import Connection, ConnectionStatus
from erphub.platform.aws.clients import calls
from erphub.platform.aws.items import Item, decode
from erphub.platform.aws.limits import LimitTable
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, HubError, Unavailable
from erphub.platform.ids import derived_id
from erphub.platform.limits import Limits
from erphub.sync.canonical import entry_id, posting_key
from erphub.sync.changes.dynamodb import ChangeFeedTable, SyncedRecordTable
from erphub.sync.changes.offers import ChangeOffers
from erphub.sync.changes.schemas import AcknowledgedChange
from erphub.sync.changes.service import ChangeService
from erphub.sync.documents.models import SubmittedDocument
from erphub.sync.documents.pdfs import DocumentPdfs
from erphub.sync.documents.reading import DocumentReader
from erphub.sync.documents.service import DocumentService, read_incoming
from erphub.sync.export_log.dynamodb import EntryTable, IdentityTable
from erphub.sync.export_log.history import ExportHistory
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.schemas import GapQuery
from erphub.sync.export_log.service import ExportLogService
from erphub.sync.scheduler import SyncScheduler
from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
from erphub.sync.settings.gift_cards import GiftCards
from erphub.sync.settings.models import SyncInput
from erphub.sync.settings.planning import TransferPlanner
from erphub.sync.settings.service import SyncService
from erphub.sync.transfers.approval_tasks import ApprovalSchedule, ApprovalTask
from erphub.sync.transfers.dynamodb import TransferTable
from erphub.sync.transfers.execution import TransferExecutor
from erphub.sync.transfers.models import Transfer
from erphub.sync.transfers.ports import TransferStores
from erphub.sync.transfers.schemas import NewTransfer
from erphub.sync.transfers.service import TransferService
from erphub.sync.transfers.silence import SilenceAlert
from erphub.sync.uploads.dynamodb import UploadTable
from erphub.sync.uploads.service import UploadService
from tests.support.aws import EXPORTS, TENANTS, everything_in, make_table
from tests.support.files import MemoryFiles
from tests.support.ledger import Clock, Died, LedgerErp
from tests.support.operators_log import LOG

CLIENT, CONNECTION = derived_id("client"), derived_id("connection")
RESEND_DELAY = timedelta(minutes=10)
FAULTS = [
    "ok",
    "ok",
    "ok",
    "down",
    "busy",
    "refuse",
    "lost_before",
    "lost_after",
    "late",
    "die_before",
    "die_after",
    "die_late",
    "boom",
]


def expect(error: Conflict, *codes: str) -> None:
    """Only these conflicts may happen."""
    assert error.code in codes


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


class RecordedNotices:
    def __init__(self) -> None:
        self.codes: list[str] = []
        self.attributes: list[dict[str, Any]] = []
        self.facts: set[tuple[str, str]] = set()

    def notify(self, client_id: str, connection_id: str, code: str, detail: str, **attributes: Any) -> None:
        self.codes.append(code)
        self.attributes.append(attributes | {"detail": detail})

    def notify_of(
        self, client_id: str, connection_id: str, fact: str, code: str, detail: str, **attributes: Any
    ) -> None:
        if (code, fact) not in self.facts:
            self.facts.add((code, fact))
            self.notify(client_id, connection_id, code, detail, **attributes)


SETTINGS: dict[str, Any] = {
    "company": "1",
    "department": "10",
    "z_report": True,
    "settlement_target": "ledger",
    "confirm_ledger": True,
    "invoice_mode": "order",
    "customer_direction": "till",
    "product_direction": "till",
    "from_date": "2026-01-01",
    "is_automatic": True,
    "voucher_type": "5",
    "accounts": {
        "sales": {"25": "3000", "15": "3010"},
        "payment_means": {"cash": "1900", "card": "2380", "rounding": "7740"},
    },
}


@dataclass
class SyncHub:
    """Everything of a sync, and the verbs of a till, of people and of time."""

    clock: Clock = field(default_factory=lambda: Clock(datetime(2026, 2, 1, 8, 0, tzinfo=UTC)))
    table: Table = field(default_factory=lambda: make_table(TENANTS | EXPORTS))
    files: MemoryFiles = field(default_factory=MemoryFiles)
    queue: Queue = field(default_factory=Queue)
    notices: RecordedNotices = field(default_factory=RecordedNotices)
    pdf: Callable[[Any], bytes] = lambda settlement: b"%PDF-rendered"
    settings: dict[str, Any] = field(default_factory=dict)
    figures: list[dict[str, float]] = field(default_factory=list)
    looks: list[Outcome | None] = field(default_factory=list)
    """What the connection met at each look at the ERP's inbox by the clock."""

    def __post_init__(self) -> None:
        numbers = count(1)
        self.erp = LedgerErp(self.clock)
        self.entries, self.syncs, self.leases = (
            EntryTable(self.table),
            SyncTable(self.table),
            TransferLeaseTable(self.table),
        )
        self.transfers, self.records, self.feed = (
            TransferTable(self.table),
            SyncedRecordTable(self.table),
            ChangeFeedTable(self.table),
        )
        self.connections = Connections(
            Connection(
                id=CONNECTION,
                client_id=CLIENT,
                erp_system="ledger",
                name="Ledger",
                owner="ada",
                is_shared=True,
                status=ConnectionStatus.ACTIVE,
                settings={},
                includes_new_companies=True,
                created_at=self.clock(),
                updated_at=self.clock(),
            )
        )
        self._make_services(lambda: derived_id("made", str(next(numbers))))
        self.save()

    def _make_services(self, new_id: Callable[[], str]) -> None:
        known: Any = self
        clock, access, connections = self.clock, Access(known), self.connections
        self.limits = Limits(LimitTable(self.table), tuple, {}, clock)
        self.planner = TransferPlanner(self.syncs, clock)
        history = ExportHistory(self.entries)
        self.settings_service = SyncService(self.syncs, self.leases, history, connections, access, clock)
        self.gift_cards = GiftCards(self.settings_service, self.leases, clock, new_id)
        self.documents = DocumentService(
            connections,
            self.syncs,
            self.entries,
            IdentityTable(self.table),
            self.files,
            self.planner,
            clock,
            self.limits,
        )
        self.exports = ExportLogService(connections, self.syncs, self.entries, self.planner, clock)
        self.pdfs = DocumentPdfs(
            connections,  # pyright: ignore[reportArgumentType] — of a connection it has what is asked
            self.syncs,
            self.entries,
            DocumentReader(self.exports),
            self.files,
            self.planner,
            clock,
        )
        self.uploads = UploadService(self.documents, UploadTable(self.table), self.files, self.queue, clock, new_id)
        offers = ChangeOffers(self.records, self.feed, self.entries, clock)
        self.changes = ChangeService(self.settings_service, offers)
        self.transfer_service = TransferService(
            self.settings_service, self.entries, self.transfers, self.queue, clock, new_id
        )
        self.silence = SilenceAlert(self.syncs, connections, self.notices, clock)
        approvals = ApprovalSchedule(self.syncs, self.queue, clock)
        self.scheduler = SyncScheduler(
            self.syncs, self.transfer_service, self.silence, approvals, clock, max_concurrent=1
        )
        stores = TransferStores(
            self.syncs,
            self.leases,
            self.entries,
            IdentityTable(self.table),
            self.transfers,
            self.records,
            self.feed,
            connections,
        )
        self.executor = TransferExecutor(
            stores, access, self.files, Renderer(known), self.notices, self.queue, clock, RESEND_DELAY
        )
        self.approvals = ApprovalTask(stores, access, self.executor.approval_check, clock)

    @property
    def surprises(self) -> list[BaseException]:
        """What went wrong in ways nobody foresaw."""
        return [error for level, error in LOG.errors if level == "ERROR"]

    @property
    def refusals(self) -> list[str]:
        """The codes with which the ERP refused the credentials."""
        return [error.code for level, error in LOG.errors if level == "WARNING" and isinstance(error, HubError)]

    def gaps(self, from_date: date | None = None, to_date: date | None = None) -> list[dict[str, Any]]:
        """What is missing, as the API shows it."""
        found = self.exports.list_gaps(CLIENT, CONNECTION, GapQuery(from_date=from_date, to_date=to_date))
        return [one.model_dump(mode="json") for one in found]

    def acknowledge(self, change: AcknowledgedChange) -> Entry | None:
        """The till takes one change over."""
        return self.changes.acknowledge(CLIENT, CONNECTION, "till", [change])[change.change_id]

    def save(self, **changes: Any) -> Any:
        self.settings = SETTINGS | self.settings | changes
        return self.settings_service.save(CLIENT, CONNECTION, "ada", SyncInput.model_validate(self.settings))

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
        return self.settings_service.get(CLIENT, CONNECTION)

    def submit(self, kind: str, external_id: str, pdf_follows: bool = False, **fields: Any) -> SubmittedDocument:
        coming = read_incoming(kind, external_id, fields)
        return self.documents.submit(CLIENT, CONNECTION, "till", coming, pdf_follows=pdf_follows)

    @contextmanager
    def blind_to_others(self) -> Iterator[None]:
        """Documents come while nobody sees what else comes at that moment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(IdentityTable, "holders", lambda *_: {})
            yield

    def settlement(
        self, number: int = 1, day: str = "2026-01-31", amount: str = "125.00", means: str = "cash", **more: Any
    ) -> SubmittedDocument:
        return self.submit("settlement", f"Z{number}", **z_report(number, day, amount, means), **more)

    def transfer(self, seconds: float | Callable[[], float] = 280, **wanted: Any) -> Transfer:
        """Start a transfer by hand and do the work at once."""
        started = self.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer(**wanted))
        self.work(seconds)
        return self.reread(started)

    def reread(self, transfer: Transfer) -> Transfer:
        found = self.transfers.get(CLIENT, CONNECTION, transfer.id)
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
                case "run":
                    return self.executor.run(task, worker, time_left)
                case "preview":
                    return self.executor.preview(task)
                case "approvals":
                    self.looks.append(self.approvals.run(CLIENT, CONNECTION))
                    return "looked"
                case "read_upload":
                    return self.uploads.read(CLIENT, CONNECTION, task["upload_id"])
                case name:
                    raise AssertionError(name)
        except Died:
            return "died"
        except Unavailable as error:
            return error.code

    def tick(self) -> dict[str, int]:
        done = self.scheduler.tick()
        self.work()
        return done

    def entry(self, kind: Any, external_id: str) -> Entry:
        found = self.entries.get(CLIENT, CONNECTION, entry_id(CONNECTION, kind, external_id))
        assert found is not None
        return found

    def vouchers(self, kind: Any, external_id: str) -> list[Any]:
        return self.erp.with_key(posting_key(entry_id(CONNECTION, kind, external_id)))

    def attempts(self, kind: Any, external_id: str) -> list[Any]:
        return self.entries.attempts(CLIENT, CONNECTION, entry_id(CONNECTION, kind, external_id))


@dataclass(frozen=True)
class Access:
    """Gives the ERP whatever the connection."""

    hub: SyncHub

    def connected(self, connection: Connection) -> LedgerErp:
        return self.hub.erp


@dataclass(frozen=True)
class Renderer:
    """Makes PDFs as the test says."""

    hub: SyncHub

    def render(self, settlement: Any) -> bytes:
        return self.hub.pdf(settlement)


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


@pytest.fixture
def hub(aws: None) -> SyncHub:
    return SyncHub()
