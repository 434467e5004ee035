"""Stores over DynamoDB in memory and a bus that can be away."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from erphub import capabilities
from erphub.connections.dynamodb import ConnectionTable
from erphub.connections.health import HealthService
from erphub.connections.models import Connection, ConnectionStatus
from erphub.events.dynamodb import EventTable
from erphub.events.notifications import NotificationService
from erphub.events.publisher import EventPublisher
from erphub.events.schemas import NotificationQuery
from erphub.imports.runs import outcome as run_outcome
from erphub.imports.runs.models import Run
from erphub.platform.aws.table import Table
from erphub.platform.errors import Unavailable
from erphub.platform.identity import Member
from erphub.platform.ids import new_id
from erphub.sync.transfers.models import Transfer
from erphub.sync.transfers.outcome import transfer_outcome
from erphub.tenancy.actors import MemberDirectory
from erphub.tenancy.dynamodb import MemberTable
from tests.support.aws import TENANTS, make_table
from tests.support.bus import FakeBus


@dataclass
class HealthScene:
    """Everything of one client around health; it takes part as `ConnectionHooks`."""

    table: Table
    time: list[datetime]
    bus: FakeBus
    member: Member
    caught_up: list[tuple[str, datetime]] = field(default_factory=list)
    catch_up_fails: bool = False

    def __post_init__(self) -> None:
        self.connections = ConnectionTable(self.table)
        events = EventTable(self.table)
        self.publisher = EventPublisher(events, self.bus, self.clock)
        self.health = HealthService(self.connections, self.publisher, self, self.clock)
        self.notifications = NotificationService(events, MemberDirectory(MemberTable(self.table)), self.clock)

    def clock(self) -> datetime:
        return self.time[0]

    def pass_time(self, **how_long: float) -> None:
        self.time[0] += timedelta(**how_long)

    def created(self, client_id: str, connection_id: str, owner: str) -> None:
        raise NotImplementedError

    def reconnected(self, connection: Connection, since: datetime) -> None:
        if self.catch_up_fails:
            raise Unavailable("The import could not be started.")
        self.caught_up.append((connection.id, since))

    def connection(self, status: ConnectionStatus = ConnectionStatus.ACTIVE) -> Connection:
        """A connection that is kept, without the wizard that made it."""
        made = Connection(
            id=new_id(),
            client_id=self.member.client_id,
            erp_system="visma-business",
            name="Main office",
            owner=self.member.user,
            is_shared=False,
            status=status,
            settings={},
            includes_new_companies=True,
            created_at=self.clock(),
            updated_at=self.clock(),
        )
        from erphub.connections import dynamodb as connections

        self.table.put_new(connections._item(made))
        return made

    def run_progressed(self, run: Run) -> None:
        self.health.report(run_outcome.met_so_far(run))

    def run_ended(self, run: Run) -> None:
        self.health.report(run_outcome.ended(run))

    def transfer_ended(self, transfer: Transfer) -> None:
        if outcome := transfer_outcome(transfer):
            self.health.report(outcome)

    def now(self, connection: Connection) -> Connection:
        found = self.connections.get(connection.client_id, connection.id)
        assert found is not None
        return found

    def notified(self) -> list[str]:
        """What people can read, sorted: much of it happens at one instant."""
        page = self.notifications.list_notifications(self.member, NotificationQuery())
        return sorted(one.type for one in page.items)

    def on_the_bus(self) -> list[str]:
        return [event.type for event in self.bus.published]


@pytest.fixture
def scene(aws: None) -> HealthScene:
    member = Member(
        new_id(),
        new_id(),
        "owner",
        "administrator",
        frozenset(capabilities.permissions().values()),
        source="198.51.100.7",
    )
    time = [datetime(2026, 11, 22, 8, tzinfo=UTC)]
    return HealthScene(make_table(TENANTS), time, FakeBus(), member)
