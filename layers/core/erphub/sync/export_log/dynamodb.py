"""Documents and attempts in the export log's table, and the keys and items of all that is kept there."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import override

from erphub.erp.documents import DocumentKind
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Unavailable
from erphub.platform.pages import Page
from erphub.platform.wire import Model
from erphub.platform.writes import Key, Write
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Attempt, Entry, EntryStatus
from erphub.sync.export_log.ports import EntryStore, IdentityStore
from erphub.sync.export_log.schemas import LogQuery
from erphub.sync.settings.dynamodb import put_rev

# Customers and products before what names them.
RANK = {DocumentKind.CUSTOMER: "1", DocumentKind.PRODUCT: "2", DocumentKind.SETTLEMENT: "3", DocumentKind.INVOICE: "4"}
_BY_STATE = ("state_pk", "state_sk")
_BY_DAY = ("day_pk", "day_sk")
_MAX_PAGES = 20
"""How many pages of the table one request looks through for matches before it answers with what it has and a `next`."""


_MAX_TRANSACTION_ENTRIES, _MAX_TRANSACTION_BYTES = 25, 3 * 1024 * 1024
"""What one transaction writes of a batch: it may have 100 writes and 4 MB, and bodies are not all that is written."""


class EntryTable(EntryStore):
    """Documents and their attempts in the export log's table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str, entry_id: str) -> Entry | None:
        for part in ("ENTRY", "ENDED"):
            if item := self._table.get(export_log_key(client_id, connection_id, part, entry_id)):
                return _read_entry(item)
        return None

    @override
    def get_many(self, client_id: str, connection_id: str, entry_ids: Sequence[str]) -> list[Entry]:
        names = dict.fromkeys(entry_ids)
        wanted = [export_log_key(client_id, connection_id, part, name) for name in names for part in ("ENTRY", "ENDED")]
        found = [_read_entry(item) for item in self._table.get_many(wanted)]
        whole = {entry.id for entry in found if not entry.forgotten}
        return [entry for entry in found if not entry.forgotten or entry.id not in whole]

    @override
    def save(self, entry: Entry, keep_days: int) -> Entry:
        # What remains of it is there before the entry may go.
        if (remains := _remains(entry)) is not None:
            self._table.put(remains)
        if entry.identity == entry.claimed_identity:
            put_rev(self._table, _entry_item(entry, keep_days), entry.rev)
        else:
            self._table.transact(_claiming(entry, keep_days))
        return entry.model_copy(update={"rev": entry.rev + 1, "claimed_identity": entry.identity})

    @override
    def save_many(self, entries: Sequence[Entry], keep_days: int) -> list[Entry]:
        late: list[Entry] = []
        for part in _transactions(entries):
            writes = [write for entry in part for write in _claiming(entry, keep_days)]
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
                self.save(entry, keep_days)
            except VersionConflict:
                late.append(entry)
        return late

    @override
    def queue(
        self, client_id: str, connection_id: str, queue: str, kind: DocumentKind | None = None
    ) -> Iterator[Entry]:
        partition, prefix = _state_pk(client_id, connection_id, queue), f"{RANK[kind]}#" if kind else ""
        cursor: str | None = None
        while True:
            page = self._table.page_of_index("state", _BY_STATE, partition, prefix, limit=500, cursor=cursor)
            yield from (_read_entry(item) for item in page.items)
            if (cursor := page.next) is None:
                return

    def count(self, client_id: str, connection_id: str, queue: str, most: int | None = None) -> int:
        """How many documents stand in a queue, without fetching them; counts to `most`."""
        return self._table.count_in_index("state", _BY_STATE[0], _state_pk(client_id, connection_id, queue), most)

    @override
    def page(self, client_id: str, connection_id: str, query: LogQuery) -> Page[Entry]:
        found: list[Entry] = []
        next, first = query.next, True
        for _ in range(_MAX_PAGES):
            if not first and next is None:
                break
            first = False
            items, next = self._candidates(client_id, connection_id, query, query.limit - len(found), next)
            found += [entry for entry in items if _matches(entry, query)]
            if len(found) >= query.limit:
                break
        return Page(found, next)

    def _candidates(
        self, client_id: str, connection_id: str, query: LogQuery, limit: int, next: str | None
    ) -> tuple[list[Entry], str | None]:
        # What was sent stands in two queues, so it is looked for by day.
        if query.status in (None, EntryStatus.SENT):
            partition = _day_pk(client_id, connection_id)
            page = self._table.page_of_index("day", _BY_DAY, partition, limit=limit, cursor=next, newest_first=True)
            entries = [_read_entry(item) for item in page.items]
            over = query.from_date is not None and bool(entries) and entries[-1].date < query.from_date
            return entries, None if over else page.next  # what follows is of days as early or earlier
        partition = _state_pk(client_id, connection_id, query.status.value)
        prefix = f"{RANK[query.kind]}#" if query.kind else ""
        page = self._table.page_of_index(
            "state", _BY_STATE, partition, prefix, limit=limit, cursor=next, newest_first=True
        )
        return [_read_entry(item) for item in page.items], page.next

    @override
    def add_attempt(self, entry: Entry, attempt: Attempt, keep_days: int) -> None:
        key = export_log_key(entry.client_id, entry.connection_id, "ATTEMPT", entry.id, f"{attempt.number:06}")
        try:
            self._table.put_new(
                key | {"data": attempt.model_dump_json(), "expires_at": expiry(attempt.attempted_at, keep_days)}
            )
        except VersionConflict:
            # What is written of an attempt stays: this is the same one, written again after a crash.
            return

    @override
    def attempts(self, client_id: str, connection_id: str, entry_id: str) -> list[Attempt]:
        key = export_log_key(client_id, connection_id, "ATTEMPT", entry_id, "")
        return [Attempt.model_validate_json(item["data"]) for item in self._table.read_all(key["pk"], key["sk"])]


