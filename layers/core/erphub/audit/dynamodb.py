"""The audit log in the tenant table: a partition per connection, whose items are put once and never written again."""

from typing import override

from erphub.audit.models import AuditEntry
from erphub.audit.ports import AuditStore
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.writes import Key, Write


def audit_write(client_id: str, connection_id: str, entry: AuditEntry) -> Write:
    """The write that adds an entry, for the transaction that makes the change it is about."""
    item = {**audit_key(client_id, connection_id, entry.id), "body": entry.model_dump_json(exclude_none=True)}
    return Write(put=item, condition="attribute_not_exists(pk)")


class AuditTable(AuditStore):
    """The audit log in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, client_id: str, connection_id: str, entry: AuditEntry, event_key: str | None) -> None:
        write = audit_write(client_id, connection_id, entry)
        if event_key is None:
            self._table.transact([write])
            return
        key = audit_event_key(client_id, connection_id, event_key)
        first = Write(put=dict(key), condition="attribute_not_exists(pk)")
        try:
            self._table.transact([write, first])
        except VersionConflict:
            if self._table.get(key) is None:
                raise

    @override
    def get_page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[AuditEntry]:
        key = audit_key(client_id, connection_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=cursor, newest_first=True)
        return Page([AuditEntry.model_validate_json(item["body"]) for item in page.items], page.next)


def audit_key(client_id: str, connection_id: str, entry: str) -> Key:
    """The key of an entry of a connection's audit log, which has a partition of its own."""
    return make_key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ENTRY", entry)


def audit_event_key(client_id: str, connection_id: str, event_key: str) -> Key:
    """The key that says that an entry was added under an event key."""
    return make_key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ENTRY-KEY", event_key)
