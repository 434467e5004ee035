"""The export log's store keeps its promises, in memory and in DynamoDB alike."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, Invalid
from erphub.platform.ids import derived_id
from erphub.sync.export_log.dynamodb import EntryTable, export_log_key
from erphub.sync.export_log.models import Attachment, Attempt, Entry, EntryStatus
from erphub.sync.export_log.schemas import LogQuery

C, N = derived_id("client"), derived_id("connection")
NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def log(table: Table) -> EntryTable:
    return EntryTable(table)


def entry(number: int, kind: DocumentKind = DocumentKind.SETTLEMENT, **more: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": derived_id(kind.value, str(number)),
        "client_id": C,
        "connection_id": N,
        "kind": kind,
        "external_id": f"D{number}",
        "date": date(2026, 1, number),
        "body": f"body {number}",
        "body_hash": "h",
        "created_at": NOW,
        "created_by": "till",
        "updated_at": NOW,
        "arrived_at": NOW,
        "erp_details": {"n": 1, "list": ["a"]},
        "title": "Kassé ✓",
    }
    return Entry.model_validate(fields | more)


def test_what_is_kept_comes_back_as_it_was(log: EntryTable) -> None:
    kept = log.save(entry(1), 30)
    assert log.get(C, N, kept.id) == kept


def test_who_comes_second_is_refused(log: EntryTable) -> None:
    first = log.save(entry(1), 30)
    with pytest.raises(Conflict):
        log.save(entry(1), 30)
    log.save(first.model_copy(update={"code": "a"}), 30)
    with pytest.raises(Conflict):
        log.save(first.model_copy(update={"code": "b"}), 30)


def test_a_batch_of_long_documents_is_written_in_transactions_that_are_not_too_long(
    log: EntryTable, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    transact = Table.transact

    def watched(self: Table, writes: Any) -> None:
        sizes.append(sum(len(str(write.put)) for write in writes))
        transact(self, writes)

    monkeypatch.setattr(Table, "transact", watched)
    long = [entry(number, body="x" * 290 * 1024) for number in range(1, 31)]
    assert log.save_many(long, 30) == []
    assert max(sizes) < 4 * 1024 * 1024
    assert len(log.get_many(C, N, [one.id for one in long])) == 30


def test_many_are_kept_at_once_and_the_late_ones_come_back(log: EntryTable) -> None:
    log.save(entry(2), 30)
    late = log.save_many([entry(number) for number in range(1, 29)], 30)
    assert [one.external_id for one in late] == ["D2"]
    assert len(log.get_many(C, N, [entry(number).id for number in range(1, 29)])) == 28


def test_what_remains_of_an_entry_stands_in_for_it_and_is_written_over(log: EntryTable, table: Table) -> None:
    kept = log.save(entry(1, status=EntryStatus.SENT, reference="7", created_by="Ada"), 30)
    log.save_many([entry(2, status=EntryStatus.SENT, reference="8"), entry(3)], 30)
    for number in (1, 2, 3):
        table.delete(export_log_key(C, N, "ENTRY", entry(number).id))
    found = {one.external_id: one for one in log.get_many(C, N, [entry(number).id for number in (1, 2, 3)])}
    assert all(one.forgotten for one in found.values())
    assert {name: one.reference for name, one in found.items()} == {"D1": "7", "D2": "8"}
    assert (found["D1"].body, found["D1"].created_by, found["D1"].body_hash) == ("", "", kept.body_hash)
    again = log.save(found["D1"].model_copy(update={"body": "new", "forgotten": False}), 30)
    assert log.get(C, N, again.id) == again
    assert list(log.queue(C, N, "sent")) == [again.model_copy(update={"body": "", "rev": 0})]


@pytest.mark.parametrize("kind", list(DocumentKind))
@pytest.mark.parametrize("state", list(EntryStatus))
def test_what_waits_does_not_expire_nor_do_records_that_both_sides_keep(
    log: EntryTable, table: Table, kind: DocumentKind, state: EntryStatus
) -> None:
    log.save(entry(1, kind, status=state), 30)
    item = table.get(export_log_key(C, N, "ENTRY", entry(1, kind).id))
    history = kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)
    assert item is not None
    assert ("expires_at" in item) == (history and state in (EntryStatus.SENT, EntryStatus.SKIPPED))


def test_a_queue_lists_what_waits_in_order_of_sending_without_bodies(log: EntryTable) -> None:
    log.save(entry(3), 30)
    log.save(entry(2), 30)
    log.save(entry(9, DocumentKind.CUSTOMER), 30)
    log.save(entry(4, status=EntryStatus.REJECTED), 30)
    waiting = list(log.queue(C, N, "pending"))
    assert [one.external_id for one in waiting] == ["D9", "D2", "D3"]
    assert {one.body for one in waiting} == {""}
    assert [one.external_id for one in log.queue(C, N, "pending", DocumentKind.SETTLEMENT)] == ["D2", "D3"]


def test_a_document_stands_in_one_queue_at_a_time(log: EntryTable) -> None:
    kept = log.save(entry(1), 30)
    log.save(kept.model_copy(update={"status": EntryStatus.SENT, "attachment": Attachment.FAILED}), 30)
    assert [len(list(log.queue(C, N, queue))) for queue in ("pending", "sent", "attach")] == [0, 0, 1]


def test_pages_of_the_log_follow_each_other(log: EntryTable) -> None:
    for number in range(1, 10):
        log.save(entry(number, status=EntryStatus.REJECTED if number % 3 == 0 else EntryStatus.PENDING), 30)
    for query, expected in (
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"status": "rejected"}, [9, 6, 3]),
        ({"from_date": "2026-01-04", "to_date": "2026-01-06"}, [6, 5, 4]),
    ):
        seen: list[str] = []
        following = LogQuery.model_validate(query | {"limit": 2})
        while True:
            page = log.page(C, N, following)
            assert len(page.items) <= 2
            seen += [one.external_id for one in page.items]
            if page.next is None:
                break
            following = LogQuery.model_validate(query | {"limit": 2, "next": page.next})
        assert seen == [f"D{number}" for number in expected]


def test_the_log_since_a_day_is_read_no_further_back(log: EntryTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 10):
        log.save(entry(number), 30)
    asked: list[str] = []
    whole = Table.page_of_index

    def counted(table: Table, index: str, *given: Any, **more: Any) -> Any:
        asked.append(index)
        return whole(table, index, *given, **more)

    monkeypatch.setattr(Table, "page_of_index", counted)
    page = log.page(C, N, LogQuery.model_validate({"from_date": "2026-01-08", "limit": 3}))
    assert [one.external_id for one in page.items] == ["D9", "D8"]
    assert (page.next, asked) == (None, ["day"])


def test_the_log_is_asked_for_what_has_changed_since(log: EntryTable) -> None:
    for number in range(1, 6):
        log.save(entry(number, updated_at=NOW + timedelta(minutes=number)), 30)
    since = (NOW + timedelta(minutes=4)).isoformat()
    page = log.page(C, N, LogQuery.model_validate({"updated_since": since}))
    assert [one.external_id for one in page.items] == ["D5", "D4"], "that very moment too"


def test_what_is_written_of_an_attempt_first_stays(log: EntryTable) -> None:
    for outcome in ("sent", "interrupted"):
        attempt = Attempt(
            number=1, attempted_at=NOW, finished_at=NOW, started_by="ada", transfer_id="t", outcome=outcome
        )
        log.add_attempt(entry(1), attempt, 30)
    assert [one.outcome for one in log.attempts(C, N, entry(1).id)] == ["sent"]


def test_another_connections_cursor_opens_nothing(log: EntryTable) -> None:
    for number in range(1, 4):
        log.save(entry(number), 30)
    cursor = log.page(C, N, LogQuery(limit=1)).next
    with pytest.raises(Invalid):
        log.page(C, derived_id("another"), LogQuery(limit=1, next=cursor))
