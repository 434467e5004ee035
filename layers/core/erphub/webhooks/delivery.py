"""Delivery of events to the webhooks that are subscribed to them, again and again while a receiver is not there.

A delivery is kept before it is attempted and is due until the receiver accepted it. Whoever attempts it leases it for a
while, so that two rounds do not send at once; the lease of one that died ends, and the next sends again, under the same
id. Nothing is begun that the function's time may not be enough for: what is left is due the next minute.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from erphub.events.models import Event
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform import logging, tenants
from erphub.platform.clock import Clock
from erphub.platform.due import DueItem, work_through
from erphub.platform.errors import HubError, Unavailable
from erphub.platform.outbound.https import Answer, Post
from erphub.platform.secrets import Secrets
from erphub.platform.tasks import TimeLeft
from erphub.webhooks import problems
from erphub.webhooks.capability import WEBHOOK_FAILING
from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryStatus, Webhook
from erphub.webhooks.ports import DeliveryStore, WebhookStore
from erphub.webhooks.service import new_delivery, sign

RETRY_DELAYS = (
    timedelta(seconds=5),
    *(timedelta(minutes=minutes) for minutes in (5, 30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""How long after a failed attempt comes the next at the earliest: the schedule of the Standard Webhooks specification,
ten tries over 75 hours, then a message is given up. What is due is looked for every minute."""
LEASE_DURATION = timedelta(minutes=2)
"""Longer than an attempt can take."""
MAX_CONCURRENT_ATTEMPTS = 16
MAX_DELIVERIES_PER_WEBHOOK = 20
"""In one round, so that a slow receiver keeps no other waiting."""
ATTEMPT_SECONDS = 15.0
"""What an attempt must find left of the function's time to begin: the longest, and writing down what came of it."""
RESERVED_SECONDS = 2 * ATTEMPT_SECONDS
"""Kept for attempts, however much there is to publish or to look through."""
MAX_RETRY_AFTER = timedelta(days=1)
_GONE = 410


@dataclass(frozen=True)
class _DeliveryRound:
    """What is known during one round: its time, and the webhooks whose receivers were found not to answer."""

    time_left: TimeLeft = lambda: math.inf
    unresponsive: set[str] = field(default_factory=set[str])

    def allows(self, delivery: Delivery) -> bool:
        """Whether it may be attempted now."""
        return self.time_left() > ATTEMPT_SECONDS and delivery.webhook_id not in self.unresponsive


