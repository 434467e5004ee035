"""Where notes are kept."""

from typing import Protocol

from erphub.notes.models import Note

from erphub.platform.pages import Page


class NoteStore(Protocol):
    """Notes of connections. All of it raises Unavailable."""

    def add(self, note: Note) -> None:
        """Keep a new note."""
        ...

    def get_page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[Note]:
        """A page of a connection's notes, the oldest first."""
        ...

    def delete(self, client_id: str, connection_id: str, note_id: str) -> bool:
        """Whether there was such a note."""
        ...
