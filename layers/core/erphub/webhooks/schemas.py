"""What is sent and shown about webhooks and their deliveries."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from erphub.events.models import DeclaredType
from erphub.platform.wire import JsonObject, Model
from erphub.tenancy.schemas import Version
from erphub.webhooks.models import DeliveryAttempt, DeliveryState, Events, Url, Words


class NewWebhook(Model):
    """An address to send events to."""

    url: Url
    events: Events = "all"
    description: Words = ""


class ChangedWebhook(Model):
    """What is to change; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    description: Words | None = None
    active: bool | None = None
    rotate_secret: Annotated[
        bool, Field(description="Make a new secret, shown once; the old one signs along for a day")
    ] = False
    version: Annotated[Version, Field()] = None


class WebhookView(Model):
    """A webhook as its users see it. `secret` is there once: when it was made."""

    SHOWN_ONCE: ClassVar[tuple[str, ...]] = ("secret",)

    id: str
    url: str
    events: Events
    description: str
    active: bool
    off_because: str
    secret: str | None = None
    old_secret_until: datetime | None
    created_by: str
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
    event_id: Annotated[str, Field(description="What the receiver gets as `webhook-id`, the same for every try")]
    type: DeclaredType
    state: DeliveryState
    payload: JsonObject
    attempts: list[DeliveryAttempt]
    next_try_at: datetime | None
    created_at: datetime


class DeliveryPage(Model):
    """A page of deliveries, the newest first."""

    items: list[DeliveryView]
    next: str | None
