"""Notes on connections: written, read and deleted by the client's people."""

from dataclasses import dataclass

from erphub.notes import problems
from erphub.notes.capability import NOTE_CREATED
from erphub.notes.models import Note
from erphub.notes.ports import NoteStore
from erphub.notes.schemas import NewNote, NotePage, NoteView

from erphub.connections.access import ConnectionAccess
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery


@dataclass(frozen=True)
class NoteService:
    """The use cases of notes."""

    store: NoteStore
    access: ConnectionAccess
    events: EventPublisher
    clock: Clock
    new_id: IdGenerator

    def create(self, member: Member, connection_id: str, body: NewNote) -> NoteView:
        """Write a note. Raises NotFound, Forbidden."""
        connection = self.access.connection(member, connection_id)
        note = Note(
            id=self.new_id(),
            client_id=member.client_id,
            connection_id=connection.id,
            text=body.text,
            created_by=member.user,
            created_at=self.clock(),
        )
        describe_act(new={"note_id": note.id})
        self.store.add(note)
        about = f"A note was written on {connection.name}."
        self.events.publish(
            make_event(NOTE_CREATED, note.client_id, note.connection_id, note.created_at, note.id, about)
        )
        return NoteView.of(note)

    def list_notes(self, member: Member, connection_id: str, query: PageQuery) -> NotePage:
        """A page of a connection's notes. Raises NotFound, Forbidden."""
        self.access.connection(member, connection_id)
        page = self.store.get_page(member.client_id, connection_id, query.limit, query.next)
        return NotePage(items=[NoteView.of(note) for note in page.items], next=page.next)

    def delete(self, member: Member, connection_id: str, note_id: str) -> None:
        """Delete a note. Raises NotFound, Forbidden."""
        self.access.connection(member, connection_id)
        if not self.store.delete(member.client_id, connection_id, note_id):
            raise problems.NOTE_NOT_FOUND()
