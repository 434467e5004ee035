"""Every kind of thing that refers to a connection, in the order of their removal. A new kind is one entry here.

Passwords go first, data next, then what describes it; companies and licences go last, and the connection itself after
them, in the deletion's own last step. So whatever is left after dying anywhere still has its owner, and is found by it.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from ..errors import Conflict
from ..models.connection import Connection
from ..models.document import DocumentKind
from ..models.licence import KnownCompany
from ..models.run import Status
from ..models.sync import EntryState, Upload, UploadState
from ..models.wizard import Wizard, WizardStatus
from ..ports.deletion import Found, Kind, TimeLeft
from ..ports.world import Clock, Machine, Secrets
from . import keys
from .exportlog import ExportLogTable
from .lake_places import company_folder, owner_folder, papers_of, put_aside_by, tables_of
from .objects import Objects
from .open_runs import OpenRuns
from .runs import RunTable
from .syncs import SyncTable
from .table import Item, Table, Taken, key_of
from .wizards import WizardTable

ENOUGH_TIME = 20.0
_PART = 500
MOST = 10_000
"""So many of a kind are counted for those who are shown what goes; of more they are told "at least"."""
MOST_FOLDERS = 100
"""Into so many folders of the lake a preview looks; each is a request."""
_READING = timedelta(minutes=10)
"""Nobody reads a batch for longer: the function that does may run for five minutes."""
_STATES = tuple(state.value for state in EntryState)
LAST = ("tenants:CONNECTION", "tenants:CONNECTION-NAME", "tenants:DELETION")
"""Items that `Deletions.forget` removes, all at once, when all else is gone."""
STANDS_STILL = "It waits until the connection works again."
"""Why there is no next transfer: as true while the connection is being deleted as when it was restored, paused."""

type Belongs = Callable[[Item, Connection], bool]
type Under = Callable[[Connection], tuple[str, str]]


@dataclass(frozen=True)
class _Quiet(ABC):
    """What most kinds have in common: nothing goes on in them."""

    id: str
    title: str
    holds: Sequence[str]
    shown: bool = True

    @abstractmethod
    def find(self, of: Connection) -> Found:
        """See the port."""

    def stop(self, of: Connection, *, force: bool) -> bool:  # noqa: ARG002
        """See the port."""
        return True


@dataclass(frozen=True)
class Items(_Quiet):
    """Items of one partition of a table, told apart by the beginning of their sort key and by what is in them."""

    table: Table = field(kw_only=True)
    under: Under = field(kw_only=True)
    belongs: Belongs = field(default=lambda _item, _of: True, kw_only=True)

    def items(self, of: Connection) -> Iterator[Item]:
        """Those of the connection."""
        pk, prefix = self.under(of)
        return (item for item in self.table.all(pk, prefix) if self.belongs(item, of))

    def find(self, of: Connection) -> Found:
        """See the port."""
        found = list(self.items(of))
        return Found(len(found), mark=_mark(sorted(item["sk"] for item in found)))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port."""
        return _remove_items(self.table, self.items(of), time_left)


@dataclass(frozen=True)
class Passwords(_Quiet):
    """The connection's secret, those of drafts, and those that were replaced and are still there."""

    secrets: Secrets = field(kw_only=True)
    names: Callable[[str], Sequence[str]] = field(kw_only=True)

    def _names(self, of: Connection) -> list[str]:
        first = f"{of.client_id}/{of.id}"
        found = [name for name in self.names(first) if name == first or name.startswith(f"{first}/")]
        # A list of secrets lags behind; those that are known anyway are not left to it.
        return list(dict.fromkeys([first, of.secret_name, *found]))

    def find(self, of: Connection) -> Found:  # noqa: ARG002
        """See the port. A connection has one; how often it was replaced is nobody's business here."""
        return Found(1)

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        for name in self._names(of):
            self.secrets.delete(name)
        return True


