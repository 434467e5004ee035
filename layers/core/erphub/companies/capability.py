"""What a customer's companies bring to the hub."""

from erphub.platform.capability import Capability, EventType, Level

COMPANY_ACCESS_REQUESTED = EventType(
    "company.access_requested", "Somebody asks for access to a company that is connected already", Level.WARNING
)

capability = Capability(
    "companies", "Companies and licences", packages=("companies",), events=(COMPANY_ACCESS_REQUESTED,)
)
