"""The audit trail in the tenant table: a partition per connection, whose items are put once and never written again."""

from collections.abc import Sequence

from ..models.audit import AuditEntry
from . import keys
from .table import Table, Taken, Write


def audit_write(client_id: str, connection_id: str, entry: AuditEntry) -> Write:
    """The write that adds an entry, for the transaction that makes the change it is about."""
    item = {**keys.audit(client_id, connection_id, entry.id), "body": entry.model_dump_json(exclude_none=True)}
    return Write(put=item, condition="attribute_not_exists(pk)")


class AuditTable:
    """Satisfies `ports.audit.AuditEntries`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, client_id: str, connection_id: str, entry: AuditEntry, once: str | None) -> None:
        """See the port."""
        write = audit_write(client_id, connection_id, entry)
        if once is None:
            self._table.transact([write])
            return
        occasion = keys.audit_occasion(client_id, connection_id, once)
        first = Write(put=dict(occasion), condition="attribute_not_exists(pk)")
        try:
            self._table.transact([write, first])
        except Taken:
            if self._table.get(occasion) is None:
                raise

    def page(
        self, client_id: str, connection_id: str, limit: int, next: str | None
    ) -> tuple[Sequence[AuditEntry], str | None]:
        """See the port."""
        key = keys.audit(client_id, connection_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next, newest_first=True)
        return [AuditEntry.model_validate_json(item["body"]) for item in page.items], page.next
