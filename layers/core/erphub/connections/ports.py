"""What the hub must remember about connections and their companies."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from erphub.audit.models import AuditEntry
from erphub.connections.models import Company, Connection, ConnectionStatus, Health, LastTest
from erphub.events.models import Event
from erphub.platform.writes import Write


class ConnectionStore(Protocol):
    """Connections of clients."""

    def create(
        self, connection: Connection, companies: Sequence[Company], entry: AuditEntry, also: Sequence[Write]
    ) -> None:
        """A connection with its companies, and what is written with it: readers see all of it or nothing.

        Raises Conflict: `name_taken`, or another when a condition of `also` no longer holds.
        """
        ...

    def swap(
        self,
        connection: Connection,
        before: Connection,
        companies: Sequence[Company] | None,
        entry: AuditEntry,
        also: Sequence[Write],
    ) -> None:
        """Settings, secret, status and companies (None: those it has) over `before`, and `also`, at once.

        Raises Conflict: `name_taken`, or another when the connection is no longer as it was read, or a condition of
        `also` no longer holds.
        """
        ...

    def secrets_in_use(self, connections: Iterable[tuple[str, str]]) -> set[str]:
        """The names of the secrets of those connections (client, id) that are there."""
        ...

    def add_company(self, connection: Connection, company: Company) -> None:
        """One more company for a connection that uses all there are."""
        ...

    def forget_companies(self, client_id: str, connection_id: str, generation: str, *, soon: bool) -> None:
        """Remove companies that are no longer in use; `soon` leaves an hour to whoever is just reading them."""
        ...

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        """The connection."""
        ...

    def page(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Connection], str | None]:
        """A page of the client's connections, oldest first."""
        ...

    def is_taken(self, client_id: str, name: str, besides: str | None = None) -> bool:
        """Whether a connection of the client, `besides` this one, has this name, or one that reads the same."""
        ...

    def replace(self, connection: Connection, before: Connection, entries: Sequence[AuditEntry]) -> Connection:
        """Write it over `before`, with entries of its audit trail.

        Raises Conflict: `name_taken`, or that `before` is no longer the newest.
        """
        ...

    def move(self, before: Connection, to: ConnectionStatus, health: Health, event: Event | None) -> Connection | None:
        """Let it stand differently, and keep the event that tells of it, in one step.

        None when it no longer stands as in `before`. The version stays: nobody's change is overwritten by it.
        """
        ...

    def start_test(self, connection: Connection, test: LastTest) -> Connection:
        """The newest test is this one; the version stays, since nobody's change is overwritten by it."""
        ...

    def end_test(self, connection: Connection, result: LastTest) -> bool:
        """Keep a test's result; False when its last test is no longer that of `connection`, but a newer one."""
        ...

    def companies(self, client_id: str, connection_id: str) -> Sequence[Company]:
        """All companies of a connection."""
        ...

    def search_companies(
        self, client_id: str, connection_id: str, search: str, limit: int, next: str | None
    ) -> tuple[Sequence[Company], str | None]:
        """A page of them whose name or key holds the words."""
        ...


class ConnectionHooks(Protocol):
    """What others do when something has happened to a connection; the change is stored, and each may come twice."""

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        """A connection was made."""
        ...

    def reconnected(self, connection: Connection, since: datetime) -> None:
        """It works again, and did not since that instant."""
        ...