@dataclass(frozen=True)
class WebhookDelivery:
    """Delivers events to webhooks."""

    webhooks: WebhookStore
    deliveries: DeliveryStore
    secrets: Secrets
    post: Post
    publisher: EventPublisher
    clock: Clock

    def deliver(self, event: Event) -> int:
        """Make a delivery of the event for each webhook subscribed to it; returns how many were attempted.

        None of an event that is no longer kept: the bus brought it after its connection was removed.
        """
        now = self.clock()
        added: list[Delivery] = []
        for webhook in self.webhooks.get_all(event.client_id):
            if webhook.is_subscribed_to(event.type):
                delivery = new_delivery(webhook, event).model_copy(update={"due_at": now, "created_at": now})
                if self.deliveries.add(delivery):
                    added.append(delivery)
        if added and not self.publisher.is_kept(event):
            # Looked at after they were made: a removal takes the event first and then what it finds of deliveries.
            for delivery in added:
                self.deliveries.delete(delivery)
            return 0
        return self._attempt_all(added, _DeliveryRound())

    def run_round(self, time_left: TimeLeft) -> dict[str, int]:
        """Publish what was never published and attempt what is due; what does not fit is due the next minute."""

        def has_time() -> bool:
            return time_left() > RESERVED_SECONDS

        published, attempted, current = self.publisher.publish_pending(has_time), 0, _DeliveryRound(time_left)
        while time_left() > ATTEMPT_SECONDS:
            done = self._attempt_all(_interleave(self.deliveries.find_due(self.clock()), has_time), current)
            attempted += done
            if not done:
                break
        return {"published": published, "attempted": attempted}

    def _attempt_all(self, deliveries: Iterable[Delivery], current: _DeliveryRound) -> int:
        attempt = partial(self._attempt, current)
        return work_through(deliveries, attempt, _report_failure, workers=MAX_CONCURRENT_ATTEMPTS).done

    def _attempt(self, current: _DeliveryRound, delivery: Delivery) -> bool:
        return current.allows(delivery) and self._deliver(delivery, current)

    def _deliver(self, delivery: Delivery, current: _DeliveryRound) -> bool:
        if not self.deliveries.acquire(delivery, self.clock() + LEASE_DURATION):
            return False
        # What is kept now counts: an index may be a moment behind, and another round may have been here.
        kept = self.deliveries.get(delivery.client_id, delivery.webhook_id, delivery.id)
        webhook = self.webhooks.get(delivery.client_id, delivery.webhook_id)
        if webhook is None:  # it was deleted while this delivery was being made
            self.deliveries.delete(delivery)
            return False
        if kept is None or kept.status is not DeliveryStatus.PENDING:
            return False
        if not webhook.is_enabled:
            self.deliveries.record(kept, None, DeliveryStatus.FAILED, None)
            return True
        with tenants.acting_for(delivery.client_id):
            self._send(webhook, kept, current)
        return True

    def _send(self, webhook: Webhook, delivery: Delivery, current: _DeliveryRound) -> None:
        started_at = self.clock()
        http_status, code, detail, retry_after = None, "", "", None
        try:
            answer = self.post(webhook.url, self._headers(webhook, delivery), delivery.body.encode())
            http_status, retry_after = answer.status, answer.retry_after
            code, detail = _refusal(answer)
        except HubError as error:
            code, detail = error.code, error.detail
            if isinstance(error, Unavailable):
                current.unresponsive.add(webhook.id)
        ended_at = self.clock()
        attempt = DeliveryAttempt(
            attempted_at=started_at,
            duration_ms=int((ended_at - started_at).total_seconds() * 1000),
            http_status=http_status,
            code=code,
            detail=detail,
        )
        if not code:
            self.deliveries.record(delivery, attempt, DeliveryStatus.DELIVERED, None)
        elif http_status == _GONE:
            self.deliveries.record(delivery, attempt, DeliveryStatus.FAILED, None)
            self._disable(webhook, delivery)
        elif delivery.attempt_count < len(RETRY_DELAYS):
            wanted = min(timedelta(seconds=retry_after or 0), MAX_RETRY_AFTER)
            delay = max(RETRY_DELAYS[delivery.attempt_count], wanted)
            self.deliveries.record(delivery, attempt, DeliveryStatus.PENDING, ended_at + delay)
        else:
            self.deliveries.record(delivery, attempt, DeliveryStatus.FAILED, None)
            detail = f"A message could not be delivered to {_display_name(webhook)} for days. Its deliveries say why."
            self._publish_failure(webhook, delivery, detail, code)

    def _headers(self, webhook: Webhook, delivery: Delivery) -> dict[str, str]:
        now = self.clock()
        kept = self.secrets.get(webhook.secret_name)
        secrets = [kept["current"]]
        expires_at = webhook.old_secret_expires_at
        if "previous" in kept and expires_at is not None and now < expires_at:
            secrets.append(kept["previous"])
        timestamp = int(now.timestamp())
        return {
            "content-type": "application/json",
            "user-agent": "erphub-webhooks/1",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secrets, delivery.event_id, timestamp, delivery.body.encode()),
        }

    def _disable(self, webhook: Webhook, delivery: Delivery) -> None:
        """The receiver says that it is gone for good."""
        detail = (
            f"The receiver of {_display_name(webhook)} answered that it is gone (410), so the webhook was disabled."
        )
        changes = {"is_enabled": False, "disabled_reason": detail, "updated_at": self.clock()}
        self.webhooks.update(webhook.model_copy(update=changes), webhook)
        self._publish_failure(webhook, delivery, detail, "receiver_gone")

    def _publish_failure(self, webhook: Webhook, delivery: Delivery, detail: str, code: str) -> None:
        about, kind = f"{webhook.id} {delivery.id}", WEBHOOK_FAILING
        ids = {"webhook_id": webhook.id, "delivery_id": delivery.id}
        self.publisher.publish(make_event(kind, webhook.client_id, None, self.clock(), about, detail, code=code, **ids))


def _refusal(answer: Answer) -> tuple[str, str]:
    """Why an answer does not count; two empty texts when it does."""
    if 200 <= answer.status < 300:
        return "", ""
    if 300 <= answer.status < 400:
        return (
            problems.REDIRECTED.code,
            problems.REDIRECTED.render(status=answer.status),
        )
    return problems.RECEIVER_REFUSED.code, problems.RECEIVER_REFUSED.render(status=answer.status)


def _readable(due: Iterable[DueItem[Delivery]]) -> Iterator[Delivery]:
    for kept in due:
        try:
            yield kept.read()
        except (KeyError, ValueError) as error:
            logging.logger().error("a delivery cannot be read", exc_info=error, extra={"key": dict(kept.key)})


def _report_failure(failed: Delivery, error: Exception) -> None:
    about = {"delivery_id": failed.id, "client_id": failed.client_id}
    logging.logger().error("a delivery failed unexpectedly and is leased", exc_info=error, extra=about)


def _interleave(due: Iterable[DueItem[Delivery]], has_time: Callable[[], bool]) -> list[Delivery]:
    """What is due, at most so many of each webhook, one of each by turns; as far as there is time to look."""
    queues: dict[str, list[Delivery]] = {}
    for delivery in _readable(due):
        queue = queues.setdefault(delivery.webhook_id, [])
        if len(queue) < MAX_DELIVERIES_PER_WEBHOOK:
            queue.append(delivery)
        if not has_time():
            break
    rows = range(MAX_DELIVERIES_PER_WEBHOOK)
    return [queue[row] for row in rows for queue in queues.values() if row < len(queue)]


def _display_name(webhook: Webhook) -> str:
    """The webhook for everybody who reads notifications; its address may hold a credential, and is for its editors."""
    return f"the webhook “{webhook.description}”" if webhook.description else f"the webhook {webhook.id}"
