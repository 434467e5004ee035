"""What is sent and shown about notes."""

from datetime import datetime
from typing import Annotated

from erphub.notes.models import Note
from pydantic import Field

from erphub.platform.wire import Model


class NewNote(Model):
    """A note to be written."""

    text: Annotated[str, Field(min_length=1, max_length=1000)]


class NoteView(Model):
    """A note as the client's people read it."""

    id: str
    text: str
    created_at: datetime

    @classmethod
    def of(cls, note: Note) -> "NoteView":
        """The note, as it is shown."""
        return cls(id=note.id, text=note.text, created_at=note.created_at)


class NotePage(Model):
    """A page of notes, the oldest first."""

    items: list[NoteView]
    next: str | None
