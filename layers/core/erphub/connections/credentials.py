"""The passwords of a connection as they are now, also for whoever looked just before an edit moved them."""

from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore
from erphub.platform.errors import NotFound
from erphub.platform.secrets import Secrets


def read(connections: ConnectionStore, secrets: Secrets, connection: Connection) -> tuple[Connection, dict[str, str]]:
    """The connection and its passwords, of one and the same version. Raises NotFound (`secret_gone`)."""
    try:
        return connection, secrets.get(connection.secret_name)
    except NotFound:
        # An edit puts a new password in use and then removes the old one; its settings belong with it.
        newer = connections.get(connection.client_id, connection.id)
        if newer is None or newer.secret_name == connection.secret_name:
            raise
        return newer, secrets.get(newer.secret_name)
