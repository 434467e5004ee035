"""What sending events to a client's own systems asks of the world."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..models.webhook import Delivery, DeliveryAttempt, DeliveryState, Webhook


class Webhooks(Protocol):
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


@dataclass(frozen=True)
class Answer:
    """What a receiver said: the HTTP status, and in how many seconds it wants to be asked again."""

    status: int
    retry_after: int | None = None


class Post(Protocol):
    """Takes a message to its receiver."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it and wait for the status. Raises ErpRefused, Unavailable."""
        ...
