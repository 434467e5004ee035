"""A customer's licences and the companies of a connection."""

from erphub.companies.capability import CUSTOMER_CHANGED, LICENCES_CHANGED
from erphub.companies.schemas import ChangedCustomer, ChangedLicences, CompanyPage, CompanySearch, LicencesView
from erphub.companies.service import CompanyRegistry
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel, Member
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Companies and licences")


@router.patch("/customers/{customer_id}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR, audit=CUSTOMER_CHANGED)
def update_customer(service: CompanyRegistry, customer_id: str, body: ChangedCustomer) -> LicencesView:
    """Allow, or no longer allow, that a company is knowingly connected more than once."""
    return service.set_allow_duplicates(customer_id, body.allow_duplicates)


@router.get("/customers/{customer_id}/licences", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def get_licences(service: CompanyRegistry, customer_id: str) -> LicencesView:
    """Show the licences used and allowed; a company counts once, however many connections have it."""
    return service.licences(customer_id)


@router.put("/customers/{customer_id}/licences", needs=AccessLevel.PLATFORM_ADMINISTRATOR, audit=LICENCES_CHANGED)
def set_licences(service: CompanyRegistry, customer_id: str, body: ChangedLicences) -> LicencesView:
    """Set how many companies a customer may use."""
    return service.set_licences(customer_id, body.licences_allowed)


@router.get("/clients/{client_id}/connections/{connection_id}/companies", needs=CONNECTIONS_VIEW)
def list_companies(service: CompanyRegistry, member: Member, connection_id: str, query: CompanySearch) -> CompanyPage:
    """List or search the companies a connection uses."""
    return service.list_companies(member, connection_id, query)
