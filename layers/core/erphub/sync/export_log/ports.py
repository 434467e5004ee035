"""Where the export log and the documents' files are kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from erphub.erp.documents import DocumentKind
from erphub.platform.pages import Page
from erphub.sync.changes.models import OfferedChange, SyncedRecord
from erphub.sync.export_log.models import Attempt, Entry
from erphub.sync.export_log.schemas import LogQuery
from erphub.sync.transfers.models import Transfer
from erphub.sync.uploads.models import Upload


class ExportLogStore(Protocol):
    """Documents and what became of them. Writes compare `rev` as in Syncs; what is given comes back with the new."""

    def entry(self, client_id: str, connection_id: str, entry_id: str) -> Entry | None:
        """One document, whole; or, when its time in the log is over, what remains of it (`forgotten`)."""
        ...

    def entries(self, client_id: str, connection_id: str, entry_ids: Sequence[str]) -> list[Entry]:
        """Those of the documents that are there, whole or what remains of them, in no order."""
        ...

    def put(self, entry: Entry, keep_days: int) -> Entry:
        """Keep it. Raises Conflict.

        A settlement or invoice that has come to an end goes after so many days, but for what it became: its reference
        and digest stay, so that it is known when it is handed in again.
        """
        ...

    def put_many(self, entries: Sequence[Entry], keep_days: int) -> list[Entry]:
        """Keep these; gives back those that somebody else was first with."""
        ...

    def queue(
        self, client_id: str, connection_id: str, queue: str, kind: DocumentKind | None = None
    ) -> Iterator[Entry]:
        """What waits there, in the order in which it is to be sent, without bodies; may be a moment behind."""
        ...

    def page(self, client_id: str, connection_id: str, query: LogQuery) -> Page[Entry]:
        """Entries without bodies, the newest day first."""
        ...

    def add_attempt(self, entry: Entry, attempt: Attempt, keep_days: int) -> None:
        """Append an attempt; what is written of one stays as it was told first."""
        ...

    def attempts(self, client_id: str, connection_id: str, entry_id: str) -> list[Attempt]:
        """Every attempt to send a document, in order."""
        ...

    def transfer(self, client_id: str, connection_id: str, transfer_id: str) -> Transfer | None:
        """One transfer."""
        ...

    def put_transfer(self, transfer: Transfer, keep_days: int) -> Transfer:
        """Keep it. Raises Conflict."""
        ...

    def transfers(self, client_id: str, connection_id: str, limit: int, next: str | None) -> Page[Transfer]:
        """A page of transfers, the newest first."""
        ...

    def add_preview(self, transfer: Transfer, number: int, preview: Mapping[str, Any]) -> None:
        """Keep what a dry run would post of its n-th document."""
        ...

    def previews(self, client_id: str, connection_id: str, transfer_id: str) -> list[dict[str, Any]]:
        """What a dry run would post, in order."""
        ...

    def upload(self, client_id: str, connection_id: str, upload_id: str) -> Upload | None:
        """One batch."""
        ...

    def put_upload(self, upload: Upload, keep_days: int) -> Upload:
        """Keep it. Raises Conflict."""
        ...

    def bond(self, client_id: str, connection_id: str, kind: DocumentKind, reference: str) -> SyncedRecord | None:
        """The bond of the ERP's record."""
        ...

    def put_bond(self, client_id: str, connection_id: str, bond: SyncedRecord) -> SyncedRecord:
        """Keep it. Raises Conflict."""
        ...

    def offer(self, client_id: str, connection_id: str, bond: SyncedRecord, offer: OfferedChange) -> SyncedRecord:
        """Put a change into the feed under the next sequence, in place of what was offered of this record before."""
        ...

    def withdraw(self, client_id: str, connection_id: str, bond: SyncedRecord) -> SyncedRecord:
        """Take what is offered of this record out of the feed."""
        ...

    def offers(self, client_id: str, connection_id: str, since: int, limit: int) -> list[OfferedChange]:
        """What is offered behind a sequence, in order."""
        ...

    def offered(self, client_id: str, connection_id: str, sequence: int) -> OfferedChange | None:
        """What is offered at a sequence, if it still is."""
        ...


@dataclass(frozen=True)
class UploadSlot:
    """Where a file can be put, by anybody who has the address, until it expires."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime
    method: str = "PUT"


class DocumentFiles(Protocol):
    """Files: PDFs of settlements, and batches."""

    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        """Where a file of this name can be put."""
        ...

    def size(self, name: str) -> int | None:
        """How many bytes it has; None when nothing is there."""
        ...

    def read(self, name: str) -> bytes:
        """The whole file. Raises NotFound."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a text file, as they come."""
        ...
