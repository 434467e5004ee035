"""What of a sync hangs on a connection."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from erphub.erp.documents import DocumentKind
from erphub.lake.locations import papers_of
from erphub.platform.aws.objects import Objects
from erphub.platform.aws.removal import MOST, Items, Quiet, at_least, remove_items
from erphub.platform.aws.table import Table
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.removal import ConnectionRef, Found
from erphub.platform.tasks import TimeLeft
from erphub.sync.export_log.dynamodb import ExportLogTable, export_log_key
from erphub.sync.export_log.models import EntryState
from erphub.sync.settings.dynamodb import SyncTable
from erphub.sync.uploads.models import Upload, UploadState

_READING = timedelta(minutes=10)
"""Nobody reads a batch for longer: the function that does may run for five minutes."""
_STATES = tuple(state.value for state in EntryState)
STANDS_STILL = "It waits until the connection works again."
"""Why there is no next transfer: as true while the connection is being deleted as when it was restored, paused."""


@dataclass(frozen=True)
class Papers(Quiet):
    """PDFs and batches that were handed over for the ERP."""

    objects: Objects = field(kw_only=True)

    def find(self, of: ConnectionRef) -> Found:
        """See the port."""
        found = (one for prefix in papers_of(of.client_id, of.id) for one in self.objects.sizes(prefix))
        sizes = [size for _, size in islice(found, MOST)]
        return Found(len(sizes), facts={"bytes": sum(sizes)} | at_least(len(sizes) == MOST))

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        for prefix in papers_of(of.client_id, of.id):
            self.objects.purge(prefix)
        return True


@dataclass(frozen=True)
class Documents(Quiet):
    """The export log: documents with their attempts, transfers, batches, and what both sides agreed on."""

    table: Table = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    def find(self, of: ConnectionRef) -> Found:
        """See the port."""
        log, states = ExportLogTable(self.table), dict[str, int]()
        pk = export_log_key(of.client_id, of.id)["pk"]
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

    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        """See the port. A batch that is being read is read to its end."""
        key = export_log_key(of.client_id, of.id, "UPLOAD", "")
        uploads = (Upload.model_validate_json(item["data"]) for item in self.table.all(key["pk"], key["sk"]))
        now = self.clock()
        reading = (one for one in uploads if one.state is UploadState.READING and now - one.created_at < _READING)
        return force or next(reading, None) is None

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        """See the port."""
        return remove_items(self.table, self.table.all(export_log_key(of.client_id, of.id)["pk"]), time_left)


@dataclass(frozen=True)
class SyncSettings(Items):
    """The settings of the sync, when it transfers next, and who may send."""

    clock: Clock = field(kw_only=True)

    def find(self, of: ConnectionRef) -> Found:
        """See the port."""
        sync = SyncTable(self.table).get(of.client_id, of.id)
        if sync is None:
            return Found(0)
        kinds = [kind.value for kind in DocumentKind if sync.settings.sends(kind)]
        return Found(1, kinds, {"automatic": sync.settings.automatic}, str(sync.version))

    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
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
