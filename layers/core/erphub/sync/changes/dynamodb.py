"""Synced records and the feed of changes, in the export log's table."""

from typing import override

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.writes import Key, Write
from erphub.sync import problems
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.changes.ports import ChangeFeed, SyncedRecordStore
from erphub.sync.export_log.dynamodb import export_log_key, read_model, revision_write
from erphub.sync.settings.dynamodb import put_rev


class SyncedRecordTable(SyncedRecordStore):
    """Synced records by the ERP's reference."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(
        self, client_id: str, connection_id: str, kind: DocumentKind, reference: str, company: str = ""
    ) -> SyncedRecord | None:
        item = self._table.get(_record_key(client_id, connection_id, kind, reference, company))
        return read_model(SyncedRecord, item) if item else None

    @override
    def save(self, client_id: str, connection_id: str, record: SyncedRecord) -> SyncedRecord:
        put_rev(self._table, _record_item(client_id, connection_id, record), record.rev)
        return record.model_copy(update={"rev": record.rev + 1})


class ChangeFeedTable(ChangeFeed):
    """The feed by its sequence."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def offer(self, client_id: str, connection_id: str, record: SyncedRecord, change: OfferedChange) -> SyncedRecord:
        sequence = self._next_sequence(client_id, connection_id)
        placed = change.model_copy(update={"sequence": sequence})
        kept = record.model_copy(update={"sequence": sequence, "offered": change.document})
        item = _feed_key(client_id, connection_id, sequence) | {"data": placed.model_dump_json()}
        return self._replace(client_id, connection_id, record, kept, [Write(put=item)])

    @override
    def withdraw(self, client_id: str, connection_id: str, record: SyncedRecord) -> SyncedRecord:
        kept = record.model_copy(update={"sequence": None, "offered": None})
        return self._replace(client_id, connection_id, record, kept, [])

    def _replace(
        self, client_id: str, connection_id: str, before: SyncedRecord, kept: SyncedRecord, writes: list[Write]
    ) -> SyncedRecord:
        writes = [*writes, revision_write(_record_item(client_id, connection_id, kept), before.rev)]
        if before.sequence is not None:
            writes.append(Write(delete=_feed_key(client_id, connection_id, before.sequence)))
        self._table.transact(writes)
        return kept.model_copy(update={"rev": before.rev + 1})

    @override
    def list_after(self, client_id: str, connection_id: str, sequence: int, limit: int) -> list[OfferedChange]:
        after = _feed_key(client_id, connection_id, sequence)
        page = self._table.page(after["pk"], "FEED#", limit=limit, after=after["sk"])
        return [OfferedChange.model_validate_json(item["data"]) for item in page.items]

    @override
    def get(self, client_id: str, connection_id: str, sequence: int) -> OfferedChange | None:
        item = self._table.get(_feed_key(client_id, connection_id, sequence))
        return OfferedChange.model_validate_json(item["data"]) if item else None

    def _next_sequence(self, client_id: str, connection_id: str) -> int:
        """The next number of the feed: taken before it is used, so that numbers only grow."""
        key = export_log_key(client_id, connection_id, "FEED-END")
        for _ in range(20):
            item = self._table.get(key)
            rev = int(item["rev"]) if item else 0
            try:
                put_rev(self._table, dict(key), rev)
            except VersionConflict:
                continue
            return rev + 1
        raise problems.FEED_BUSY()


def _record_item(client_id: str, connection_id: str, record: SyncedRecord) -> Item:
    key = _record_key(client_id, connection_id, record.kind, record.reference, record.company)
    return key | {"data": record.model_dump_json()}


def _record_key(client_id: str, connection_id: str, kind: DocumentKind, reference: str, company: str) -> Key:
    of = ("OF", company) if company else ()
    return export_log_key(client_id, connection_id, "RECORD", *of, kind.value, reference)


def _feed_key(client_id: str, connection_id: str, sequence: int) -> Key:
    return export_log_key(client_id, connection_id, "FEED", f"{sequence:015}")
