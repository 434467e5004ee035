"""What the hub must remember about connections and their companies."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from erphub.audit.models import AuditEntry
from erphub.connections.models import Company, Connection, ConnectionStatus, Health, LastTest
from erphub.erp.resources import AdapterResources
from erphub.erp.system import ErpAdapter
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

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        """The connection."""
        ...

    def page(self, client_id: str, limit: int, cursor: str | None) -> tuple[Sequence[Connection], str | None]:
        """A page of the client's connections, oldest first."""
        ...

    def is_taken(self, client_id: str, name: str, besides: str | None = None) -> bool:
        """Whether a connection of the client, `besides` this one, has this name, or one that reads the same."""
        ...

    def replace(self, connection: Connection, before: Connection, entries: Sequence[AuditEntry]) -> Connection:
        """Write it over `before`, with entries of its audit log.

        Raises Conflict: `name_taken`, or that `before` is no longer the newest.
        """
        ...

    def change_status(
        self, before: Connection, to: ConnectionStatus, health: Health, event: Event | None
    ) -> Connection | None:
        """Change its status, and keep the event that says so, in one step.

        None when its status is no longer that of `before`. The version stays: nobody's change is overwritten by it.
        """
        ...


class UsedCompanies(Protocol):
    """The companies that connections use."""

    def companies(self, client_id: str, connection_id: str) -> Sequence[Company]:
        """All companies of a connection."""
        ...

    def search_companies(
        self, client_id: str, connection_id: str, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[Company], str | None]:
        """A page of them whose name or key holds the words."""
        ...

    def add_company(self, connection: Connection, company: Company) -> None:
        """One more company for a connection that uses all there are."""
        ...

    def remove_company(self, connection: Connection, key: str) -> None:
        """One company less for a connection that uses all there are; again is fine."""
        ...

    def delete_companies(self, client_id: str, connection_id: str, generation: str, *, soon: bool) -> None:
        """Remove companies that are no longer in use; `soon` leaves an hour to whoever is just reading them."""
        ...


class CompanyUsers(Protocol):
    """Whoever sends things to a company of a connection."""

    def is_used(self, client_id: str, connection_id: str, company_key: str) -> bool:
        """Whether settings name it, so that the connection cannot do without it."""
        ...


class ConnectionTests(Protocol):
    """The newest test of each connection."""

    def start_test(self, connection: Connection, test: LastTest) -> Connection:
        """The newest test is this one; the version stays, since nobody's change is overwritten by it."""
        ...

    def end_test(self, connection: Connection, result: LastTest) -> bool:
        """Keep a test's result; False when its last test is no longer that of `connection`, but a newer one."""
        ...


class OpensErp(Protocol):
    """Opens an ERP; nothing is dialled until the adapter is asked something."""

    def open(
        self, erp_system: str, settings: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
    ) -> ErpAdapter:
        """The system with these settings and passwords; by its secret's name it shares what the connection has.

        Raises NotFound (`unknown_erp_system`), and Invalid when the settings cannot be right.
        """
        ...


class OpensConnections(Protocol):
    """Opens the ERP of a connection."""

    def connected(self, connection: Connection) -> ErpAdapter:
        """The ERP of a connection that is kept.

        Raises NotFound (`secret_gone`); in the background, while its credentials are in doubt, also Unavailable
        (`login_doubted`: it is not to be asked now) and CredentialsRefused (the second try was refused too).
        """
        ...


class SharedResources(Protocol):
    """What everybody who uses a connection shares."""

    def __call__(self, client_id: str, connection_id: str, /) -> AdapterResources:
        """Those of one connection."""
        ...


class ConnectionHooks(Protocol):
    """What others do when something has happened to a connection; the change is stored, and each may come twice."""

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        """A connection was made."""
        ...

    def reconnected(self, connection: Connection, since: datetime) -> None:
        """It works again, and did not since that instant."""
        ...