@dataclass(frozen=True)
class LakeTables(_Quiet):
    """The connection's rows in the tables of its client."""

    objects: Objects = field(kw_only=True)
    erase: Callable[[str, str, TimeLeft], bool] = field(kw_only=True)
    """Takes all of a connection out of a client's tables; only who has the table engine can."""
    companies: Callable[[Connection], Sequence[str]] = field(kw_only=True)
    """The keys of the companies that a connection uses."""

    def find(self, of: Connection) -> Found:
        """See the port. Its own folders are looked into, never the other connections'; not more than so many."""
        prefix = tables_of(of.client_id)
        datasets = list(self.objects.folders(prefix))
        places = [
            (dataset, f"{prefix}{dataset}/{company_folder(company)}/{owner_folder(of.id)}/")
            for company in self.companies(of)
            for dataset in datasets
        ]
        sizes: dict[str, int] = {}
        looked_into = places[:MOST_FOLDERS]
        for dataset, place in looked_into:
            if size := sum(size for _, size in self.objects.sizes(place)):
                sizes[dataset] = sizes.get(dataset, 0) + size
        tables = {name: {"bytes": size} for name, size in sorted(sizes.items())}
        facts: dict[str, Any] = {"bytes": sum(sizes.values()), "tables": tables}
        return Found(len(sizes), sorted(sizes), facts | at_least(len(looked_into) < len(places)))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port."""
        return self.erase(of.client_id, of.id, time_left)


@dataclass(frozen=True)
class Papers(_Quiet):
    """PDFs and batches that were handed over for the ERP."""

    objects: Objects = field(kw_only=True)

    def find(self, of: Connection) -> Found:
        """See the port."""
        found = (one for prefix in papers_of(of.client_id, of.id) for one in self.objects.sizes(prefix))
        sizes = [size for _, size in islice(found, MOST)]
        return Found(len(sizes), facts={"bytes": sum(sizes)} | at_least(len(sizes) == MOST))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        for prefix in papers_of(of.client_id, of.id):
            self.objects.purge(prefix)
        return True


@dataclass(frozen=True)
class Documents(_Quiet):
    """The export log: documents with their attempts, transfers, batches, and what both sides agreed on."""

    table: Table = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    def find(self, of: Connection) -> Found:
        """See the port."""
        log, states = ExportLogTable(self.table), dict[str, int]()
        pk = keys.exports(of.client_id, of.id)["pk"]
        for state in _STATES:
            if counted := log.waiting(of.client_id, of.id, state, MOST):
                states[state] = counted
        # What was sent and lacks its PDF stands in queues of its own.
        for queue in ("attach", "unattached"):
            if unfinished := log.waiting(of.client_id, of.id, queue, MOST):
                states["sent"] = states.get("sent", 0) + unfinished
        transfers = self.table.count(pk, "TRANSFER#", MOST)
        more = at_least(transfers >= MOST or any(count >= MOST for count in states.values()))
        return Found(sum(states.values()), facts={"states": states, "transfers": transfers} | more)

    def stop(self, of: Connection, *, force: bool) -> bool:
        """See the port. A batch that is being read is read to its end."""
        key = keys.exports(of.client_id, of.id, "UPLOAD", "")
        uploads = (Upload.model_validate_json(item["data"]) for item in self.table.all(key["pk"], key["sk"]))
        now = self.clock()
        reading = (one for one in uploads if one.state is UploadState.READING and now - one.created_at < _READING)
        return force or next(reading, None) is None

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port."""
        return _remove_items(self.table, self.table.all(keys.exports(of.client_id, of.id)["pk"]), time_left)


@dataclass(frozen=True)
class SyncSettings(Items):
    """The settings of the sync, when it transfers next, and who may send."""

    clock: Clock = field(kw_only=True)

    def find(self, of: Connection) -> Found:
        """See the port."""
        sync = SyncTable(self.table).get(of.client_id, of.id)
        if sync is None:
            return Found(0)
        kinds = [kind.value for kind in DocumentKind if sync.settings.sends(kind)]
        return Found(1, kinds, {"automatic": sync.settings.automatic}, str(sync.version))

    def stop(self, of: Connection, *, force: bool) -> bool:
        """See the port. The next transfer is taken off the list; one under way holds its lease until it has ended."""
        store = SyncTable(self.table)
        for _ in range(5):
            sync = store.get(of.client_id, of.id)
            if sync is None or sync.next_at is None:
                break
            try:
                store.put(sync.model_copy(update={"next_at": None, "next_why": STANDS_STILL}))
            except Conflict:
                continue
        return force or store.holder(of.client_id, of.id, self.clock()) is None


