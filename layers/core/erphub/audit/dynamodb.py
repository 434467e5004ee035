"""The audit log in the tenant table: a chain per client and customer, whose items are put once and never written again.

Each entry has a place of its own as well, in the order of its connection, that says its number. The head of a chain
lies in another partition than its entries. Entries of before there were chains lie whole at their place.
"""

import json
from collections.abc import Sequence
from typing import override

from erphub.audit.models import AuditEntry, AuditFilter, KeptEntry, Owner
from erphub.audit.ports import AuditStore
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.aws.transactions import entry_sort_key
from erphub.platform.chains import NUMBER, PREVIOUS, Break, Head, Link, first_break
from erphub.platform.pages import Page
from erphub.platform.writes import ChainedEntry, Key, Write

_READ_AT_MOST = 5_000
"""How many entries one page of a filtered log looks at."""


def audit_write(table: str, client_id: str, connection_id: str, entry: AuditEntry) -> Write:
    """The write that adds an entry about a connection, for the transaction that makes the change it is about."""
    about = entry.model_copy(update={"connection_id": connection_id})
    return _write(table, Owner.client(client_id), about)


def _write(table: str, owner: Owner, entry: AuditEntry) -> Write:
    body = entry.model_dump(mode="json", exclude_none=True)
    place = _place(owner, entry.connection_id or "", "ENTRY", entry.id)
    chained = ChainedEntry(chain_partition(owner), audit_head_key(owner.kind, owner.id), place, body, table)
    return Write(chained=chained)


class AuditTable(AuditStore):
    """The audit log in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, owner: Owner, entry: AuditEntry, event_key: str | None) -> None:
        writes = self.writes(owner, entry)
        if event_key is None:
            self._table.transact(writes)
            return
        key = _place(owner, entry.connection_id or "", "ENTRY-KEY", event_key)
        first = Write(put=dict(key), condition="attribute_not_exists(pk)")
        try:
            self._table.transact([*writes, first])
        except VersionConflict:
            if self._table.get(key) is None:
                raise

    @override
    def writes(self, owner: Owner, entry: AuditEntry) -> Sequence[Write]:
        return [_write(self._table.name, owner, entry)]

    @override
    def get_page(self, owner: Owner, wanted: AuditFilter, limit: int, cursor: str | None) -> Page[KeptEntry]:
        found = self._table.search(
            chain_partition(owner),
            "ENTRY#",
            lambda item: wanted.wants(_entry(item)),
            limit=limit,
            cursor=cursor,
            newest_first=True,
            most=_READ_AT_MOST,
        )
        return Page([_kept(item) for item in found.items], found.next)

    @override
    def get_page_of_connection(
        self, client_id: str, connection_id: str, limit: int, cursor: str | None
    ) -> Page[KeptEntry]:
        key = audit_key(client_id, connection_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor, newest_first=True)
        chain = chain_partition(Owner.client(client_id))
        numbers = [int(item["number"]) for item in page.items if "number" in item]
        kept = {
            int(item["sk"].partition("#")[2]): _kept(item)
            for item in self._table.get_many([_entry_key(chain, number) for number in numbers])
        }
        found = [kept.get(int(item["number"])) if "number" in item else _kept(item) for item in page.items]
        return Page([one for one in found if one is not None], page.next)

    def find_break(self, owner: Owner) -> Break | None:
        """Where a log is broken first, from all that is kept of it; None when it is whole."""
        chain = chain_partition(owner)
        links = (Link(item["body"], item["digest"]) for item in self._table.read_all(chain, "ENTRY#"))
        item = self._table.get(audit_head_key(owner.kind, owner.id))
        return first_break(chain, links, Head(int(item["number"]), item["digest"]) if item else None)


def _entry(item: Item) -> AuditEntry:
    """The entry, without what the chain put into its text."""
    body = json.loads(item["body"])
    return AuditEntry.model_validate_json(
        json.dumps({name: value for name, value in body.items() if name not in {NUMBER, PREVIOUS}})
    )


def _kept(item: Item) -> KeptEntry:
    digest = item.get("digest")
    return KeptEntry(_entry(item), int(item["sk"].partition("#")[2]) if digest else None, digest)


def chain_partition(owner: Owner) -> str:
    """Where the entries of a log lie, in order."""
    return f"{owner.kind.upper()}#{owner.id}#AUDIT#CHAIN"


def _entry_key(chain: str, number: int) -> Key:
    return make_key(chain, entry_sort_key(number))


def audit_head_key(kind: str, owner_id: str) -> Key:
    """The key of the item that says which entry of a log is the last."""
    return make_key(f"{kind.upper()}#{owner_id}#AUDIT#HEAD", "HEAD")


def _place(owner: Owner, connection_id: str, kind: str, entry: str) -> Key:
    return make_key(f"{owner.kind.upper()}#{owner.id}#AUDIT#{connection_id}", kind, entry)


def audit_key(client_id: str, connection_id: str, entry: str) -> Key:
    """The key of the place of an entry about a connection; those about none have the connection ``""``."""
    return _place(Owner.client(client_id), connection_id, "ENTRY", entry)


def audit_event_key(client_id: str, connection_id: str, event_key: str) -> Key:
    """The key that says that an entry was added under an event key."""
    return _place(Owner.client(client_id), connection_id, "ENTRY-KEY", event_key)
