"""The courier: takes each event to the webhooks that want it, and comes again when a receiver is not there.

A delivery is kept before it is tried and is due until the receiver took it. Whoever tries it claims it for a while, so
that two couriers do not send at once; one that dies loses its claim and the next sends again, under the same id.
Nothing is begun that the function's time may not be enough for: what is left is due the next minute.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from erphub.events.models import Event
from erphub.events.publisher import EventPublisher, event
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError, Unavailable
from erphub.platform.outbound.https import Answer, Post
from erphub.platform.secrets import Secrets
from erphub.platform.wire import instant
from erphub.webhooks.capability import WEBHOOK_FAILING
from erphub.webhooks.models import Delivery, DeliveryAttempt, DeliveryState, Webhook
from erphub.webhooks.ports import WebhookStore
from erphub.webhooks.service import signature

RETRY_DELAYS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60)
)
"""How long after a failed try comes the next; after the last a message is given up, some three days later."""
LEASE_DURATION = timedelta(minutes=2)
"""Longer than a try can take."""
AT_ONCE = 16
EACH = 20
"""Messages of one webhook in one round, so that a slow receiver keeps no other waiting."""
SPARE = 15.0
"""Seconds of the function's time that a try must find left to begin: the longest, and writing down what came of it."""
FOR_TRYING = 2 * SPARE
"""Seconds that are kept for trying, however much there is to publish or to look through."""
LONGEST_WAIT = timedelta(days=1)
_GONE = 410

type TimeLeft = Callable[[], float]
"""Seconds that are left to the function."""


@dataclass(frozen=True)
class _DeliveryRound:
    """What a courier's turn has to go by: its time, and the webhooks whose receivers were found not to answer."""

    time_left: TimeLeft = lambda: math.inf
    silent: set[str] = field(default_factory=set[str])

    def has_room_for(self, delivery: Delivery) -> bool:
        """Whether it may be tried now."""
        return self.time_left() > SPARE and delivery.webhook_id not in self.silent


