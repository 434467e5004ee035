"""Who may edit a connection."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.connections import problems
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.platform.errors import NotFound
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_MANAGE
from erphub.tenancy.ports import MemberPermissions
from erphub.tenancy.problems import CONNECTION_NOT_FOUND


@dataclass(frozen=True)
class ConnectionAccess:
    """Who may edit a connection: its owner, and when it is shared everybody whose role may manage connections.

    An owner who is no longer a member, or whose role no longer manages connections, leaves it to those others too.
    """

    connections: ConnectionStore
    permissions: MemberPermissions

    def can_edit(self, member: Member, connection: Connection) -> bool:
        """Whether the member may edit the connection, and see all about it."""
        return connection.id in self.editable_ids(member, [connection])

    def editable_ids(self, member: Member, connections: Sequence[Connection]) -> set[str]:
        """The ids of those of the connections that the member may edit; each owner is looked up once."""
        if CONNECTIONS_MANAGE not in member.permissions:
            return set()
        others = {one.owner for one in connections if not one.is_shared and one.owner != member.user}
        gone = {owner for owner in others if not self.can_own(member, owner)}
        return {one.id for one in connections if one.is_shared or one.owner == member.user or one.owner in gone}

    def has_no_owner(self, member: Member, connection: Connection) -> bool:
        """Whether the owner can no longer look after the connection."""
        return not self.can_own(member, connection.owner)

    def can_own(self, member: Member, user: str) -> bool:
        """Whether a user is a member of the same client who may manage connections."""
        return CONNECTIONS_MANAGE in self.permissions.permissions_of(member.client_id, user)

    def connection(self, member: Member, connection_id: str) -> Connection:
        """A connection that the member may edit. Raises NotFound, Forbidden (`connection_not_shared`)."""
        connection = self.connections.get(member.client_id, connection_id)
        if connection is None:
            raise CONNECTION_NOT_FOUND()
        if not self.can_edit(member, connection):
            raise problems.CONNECTION_NOT_SHARED()
        return connection


def connection_not_found() -> NotFound:
    """There is no such connection."""
    return CONNECTION_NOT_FOUND()


def require_active(connection: Connection | None) -> None:
    """Nothing begins on a connection that is being deleted. Raises Conflict (`connection_deleting`)."""
    if connection is not None and connection.is_being_deleted:
        raise problems.CONNECTION_DELETING()


def require_resumed(connection: Connection | None) -> None:
    """Nothing is read of, or written to, a connection that somebody paused; what reads only to check what somebody is
    about to set up (a test of the connection, of settings, of a mapping) is. Raises Conflict (`connection_paused`)."""
    if connection is not None and connection.status is ConnectionStatus.PAUSED:
        raise problems.CONNECTION_PAUSED()


def require_usable(connection: Connection) -> None:
    """A connection that is to be used by hand now. Raises Conflict (`connection_paused`, `reauth_required`)."""
    require_resumed(connection)
    if connection.status is ConnectionStatus.REAUTH_REQUIRED:
        raise problems.REAUTH_REQUIRED()
