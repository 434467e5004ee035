"""What the deletion of connections brings to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Variable

CONNECTION_DELETING = EventType("connection.deleting", "A connection will be deleted after a grace", Level.WARNING)
CONNECTION_RESTORED = EventType("connection.restored", "A connection that was to be deleted was brought back")

CONNECTION_DELETED = Act("connection.deleted", "A connection is being deleted")
RESTORED = Act("connection.restored", "A connection that was being deleted is kept")

capability = Capability(
    "deletions",
    "Deletion of connections",
    packages=("deletions",),
    events=(CONNECTION_DELETING, CONNECTION_RESTORED),
    environment=(Variable("DELETE_MACHINE_ARN"), Variable("DELETION_GRACE_SECONDS"), Variable("TENANT_ROLE")),
    acts=(
        CONNECTION_DELETED,
        RESTORED,
    ),
)
