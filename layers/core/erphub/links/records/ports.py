"""Where CRM records are kept."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from erphub.links.records.models import Changes, Crm, CrmRecord, RecordKey


class CrmRecordStore(Protocol):
    """The CRM records of clients, and how many each has. All of it raises Unavailable."""

    def crm(self, client_id: str) -> Crm | None:
        """The client's CRM; None until it has handed in its first record."""
        ...

    def get(self, client_id: str, key: RecordKey) -> CrmRecord | None:
        """One record."""
        ...

    def get_many(self, client_id: str, keys: Sequence[RecordKey]) -> Mapping[RecordKey, CrmRecord]:
        """Those of the records that are there."""
        ...

    def save(self, client_id: str, crm: str, changes: Changes, maximum: int) -> bool:
        """Keep all of the changes or none, and count new records with them; at most MAX_CHANGES at once.

        False when a record is no longer as it was read, when the client has another CRM that has records, or when there
        would be more than `maximum` of them: whoever asked looks which it is.
        """
        ...

    def delete(self, record: CrmRecord) -> bool:
        """Remove the record and count one less. False when it is no longer as it was read."""
        ...


MAX_CHANGES = 40
"""Changes that go into one transaction, beside the count and what the audit log adds."""