@dataclass(frozen=True)
class WebhookDelivery:
    """Delivers events to webhooks."""

    store: WebhookStore
    secrets: Secrets
    post: Post
    announcer: EventPublisher
    clock: Clock
    report: Callable[[Delivery, Exception], None]
    """Told of what nobody foresaw; the delivery stays claimed for a while and is tried again."""

    def take(self, told: Event) -> int:
        """Make a delivery of the event for each webhook that wants it and try them; returns how many were tried."""
        now = self.clock()
        made: list[Delivery] = []
        for webhook in self.store.all(told.client_id):
            if webhook.wants(told.type):
                delivery = new_delivery(webhook, told).model_copy(update={"due_at": now, "created_at": now})
                if self.store.add_delivery(delivery):
                    made.append(delivery)
        return self._try_all(made, _DeliveryRound())

    def tick(self, time_left: TimeLeft) -> dict[str, int]:
        """Tell what was never told, try what is due; what does not fit into the time is due the next minute."""

        def has_time() -> bool:
            return time_left() > FOR_TRYING

        told, tried, turn = self.announcer.catch_up(has_time), 0, _DeliveryRound(time_left)
        while time_left() > SPARE:
            done = self._try_all(_fair(self.store.due(self.clock()), has_time), turn)
            tried += done
            if not done:
                break
        return {"told": told, "tried": tried}

    def _try_all(self, deliveries: Sequence[Delivery], turn: _DeliveryRound) -> int:
        if not deliveries:
            return 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(partial(self._try, turn=turn), deliveries))

    def _try(self, delivery: Delivery, turn: _DeliveryRound) -> bool:
        try:
            return turn.has_room_for(delivery) and self._deliver(delivery, turn)
        except Exception as error:  # noqa: BLE001 — one delivery's trouble must not keep the others waiting
            self.report(delivery, error)
            return False

    def _deliver(self, delivery: Delivery, turn: _DeliveryRound) -> bool:
        if not self.store.claim(delivery, self.clock() + LEASE_DURATION):
            return False
        # What is kept now counts: an index may be a moment behind, and another courier may have been here.
        current = self.store.delivery(delivery.client_id, delivery.webhook_id, delivery.id)
        webhook = self.store.get(delivery.client_id, delivery.webhook_id)
        if webhook is None:  # it was deleted while this delivery was being made
            self.store.forget(delivery)
            return False
        if current is None or current.state is not DeliveryState.PENDING:
            return False
        if not webhook.active:
            self.store.note(current, None, DeliveryState.FAILED, None)
            return True
        self._send(webhook, current, turn)
        return True

    def _send(self, webhook: Webhook, delivery: Delivery, turn: _DeliveryRound) -> None:
        began = self.clock()
        status, code, detail, wait = None, "", "", None
        try:
            answer = self.post(webhook.url, self._headers(webhook, delivery), delivery.body.encode())
            status, wait = answer.status, answer.retry_after
            code, detail = _verdict(answer)
        except HubError as error:
            code, detail = error.code, error.detail
            if isinstance(error, Unavailable):
                turn.silent.add(webhook.id)
        ended = self.clock()
        attempt = DeliveryAttempt(
            at=began, milliseconds=int((ended - began).total_seconds() * 1000), status=status, code=code, detail=detail
        )
        if not code:
            self.store.note(delivery, attempt, DeliveryState.DELIVERED, None)
        elif status == _GONE:
            self.store.note(delivery, attempt, DeliveryState.FAILED, None)
            self._switch_off(webhook, delivery)
        elif delivery.tries < len(RETRY_DELAYS):
            pause = max(RETRY_DELAYS[delivery.tries], min(timedelta(seconds=wait or 0), LONGEST_WAIT))
            self.store.note(delivery, attempt, DeliveryState.PENDING, ended + pause)
        else:
            self.store.note(delivery, attempt, DeliveryState.FAILED, None)
            text = f"A message could not be delivered to {_named(webhook)} for days. Its deliveries say why."
            self._tell(webhook, delivery, text, code)

    def _headers(self, webhook: Webhook, delivery: Delivery) -> dict[str, str]:
        now = self.clock()
        kept = self.secrets.get(webhook.secret_name)
        known = [kept["current"]]
        if "previous" in kept and webhook.old_secret_until is not None and now < webhook.old_secret_until:
            known.append(kept["previous"])
        timestamp = int(now.timestamp())
        return {
            "content-type": "application/json",
            "user-agent": "erphub-webhooks/1",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(known, delivery.event_id, timestamp, delivery.body.encode()),
        }

    def _switch_off(self, webhook: Webhook, delivery: Delivery) -> None:
        """The receiver says that it is gone for good."""
        text = f"The receiver of {_named(webhook)} answered that it is gone (410), so the webhook was switched off."
        off = webhook.model_copy(update={"active": False, "off_because": text, "updated_at": self.clock()})
        self.store.replace(off, webhook)
        self._tell(webhook, delivery, text, "receiver_gone")

    def _tell(self, webhook: Webhook, delivery: Delivery, text: str, code: str) -> None:
        about, kind = f"{webhook.id} {delivery.id}", WEBHOOK_FAILING
        ids = {"webhook_id": webhook.id, "delivery_id": delivery.id}
        self.announcer.announce(event(kind, webhook.client_id, None, self.clock(), about, text, code=code, **ids))


def new_delivery(webhook: Webhook, told: Event) -> Delivery:
    """The delivery of an event to a webhook: the same two are always the same delivery."""
    data = {"client_id": told.client_id, "connection_id": told.connection_id, "detail": told.detail} | told.data
    message = event(told.type, told.client_id, told.connection_id, told.at, f"{webhook.id} {told.id}", "")
    return Delivery(
        id=message.id,
        client_id=webhook.client_id,
        webhook_id=webhook.id,
        event_id=told.id,
        type=told.type,
        body=json.dumps(
            {"type": told.type, "timestamp": instant(told.at), "data": data}, ensure_ascii=False, default=str
        ),
        created_at=told.at,
    )


def _verdict(answer: Answer) -> tuple[str, str]:
    """Why an answer does not count; two empty texts when it does."""
    if 200 <= answer.status < 300:
        return "", ""
    if 300 <= answer.status < 400:
        return (
            "redirected",
            f"The receiver answered {answer.status}. Redirects are not followed: register the new address.",
        )
    return "receiver_refused", f"The receiver answered {answer.status}."


def _fair(due: Iterable[Delivery], has_time: Callable[[], bool]) -> list[Delivery]:
    """What is due, at most so many of each webhook, one of each in turn; as far as there is time to look."""
    turns: dict[str, list[Delivery]] = {}
    for delivery in due:
        queue = turns.setdefault(delivery.webhook_id, [])
        if len(queue) < EACH:
            queue.append(delivery)
        if not has_time():
            break
    return [queue[turn] for turn in range(EACH) for queue in turns.values() if turn < len(queue)]


def _named(webhook: Webhook) -> str:
    """The webhook for everybody who reads notifications; its address may hold a credential, and is for its editors."""
    return f"the webhook “{webhook.description}”" if webhook.description else f"the webhook {webhook.id}"
