"""Where webhooks and their deliveries are kept."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from erphub.platform.due import DueItem
from erphub.platform.pages import Page
from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Webhook


class WebhookStore(Protocol):
    """Webhooks of clients."""

    def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        ...

    def get(self, client_id: str, webhook_id: str) -> Webhook | None:
        """The webhook."""
        ...

    def get_all(self, client_id: str) -> Sequence[Webhook]:
        """Every webhook of a client, the oldest first."""
        ...

    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[Webhook]:
        """A page of a client's webhooks, the oldest first."""
        ...

    def update(self, webhook: Webhook, before: Webhook) -> Webhook:
        """Write it over `before`. Raises Conflict when that is no longer the newest."""
        ...

    def delete(self, webhook: Webhook) -> None:
        """Remove it with its deliveries; again is fine."""
        ...


class DeliveryStore(Protocol):
    """Deliveries of webhooks."""

    def add(self, delivery: Delivery) -> bool:
        """Keep a new delivery; False when it is kept already."""
        ...

    def get(self, client_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """One delivery."""
        ...

    def get_page(self, client_id: str, webhook_id: str, limit: int, cursor: str | None) -> Page[Delivery]:
        """A page of a webhook's deliveries, the newest first."""
        ...

    def delete(self, delivery: Delivery) -> None:
        """Remove a delivery; again is fine."""
        ...

    def find_due(self, now: datetime) -> Iterator[DueItem[Delivery]]:
        """Deliveries of all clients that are due."""
        ...

    def acquire(self, delivery: Delivery, until: datetime) -> bool:
        """Take a delivery that is due; whoever dies meanwhile loses it then. False when another has it."""
        ...

    def record(
        self, delivery: Delivery, attempt: DeliveryAttempt | None, status: DeliveryStatus, due_at: datetime | None
    ) -> None:
        """Write down what came of an attempt, and when the next one is; without effect on one that was removed."""
        ...

    def replay(self, delivery: Delivery, now: datetime) -> Delivery:
        """Make it due again, with all its attempts ahead of it. Raises NotFound."""
        ...
