"""One client's events: the store over DynamoDB in memory, and a bus that can be away."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from erphub import capabilities
from erphub.events.dynamodb import EventTable
from erphub.events.models import Event
from erphub.events.notifications import NotificationService
from erphub.events.publisher import EventPublisher, make_event
from erphub.imports.capability import IMPORT_FAILED
from erphub.platform.aws.table import Table
from erphub.platform.capability import EventType
from erphub.platform.identity import Member
from erphub.platform.ids import new_id
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import MemberTable
from tests.support.aws import TENANTS, make_table
from tests.support.bus import FakeBus


@dataclass
class Events:
    """Everything of one client around events."""

    table: Table
    time: list[datetime]
    member: Member
    bus: FakeBus = field(default_factory=FakeBus)

    def __post_init__(self) -> None:
        self.store = EventTable(self.table)
        self.publisher = EventPublisher(self.store, self.bus, self.clock)
        actors = MemberDirectory(MemberTable(self.table))
        self.notifications = NotificationService(self.store, actors, self.clock)

    def clock(self) -> datetime:
        return self.time[0]

    def pass_time(self, **duration: float) -> None:
        self.time[0] += timedelta(**duration)

    def happened(self, about: str = "run-1", event_type: EventType = IMPORT_FAILED) -> Event:
        return make_event(event_type, self.member.client_id, "connection-1", self.clock(), about, "…")

    def on_the_bus(self) -> list[Event]:
        return self.bus.published


@pytest.fixture
def events(aws: None) -> Events:
    permissions = frozenset(capabilities.permissions().values())
    member = Member(new_id(), new_id(), "owner", "administrator", permissions, source="198.51.100.7")
    return Events(make_table(TENANTS), [datetime(2026, 11, 22, 8, tzinfo=UTC)], member)
