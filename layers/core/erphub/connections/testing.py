"""A test of a connection by hand: what each stage found is kept with it, and says how it is doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from erphub.connections import credentials, problems
from erphub.connections.health import HealthService
from erphub.connections.models import Connection, LastTest
from erphub.connections.ports import ConnectionStore, ConnectionTests, OpensErp, UsedCompanies
from erphub.erp.probes import Outcome, Probe, ProbeView, passed
from erphub.erp.system import ErpAdapter
from erphub.platform.clock import Clock
from erphub.platform.errors import ErpRefused, Invalid, NotFound
from erphub.platform.outbound import deadlines
from erphub.platform.problem_documents import as_problem
from erphub.platform.secrets import Redactor, Secrets
from erphub.platform.wire import JsonObject

TEST_SECONDS = 60.0
"""The longest that a test may take in all, whatever the other side sends and when."""
_DONE: JsonObject = {"next": "stop"}


@dataclass(frozen=True)
class ConnectionTester:
    """Runs the tests that somebody started. Each may be run again after it was cut off anywhere."""

    connections: ConnectionStore
    companies: UsedCompanies
    tests: ConnectionTests
    secrets: Secrets
    erp: OpensErp
    redactor: Redactor
    health: HealthService
    clock: Clock

    def test(self, client_id: str, connection_id: str, test_id: str) -> JsonObject:
        """Test a connection and keep the result, unless a newer test was started. Raises Unavailable."""
        connection = self.connections.get(client_id, connection_id)
        if connection is None or connection.last_test is None or connection.last_test.id != test_id:
            return _DONE
        if connection.last_test.finished_at is not None:
            # Cut off after the result was kept: the ERP need not be asked again.
            self.health.report_test(connection, connection.last_test)
            return _DONE
        probes: list[Probe] = []
        problem = None
        try:
            known, secret = credentials.read(self.connections, self.secrets, connection)
            self.redactor.redact(secret.values())
            system = self.erp.open(known.erp_system, self._settings(known), secret, known.secret_name)
            probes = probes_of(system, self.redactor)
        except (ErpRefused, Invalid, NotFound) as error:
            problem = as_problem(error)
        has_passed = problem is None and passed(probes)
        result = LastTest(
            id=test_id,
            started_at=connection.last_test.started_at,
            finished_at=self.clock(),
            has_passed=has_passed,
            probes=[ProbeView.model_validate(probe.as_json()) for probe in probes],
            problem=self.redactor.clean(problem or (None if has_passed else problem_of_failed(probes))),
        )
        if self.tests.end_test(connection, result):
            self.health.report_test(connection, result)
        return _DONE

    def execution_ended(self, client_id: str, connection_id: str, test_id: str) -> JsonObject:
        """The machine has ended without a result: say so with the test, unless there is one."""
        connection = self.connections.get(client_id, connection_id)
        test = connection.last_test if connection else None
        if connection and test and test.id == test_id and test.finished_at is None:
            error = problems.TEST_NOT_RUN()
            changes = {"finished_at": self.clock(), "has_passed": False, "problem": as_problem(error)}
            self.tests.end_test(connection, test.model_copy(update=changes))
        return _DONE

    def _settings(self, connection: Connection) -> Mapping[str, Any]:
        """The settings as the wizard had them when it tested: with the companies that are in use."""
        if connection.includes_new_companies:
            return {**connection.settings, "companies": "all"}
        companies = self.companies.companies(connection.client_id, connection.id)
        return {**connection.settings, "companies": [company.key for company in companies]}


def probes_of(system: ErpAdapter, redactor: Redactor) -> list[Probe]:
    """What each stage of a test finds, in `TEST_SECONDS` at most, without a password that a server repeats."""
    with deadlines.at_most(TEST_SECONDS):
        return [replace(probe, detail=redactor.clean(probe.detail)) for probe in system.check()]


def problem_of_failed(probes: Sequence[Probe]) -> JsonObject:
    """The failed stage as the problem to show; `code` is that of the stage, of several areas the first's."""
    every = [probe for probe in probes if probe.outcome is Outcome.FAILED]
    failed = every[0] if every else None
    refused: JsonObject = {"refused": "credentials"} if failed and failed.refused else {}
    return refused | {
        "type": f"/problems/{problems.TEST_FAILED.code}",
        "title": problems.TEST_FAILED.title,
        "detail": " ".join(probe.detail for probe in every) or problems.TEST_FAILED.render(),
        "code": (failed.code if failed else None) or problems.TEST_FAILED.code,
        "stage": failed.stage.value if failed else None,
    }
