"""What of a sync hangs on a connection."""

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import override

from erphub.erp.documents import DocumentKind
from erphub.lake.locations import document_prefixes
from erphub.platform.aws.removal import (
    MAX_COUNTED,
    DependentItems,
    PassiveDependent,
    at_least,
    remove_items,
)
from erphub.platform.aws.table import Table, client_partition
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.objects import ObjectStore
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.tasks import TimeLeft
from erphub.sync.export_log.dynamodb import EntryTable, export_log_key
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
from erphub.sync.settings.models import WAITS_FOR_CONNECTION
from erphub.sync.uploads.models import Upload, UploadStatus

_MAX_READING_TIME = timedelta(minutes=10)
"""Nobody reads a batch for longer: the function that does may run for five minutes."""
_STATES = tuple(state.value for state in EntryStatus)


def sync_dependents(table: Table, export_log: Table, objects: ObjectStore, clock: Clock) -> list[Dependent]:
    """What was handed over for the ERP, and how it is sent."""
    return [
        DocumentFiles("document_files", "PDFs and batches handed over", RemovalStage.DATA, objects=objects),
        Documents("documents", "Export log", RemovalStage.DATA, ("exports:*",), table=export_log, clock=clock),
        SyncSettings(
            "sync",
            "Sync settings",
            RemovalStage.RECORDS,
            ("tenants:SYNC", "tenants:SYNC-LEASE"),
            table=table,
            prefix=lambda of: (client_partition(of.client_id), "SYNC"),
            belongs=lambda item, of: item["sk"].split("#")[1] == of.id,
            clock=clock,
        ),
    ]


@dataclass(frozen=True)
class DocumentFiles(PassiveDependent):
    """PDFs and batches that were handed over for the ERP."""

    objects: ObjectStore = field(kw_only=True)

    @override
    def find(self, of: ConnectionRef) -> Found:
        found = (one for prefix in document_prefixes(of.client_id, of.id) for one in self.objects.sizes(prefix))
        sizes = [size for _, size in islice(found, MAX_COUNTED)]
        return Found(len(sizes), details={"size_bytes": sum(sizes)} | at_least(len(sizes) == MAX_COUNTED))

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        for prefix in document_prefixes(of.client_id, of.id):
            self.objects.purge(prefix)
        return True


@dataclass(frozen=True)
class Documents(PassiveDependent):
    """The export log: documents with their attempts, transfers, batches, and what both sides agreed on."""

    table: Table = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    @override
    def find(self, of: ConnectionRef) -> Found:
        log, states = EntryTable(self.table), dict[str, int]()
        pk = export_log_key(of.client_id, of.id)["pk"]
        for state in _STATES:
            if counted := log.count(of.client_id, of.id, state, MAX_COUNTED):
                states[state] = counted
        # What was sent and lacks its PDF, or waits for approval there, stands in queues of its own.
        for queue in ("attach", "unattached", "approval"):
            if unfinished := log.count(of.client_id, of.id, queue, MAX_COUNTED):
                states["sent"] = states.get("sent", 0) + unfinished
        transfers = self.table.count(pk, "TRANSFER#", MAX_COUNTED)
        more = at_least(transfers >= MAX_COUNTED or any(count >= MAX_COUNTED for count in states.values()))
        return Found(sum(states.values()), details={"documents_by_status": states, "transfer_count": transfers} | more)

    @override
    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        # A batch that is being read is read to its end.
        key = export_log_key(of.client_id, of.id, "UPLOAD", "")
        uploads = (Upload.model_validate_json(item["data"]) for item in self.table.read_all(key["pk"], key["sk"]))
        now = self.clock()
        reading = (
            one for one in uploads if one.status is UploadStatus.READING and now - one.created_at < _MAX_READING_TIME
        )
        return force or next(reading, None) is None

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        return remove_items(self.table, self.table.read_all(export_log_key(of.client_id, of.id)["pk"]), time_left)


@dataclass(frozen=True)
class SyncSettings(DependentItems):
    """The settings of the sync, when it transfers next, and who may send."""

    clock: Clock = field(kw_only=True)

    @override
    def find(self, of: ConnectionRef) -> Found:
        sync = SyncTable(self.table).get(of.client_id, of.id)
        if sync is None:
            return Found(0)
        kinds = [kind.value for kind in DocumentKind if sync.settings.sends(kind)]
        return Found(1, kinds, {"is_automatic": sync.settings.is_automatic}, str(sync.version))

    @override
    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        # The next transfer is taken off the list; one under way holds its lease until it has ended.
        store = SyncTable(self.table)
        for _ in range(5):
            sync = store.get(of.client_id, of.id)
            if sync is None or sync.next_at is None:
                break
            try:
                store.save(sync.model_copy(update={"next_at": None, "next_reason": WAITS_FOR_CONNECTION}))
            except Conflict:
                continue
        return force or TransferLeaseTable(self.table).holder(of.client_id, of.id, self.clock()) is None
