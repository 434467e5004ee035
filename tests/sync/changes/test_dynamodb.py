"""The feed of changes keeps its promises, in memory and in DynamoDB alike."""

from datetime import UTC, datetime
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict
from erphub.platform.ids import derived_id
from erphub.sync.changes.dynamodb import ChangeFeedTable, SyncedRecordTable
from erphub.sync.changes.models import OfferedChange, SyncedRecord

C, N = derived_id("client"), derived_id("connection")
NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


def test_the_feed_gives_each_record_its_newest_change_only(table: Table) -> None:
    feed = ChangeFeedTable(table)

    def offer(record: SyncedRecord, text: str) -> SyncedRecord:
        fields: dict[str, Any] = {
            "sequence": 0,
            "kind": record.kind,
            "reference": record.reference,
            "changed": ["name"],
            "document": {"name": text},
            "offered_at": NOW,
        }
        return feed.offer(C, N, record, OfferedChange.model_validate(fields))

    one = offer(SyncedRecord(kind=DocumentKind.CUSTOMER, reference="1"), "a")
    other = offer(SyncedRecord(kind=DocumentKind.CUSTOMER, reference="2"), "b")
    one = offer(one, "c")
    assert [(one.sequence, one.document["name"]) for one in feed.list_after(C, N, 0, 10)] == [(2, "b"), (3, "c")]
    assert [one.sequence for one in feed.list_after(C, N, 2, 10)] == [3]
    feed.withdraw(C, N, other)
    assert [one.sequence for one in feed.list_after(C, N, 0, 10)] == [3]
    with pytest.raises(Conflict):
        feed.withdraw(C, N, other)
    assert SyncedRecordTable(table).get(C, N, DocumentKind.CUSTOMER, "1") == one
