"""Webhooks: addresses a client's own systems listen at, and what became of each message sent to them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from .notification import EventType
from .tenancy import Version
from .wire import JsonObject, Model

Url = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), Field(description="https://… , reached publicly")
]
Events = Literal["all"] | Annotated[tuple[EventType, ...], Field(min_length=1, max_length=len(EventType))]
"""Which events are sent: all of them, also those that come later, or these."""
Words = Annotated[str, StringConstraints(max_length=200)]


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


class Webhook(Model):
    """A webhook as it is kept. Its secret lies where passwords lie."""

    id: str
    client_id: str
    url: str
    events: Events = "all"
    description: str = ""
    active: bool = True
    off_because: str = ""
    """Why the hub switched it off by itself."""
    created_by: str
    created_at: datetime
    updated_at: datetime
    old_secret_until: datetime | None = None
    version: int = 1

    @property
    def secret_name(self) -> str:
        """Where its secret is."""
        return f"{self.client_id}/webhook-{self.id}"

    def wants(self, type: EventType) -> bool:
        """Whether an event of this type is sent to it. That a webhook fails is told to people alone."""
        return self.active and type is not EventType.WEBHOOK_FAILING and (self.events == "all" or type in self.events)


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


class DeliveryState(StrEnum):
    """What has become of a message: still to be tried, taken by the receiver, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(Model):
    """One try. `status` is the receiver's HTTP status; `code` says why there is none, or why it does not count."""

    at: datetime
    milliseconds: int
    status: int | None = None
    code: str = ""
    detail: str = ""


class Delivery(Model):
    """One event on its way to one webhook. `body` is what is sent, byte for byte, however often."""

    id: str
    client_id: str
    webhook_id: str
    event_id: str
    type: EventType
    body: str
    state: DeliveryState = DeliveryState.PENDING
    tries: int = 0
    """How often it was tried since it was made or replayed."""
    attempts: tuple[DeliveryAttempt, ...] = ()
    due_at: datetime | None = None
    created_at: datetime


class DeliveryView(Model):
    """A delivery as its users see it."""

    id: str
    event_id: Annotated[str, Field(description="What the receiver gets as `webhook-id`, the same for every try")]
    type: EventType
    state: DeliveryState
    payload: JsonObject
    attempts: list[DeliveryAttempt]
    next_try_at: datetime | None
    created_at: datetime


class DeliveryPage(Model):
    """A page of deliveries, the newest first."""

    items: list[DeliveryView]
    next: str | None
