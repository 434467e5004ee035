"""What happens between a wizard's answers: the connection is tested, companies are listed, the connection is made.

These are the tasks of connect.asl.json. Each may be run again after it was cut off anywhere, and then ends the same.
What an ERP refuses is an answer and asks the same step again; only what may pass by itself (Unavailable) is raised, so
that the machine tries again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .erp import describe
from .errors import Conflict, ErpRefused, HubError, Invalid, NotFound
from .models.catalogue import Step
from .models.connection import Company, Connection, ConnectionStatus, LastTest, Voucher
from .models.probe import Outcome, Probe, Stage, passed
from .models.wire import JsonObject
from .models.wizard import ProbeView, Wizard, WizardStatus
from .ports.connections import Connections
from .ports.erp import FoundCompany, HasCompanies, System
from .ports.wizards import Wizards
from .ports.world import Clock, Redactor, Secrets
from .wizards import DEPENDING_ON_THE_SERVER, end

ASK: JsonObject = {"next": "ask"}
STOP: JsonObject = {"next": "stop"}
_NOT_SETTINGS = {"companies", "name", "shared", "voucher_provider", "document_center_path"}
"""Answers that become something else of the connection than a setting of its system."""

type Opener = Callable[[str, Mapping[str, Any], Mapping[str, str], str], System]
"""Opens a system from its id, settings, secret and that secret's name; nothing is dialled yet."""
type Started = Callable[[str, str, str], None]
"""Told of a new connection (client, connection, owner), perhaps more than once: makes and starts its first imports."""


