"""How notes are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.notes.service import NoteService

    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def note_service(services: "Services") -> "NoteService":
    """Notes, for the API."""
    from erphub.notes.dynamodb import NoteTable
    from erphub.notes.service import NoteService

    from erphub.connections.access import ConnectionAccess
    from erphub.events.publisher import EventPublisher

    platform = services.platform
    return NoteService(
        NoteTable(platform.table),
        services.get(ConnectionAccess),
        services.get(EventPublisher),
        platform.clock,
        platform.new_id,
    )


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of notes hangs on a connection."""
    from erphub.notes.dependents import note_dependents

    return note_dependents(services.platform.table)


PROVIDES = (note_service,)
TAKES_PART = (dependents,)