class IdentityTable(IdentityStore):
    """Identities of documents in the export log's table, as long as there is the connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def holders(self, client_id: str, connection_id: str, identities: Sequence[str]) -> dict[str, str]:
        wanted = {one: _identity_key(client_id, connection_id, one) for one in identities if one}
        found = {item["sk"]: str(item["entry_id"]) for item in self._table.get_many(list(wanted.values()))}
        return {one: found[key["sk"]] for one, key in wanted.items() if key["sk"] in found}

    @override
    def release(self, client_id: str, connection_id: str, identity: str, entry_id: str) -> None:
        key = _identity_key(client_id, connection_id, identity)
        try:
            self._table.delete(key, condition="attribute_not_exists(pk) OR entry_id = :id", id=entry_id)
        except VersionConflict:
            return  # somebody took it meanwhile


def _claiming(entry: Entry, keep_days: int) -> list[Write]:
    """The entry with what it takes of an identity, and gives up of another."""
    client_id, connection_id, known = entry.client_id, entry.connection_id, entry.claimed_identity
    kept = entry.model_copy(update={"claimed_identity": entry.identity})
    writes = [revision_write(_entry_item(kept, keep_days), entry.rev)]
    if entry.identity == known:
        return writes
    condition, own = "attribute_not_exists(pk) OR entry_id = :own", {"own": entry.id}
    if entry.identity:
        claim = _identity_key(client_id, connection_id, entry.identity) | {"entry_id": entry.id}
        writes.append(Write(put=claim, condition=condition, values=own))
    if known:
        gone = _identity_key(client_id, connection_id, known)
        writes.append(Write(delete=gone, condition=condition, values=own))
    return writes


def _identity_key(client_id: str, connection_id: str, identity: str) -> Key:
    return export_log_key(client_id, connection_id, "IDENTITY", identity)


def _transactions(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries that fit into one transaction, in order."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        body = len(entry.body.encode())
        if part and (len(part) == _MAX_TRANSACTION_ENTRIES or size + body > _MAX_TRANSACTION_BYTES):
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


def read_model[M: Model](model: type[M], item: Item) -> M:
    """What is kept as one JSON text, with the revision of the item."""
    return model.model_validate_json(item["data"]).model_copy(update={"rev": int(item["rev"])})


def revision_write(item: Item, rev: int) -> Write:
    """The item as revision `rev` + 1, if it still is (for 0: is not there yet) revision `rev`."""
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
    kept = {"expires_at": expiry(entry.updated_at, keep_days)} if _is_history(entry) else {}
    key = export_log_key(entry.client_id, entry.connection_id, "ENTRY", entry.id)
    return {"data": data, "body": entry.body} | indexed | kept | key


def _is_history(entry: Entry) -> bool:
    """What has come to an end expires. What still waits, for the ERP or for a person, is never forgotten; nor are
    customers and products: they are records of two systems kept in step, and what others refer to, no history."""
    return entry.kind in _KINDS_OF_HISTORY and entry.queue in (EntryStatus.SENT.value, EntryStatus.SKIPPED.value)


_KINDS_OF_HISTORY = {DocumentKind.SETTLEMENT, DocumentKind.INVOICE}


def _remains(entry: Entry) -> Item | None:
    """What is kept when the entry has expired, as long as there is the connection: that it was sent, and as what.

    It has no body, no words and no name, so nothing of a person. What was left out for its day is judged by its day
    again, and needs no remembrance.
    """
    if not _is_history(entry) or entry.code == BEFORE_FROM_DATE:
        return None
    slim = Entry(
        id=entry.id,
        client_id=entry.client_id,
        connection_id=entry.connection_id,
        kind=entry.kind,
        external_id=entry.external_id,
        date=entry.date,
        status=entry.status,
        body_hash=entry.body_hash,
        revision=entry.revision,
        attempt_count=entry.attempt_count,
        created_at=entry.created_at,
        created_by="",
        updated_at=entry.updated_at,
        arrived_at=entry.arrived_at,
        code=entry.code,
        detail="Its time in the log is over; this is what it became.",
        reference=entry.reference,
        attachment=entry.attachment,
        destination=entry.destination,
        identity=entry.identity,
        claimed_identity=entry.claimed_identity,
        number=entry.number,
        forgotten=True,
    )
    key = export_log_key(entry.client_id, entry.connection_id, "ENDED", entry.id)
    return key | {"data": slim.model_dump_json(exclude={"body", "rev"}, exclude_defaults=True)}


def _state_pk(client_id: str, connection_id: str, queue: str) -> str:
    return f"CLIENT#{client_id}#CONNECTION#{connection_id}#{queue}"


def _day_pk(client_id: str, connection_id: str) -> str:
    return f"CLIENT#{client_id}#CONNECTION#{connection_id}"


def expiry(since: datetime, keep_days: int) -> int:
    """When an item goes, in seconds since 1970."""
    return int((since + timedelta(days=keep_days)).timestamp())


def _matches(entry: Entry, query: LogQuery) -> bool:
    searched = f"{entry.title} {entry.external_id} {entry.detail} {entry.erp_message} {entry.reference}".casefold()
    return (
        (query.kind is None or entry.kind is query.kind)
        and (query.status is None or entry.status is query.status)
        and (query.from_date is None or entry.date >= query.from_date)
        and (query.to_date is None or entry.date <= query.to_date)
        and (query.code is None or entry.code == query.code)
        and (query.text is None or query.text.casefold() in searched)
        and (query.updated_since is None or entry.updated_at >= query.updated_since)
    )


def export_log_key(client_id: str, connection_id: str, *parts: str) -> Key:
    """A key of the export log."""
    return make_key(f"CLIENT#{client_id}#CONNECTION#{connection_id}", *parts)
