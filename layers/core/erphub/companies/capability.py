"""What a customer's companies bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level

COMPANY_ACCESS_REQUESTED = EventType(
    "company.access_requested", "Somebody asks for access to a company that is connected already", Level.WARNING
)

CUSTOMER_CHANGED = Act("customer.changed", "Whether companies may be connected more than once was changed")
LICENCES_CHANGED = Act("licences.changed", "How many companies a customer may use was changed")

capability = Capability(
    "companies",
    "Companies and licences",
    packages=("companies",),
    events=(COMPANY_ACCESS_REQUESTED,),
    acts=(
        CUSTOMER_CHANGED,
        LICENCES_CHANGED,
    ),
)
