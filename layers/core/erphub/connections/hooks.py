"""All that others do when something has happened to a connection, as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, override

from erphub.connections.models import Connection
from erphub.connections.ports import CompanyUsers, ConnectionHooks


class LoadCompanyUsers(Protocol):
    """Makes whoever takes part."""

    def __call__(self) -> Sequence[CompanyUsers]:
        """All of them."""
        ...


@dataclass(frozen=True)
class AllCompanyUsers(CompanyUsers):
    """Whoever takes part, loaded when somebody wants a company that another connection has."""

    load: LoadCompanyUsers

    @override
    def is_used(self, client_id: str, connection_id: str, company_key: str) -> bool:
        return any(one.is_used(client_id, connection_id, company_key) for one in self.load())


class LoadHooks(Protocol):
    """Makes whoever takes part."""

    def __call__(self) -> Sequence[ConnectionHooks]:
        """The uppermost capability's first."""
        ...


@dataclass(frozen=True)
class AllConnectionHooks(ConnectionHooks):
    """Whoever takes part, loaded when something has happened: most requests change nothing that others act on."""

    load: LoadHooks

    @override
    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        for hooks in self.load():
            hooks.created(client_id, connection_id, owner)

    @override
    def reconnected(self, connection: Connection, since: datetime) -> None:
        for hooks in self.load():
            hooks.reconnected(connection, since)
