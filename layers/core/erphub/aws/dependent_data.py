"""Data of a connection, in the tables and in the bucket, as a deletion counts and removes them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from ..errors import Conflict
from ..models.connection import Connection
from ..models.document import DocumentKind
from ..models.licence import KnownCompany
from ..models.sync import EntryState, Upload, UploadState
from ..ports.deletion import Found, TimeLeft
from ..ports.world import Clock, Secrets
from . import keys
from .dependent_basics import MOST, Items, Quiet, at_least, mark_of, remove_items
from .exportlog import ExportLogTable
from .lake_places import company_folder, owner_folder, papers_of, tables_of
from .objects import Objects
from .syncs import SyncTable
from .table import Item, Table

MOST_FOLDERS = 100
"""Into so many folders of the lake a preview looks; each is a request."""
_READING = timedelta(minutes=10)
"""Nobody reads a batch for longer: the function that does may run for five minutes."""
_STATES = tuple(state.value for state in EntryState)
STANDS_STILL = "It waits until the connection works again."
"""Why there is no next transfer: as true while the connection is being deleted as when it was restored, paused."""


@dataclass(frozen=True)
class Passwords(Quiet):
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
class LakeTables(Quiet):
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
class Papers(Quiet):
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
class Documents(Quiet):
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
        return remove_items(self.table, self.table.all(keys.exports(of.client_id, of.id)["pk"]), time_left)


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
class Companies(Items):
    """Companies in use, and those of edits that were not finished or are no longer in use."""

    def find(self, of: Connection) -> Found:
        """See the port. Only those in use are shown."""
        used = [item for item in self.items(of) if item["sk"].split("#")[2] == of.generation]
        return Found(
            len(used), sorted(item["name"] for item in used), mark=mark_of(sorted(item["sk"] for item in used))
        )


@dataclass(frozen=True)
class LicencesUsed(Quiet):
    """The companies that the customer's licences count; a licence comes free when nobody else has its company."""

    held: Callable[[str, str], Sequence[KnownCompany]] = field(kw_only=True)
    release: Callable[[str, str], object] = field(kw_only=True)

    def find(self, of: Connection) -> Found:
        """See the port."""
        freed = [one for one in self.held(of.client_id, of.id) if len(one.holders) == 1]
        return Found(len(freed), sorted(one.name for one in freed), mark=mark_of(sorted(one.id for one in freed)))

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        self.release(of.client_id, of.id)
        return True


@dataclass(frozen=True)
class Answers(Quiet):
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
        return remove_items(self.table, self._items(of), time_left)
