"""Where webhooks and their deliveries are kept."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook


class WebhookStore(Protocol):
    """Webhooks and deliveries of clients."""

    def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        ...

    def get(self, client_id: str, webhook_id: str) -> Webhook | None:
        """The webhook."""
        ...

    def all(self, client_id: str) -> Sequence[Webhook]:
        """Every webhook of a client, the oldest first."""
        ...

    def replace(self, webhook: Webhook, before: Webhook) -> Webhook:
        """Write it over `before`. Raises Conflict when that is no longer the newest."""
        ...

    def page(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Webhook], str | None]:
        """A page of a client's webhooks, the oldest first."""
        ...

    def delete(self, webhook: Webhook) -> None:
        """Remove it with its deliveries; again is fine."""
        ...

    def add_delivery(self, delivery: Delivery) -> bool:
        """Keep a new delivery; False when it is kept already."""
        ...

    def forget(self, delivery: Delivery) -> None:
        """Remove a delivery; again is fine."""
        ...

    def delivery(self, client_id: str, webhook_id: str, delivery_id: str) -> Delivery | None:
        """One delivery."""
        ...

    def deliveries(
        self, client_id: str, webhook_id: str, limit: int, next: str | None
    ) -> tuple[Sequence[Delivery], str | None]:
        """A page of a webhook's deliveries, the newest first."""
        ...

    def due(self, now: datetime) -> Iterator[Delivery]:
        """Deliveries of all clients that are due."""
        ...

    def claim(self, delivery: Delivery, until: datetime) -> bool:
        """Take a delivery that is due; whoever dies with it in hand loses it then. False when another has it."""
        ...

    def note(
        self, delivery: Delivery, attempt: DeliveryAttempt | None, state: DeliveryState, due_at: datetime | None
    ) -> None:
        """Write down what came of a try, and when the next one is."""
        ...

    def replay(self, delivery: Delivery, now: datetime) -> Delivery:
        """Make it due again, with all its tries ahead of it."""
        ...
