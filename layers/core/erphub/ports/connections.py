"""What the hub must remember about connections and their companies."""

from collections.abc import Sequence
from typing import Protocol

from ..models.connection import Company, Connection, ConnectionStatus, LastTest
from ..models.wizard import Wizard


class Connections(Protocol):
    """Connections of clients."""

    def create(self, connection: Connection, companies: Sequence[Company], wizard: Wizard) -> Wizard:
        """A connection with its companies, and its wizard finished: readers see all of it or nothing.

        Raises Conflict: `name_taken`, or another when the wizard is no longer as it was read.
        """
        ...

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        """The connection."""
        ...

    def page(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Connection], str | None]:
        """A page of the client's connections, oldest first."""
        ...

    def is_taken(self, client_id: str, name: str) -> bool:
        """Whether a connection of the client has this name, or one that reads the same."""
        ...

    def replace(self, connection: Connection, before: Connection) -> Connection:
        """Write it over `before`. Raises Conflict: `name_taken`, or that `before` is no longer the newest."""
        ...

    def record_test(self, connection: Connection, test: LastTest, status: ConnectionStatus | None) -> Connection:
        """Keep a test's result; the version stays, since nobody's change is overwritten by it."""
        ...

    def companies(self, client_id: str, connection_id: str) -> Sequence[Company]:
        """All companies of a connection."""
        ...

    def search_companies(
        self, client_id: str, connection_id: str, search: str, limit: int, next: str | None
    ) -> tuple[Sequence[Company], str | None]:
        """A page of them whose name or key holds the words."""
        ...
