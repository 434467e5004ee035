"""Tests of connections that somebody starts by hand."""

from dataclasses import dataclass

from erphub.connections import problems
from erphub.connections.access import ConnectionAccess
from erphub.connections.attempts import AttemptGuard
from erphub.connections.models import LastTest
from erphub.connections.ports import ConnectionTests
from erphub.erp.catalogue import describe
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.identity import Member
from erphub.platform.state_machines import StateMachine


@dataclass(frozen=True)
class ConnectionTestStarter:
    """Starts tests; `ConnectionTester` runs them."""

    tests: ConnectionTests
    access: ConnectionAccess
    attempts: AttemptGuard
    machine: StateMachine
    clock: Clock
    new_id: IdGenerator

    def start(self, member: Member, connection_id: str) -> None:
        """Start a test; its result appears in `last_test`.

        Raises NotFound, Forbidden, Conflict, TooMany (`too_many_attempts`).
        """
        connection = self.access.connection(member, connection_id)
        if connection.is_being_deleted:
            raise problems.BEING_DELETED()
        target = describe(connection.erp_system).target(connection.settings)
        self.attempts.require_allowed(member.user, member.client_id, target)
        test = LastTest(id=self.new_id(), started_at=self.clock())
        self.tests.start_test(connection, test)
        reference = {
            "client_id": member.client_id,
            "connection_id": connection_id,
            "test_id": test.id,
            "user_id": member.user,
        }
        self.machine.start(f"test-{test.id}", reference)
