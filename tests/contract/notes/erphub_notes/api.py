"""Notes on connections: written, listed, deleted."""

from erphub.notes.capability import NOTE_DELETED, NOTE_WRITTEN, NOTES_MANAGE
from erphub.notes.schemas import NewNote, NotePage, NoteView
from erphub.notes.service import NoteService

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery

router = Router("Notes")
NOTES = "/clients/{client_id}/connections/{connection_id}/notes"


@router.post(NOTES, needs=NOTES_MANAGE, audit=NOTE_WRITTEN)
def create_note(service: NoteService, member: Member, connection_id: str, body: NewNote) -> NoteView:
    """Write a note on a connection."""
    return service.create(member, connection_id, body)


@router.get(NOTES, needs=NOTES_MANAGE)
def list_notes(service: NoteService, member: Member, connection_id: str, query: PageQuery) -> NotePage:
    """List the notes on a connection, the oldest first."""
    return service.list_notes(member, connection_id, query)


@router.delete(NOTES + "/{note}", needs=NOTES_MANAGE, audit=NOTE_DELETED)
def delete_note(service: NoteService, member: Member, connection_id: str, note: str) -> None:
    """Delete a note."""
    service.delete(member, connection_id, note)