@dataclass(frozen=True)
class Runs(_Quiet):
    """Runs of imports, with their units, parts and logs, what they put aside, and what they may write alone."""

    table: Table = field(kw_only=True)
    objects: Objects = field(kw_only=True)
    machine: Machine = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    def _runs(self, of: Connection) -> list[Item]:
        found = self.table.all(keys.client(of.client_id)["pk"], "RUN#")
        return [item for item in found if item["connection_id"] == of.id]

    def find(self, of: Connection) -> Found:
        """See the port."""
        found = _keys_of(self.table, of, "RUN#")
        return Found(len(found), facts=at_least(len(found) >= MOST), mark=_mark([key["sk"] for key in found]))

    def stop(self, of: Connection, *, force: bool) -> bool:
        """See the port. A run that goes on is asked to stop; one whose machine has ended is written down as ended."""
        store, opened, quiet = RunTable(self.table), OpenRuns(self.table), True
        for ref in list(opened.of_connection(of.client_id, of.id)):
            execution = self.machine.execution(ref.run_id)
            try:
                store.change(ref, cancel_requested=True)
            except Taken:  # it was never added
                opened.close(ref)
                continue
            if self.machine.is_running(execution):
                if not force:
                    quiet = False
                    continue
                self.machine.stop(execution, "The connection was deleted.")
            problem = {"code": "connection_deleting", "detail": "The connection was deleted."}
            store.end(ref, self.clock(), {"status": Status.CANCELLED.value, "problem": problem})
        return quiet

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port. A run goes after all that is only found by it."""
        pk = keys.client(of.client_id)["pk"]
        leases = (item for item in self.table.all(pk, "LEASE#") if item["sk"].split("#")[2] == of.id)
        opened = (item for item in self.table.all(pk, "RUN-OPEN#") if item["connection_id"] == of.id)
        if not _remove_items(self.table, leases, time_left) or not _remove_items(self.table, opened, time_left):
            return False
        for item in self._runs(of):
            self.objects.purge(put_aside_by(of.client_id, item["run_id"]))
            for part in ("RUN-UNIT", "RUN-PART", "RUN-LOG"):
                if not _remove_items(self.table, self.table.all(pk, f"{part}#{item['run_id']}#"), time_left):
                    return False
            self.table.delete(key_of(item))
        return True


@dataclass(frozen=True)
class Jobs(Items):
    """Import jobs. Their schedules stand still while the connection is not at work; they need no stopping."""

    def find(self, of: Connection) -> Found:
        """See the port."""
        items = self.table.get_many(_keys_of(self.table, of, "JOB#"))
        found = [(str(item["version"]), json.loads(item["body"])) for item in items]
        scheduled = sum(1 for _, body in found if body.get("schedule"))
        marks = sorted(f"{body['id']} {version}" for version, body in found)
        facts = {"scheduled": scheduled} | at_least(len(found) >= MOST)
        return Found(len(found), sorted(body["name"] for _, body in found), facts, _mark(marks))


@dataclass(frozen=True)
class Wizards(Items):
    """Wizards that make or edit the connection, with what they found; the machines that wait for an answer."""

    machine: Machine = field(kw_only=True)
    secrets: Secrets = field(kw_only=True)

    def _wizards(self, of: Connection) -> list[Wizard]:
        store = WizardTable(self.table)
        found = [store.get(of.client_id, item["sk"].split("#")[1]) for item in self.items(of)]
        return [wizard for wizard in found if wizard is not None]

    def find(self, of: Connection) -> Found:
        """See the port. Only those that somebody is at are shown: one whose machine never began is nobody's."""
        store = WizardTable(self.table)
        found = [store.get(of.client_id, wizard_id) for wizard_id in store.of_connection(of.client_id, of.id)]
        open = [wizard for wizard in found if wizard and wizard.status.open and self._goes_on(wizard)]
        return Found(len(open), mark=_mark(sorted(wizard.id for wizard in open)))

    def _goes_on(self, wizard: Wizard) -> bool:
        return wizard.execution is not None and self.machine.is_running(wizard.execution)

    def stop(self, of: Connection, *, force: bool) -> bool:  # noqa: ARG002
        """See the port. A draft is not kept for later: whoever edits begins anew after a restore."""
        store = WizardTable(self.table)
        for wizard in self._wizards(of):
            while wizard.status.open:
                try:
                    wizard = store.replace(wizard.model_copy(update={"status": WizardStatus.CANCELLED, "claim": None}))
                except Taken:
                    wizard = store.get(wizard.client_id, wizard.id) or wizard
            if wizard.execution is not None:
                self.machine.stop(wizard.execution, "The connection is being deleted.")
        return True

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port. A wizard goes after its password and what it found."""
        for wizard in self._wizards(of):
            self.secrets.delete(wizard.secret_name)
            key = keys.wizard(of.client_id, wizard.id)
            below = self.table.all(key["pk"], key["sk"] + "#")
            if not _remove_items(self.table, below, time_left):
                return False
            self.table.delete(key)
        return True


@dataclass(frozen=True)
class Companies(Items):
    """Companies in use, and those of edits that were not finished or are no longer in use."""

    def find(self, of: Connection) -> Found:
        """See the port. Only those in use are shown."""
        used = [item for item in self.items(of) if item["sk"].split("#")[2] == of.generation]
        return Found(len(used), sorted(item["name"] for item in used), mark=_mark(sorted(item["sk"] for item in used)))


@dataclass(frozen=True)
class LicencesUsed(_Quiet):
    """The companies that the customer's licences count; a licence comes free when nobody else has its company."""

    held: Callable[[str, str], Sequence[KnownCompany]] = field(kw_only=True)
    release: Callable[[str, str], object] = field(kw_only=True)

    def find(self, of: Connection) -> Found:
        """See the port."""
        freed = [one for one in self.held(of.client_id, of.id) if len(one.holders) == 1]
        return Found(len(freed), sorted(one.name for one in freed), mark=_mark(sorted(one.id for one in freed)))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        self.release(of.client_id, of.id)
        return True