@dataclass(frozen=True)
class Connecting:
    """The tasks of the machine."""

    store: Wizards
    connections: Connections
    secrets: Secrets
    redactor: Redactor
    clock: Clock
    open_system: Opener
    new_connection: Started
    problem: Callable[[HubError], JsonObject]

    def answered(self, client_id: str, wizard_id: str) -> JsonObject:
        """Work on the answer that was kept last. Raises Unavailable."""
        while True:
            wizard = self.store.get(client_id, wizard_id)
            if wizard is not None and wizard.status is WizardStatus.FINISHED:
                return self._after_finish(wizard)
            if wizard is None or wizard.status is not WizardStatus.WORKING or wizard.answered is None:
                return STOP
            try:
                return self._work(wizard)
            except Conflict as error:
                # Cancelled, or answered anew, while we worked: what is written there now counts.
                now = self.store.get(client_id, wizard_id)
                if now is not None and now.version == wizard.version:
                    return self._again(wizard, self.problem(error))

    def _work(self, wizard: Wizard) -> JsonObject:
        description = describe(wizard.erp_system)
        step = next(step for step in description.steps if step.id == wizard.answered)
        try:
            wizard = self._look(wizard, step)
        except (ErpRefused, Invalid, NotFound) as error:
            return self._again(wizard, self.problem(error))
        if wizard.problem is not None:
            return self._again(wizard, wizard.problem)
        open_steps = [one.id for one in description.steps if one.id not in wizard.answers]
        if not open_steps:
            return self._finish(wizard)
        self.store.replace(wizard.model_copy(update={"step": open_steps[0]}))
        return ASK

    def _look(self, wizard: Wizard, step: Step) -> Wizard:
        """What the answer leads to before the next step is asked; a problem on the wizard asks the same one again."""
        if step.tests or step.id in DEPENDING_ON_THE_SERVER:
            system = self._open(wizard.erp_system, wizard.settings, wizard.secret_name)
            probes = [self._clean(probe) for probe in system.check()]
            wizard = wizard.model_copy(update={"probes": [probe.as_json() for probe in probes]})
            if not passed(probes):
                return wizard.model_copy(update={"problem": _test_failed(probes)})
            if step.tests and isinstance(system, HasCompanies):
                self.store.put_companies(wizard, [self._clean_company(company) for company in system.companies()])
        return wizard

    def _open(self, erp_system: str, settings: Mapping[str, Any], secret_name: str) -> System:
        secret = self.secrets.get(secret_name)
        self.redactor.hide(secret.values())
        return self.open_system(erp_system, settings, secret, secret_name)

    def _clean(self, probe: Probe) -> Probe:
        """The probe, in case a server repeats a password in what it says."""
        return Probe(probe.stage, probe.outcome, probe.milliseconds, self.redactor.clean(probe.detail), probe.code)

    def _clean_company(self, company: FoundCompany) -> FoundCompany:
        return FoundCompany(company.key, company.name, self.redactor.clean(company.problem), company.facts)

    def _again(self, wizard: Wizard, problem: JsonObject) -> JsonObject:
        """Ask the step once more, with what was wrong and what had been answered."""
        step = wizard.answered or wizard.step
        answers = {name: answer for name, answer in wizard.answers.items() if name != step}
        refused = wizard.answers.get(step)
        changes = {"step": step, "answers": answers, "refused": refused, "problem": self.redactor.clean(problem)}
        self.store.replace(wizard.model_copy(update=changes))
        return ASK

    def _finish(self, wizard: Wizard) -> JsonObject:
        """Make the connection with its companies; the name may have been taken while the wizard went on."""
        companies = [Company(key=found.key, name=found.name, facts=dict(found.facts)) for found in self._chosen(wizard)]
        finished = wizard.model_copy(update={"status": WizardStatus.FINISHED, "problem": None})
        try:
            finished = self.connections.create(self._connection(wizard), companies, finished)
        except Conflict as error:
            if error.code != "name_taken":
                raise
            # The last step asked for nothing, so it is the name that is asked for again.
            kept = {name: answer for name, answer in wizard.answers.items() if name != wizard.answered}
            return self._again(wizard.model_copy(update={"answered": "name", "answers": kept}), self.problem(error))
        return self._after_finish(finished)

    def _chosen(self, wizard: Wizard) -> Sequence[FoundCompany]:
        chosen = wizard.settings.get("companies")
        found = [company for company in self.store.all_companies(wizard) if not company.problem]
        return [company for company in found if company.key in chosen] if isinstance(chosen, list) else found

    def _connection(self, wizard: Wizard) -> Connection:
        settings, now = wizard.settings, self.clock()
        return Connection(
            id=wizard.connection_id,
            client_id=wizard.client_id,
            erp_system=wizard.erp_system,
            name=settings["name"],
            owner=wizard.owner,
            shared=bool(settings.get("shared")),
            settings={name: value for name, value in settings.items() if name not in _NOT_SETTINGS},
            all_companies=settings.get("companies") == "all",
            voucher=Voucher(
                provider=settings.get("voucher_provider", "none"), path=settings.get("document_center_path")
            ),
            last_test=LastTest(
                id=wizard.id,
                started_at=now,
                finished_at=now,
                passed=True,
                probes=[ProbeView.model_validate(probe) for probe in wizard.probes],
            ),
            created_at=now,
            updated_at=now,
        )

    def _after_finish(self, wizard: Wizard) -> JsonObject:
        self.new_connection(wizard.client_id, wizard.connection_id, wizard.owner)
        self.store.clean_up(wizard)
        return STOP

    def trouble(self, client_id: str, wizard_id: str) -> JsonObject:
        """The answer could not be worked on, however often it was tried: say so and ask the step again."""
        wizard = self.store.get(client_id, wizard_id)
        if wizard is None or wizard.status is not WizardStatus.WORKING:
            return STOP
        error = HubError(
            "It could not be tried out just now. Nothing is lost: answer the step again in a minute.",
            code="unavailable",
        )
        return self._again(wizard, self.problem(error) | {"status": 503, "title": "Not available now"})

    def ended(self, client_id: str, wizard_id: str, reason: str) -> JsonObject:
        """The machine has ended: write down why, unless somebody has, and forget the password of what never was."""
        wizard = self.store.get(client_id, wizard_id)
        if wizard is None:
            return STOP
        status = WizardStatus.EXPIRED if reason == "expired" else WizardStatus.FAILED
        error = HubError("The wizard was ended from outside. Start a new one.", code="wizard_failed")
        wizard = end(self.store, wizard, status, None if reason == "expired" else self.problem(error))
        if wizard.status is not WizardStatus.FINISHED:
            self.secrets.delete(wizard.secret_name)
        self.store.clean_up(wizard)
        return STOP

    def broken(self, client_id: str, event: Mapping[str, Any]) -> JsonObject:
        """An execution ended without doing its own tidying: do it here."""
        if "wizard_id" in event:
            return self.ended(client_id, event["wizard_id"], "failed")
        connection = self.connections.get(client_id, event["connection_id"])
        if connection and connection.last_test and connection.last_test.id == event["test_id"]:
            error = HubError("The test could not be run. Start it again.", code="unavailable")
            changes = {"finished_at": self.clock(), "passed": False, "problem": self.problem(error)}
            self.connections.record_test(connection, connection.last_test.model_copy(update=changes), None)
        return STOP

    def test(self, client_id: str, connection_id: str, test_id: str) -> JsonObject:
        """Test a connection and keep the result, unless a newer test was started. Raises Unavailable."""
        connection = self.connections.get(client_id, connection_id)
        if connection is None or connection.last_test is None or connection.last_test.id != test_id:
            return STOP
        probes: list[Probe] = []
        problem = None
        try:
            system = self._open(connection.erp_system, self._settings(connection), connection.secret_name)
            probes = [self._clean(probe) for probe in system.check()]
        except (ErpRefused, Invalid, NotFound) as error:
            problem = self.problem(error)
        works = problem is None and passed(probes)
        result = LastTest(
            id=test_id,
            started_at=connection.last_test.started_at,
            finished_at=self.clock(),
            passed=works,
            probes=[ProbeView.model_validate(probe.as_json()) for probe in probes],
            problem=self.redactor.clean(problem or (None if works else _test_failed(probes))),
        )
        self.connections.record_test(connection, result, status_after(connection.status, works, probes))
        return STOP

    def _settings(self, connection: Connection) -> Mapping[str, Any]:
        """The settings as the wizard had them when it tested: with the companies that are in use."""
        if connection.all_companies:
            return {**connection.settings, "companies": "all"}
        companies = self.connections.companies(connection.client_id, connection.id)
        return {**connection.settings, "companies": [company.key for company in companies]}


def status_after(before: ConnectionStatus, works: bool, probes: Sequence[Probe]) -> ConnectionStatus | None:
    """What a test says about a connection; None leaves a paused or deleted one as it is."""
    if before not in (ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED, ConnectionStatus.REAUTH_REQUIRED):
        return None
    if works:
        return ConnectionStatus.ACTIVE
    failed = next((probe for probe in probes if probe.outcome is Outcome.FAILED), None)
    return ConnectionStatus.REAUTH_REQUIRED if failed and failed.stage is Stage.LOGIN else ConnectionStatus.DEGRADED


def _test_failed(probes: Sequence[Probe]) -> JsonObject:
    """The failed stage as the problem to show; `code` is that of the stage."""
    failed = next((probe for probe in probes if probe.outcome is Outcome.FAILED), None)
    return {
        "type": "/problems/test_failed",
        "title": "The test failed",
        "detail": failed.detail if failed else "The test ended without a result.",
        "code": (failed.code if failed else None) or "test_failed",
        "stage": failed.stage.value if failed else None,
    }
