"""What notes bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Permission

NOTES_MANAGE = Permission("notes:manage", "Write notes on connections, and delete them", {"accountant"})
NOTE_CREATED = EventType("note.created", "Somebody has written a note on a connection")
NOTE_WRITTEN = Act("note.created", "A note was written")
NOTE_DELETED = Act("note.deleted", "A note was deleted")

capability = Capability(
    "notes",
    "Notes",
    packages=("notes",),
    permissions=(NOTES_MANAGE,),
    events=(NOTE_CREATED,),
    acts=(NOTE_WRITTEN, NOTE_DELETED),
)