@dataclass(frozen=True)
class Answers(_Quiet):
    """Answers that are kept for a day in case a request comes twice, of the client's members."""

    table: Table = field(kw_only=True)

    def _items(self, of: Connection) -> Iterator[Item]:
        for member in self.table.all(keys.client(of.client_id)["pk"], "MEMBER#"):
            user = member["sk"].removeprefix("MEMBER#")
            for item in self.table.all(f"IDEMPOTENCY#{user}"):
                if of.id in str(item.get("data", "")):
                    yield item

    def find(self, of: Connection) -> Found:
        """See the port."""
        return Found(sum(1 for _ in self._items(of)))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port."""
        return _remove_items(self.table, self._items(of), time_left)


@dataclass(frozen=True)
class Stores:
    """What the kinds reach into."""

    table: Table
    exports: Table
    objects: Objects
    secrets: Secrets
    secret_names: Callable[[str], Sequence[str]]
    connect: Machine
    imports: Machine
    clock: Clock
    erase: Callable[[str, str, TimeLeft], bool]
    held: Callable[[str, str], Sequence[KnownCompany]]
    release: Callable[[str, str], object]


def kinds(stores: Stores) -> list[Kind]:
    """The registry, in the order of removal."""
    table = stores.table

    def of_client(prefix: str) -> Under:
        return lambda of: (keys.client(of.client_id)["pk"], f"{prefix}#")

    def of_connection(prefix: str) -> Under:
        return lambda of: (keys.client(of.client_id)["pk"], f"{prefix}#{of.id}#")

    registry: list[Kind] = [
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
            under=lambda of: (keys.client(of.client_id)["pk"], "SYNC"),
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


def _remove_items(table: Table, items: Iterator[Item], time_left: TimeLeft) -> bool:
    """Remove items some at a time, as long as there is time; they are read while they go."""
    while True:
        part = [key_of(item) for _, item in zip(range(_PART), items, strict=False)]
        table.delete_many(part)
        if len(part) < _PART:
            return True
        if time_left() < ENOUGH_TIME:
            return False


def _keys_of(table: Table, of: Connection, prefix: str) -> list[keys.Key]:
    """The keys of what hangs on a connection, of one kind: about MOST of them at most, without reading others'."""
    found = table.keys_in_index("connection", ("connection_id", "sk"), of.id, prefix, most=MOST)
    return [key for key in found if key["pk"] == keys.client(of.client_id)["pk"]][:MOST]


def companies_of(table: Table, of: Connection) -> list[str]:
    """The keys of the companies a connection uses or lately used, the latest first."""
    found = [item["sk"].split("#", 3) for item in _company_items(table, of)]
    used = sorted(found, key=lambda parts: parts[2] != of.generation)
    return list(dict.fromkeys(parts[3] for parts in used))


def _company_items(table: Table, of: Connection) -> Iterator[Item]:
    key = keys.connection_company(of.client_id, of.id, "", "")
    return table.all(key["pk"], key["sk"].removesuffix("#"))


def at_least(more: bool) -> dict[str, bool]:
    """The fact that there may be more than was counted."""
    return {"at_least": True} if more else {}


def _mark(words: Sequence[str]) -> str:
    """A word that differs when the words do."""
    return sha256("\n".join(words).encode()).hexdigest()[:16]
