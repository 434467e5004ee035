"""The stores of syncs keep their promises, in memory and in DynamoDB alike."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.clients import client
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, NotFound
from erphub.platform.ids import derived_id
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.documents.files import S3DocumentFiles
from erphub.sync.export_log.dynamodb import ExportLogTable, export_log_key
from erphub.sync.export_log.models import Attachment, Attempt, Entry, EntryState
from erphub.sync.export_log.schemas import LogQuery
from erphub.sync.settings.dynamodb import SyncTable
from erphub.sync.settings.models import Sync, SyncSettings
from erphub.sync.transfers.models import Transfer
from tests.support.aws import AWS, EXPORTS, TENANTS, make_table, on_moto

C, N = derived_id("client"), derived_id("connection")
NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
SETTINGS = SyncSettings.model_validate(
    {"from_date": "2026-01-01", "automatic": True, "accounts": {"means": {"cash": "1900"}}}
)


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    with AWS[request.param]():
        yield make_table(TENANTS | EXPORTS)


@pytest.fixture
def log(table: Table) -> ExportLogTable:
    return ExportLogTable(table)


@pytest.fixture
def syncs(table: Table) -> SyncTable:
    return SyncTable(table)


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
        "facts": {"n": 1, "list": ["a"]},
        "title": "Kassé ✓",
    }
    return Entry.model_validate(fields | more)


def sync(number: int = 0, **more: Any) -> Sync:
    name = derived_id("connection", str(number)) if number else N
    fields: dict[str, Any] = {
        "client_id": C,
        "connection_id": name,
        "settings": SETTINGS,
        "saved_at": NOW,
        "saved_by": "ada",
    }
    return Sync.model_validate(fields | more)


def test_what_is_kept_comes_back_as_it_was(log: ExportLogTable, syncs: SyncTable) -> None:
    kept = log.put(entry(1), 30)
    assert log.entry(C, N, kept.id) == kept
    saved = syncs.put(sync(next_at=NOW, cursors={"customer": NOW}, rhythm={"arrivals": [NOW], "quiet": 2}, told=["x"]))
    assert syncs.get(C, N) == saved


def test_who_comes_second_is_told(log: ExportLogTable, syncs: SyncTable) -> None:
    first = log.put(entry(1), 30)
    with pytest.raises(Conflict):
        log.put(entry(1), 30)
    log.put(first.model_copy(update={"code": "a"}), 30)
    with pytest.raises(Conflict):
        log.put(first.model_copy(update={"code": "b"}), 30)
    syncs.put(sync())
    with pytest.raises(Conflict):
        syncs.put(sync())


def test_a_sync_is_due_for_its_transfer_or_for_its_silence_whichever_comes_first(syncs: SyncTable) -> None:
    hour = timedelta(hours=1)
    syncs.put(sync(1, next_at=NOW + hour, silent_at=NOW))
    syncs.put(sync(2, next_at=NOW, silent_at=NOW + hour))
    syncs.put(sync(3, silent_at=NOW))
    syncs.put(sync(4, next_at=NOW + hour, silent_at=NOW + hour))
    syncs.put(sync(5))
    assert {one.connection_id for one in syncs.due(NOW)} == {sync(n).connection_id for n in (1, 2, 3)}


def test_who_takes_the_place_learns_whose_it_was_and_never_given_back(syncs: SyncTable) -> None:
    hour = timedelta(hours=1)
    assert syncs.lease(C, N, "one", "w", NOW + hour, NOW) == ""
    assert syncs.lease(C, N, "one", "w", NOW + hour, NOW) == ""
    later = NOW + 2 * hour
    assert syncs.lease(C, N, "two", "w", later + hour, later) == "one"
    syncs.release(C, N, "two")
    assert syncs.lease(C, N, "three", "w", later + hour, later) == ""


def test_a_batch_of_long_documents_is_written_in_transactions_that_are_not_too_long(
    log: ExportLogTable, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    transact = Table.transact

    def watched(self: Table, writes: Any) -> None:
        sizes.append(sum(len(str(write.put)) for write in writes))
        transact(self, writes)

    monkeypatch.setattr(Table, "transact", watched)
    long = [entry(number, body="x" * 290 * 1024) for number in range(1, 31)]
    assert log.put_many(long, 30) == []
    assert max(sizes) < 4 * 1024 * 1024
    assert len(log.entries(C, N, [one.id for one in long])) == 30


def test_many_are_kept_at_once_and_the_late_ones_come_back(log: ExportLogTable) -> None:
    log.put(entry(2), 30)
    late = log.put_many([entry(number) for number in range(1, 29)], 30)
    assert [one.external_id for one in late] == ["D2"]
    assert len(log.entries(C, N, [entry(number).id for number in range(1, 29)])) == 28


def test_what_remains_of_an_entry_stands_in_for_it_and_is_written_over(log: ExportLogTable, table: Table) -> None:
    kept = log.put(entry(1, state=EntryState.SENT, reference="7", created_by="Ada"), 30)
    log.put_many([entry(2, state=EntryState.SENT, reference="8"), entry(3)], 30)
    for number in (1, 2, 3):
        table.delete(export_log_key(C, N, "ENTRY", entry(number).id))
    found = {one.external_id: one for one in log.entries(C, N, [entry(number).id for number in (1, 2, 3)])}
    assert all(one.forgotten for one in found.values())
    assert {name: one.reference for name, one in found.items()} == {"D1": "7", "D2": "8"}
    assert (found["D1"].body, found["D1"].created_by, found["D1"].body_hash) == ("", "", kept.body_hash)
    again = log.put(found["D1"].model_copy(update={"body": "new", "forgotten": False}), 30)
    assert log.entry(C, N, again.id) == again
    assert list(log.queue(C, N, "sent")) == [again.model_copy(update={"body": "", "rev": 0})]


@pytest.mark.parametrize("kind", list(DocumentKind))
@pytest.mark.parametrize("state", list(EntryState))
def test_what_waits_does_not_expire_nor_do_records_that_both_sides_keep(
    log: ExportLogTable, table: Table, kind: DocumentKind, state: EntryState
) -> None:
    log.put(entry(1, kind, state=state), 30)
    item = table.get(export_log_key(C, N, "ENTRY", entry(1, kind).id))
    history = kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE)
    assert item is not None
    assert ("expires_at" in item) == (history and state in (EntryState.SENT, EntryState.SKIPPED))


def test_a_queue_lists_what_waits_in_order_of_sending_without_bodies(log: ExportLogTable) -> None:
    log.put(entry(3), 30)
    log.put(entry(2), 30)
    log.put(entry(9, DocumentKind.CUSTOMER), 30)
    log.put(entry(4, state=EntryState.REJECTED), 30)
    waiting = list(log.queue(C, N, "pending"))
    assert [one.external_id for one in waiting] == ["D9", "D2", "D3"]
    assert {one.body for one in waiting} == {""}
    assert [one.external_id for one in log.queue(C, N, "pending", DocumentKind.SETTLEMENT)] == ["D2", "D3"]


def test_a_document_stands_in_one_queue_at_a_time(log: ExportLogTable) -> None:
    kept = log.put(entry(1), 30)
    log.put(kept.model_copy(update={"state": EntryState.SENT, "attachment": Attachment.FAILED}), 30)
    assert [len(list(log.queue(C, N, queue))) for queue in ("pending", "sent", "attach")] == [0, 0, 1]


def test_pages_of_the_log_follow_each_other(log: ExportLogTable) -> None:
    for number in range(1, 10):
        log.put(entry(number, state=EntryState.REJECTED if number % 3 == 0 else EntryState.PENDING), 30)
    for query, expected in (
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ({"state": "rejected"}, [9, 6, 3]),
        ({"first": "2026-01-04", "last": "2026-01-06"}, [6, 5, 4]),
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


def test_the_first_telling_of_an_attempt_stays(log: ExportLogTable) -> None:
    for outcome in ("sent", "interrupted"):
        attempt = Attempt(number=1, at=NOW, finished_at=NOW, by="ada", transfer_id="t", outcome=outcome)
        log.add_attempt(entry(1), attempt, 30)
    assert [one.outcome for one in log.attempts(C, N, entry(1).id)] == ["sent"]


def test_transfers_are_listed_newest_first(log: ExportLogTable) -> None:
    for number in range(3):
        name = f"{number:026}"
        log.put_transfer(Transfer(id=name, client_id=C, connection_id=N, by="ada", created_at=NOW), 30)
    page = log.transfers(C, N, 2, None)
    assert [one.id[-1] for one in page.items] == ["2", "1"]
    assert [one.id[-1] for one in log.transfers(C, N, 2, page.next).items] == ["0"]


def test_the_feed_gives_each_record_its_newest_change_only(log: ExportLogTable) -> None:
    def offer(bond: SyncedRecord, text: str) -> SyncedRecord:
        fields: dict[str, Any] = {
            "sequence": 0,
            "kind": bond.kind,
            "reference": bond.reference,
            "changed": ["name"],
            "document": {"name": text},
            "offered_at": NOW,
        }
        return log.offer(C, N, bond, OfferedChange.model_validate(fields))

    one = offer(SyncedRecord(kind=DocumentKind.CUSTOMER, reference="1"), "a")
    other = offer(SyncedRecord(kind=DocumentKind.CUSTOMER, reference="2"), "b")
    one = offer(one, "c")
    assert [(one.sequence, one.document["name"]) for one in log.offers(C, N, 0, 10)] == [(2, "b"), (3, "c")]
    assert [one.sequence for one in log.offers(C, N, 2, 10)] == [3]
    log.withdraw(C, N, other)
    assert [one.sequence for one in log.offers(C, N, 0, 10)] == [3]
    with pytest.raises(Conflict):
        log.withdraw(C, N, other)
    assert log.bond(C, N, DocumentKind.CUSTOMER, "1") == one


def test_only_what_is_due_is_found(syncs: SyncTable) -> None:
    for number in range(1, 6):
        syncs.put(sync(number, next_at=NOW + timedelta(minutes=number)))
    syncs.put(sync(7))
    due = list(syncs.due(NOW + timedelta(minutes=3)))
    assert {one.connection_id for one in due} == {derived_id("connection", str(number)) for number in (1, 2, 3)}
    syncs.put(due[0].read().model_copy(update={"next_at": None}))
    assert len(list(syncs.due(NOW + timedelta(minutes=3)))) == 2


def test_one_transfer_and_one_worker_of_it_hold_the_lease(syncs: SyncTable) -> None:
    until = NOW + timedelta(minutes=6)
    syncs.lease(C, N, "T1", "", until, NOW)
    syncs.lease(C, N, "T1", "w1", until, NOW)
    for holder, worker in (("T2", ""), ("T1", "w2")):
        with pytest.raises(Conflict) as caught:
            syncs.lease(C, N, holder, worker, until, NOW)
        assert caught.value.facts["transfer"] == "T1"
    assert syncs.holder(C, N, NOW) == "T1"
    syncs.release(C, N, "T2")
    assert syncs.holder(C, N, NOW) == "T1"
    syncs.lease(C, N, "T2", "w", until + timedelta(minutes=6), until)
    syncs.release(C, N, "T1")
    assert syncs.holder(C, N, until) == "T2"
    syncs.release(C, N, "T2")
    assert syncs.holder(C, N, until) is None


def test_another_connections_page_word_opens_nothing(log: ExportLogTable) -> None:
    from erphub.platform.errors import Invalid

    for number in range(1, 4):
        log.put(entry(number), 30)
    word = log.page(C, N, LogQuery(limit=1)).next
    with pytest.raises(Invalid):
        log.page(C, derived_id("another"), LogQuery(limit=1, next=word))


def test_papers_are_put_by_a_signed_address_and_read_back() -> None:
    with on_moto():
        s3 = client("s3")
        s3.create_bucket(Bucket="papers", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        papers = S3DocumentFiles("papers")
        slot = papers.slot("documents/a.pdf", "application/pdf", NOW)
        assert "documents/a.pdf" in slot.url
        assert "X-Amz-Signature" in slot.url
        assert slot.headers == {"Content-Type": "application/pdf"}
        assert papers.size("documents/a.pdf") is None
        with pytest.raises(NotFound):
            papers.read("documents/a.pdf")
        s3.put_object(Bucket="papers", Key="documents/a.pdf", Body=b"one\ntwo")
        assert papers.size("documents/a.pdf") == 7
        assert list(papers.lines("documents/a.pdf")) == [b"one", b"two"]
