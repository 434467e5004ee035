"""What the wizard brings to the hub."""

from erphub.platform.capability import Act, Capability, Limit, LimitKind, Variable

WIZARDS = Limit("wizards", 50, "Wizards that are open")
COMPANIES_FOUND = Limit("companies_found", 4_500, "Companies that a wizard lists", LimitKind.SIZE)
CHOICES_FOUND = Limit("choices_found", 5_000, "Choices that a wizard lists for a field", LimitKind.SIZE)
CONNECTION_CREATED = Act("connection.created", "A connection was made")
CONNECTION_EDITED = Act("connection.edited", "What a connection uses was changed")
ACCESS_REQUESTED = Act("company.access_requested", "Access to a company was asked for")

capability = Capability(
    "wizards",
    "Wizards",
    packages=("wizards",),
    limits=(WIZARDS, COMPANIES_FOUND, CHOICES_FOUND),
    environment=(Variable("CONNECT_MACHINE_ARN"), Variable("TENANT_ROLE")),
    acts=(
        CONNECTION_CREATED,
        CONNECTION_EDITED,
        ACCESS_REQUESTED,
    ),
)
