"""How the registry of companies is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erphub.companies.access_requests import AccessRequests
    from erphub.companies.service import CompanyRegistry
    from erphub.platform.services import Services


def company_registry(services: "Services") -> "CompanyRegistry":
    """Companies of customers, each connected once, and their licences."""
    from erphub.companies.access_requests import AccessRequests
    from erphub.companies.dynamodb import CompanyTable
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.tenancy.dynamodb import TenancyTable

    return CompanyRegistry(
        CompanyTable(services.platform.table),
        services.get(ConnectionTable),
        services.get(TenancyTable),
        lambda holder, about, detail, facts: services.get(AccessRequests).tell(holder, about, detail, facts),
    )


def access_requests(services: "Services") -> "AccessRequests":
    """Asking the people of a connection for a company that it has."""
    from erphub.companies.access_requests import AccessRequests
    from erphub.events.publisher import EventPublisher

    return AccessRequests(services.get(EventPublisher), services.platform.clock)


PROVIDES = (company_registry, access_requests)
