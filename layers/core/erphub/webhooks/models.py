"""Webhooks and their deliveries as they are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from erphub.events.models import DeclaredType
from erphub.platform.capability import EventType
from erphub.platform.wire import LINES, Model
from erphub.webhooks.capability import WEBHOOK_FAILING

Url = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), Field(description="https://… , reached publicly")
]
MAX_EVENT_TYPES = 100
EventSelection = Literal["all"] | Annotated[tuple[DeclaredType, ...], Field(min_length=1, max_length=MAX_EVENT_TYPES)]
"""Which events are sent: all of them, also those that come later, or these."""
Description = Annotated[str, StringConstraints(max_length=200), LINES]


class Webhook(Model):
    """A webhook as it is kept. Its secret lies where passwords lie."""

    id: str
    client_id: str
    url: str
    events: EventSelection = "all"
    description: str = ""
    is_enabled: bool = True
    disabled_reason: str = ""
    """Why the hub switched it off by itself."""
    created_by: str
    created_at: datetime
    updated_at: datetime
    old_secret_expires_at: datetime | None = None
    version: int = 1

    @property
    def secret_name(self) -> str:
        """Where its secret is."""
        return f"{self.client_id}/webhook-{self.id}"

    def is_subscribed_to(self, event_type: EventType) -> bool:
        """Whether an event of this type is sent to it. That a webhook fails is for people alone."""
        return self.is_enabled and event_type != WEBHOOK_FAILING and (self.events == "all" or event_type in self.events)


class DeliveryStatus(StrEnum):
    """What has become of a message: still to be delivered, taken by the receiver, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(Model):
    """One attempt to deliver. `code` says why there was no answer, or why it does not count; empty when it does."""

    attempted_at: datetime
    duration_ms: int
    http_status: Annotated[int | None, Field(description="What the receiver answered; null when it did not")] = None
    code: str = ""
    detail: str = ""


class Delivery(Model):
    """One event on its way to one webhook. `body` is what is sent, byte for byte, however often."""

    id: str
    client_id: str
    webhook_id: str
    event_id: str
    type: DeclaredType
    body: str
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempt_count: int = 0
    """Attempts since it was made or replayed."""
    attempts: tuple[DeliveryAttempt, ...] = ()
    due_at: datetime | None = None
    created_at: datetime
