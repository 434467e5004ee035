"""A customer's licences and the companies of a connection."""

from erphub.companies.schemas import AllowedLicences, ChangedCustomer, CompanyPage, CompanySearch, LicencesView
from erphub.companies.service import CompanyRegistry
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel, Member
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Companies and licences")


@router.patch("/customers/{customer}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def change_customer(service: CompanyRegistry, customer: str, body: ChangedCustomer) -> LicencesView:
    """Allow, or no longer allow, that a company is knowingly connected more than once."""
    return service.allow_twice(customer, body.same_company_twice)


@router.get("/customers/{customer}/licences", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_licences(service: CompanyRegistry, customer: str) -> LicencesView:
    """Show the licences used and allowed; a company counts once, however many connections have it."""
    return service.licences(customer)


@router.put("/customers/{customer}/licences", needs=AccessLevel.PLATFORM_ADMINISTRATOR)
def allow_licences(service: CompanyRegistry, customer: str, body: AllowedLicences) -> LicencesView:
    """Set how many companies a customer may use."""
    return service.allow(customer, body.allowed)


@router.get("/clients/{client}/connections/{connection}/companies", needs=CONNECTIONS_VIEW)
def list_companies(service: CompanyRegistry, member: Member, connection: str, query: CompanySearch) -> CompanyPage:
    """List or search the companies a connection uses."""
    return service.page(member, connection, query)
