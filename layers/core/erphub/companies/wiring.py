"""How the registry of companies is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.companies.access_requests import AccessRequests
    from erphub.companies.service import CompanyRegistry
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def company_registry(services: "Services") -> "CompanyRegistry":
    """Companies of customers, each connected once, and their licences."""
    from erphub.companies.access_requests import AccessRequests
    from erphub.companies.dynamodb import CompanyTable
    from erphub.companies.service import CompanyRegistry
    from erphub.companies.taking_over import TakeOvers
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.hooks import AllCompanyUsers
    from erphub.connections.ports import CompanyUsers
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.directory import StoredTenants

    connections = services.get(ConnectionTable)
    companies = CompanyTable(services.platform.table)
    users = AllCompanyUsers(lambda: services.all(CompanyUsers))
    return CompanyRegistry(
        companies,
        connections,
        connections,
        services.get(StoredTenants),
        services.get(AccessRequests),
        services.get(MemberDirectory),
        TakeOvers(companies, connections, connections, users),
    )


def access_requests(services: "Services") -> "AccessRequests":
    """Asking the people of a connection for a company that it has."""
    from erphub.companies.access_requests import AccessRequests
    from erphub.events.publisher import EventPublisher

    return AccessRequests(services.get(EventPublisher), services.platform.clock)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of the registry of companies hangs on a connection."""
    from erphub.companies.dependents import company_dependents
    from erphub.companies.service import CompanyRegistry

    return company_dependents(services.get(CompanyRegistry))


PROVIDES = (company_registry, access_requests)
TAKES_PART = (dependents,)
