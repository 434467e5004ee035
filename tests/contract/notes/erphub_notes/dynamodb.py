"""Notes in the tenant table."""

from typing import override

from erphub.notes.models import Note
from erphub.notes.ports import NoteStore

from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.writes import Key


class NoteTable(NoteStore):
    """Notes in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, note: Note) -> None:
        key = note_key(note.client_id, note.connection_id, note.id)
        self._table.put_new(key | note.model_dump(mode="json"))

    @override
    def get_page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[Note]:
        key = note_key(client_id, connection_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor)
        return Page([_note(item) for item in page.items], page.next)

    @override
    def delete(self, client_id: str, connection_id: str, note_id: str) -> bool:
        try:
            self._table.delete(note_key(client_id, connection_id, note_id), condition="attribute_exists(pk)")
        except VersionConflict:
            return False
        return True


def _note(item: Item) -> Note:
    return Note.model_validate({name: item[name] for name in Note.model_fields})


def note_key(client_id: str, connection_id: str, note_id: str) -> Key:
    """The key of a note."""
    return make_key(client_partition(client_id), "NOTE", connection_id, note_id)
