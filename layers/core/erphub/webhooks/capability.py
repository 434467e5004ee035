"""What webhooks bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Limit, Variable

WEBHOOK_FAILING = EventType(
    "webhook.failing", "A webhook's receiver takes no events, or it was disabled for that", Level.WARNING
)

WEBHOOK_TEST = EventType("webhook.test", "Somebody asked for a test message", Level.INFO)

WEBHOOKS = Limit("webhooks", 20, "Webhooks")

WEBHOOK_CREATED = Act("webhook.created", "A webhook was registered")
WEBHOOK_CHANGED = Act("webhook.changed", "A webhook or its secret was changed")
WEBHOOK_DELETED = Act("webhook.deleted", "A webhook was removed")
WEBHOOK_TESTED = Act("webhook.tested", "A test message was asked for")
DELIVERY_REPLAYED = Act("webhook.replayed", "A message was sent again by hand")

capability = Capability(
    "webhooks",
    "Webhooks",
    packages=("webhooks",),
    events=(WEBHOOK_FAILING, WEBHOOK_TEST),
    limits=(WEBHOOKS,),
    environment=(
        Variable("SECRET_PREFIX"),
        Variable("TENANT_ROLE"),
        Variable("ALLOWED_ERP_NETWORKS"),
        Variable("WEBHOOK_CA_BUNDLE", needed_by=("webhooks.delivery",)),
    ),
    acts=(
        WEBHOOK_CREATED,
        WEBHOOK_CHANGED,
        WEBHOOK_DELETED,
        WEBHOOK_TESTED,
        DELIVERY_REPLAYED,
    ),
)
