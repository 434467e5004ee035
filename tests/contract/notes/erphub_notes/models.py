"""Notes as they are kept."""

from datetime import datetime

from erphub.platform.wire import Model


class Note(Model):
    """A note on a connection."""

    id: str
    client_id: str
    connection_id: str
    text: str
    created_by: str
    created_at: datetime
