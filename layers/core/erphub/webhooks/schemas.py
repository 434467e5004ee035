"""What is sent and shown about webhooks and their deliveries."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from erphub.events.models import DeclaredType
from erphub.platform.actors import ActorView
from erphub.platform.wire import JsonObject, Model
from erphub.tenancy.schemas import Version
from erphub.webhooks.models import DeliveryAttempt, DeliveryStatus, Description, EventSelection, Url


class NewWebhook(Model):
    """An address to send events to."""

    url: Url
    events: EventSelection = "all"
    description: Description = ""


class ChangedWebhook(Model):
    """What is to change; what is left out, or null, stays as it is."""

    url: Url | None = None
    events: EventSelection | None = None
    description: Description | None = None
    is_enabled: bool | None = None
    rotate_secret: Annotated[
        bool, Field(description="Make a new secret, shown once; the old one signs too for a day")
    ] = False
    version: Annotated[Version, Field()] = None


class WebhookView(Model):
    """A webhook as its users see it. `secret` is there once: when it was made."""

    SHOWN_ONCE: ClassVar[tuple[str, ...]] = ("secret",)

    id: str
    url: str
    events: EventSelection
    description: str
    is_enabled: bool
    disabled_reason: Annotated[str, Field(description="Why the hub disabled it by itself; empty when it did not")]
    secret: str | None = None
    old_secret_expires_at: datetime | None
    created_by: ActorView
    created_at: datetime
    updated_at: datetime
    version: int


class WebhookPage(Model):
    """A page of webhooks."""

    items: list[WebhookView]
    next: str | None


class DeliveryView(Model):
    """A delivery as its users see it."""

    id: str
    event_id: Annotated[str, Field(description="What the receiver gets as `webhook-id`, the same for every attempt")]
    type: DeclaredType
    status: DeliveryStatus
    payload: JsonObject
    attempts: list[DeliveryAttempt]
    next_attempt_at: datetime | None
    created_at: datetime


class DeliveryPage(Model):
    """A page of deliveries, the newest first."""

    items: list[DeliveryView]
    next: str | None
