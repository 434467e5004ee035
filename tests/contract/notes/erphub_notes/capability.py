"""What notes bring to the hub."""

from erphub.platform.capability import Capability, EventType, Permission

NOTES_MANAGE = Permission("notes:manage", "Write notes on connections, and delete them", {"accountant"})
NOTE_CREATED = EventType("note.created", "Somebody has written a note on a connection")

capability = Capability("notes", "Notes", packages=("notes",), permissions=(NOTES_MANAGE,), events=(NOTE_CREATED,))
