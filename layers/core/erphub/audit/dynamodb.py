"""The audit trail in the tenant table: a partition per connection, whose items are put once and never written again."""

from collections.abc import Sequence

from erphub.audit.models import AuditEntry
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.writes import Key, Write


def audit_write(client_id: str, connection_id: str, entry: AuditEntry) -> Write:
    """The write that adds an entry, for the transaction that makes the change it is about."""
    item = {**audit_key(client_id, connection_id, entry.id), "body": entry.model_dump_json(exclude_none=True)}
    return Write(put=item, condition="attribute_not_exists(pk)")


class AuditTable:
    """Satisfies `audit.ports.AuditEntries`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, client_id: str, connection_id: str, entry: AuditEntry, once: str | None) -> None:
        """See the port."""
        write = audit_write(client_id, connection_id, entry)
        if once is None:
            self._table.transact([write])
            return
        occasion = audit_occasion_key(client_id, connection_id, once)
        first = Write(put=dict(occasion), condition="attribute_not_exists(pk)")
        try:
            self._table.transact([write, first])
        except VersionConflict:
            if self._table.get(occasion) is None:
                raise

    def page(
        self, client_id: str, connection_id: str, limit: int, next: str | None
    ) -> tuple[Sequence[AuditEntry], str | None]:
        """See the port."""
        key = audit_key(client_id, connection_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next, newest_first=True)
        return [AuditEntry.model_validate_json(item["body"]) for item in page.items], page.next


def audit_key(client_id: str, connection_id: str, entry: str) -> Key:
    """The key of an entry of a connection's audit trail, which has a partition of its own."""
    return make_key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ENTRY", entry)


def audit_occasion_key(client_id: str, connection_id: str, once: str) -> Key:
    """The key that says an occasion has been written down."""
    return make_key(f"CLIENT#{client_id}#AUDIT#{connection_id}", "ONCE", once)
