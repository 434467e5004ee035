"""What a sync asks of the world: its settings, the export log, the papers, somebody to do the work and to be told."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..models.document import DocumentKind
from ..models.sync import Attempt, Bond, Entry, LogQuery, Offer, Sync, Transfer, Upload
from .imports import Listed


@dataclass(frozen=True)
class DueSync:
    """A sync whose time has come, still unread: one that cannot be read must not keep the others from starting."""

    client_id: str
    connection_id: str
    read: Callable[[], Sync]
    """Raises ValueError when what is kept is no sync."""


class Syncs(Protocol):
    """Settings of syncs, and where each stands. Writes compare `rev`: the second gets Conflict and reads again."""

    def get(self, client_id: str, connection_id: str) -> Sync | None:
        """The sync of a connection, if it has one."""
        ...

    def put(self, sync: Sync) -> Sync:
        """Keep it, provided that nobody else did since it was read. Raises Conflict (`version_conflict`)."""
        ...

    def due(self, now: datetime) -> Iterator[DueSync]:
        """Every sync whose next transfer is due, or whose silence is to be told; costs as much as there are."""
        ...

    def lease(
        self, client_id: str, connection_id: str, holder: str, worker: str, until: datetime, now: datetime
    ) -> str:
        """Let this transfer, and of it this worker alone, send until then. An empty worker only keeps the place.

        The answer names the transfer that had the place before and let it run out without giving it back; empty else.
        Raises Conflict (`transfer_running`, fact `transfer`) while another transfer or another worker holds it.
        """
        ...

    def release(self, client_id: str, connection_id: str, holder: str) -> None:
        """Let others go on; a lease that somebody else has by now is left alone."""
        ...

    def holder(self, client_id: str, connection_id: str, now: datetime) -> str | None:
        """The transfer that may send now."""
        ...


class ExportLog(Protocol):
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

    def page(self, client_id: str, connection_id: str, query: LogQuery) -> Listed[Entry]:
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

    def transfers(self, client_id: str, connection_id: str, limit: int, next: str | None) -> Listed[Transfer]:
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

    def bond(self, client_id: str, connection_id: str, kind: DocumentKind, reference: str) -> Bond | None:
        """The bond of the ERP's record."""
        ...

    def put_bond(self, client_id: str, connection_id: str, bond: Bond) -> Bond:
        """Keep it. Raises Conflict."""
        ...

    def offer(self, client_id: str, connection_id: str, bond: Bond, offer: Offer) -> Bond:
        """Put a change into the feed under the next sequence, in place of what was offered of this record before."""
        ...

    def withdraw(self, client_id: str, connection_id: str, bond: Bond) -> Bond:
        """Take what is offered of this record out of the feed."""
        ...

    def offers(self, client_id: str, connection_id: str, since: int, limit: int) -> list[Offer]:
        """What is offered behind a sequence, in order."""
        ...

    def offered(self, client_id: str, connection_id: str, sequence: int) -> Offer | None:
        """What is offered at a sequence, if it still is."""
        ...


@dataclass(frozen=True)
class UploadSlot:
    """Where a file can be put, by anybody who has the address, until it expires."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime
    method: str = "PUT"


class Papers(Protocol):
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


class Worker(Protocol):
    """Whoever does the work behind the doors."""

    def ask(self, task: Mapping[str, Any]) -> None:
        """Have a task done soon, and again when it fails."""
        ...

    def ask_machine(self, name: str, task: Mapping[str, Any]) -> None:
        """Have a long task done in pieces by the state machine; the same name is the same work."""
        ...


class Notices(Protocol):
    """What the people of a client are told without asking."""

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        """Tell them once."""
        ...
