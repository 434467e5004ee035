"""A connection as imports use it: its companies, and the ERP behind it, opened with the connection's password."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from erphub.connections import credentials
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.description import Description
from erphub.erp.reading import ReadsDatasets
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies
from erphub.imports.runs.ports import Source
from erphub.platform.errors import CredentialsRefused, ErpRefused, NotFound
from erphub.platform.secrets import Secrets

type OpenSystem = Callable[[str, Mapping[str, Any], Mapping[str, str], str], ErpAdapter]
"""Opens a system from its id, settings, secret and that secret's name."""

GONE = "It is no longer in the ERP, or hidden from the login. If that is meant to be, edit the connection."
TAKEN = "It belongs to another connection now, or there is no licence left for it."


@dataclass(frozen=True)
class ConnectedSources:
    """Satisfies `imports.runs.ports.Sources`."""

    connections: ConnectionStore
    secrets: Secrets
    open_system: OpenSystem
    describe: Callable[[str], Description]
    adopt: Callable[[Connection, Sequence[FoundCompany]], Sequence[FoundCompany]]
    """Which of the companies found a connection to all of them may use: a new one may be another connection's."""

    def get(self, client_id: str, connection_id: str) -> Source:
        """See the port."""
        found = self._connection(client_id, connection_id)
        datasets = self.describe(found.erp_system).offered(found.settings)
        return Source(client_id, connection_id, found.name, found.erp_system, found.status.value, datasets)

    def companies(self, source: Source) -> Sequence[FoundCompany]:
        """See the port."""
        connection = self._connection(source.client_id, source.connection_id)
        if connection.all_companies:
            system = self._system(connection)
            if isinstance(system, ListsCompanies):
                return self._all_there_are(connection, system.companies())
        return self._used(connection)

    def _used(self, connection: Connection) -> list[FoundCompany]:
        kept = self.connections.companies(connection.client_id, connection.id)
        return [FoundCompany(company.key, company.name, None, company.facts) for company in kept]

    def _all_there_are(self, connection: Connection, found: Sequence[FoundCompany]) -> list[FoundCompany]:
        """What can be read now, new ones included; and what was in use and cannot be, with the reason."""
        readable = list(self.adopt(connection, [company for company in found if not company.problem]))
        reasons = {company.key: company.problem or TAKEN for company in found}
        missed = {company.key: company for company in self._used(connection)}
        for company in readable:
            missed.pop(company.key, None)
        return readable + [replace(company, problem=reasons.get(company.key, GONE)) for company in missed.values()]

    def open(self, source: Source) -> AbstractContextManager[ReadsDatasets]:
        """See the port."""
        return self._opened(source)

    @contextmanager
    def _opened(self, source: Source) -> Generator[ReadsDatasets]:
        system = self._system(self._connection(source.client_id, source.connection_id))
        if not isinstance(system, ReadsDatasets):
            raise ErpRefused(f"{source.erp_system} has no data to import.", code="no_datasets")
        yield system

    def _system(self, connection: Connection) -> ErpAdapter:
        if connection.status is ConnectionStatus.REAUTH_REQUIRED:
            # Whoever signed in with what was refused once could have the ERP lock the login.
            raise CredentialsRefused(
                "The ERP no longer accepts the connection's login. Enter it again.", code="reauth_required"
            )
        known, secret = credentials.read(self.connections, self.secrets, connection)
        return self.open_system(known.erp_system, known.settings, secret, known.secret_name)

    def _connection(self, client_id: str, connection_id: str) -> Connection:
        found = self.connections.get(client_id, connection_id)
        if found is None:
            raise NotFound("The job's connection is no longer there.", code="connection_not_found")
        return found
