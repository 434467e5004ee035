"""Where the export log is kept."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from erphub.erp.documents import DocumentKind
from erphub.platform.pages import Page
from erphub.sync.export_log.models import Attempt, Entry
from erphub.sync.export_log.schemas import LogQuery


class IdentityStore(Protocol):
    """Which document each thing in the world is kept as."""

    def holders(self, client_id: str, connection_id: str, identities: Sequence[str]) -> dict[str, str]:
        """The ids of the entries that have these identities, by identity."""
        ...

    def release(self, client_id: str, connection_id: str, identity: str, entry_id: str) -> None:
        """What the entry was may be handed in anew, as it has expired without a trace; another that has it keeps it."""
        ...


class EntryStore(Protocol):
    """Documents and what became of them. Writes compare `rev`; what is given comes back with the new one."""

    def get(self, client_id: str, connection_id: str, entry_id: str) -> Entry | None:
        """One document, whole; or, when its time in the log is over, what remains of it (`forgotten`)."""
        ...

    def get_many(self, client_id: str, connection_id: str, entry_ids: Sequence[str]) -> list[Entry]:
        """Those of the documents that are there, whole or what remains of them, in no order."""
        ...

    def save(self, entry: Entry, keep_days: int) -> Entry:
        """Keep it, and its identity for it alone. Raises Conflict, also when another has that identity.

        A settlement or invoice that has come to an end goes after so many days, but for what it became: its reference
        and digest stay, so that it is known when it is handed in again.
        """
        ...

    def save_many(self, entries: Sequence[Entry], keep_days: int) -> list[Entry]:
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
        """Append an attempt; what is written of one stays as it was written first."""
        ...

    def attempts(self, client_id: str, connection_id: str, entry_id: str) -> list[Attempt]:
        """Every attempt to send a document, in order."""
        ...
