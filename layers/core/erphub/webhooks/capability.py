"""What webhooks bring to the hub."""

from erphub.platform.capability import Capability, EventType, Level, Variable

WEBHOOK_FAILING = EventType(
    "webhook.failing", "A webhook's receiver takes no events, or it was disabled for that", Level.WARNING
)

capability = Capability(
    "webhooks",
    "Webhooks",
    packages=("webhooks",),
    events=(WEBHOOK_FAILING,),
    environment=(
        Variable("SECRET_PREFIX"),
        Variable("ALLOWED_ERP_NETWORKS"),
        Variable("WEBHOOK_CA_BUNDLE", needed_by=("webhooks.delivery",)),
    ),
)
