"""One client's webhooks: stores over DynamoDB in memory, a bus that can be away, and a receiver on loopback."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub import capabilities
from erphub.events.dynamodb import EventTable
from erphub.events.notifications import NotificationService
from erphub.events.publisher import EventPublisher
from erphub.events.schemas import NotificationQuery
from erphub.platform.aws.table import Table
from erphub.platform.identity import Member
from erphub.platform.ids import new_id
from erphub.platform.outbound.addresses import AddressGuard, Resolver
from erphub.platform.outbound.https import HttpsPost
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import MemberTable
from erphub.webhooks.delivery import WebhookDelivery
from erphub.webhooks.dynamodb import DeliveryTable, WebhookTable
from erphub.webhooks.service import WebhookService
from tests.support.aws import TENANTS, make_table
from tests.support.bus import FakeBus
from tests.support.connect import FakeSecrets
from tests.support.receiver import LOOPBACK, Receiver


@dataclass
class Webhooks:
    """Everything of one client around webhooks."""

    table: Table
    time: list[datetime]
    member: Member
    post: Any
    bus: FakeBus = field(default_factory=FakeBus)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)

    def __post_init__(self) -> None:
        self.store, self.delivery_store = WebhookTable(self.table), DeliveryTable(self.table)
        self.event_store = EventTable(self.table)
        self.publisher = EventPublisher(self.event_store, self.bus, self.clock)
        self.actors = MemberDirectory(MemberTable(self.table))
        self.notifications = NotificationService(self.event_store, self.actors, self.clock)

    def clock(self) -> datetime:
        return self.time[0]

    def pass_time(self, **duration: float) -> None:
        self.time[0] += timedelta(**duration)

    def notified(self) -> list[str]:
        """What people can read, sorted: much of it happens at one instant."""
        page = self.notifications.list_notifications(self.member, NotificationQuery())
        return sorted(one.type for one in page.items)

    def service(self, resolve: Resolver = lambda _: ["127.0.0.1"]) -> WebhookService:
        return WebhookService(
            self.store,
            self.delivery_store,
            self.secrets,
            AddressGuard(LOOPBACK, resolve),
            self.actors,
            self.clock,
            new_id,
        )

    def delivery(self) -> WebhookDelivery:
        return WebhookDelivery(self.store, self.delivery_store, self.secrets, self.post, self.publisher, self.clock)


@pytest.fixture
def webhooks(aws: None, receiver: Receiver) -> Webhooks:
    member = Member(
        new_id(),
        new_id(),
        "owner",
        "administrator",
        frozenset(capabilities.permissions().values()),
        source="198.51.100.7",
    )
    time = [datetime(2026, 11, 22, 8, tzinfo=UTC)]
    post = HttpsPost(LOOPBACK, receiver.authority, lambda _: ["127.0.0.1"], seconds=2.0)
    return Webhooks(make_table(TENANTS), time, member, post)
