"""The export log's table: documents, attempts, transfers, batches, and what both sides agree on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict, Unavailable
from erphub.platform.pages import Page
from erphub.platform.wire import Model
from erphub.platform.writes import Key, Write
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Attempt, Entry, EntryState
from erphub.sync.export_log.schemas import LogQuery
from erphub.sync.settings.dynamodb import put_rev
from erphub.sync.transfers.models import Transfer
from erphub.sync.uploads.models import Upload

# Customers and products before what names them.
RANK = {DocumentKind.CUSTOMER: "1", DocumentKind.PRODUCT: "2", DocumentKind.SETTLEMENT: "3", DocumentKind.INVOICE: "4"}
_BY_STATE = ("state_pk", "state_sk")
_BY_DAY = ("day_pk", "day_sk")
_PAGES_AT_MOST = 20
"""How many pages of the table one request looks through for matches before it answers with what it has and a `next`."""


_AT_ONCE, _BYTES_AT_ONCE = 50, 3 * 1024 * 1024
"""What one transaction writes of a batch: it may have 100 writes and 4 MB, and bodies are not all that is written."""


class ExportLogTable:
    """Satisfies `sync.export_log.ports.ExportLogStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    # --- documents ---------------------------------------------------------------------------------------------------

    def entry(self, client_id: str, connection_id: str, entry_id: str) -> Entry | None:
        """See the port."""
        of = client_id, connection_id
        item = self._table.get(export_log_key(*of, "ENTRY", entry_id)) or self._table.get(
            export_log_key(*of, "ENDED", entry_id)
        )
        return _read_entry(item) if item else None

    def entries(self, client_id: str, connection_id: str, entry_ids: Sequence[str]) -> list[Entry]:
        """See the port."""
        names = dict.fromkeys(entry_ids)
        wanted = [export_log_key(client_id, connection_id, part, name) for name in names for part in ("ENTRY", "ENDED")]
        found = [_read_entry(item) for item in self._table.get_many(wanted)]
        whole = {entry.id for entry in found if not entry.forgotten}
        return [entry for entry in found if not entry.forgotten or entry.id not in whole]

    def put(self, entry: Entry, keep_days: int) -> Entry:
        """See the port."""
        # What remains of it is there before the entry may go.
        if (remains := _remains(entry)) is not None:
            self._table.put(remains)
        put_rev(self._table, _entry_item(entry, keep_days), entry.rev)
        return entry.model_copy(update={"rev": entry.rev + 1})

    def put_many(self, entries: Sequence[Entry], keep_days: int) -> list[Entry]:
        """See the port."""
        late: list[Entry] = []
        for part in _parts(entries):
            writes = [_write(_entry_item(entry, keep_days), entry.rev) for entry in part]
            writes += [Write(put=remains) for entry in part if (remains := _remains(entry)) is not None]
            try:
                self._table.transact(writes)
            except (VersionConflict, Unavailable):
                late += self._one_by_one(part, keep_days)
        return late

    def _one_by_one(self, entries: Sequence[Entry], keep_days: int) -> list[Entry]:
        late: list[Entry] = []
        for entry in entries:
            try:
                self.put(entry, keep_days)
            except VersionConflict:
                late.append(entry)
        return late

    def queue(
        self, client_id: str, connection_id: str, queue: str, kind: DocumentKind | None = None
    ) -> Iterator[Entry]:
        """See the port."""
        under, prefix = _state_pk(client_id, connection_id, queue), f"{RANK[kind]}#" if kind else ""
        next: str | None = None
        while True:
            page = self._table.page_of_index("state", _BY_STATE, under, prefix, limit=500, next=next)
            yield from (_read_entry(item) for item in page.items)
            if (next := page.next) is None:
                return

    def waiting(self, client_id: str, connection_id: str, queue: str, most: int | None = None) -> int:
        """How many documents stand in a queue, without fetching them; counts to `most`."""
        return self._table.count_in_index("state", _BY_STATE[0], _state_pk(client_id, connection_id, queue), most)

    def page(self, client_id: str, connection_id: str, query: LogQuery) -> Page[Entry]:
        """See the port."""
        found: list[Entry] = []
        next, first = query.next, True
        for _ in range(_PAGES_AT_MOST):
            if not first and next is None:
                break
            first = False
            items, next = self._some(client_id, connection_id, query, query.limit - len(found), next)
            found += [entry for entry in items if _matches(entry, query)]
            if len(found) >= query.limit:
                break
        return Page(found, next)

    def _some(
        self, client_id: str, connection_id: str, query: LogQuery, limit: int, next: str | None
    ) -> tuple[list[Entry], str | None]:
        # What was sent stands in two queues, so it is looked for by day.
        if query.state in (None, EntryState.SENT):
            under = _day_pk(client_id, connection_id)
            page = self._table.page_of_index("day", _BY_DAY, under, limit=limit, next=next, newest_first=True)
        else:
            under = _state_pk(client_id, connection_id, query.state.value)
            prefix = f"{RANK[query.kind]}#" if query.kind else ""
            page = self._table.page_of_index(
                "state", _BY_STATE, under, prefix, limit=limit, next=next, newest_first=True
            )
        return [_read_entry(item) for item in page.items], page.next

    def add_attempt(self, entry: Entry, attempt: Attempt, keep_days: int) -> None:
        """See the port."""
        key = export_log_key(entry.client_id, entry.connection_id, "TRY", entry.id, f"{attempt.number:06}")
        try:
            self._table.put_new(
                key | {"data": attempt.model_dump_json(), "expires_at": _expires(attempt.at, keep_days)}
            )
        except VersionConflict:
            # What is written of an attempt stays: this is the same one, told again after a crash.
            return

    def attempts(self, client_id: str, connection_id: str, entry_id: str) -> list[Attempt]:
        """See the port."""
        key = export_log_key(client_id, connection_id, "TRY", entry_id, "")
        return [Attempt.model_validate_json(item["data"]) for item in self._table.all(key["pk"], key["sk"])]

    # --- transfers ---------------------------------------------------------------------------------------------------

    def transfer(self, client_id: str, connection_id: str, transfer_id: str) -> Transfer | None:
        """See the port."""
        item = self._table.get(export_log_key(client_id, connection_id, "TRANSFER", transfer_id))
        return _whole(Transfer, item) if item else None

    def put_transfer(self, transfer: Transfer, keep_days: int) -> Transfer:
        """See the port."""
        key = export_log_key(transfer.client_id, transfer.connection_id, "TRANSFER", transfer.id)
        expires = _expires(transfer.created_at, keep_days)
        put_rev(self._table, key | {"data": transfer.model_dump_json(), "expires_at": expires}, transfer.rev)
        return transfer.model_copy(update={"rev": transfer.rev + 1})

    def transfers(self, client_id: str, connection_id: str, limit: int, next: str | None) -> Page[Transfer]:
        """See the port."""
        key = export_log_key(client_id, connection_id, "TRANSFER", "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next, newest_first=True)
        return Page([_whole(Transfer, item) for item in page.items], page.next)

    def add_preview(self, transfer: Transfer, number: int, preview: Mapping[str, Any]) -> None:
        """See the port."""
        key = export_log_key(transfer.client_id, transfer.connection_id, "PREVIEW", transfer.id, f"{number:06}")
        text = json.dumps(preview, ensure_ascii=False, default=str)
        self._table.put(key | {"data": text, "expires_at": _expires(transfer.created_at, 7)})

    def previews(self, client_id: str, connection_id: str, transfer_id: str) -> list[dict[str, Any]]:
        """See the port."""
        key = export_log_key(client_id, connection_id, "PREVIEW", transfer_id, "")
        return [json.loads(item["data"]) for item in self._table.all(key["pk"], key["sk"])]

    # --- batches -----------------------------------------------------------------------------------------------------

    def upload(self, client_id: str, connection_id: str, upload_id: str) -> Upload | None:
        """See the port."""
        item = self._table.get(export_log_key(client_id, connection_id, "UPLOAD", upload_id))
        return _whole(Upload, item) if item else None

    def put_upload(self, upload: Upload, keep_days: int) -> Upload:
        """See the port."""
        key = export_log_key(upload.client_id, upload.connection_id, "UPLOAD", upload.id)
        item = key | {"data": upload.model_dump_json(), "expires_at": _expires(upload.created_at, keep_days)}
        put_rev(self._table, item, upload.rev)
        return upload.model_copy(update={"rev": upload.rev + 1})

    # --- what both sides agree on ------------------------------------------------------------------------------------

    def bond(self, client_id: str, connection_id: str, kind: DocumentKind, reference: str) -> SyncedRecord | None:
        """See the port."""
        item = self._table.get(export_log_key(client_id, connection_id, "BOND", kind.value, reference))
        return _whole(SyncedRecord, item) if item else None

    def put_bond(self, client_id: str, connection_id: str, bond: SyncedRecord) -> SyncedRecord:
        """See the port."""
        put_rev(self._table, _bond_item(client_id, connection_id, bond), bond.rev)
        return bond.model_copy(update={"rev": bond.rev + 1})

    def offer(self, client_id: str, connection_id: str, bond: SyncedRecord, offer: OfferedChange) -> SyncedRecord:
        """See the port."""
        sequence = self._next_sequence(client_id, connection_id)
        placed = offer.model_copy(update={"sequence": sequence})
        kept = bond.model_copy(update={"sequence": sequence, "offered": offer.document})
        writes = [
            Write(put=_feed_key(client_id, connection_id, sequence) | {"data": placed.model_dump_json()}),
            _write(_bond_item(client_id, connection_id, kept), bond.rev),
        ]
        if bond.sequence is not None:
            writes.append(Write(delete=_feed_key(client_id, connection_id, bond.sequence)))
        self._table.transact(writes)
        return kept.model_copy(update={"rev": bond.rev + 1})

    def withdraw(self, client_id: str, connection_id: str, bond: SyncedRecord) -> SyncedRecord:
        """See the port."""
        kept = bond.model_copy(update={"sequence": None, "offered": None})
        writes = [_write(_bond_item(client_id, connection_id, kept), bond.rev)]
        if bond.sequence is not None:
            writes.append(Write(delete=_feed_key(client_id, connection_id, bond.sequence)))
        self._table.transact(writes)
        return kept.model_copy(update={"rev": bond.rev + 1})

    def offers(self, client_id: str, connection_id: str, since: int, limit: int) -> list[OfferedChange]:
        """See the port."""
        after = _feed_key(client_id, connection_id, since)
        page = self._table.page(after["pk"], "FEED#", limit=limit, after=after["sk"])
        return [OfferedChange.model_validate_json(item["data"]) for item in page.items]

    def offered(self, client_id: str, connection_id: str, sequence: int) -> OfferedChange | None:
        """See the port."""
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
        raise Conflict("The feed of changes is being written by others. Try again.", code="version_conflict")


def _parts(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries that fit into one transaction, in order."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        body = len(entry.body.encode())
        if part and (len(part) == _AT_ONCE or size + body > _BYTES_AT_ONCE):
            yield part
            part, size = [], 0
        part.append(entry)
        size += body
    if part:
        yield part


def _read_entry(item: Item) -> Entry:
    """An entry; the indexes carry neither its body nor its revision."""
    found = {"body": item.get("body", ""), "rev": int(item.get("rev", 0))}
    return Entry.model_validate_json(item["data"]).model_copy(update=found)


def _whole[M: Model](kind: type[M], item: Item) -> M:
    """What is kept as one JSON text, with the revision of the item."""
    return kind.model_validate_json(item["data"]).model_copy(update={"rev": int(item["rev"])})


def _write(item: Item, rev: int) -> Write:
    fresh = item | {"rev": rev + 1}
    if rev:
        return Write(put=fresh, condition="rev = :rev", values={"rev": rev})
    return Write(put=fresh, condition="attribute_not_exists(pk)")


def _entry_item(entry: Entry, keep_days: int) -> Item:
    where = f"{RANK[entry.kind]}#{entry.date.isoformat()}#{entry.id}"
    indexed = {
        "state_pk": _state_pk(entry.client_id, entry.connection_id, entry.queue),
        "state_sk": where,
        "day_pk": _day_pk(entry.client_id, entry.connection_id),
        "day_sk": f"{entry.date.isoformat()}#{where}",
    }
    data = entry.model_dump_json(exclude={"body", "rev"}, exclude_defaults=True)
    kept = {"expires_at": _expires(entry.updated_at, keep_days)} if _expires_at_all(entry) else {}
    key = export_log_key(entry.client_id, entry.connection_id, "ENTRY", entry.id)
    return {"data": data, "body": entry.body} | indexed | kept | key


def _expires_at_all(entry: Entry) -> bool:
    """What has come to an end expires. What still waits, for the ERP or for a person, is never forgotten; nor are
    customers and products: they are records of two systems kept in step, and what others refer to, no history."""
    return entry.kind in _HISTORY and entry.queue in (EntryState.SENT.value, EntryState.SKIPPED.value)


_HISTORY = {DocumentKind.SETTLEMENT, DocumentKind.INVOICE}


def _remains(entry: Entry) -> Item | None:
    """What is kept when the entry has expired, as long as there is the connection: that it was sent, and as what.

    It has no body, no words and no name, so nothing of a person. What was left out for its day is judged by its day
    again, and needs no remembrance.
    """
    if not _expires_at_all(entry) or entry.code == BEFORE_FROM_DATE:
        return None
    slim = Entry(
        id=entry.id,
        client_id=entry.client_id,
        connection_id=entry.connection_id,
        kind=entry.kind,
        external_id=entry.external_id,
        date=entry.date,
        state=entry.state,
        body_hash=entry.body_hash,
        revision=entry.revision,
        attempts=entry.attempts,
        created_at=entry.created_at,
        created_by="",
        updated_at=entry.updated_at,
        arrived_at=entry.arrived_at,
        code=entry.code,
        detail="Its time in the log is over; this is what it became.",
        reference=entry.reference,
        attachment=entry.attachment,
        went_to=entry.went_to,
        number=entry.number,
        forgotten=True,
    )
    key = export_log_key(entry.client_id, entry.connection_id, "ENDED", entry.id)
    return key | {"data": slim.model_dump_json(exclude={"body", "rev"}, exclude_defaults=True)}


def _bond_item(client_id: str, connection_id: str, bond: SyncedRecord) -> Item:
    key = export_log_key(client_id, connection_id, "BOND", bond.kind.value, bond.reference)
    return key | {"data": bond.model_dump_json()}


def _feed_key(client_id: str, connection_id: str, sequence: int) -> Key:
    return export_log_key(client_id, connection_id, "FEED", f"{sequence:015}")


def _state_pk(client_id: str, connection_id: str, queue: str) -> str:
    return f"CLIENT#{client_id}#CONNECTION#{connection_id}#{queue}"


def _day_pk(client_id: str, connection_id: str) -> str:
    return f"CLIENT#{client_id}#CONNECTION#{connection_id}"


def _expires(since: datetime, keep_days: int) -> int:
    return int((since + timedelta(days=keep_days)).timestamp())


def _matches(entry: Entry, query: LogQuery) -> bool:
    words = f"{entry.title} {entry.external_id} {entry.detail} {entry.erp_words} {entry.reference}".casefold()
    return (
        (query.kind is None or entry.kind is query.kind)
        and (query.state is None or entry.state is query.state)
        and (query.first is None or entry.date >= query.first)
        and (query.last is None or entry.date <= query.last)
        and (query.code is None or entry.code == query.code)
        and (query.text is None or query.text.casefold() in words)
    )


def export_log_key(client_id: str, connection_id: str, *parts: str) -> Key:
    """A key of the export log."""
    return make_key(f"CLIENT#{client_id}#CONNECTION#{connection_id}", *parts)
