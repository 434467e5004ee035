"""What webhooks bring to the hub."""

from erphub.platform.capability import Capability, EventType, Level, Limit, Variable

WEBHOOK_FAILING = EventType(
    "webhook.failing", "A webhook's receiver takes no events, or it was disabled for that", Level.WARNING
)

WEBHOOKS = Limit("webhooks", 20, "Webhooks")

capability = Capability(
    "webhooks",
    "Webhooks",
    packages=("webhooks",),
    events=(WEBHOOK_FAILING,),
    limits=(WEBHOOKS,),
    environment=(
        Variable("SECRET_PREFIX"),
        Variable("ALLOWED_ERP_NETWORKS"),
        Variable("WEBHOOK_CA_BUNDLE", needed_by=("webhooks.delivery",)),
    ),
)
