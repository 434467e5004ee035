"""CRM records in the tenant table.

CRM                              the client's CRM, and how many records of it there are, counted with each write
CRM-RECORD#<entity>#<record id>  a record
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import override

from erphub.links.capability import CRM_RECORDS
from erphub.links.records.models import Changes, Crm, CrmRecord, RecordChange, RecordKey
from erphub.links.records.ports import CrmRecordStore
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.capability import Limit
from erphub.platform.limits import StockCount
from erphub.platform.writes import Key, Write


class CrmRecordTable(CrmRecordStore):
    """CRM records in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def crm(self, client_id: str) -> Crm | None:
        item = self._table.get(crm_key(client_id))
        return Crm(item["name"], int(item["record_count"])) if item else None

    @override
    def get(self, client_id: str, key: RecordKey) -> CrmRecord | None:
        item = self._table.get(record_key(client_id, key.entity, key.record_id))
        return _record(item) if item else None

    @override
    def get_many(self, client_id: str, keys: Sequence[RecordKey]) -> Mapping[RecordKey, CrmRecord]:
        found = map(_record, self._table.get_many([record_key(client_id, key.entity, key.record_id) for key in keys]))
        return {record.key: record for record in found}

    @override
    def save(self, client_id: str, crm: str, changes: Changes, maximum: int) -> bool:
        new = sum(one.before is None for one in changes)
        counted = [_counting(client_id, crm, new, maximum)] if new else []
        return self._transact([*counted, *map(_putting, changes)])

    @override
    def delete(self, record: CrmRecord) -> bool:
        gone = Write(
            delete=record_key(record.client_id, record.entity, record.record_id),
            condition="version = :version",
            values={"version": record.version},
        )
        counted = Write(
            update=crm_key(record.client_id),
            expression="SET record_count = record_count - :one",
            condition="record_count >= :one",
            values={"one": 1},
        )
        return self._transact([counted, gone])

    def _transact(self, writes: Sequence[Write]) -> bool:
        try:
            self._table.transact(writes)
        except VersionConflict:
            return False
        return True


@dataclass(frozen=True)
class CrmRecordCount(StockCount):
    """Says how many records a client has, as they were counted with each write: there may be too many to look at."""

    table: Table

    @property
    @override
    def limit(self) -> Limit:
        return CRM_RECORDS

    @override
    def count(self, owner_id: str, most: int) -> int:
        crm = CrmRecordTable(self.table).crm(owner_id)
        return crm.record_count if crm else 0


def _counting(client_id: str, crm: str, new: int, maximum: int) -> Write:
    """Counts new records of this CRM, where there is room for them and the client has no records of another."""
    return Write(
        update=crm_key(client_id),
        expression="SET #name = :crm, record_count = if_not_exists(record_count, :none) + :new",
        condition="attribute_not_exists(#name) OR ((#name = :crm OR record_count = :none) AND record_count <= :room)",
        names={"#name": "name"},
        values={"crm": crm, "none": 0, "new": new, "room": maximum - new},
    )


def _putting(change: RecordChange) -> Write:
    record = change.after
    item = record_key(record.client_id, record.entity, record.record_id) | {
        "version": record.version,
        "body": record.model_dump_json(exclude={"version"}),
    }
    if change.before is None:
        return Write(put=item, condition="attribute_not_exists(pk)")
    return Write(put=item, condition="version = :before", values={"before": change.before.version})


def _record(item: Item) -> CrmRecord:
    return CrmRecord.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def crm_key(client_id: str) -> Key:
    """The key of a client's CRM."""
    return make_key(client_partition(client_id), "CRM")


def record_key(client_id: str, entity: str, record_id: str) -> Key:
    """The key of a CRM record."""
    return make_key(client_partition(client_id), "CRM-RECORD", entity, record_id)
