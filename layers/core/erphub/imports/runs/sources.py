"""A connection as imports use it: its companies, and the ERP behind it, opened with the connection's password."""

from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import override

from erphub.audit.service import AuditLog
from erphub.companies.service import CompanyRegistry
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore, OpensConnections, UsedCompanies
from erphub.erp import catalogue
from erphub.erp.reading import ReadsDatasets
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies
from erphub.imports import problems
from erphub.imports.runs.ports import ClaimsNewCompanies, Source, Sources
from erphub.platform.actors import HUB
from erphub.platform.errors import HubError

GONE = "It is no longer in the ERP, or hidden from the login. If that is meant to be, edit the connection."
TAKEN = "It belongs to another connection now, or there is no licence left for it."


@dataclass(frozen=True)
class ConnectedSources(Sources):
    """Connections that are kept, and the ERP systems behind them."""

    connections: ConnectionStore
    used: UsedCompanies
    erp: OpensConnections
    registry: ClaimsNewCompanies

    @override
    def get(self, client_id: str, connection_id: str) -> Source:
        found = self._connection(client_id, connection_id)
        datasets = catalogue.describe(found.erp_system).offered(found.settings)
        return Source(client_id, connection_id, found.name, found.erp_system, found.status.value, datasets)

    @override
    def companies(self, source: Source) -> Sequence[FoundCompany]:
        connection = self._connection(source.client_id, source.connection_id)
        if connection.includes_new_companies:
            system = self._system(connection)
            if isinstance(system, ListsCompanies):
                return self._all_there_are(connection, system.companies())
        return self._used(connection)

    def _used(self, connection: Connection) -> list[FoundCompany]:
        kept = self.used.companies(connection.client_id, connection.id)
        return [FoundCompany(company.key, company.name, None, company.attributes) for company in kept]

    def _all_there_are(self, connection: Connection, found: Sequence[FoundCompany]) -> list[FoundCompany]:
        """What can be read now, new ones included; and what was in use and cannot be, with the reason."""
        readable = list(
            self.registry.claim_new_companies(connection, [company for company in found if not company.problem])
        )
        reasons = {company.key: company.problem or TAKEN for company in found}
        missed = {company.key: company for company in self._used(connection)}
        for company in readable:
            missed.pop(company.key, None)
        return readable + [replace(company, problem=reasons.get(company.key, GONE)) for company in missed.values()]

    @override
    def open(self, source: Source) -> AbstractContextManager[ReadsDatasets]:
        return self._opened(source)

    @contextmanager
    def _opened(self, source: Source) -> Generator[ReadsDatasets]:
        system = self._system(self._connection(source.client_id, source.connection_id))
        if not isinstance(system, ReadsDatasets):
            raise problems.NO_DATASETS(erp_system=source.erp_system)
        yield system

    def _system(self, connection: Connection) -> ErpAdapter:
        if connection.status is ConnectionStatus.REAUTH_REQUIRED:
            # Whoever signed in with what was refused once could have the ERP lock the login.
            raise problems.LOGIN_NOT_ACCEPTED()
        return self.erp.connected(connection)

    def _connection(self, client_id: str, connection_id: str) -> Connection:
        found = self.connections.get(client_id, connection_id)
        if found is None:
            raise problems.CONNECTION_GONE()
        return found


@dataclass(frozen=True)
class NewCompanies(ClaimsNewCompanies):
    """Claims new companies in the registry; one that is not the connection's to take is written down, once."""

    registry: CompanyRegistry
    audit: AuditLog

    @override
    def claim_new_companies(self, connection: Connection, found: Sequence[FoundCompany]) -> Sequence[FoundCompany]:
        def record_skipped(company: FoundCompany, reason: HubError) -> None:
            new = {"company": company.key, "name": company.name, "code": reason.code, "detail": reason.detail}
            event_key = f"skipped {company.key} {reason.code}"
            self.audit.record(connection.client_id, connection.id, HUB, "company.skipped", new=new, event_key=event_key)

        return self.registry.claim_new_companies(connection, found, record_skipped)
