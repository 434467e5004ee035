"""What happens between a wizard's answers: the connection is tested, companies are listed, the connection is made.

These are the tasks of connect.asl.json. Each may be run again after it was cut off anywhere, and then ends the same.
What an ERP refuses is an answer and asks the same step again; only what may pass by itself (Unavailable) is raised, so
that the machine tries again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from erphub.connections import credentials
from erphub.connections.models import Connection, LastTest
from erphub.connections.ports import ConnectionStore
from erphub.erp.catalogue import describe
from erphub.erp.description import Field, Step
from erphub.erp.probes import Outcome, Probe, ProbeView, Stage, passed
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies, ListsOptions
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, ErpRefused, Gone, HubError, Invalid, NotFound
from erphub.platform.secrets import Redactor, Secrets
from erphub.platform.wire import JsonObject
from erphub.wizards import choices as choosing
from erphub.wizards.completion import WizardCompletion
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.ports import WizardStore
from erphub.wizards.service import end

ASK: JsonObject = {"next": "ask"}
STOP: JsonObject = {"next": "stop"}
_ASKED_AGAIN = {
    "name_taken": "name",
    "company_connected": "companies",
    "licences_used_up": "companies",
    "connection_changed": "finish",
}
"""The step that can mend what stood in the way at the end."""
_CHOSEN_LATER = frozenset({Stage.DATABASES, Stage.PERMISSIONS, Stage.READ})
"""Stages that fail when the companies chosen are no longer what they were."""

type Opener = Callable[[str, Mapping[str, Any], Mapping[str, str], str], ErpAdapter]
"""Opens a system from its id, settings, secret and that secret's name; nothing is dialled yet."""


@dataclass(frozen=True)
class WizardTasks:
    """The tasks of the machine."""

    store: WizardStore
    connections: ConnectionStore
    secrets: Secrets
    redactor: Redactor
    clock: Clock
    open_system: Opener
    finishing: WizardCompletion
    problem: Callable[[HubError], JsonObject]
    tested: Callable[[Connection, LastTest], None]
    """Told what a test of a connection showed, perhaps more than once."""

    def process_answer(self, client_id: str, wizard_id: str) -> JsonObject:
        """Work on the answer that was kept last. Raises Unavailable."""
        while True:
            wizard = self.store.get(client_id, wizard_id)
            if wizard is not None and wizard.status is WizardStatus.FINISHED:
                self.finishing.after(wizard)
                return STOP
            if wizard is None or wizard.status is not WizardStatus.WORKING:
                return STOP
            try:
                return self._work(wizard) if wizard.answered else self._list_anew(wizard)
            except Conflict as error:
                # Cancelled, or answered anew, while we worked: what is written there now counts.
                now = self.store.get(client_id, wizard_id)
                if now is not None and now.version == wizard.version:
                    return self._again(wizard, self.problem(error))

    def _list_anew(self, wizard: Wizard) -> JsonObject:
        """Look again, with the live password, at what the waiting step is chosen from; what was answered stays."""
        step = next(step for step in describe(wizard.erp_system).steps if step.id == wizard.step)
        try:
            system = self._open(wizard)
            wizard, refused = (
                self._list_choices(wizard, step, system) if step.listed else (self._list(wizard, system), None)
            )
        except (ErpRefused, Invalid, NotFound) as error:
            refused = error
        problem = self.redactor.clean(self.problem(refused)) if refused else None
        self.store.replace(wizard.model_copy(update={"problem": problem}))
        return ASK

    def _list(self, wizard: Wizard, system: ErpAdapter) -> Wizard:
        """Keep the companies that the login can see, to be chosen from."""
        if not isinstance(system, ListsCompanies):
            return wizard
        self.store.put_companies(wizard, [self._clean_company(company) for company in system.companies()])
        listed = wizard.edit.model_copy(update={"listed": True}) if wizard.edit else None
        return wizard.model_copy(update={"edit": listed})

    def _list_choices(self, wizard: Wizard, step: Step, system: ErpAdapter) -> tuple[Wizard, ErpRefused | None]:
        """Keep what a step can be chosen from in the companies in use. Raises Unavailable, keeping what was known.

        A company that will not say is no reason to stop: why it will not is told beside what the others have.
        """
        refused: ErpRefused | None = None
        if not isinstance(system, ListsOptions):
            return wizard, None
        for field in step.listed:
            found, why = choosing.look_up(system, field, self._in_use(wizard))
            self.store.put_choices(wizard, field.name, found)
            wizard = wizard.model_copy(update={"listed": sorted({*wizard.listed, field.name})})
            refused = refused or why
        return wizard, refused

    def _in_use(self, wizard: Wizard) -> Sequence[FoundCompany]:
        """The companies that were chosen; of an edit that has not listed them, the connection's."""
        if wizard.edit is None or wizard.edit.listed:
            return choosing.chosen(self.store.all_companies(wizard), wizard.settings.get("companies"))
        kept = self.connections.companies(wizard.client_id, wizard.connection_id)
        return [FoundCompany(one.key, one.name, None, one.facts) for one in kept]

    def _offer(self, wizard: Wizard) -> tuple[Wizard, ErpRefused | None]:
        """With the companies chosen, list what further steps choose from in them.

        A step where nothing is left to choose is answered with that; an answer that no longer fits is asked for again.
        """
        refused: ErpRefused | None = None
        for step in choosing.listed_steps(describe(wizard.erp_system)):
            wizard, why = self._list_choices(wizard, step, self._open(wizard))
            refused = refused or why
            given = wizard.answers.get(step.id, {})
            answer = {field.name: self._settled(wizard, field, given, why) for field in step.listed}
            others = {name: one for name, one in wizard.answers.items() if name != step.id}
            complete = all(value is not None for value in answer.values())
            wizard = wizard.model_copy(update={"answers": others | ({step.id: given | answer} if complete else {})})
        return wizard, refused

    def _settled(
        self, wizard: Wizard, field: Field, given: Mapping[str, Any], refused: ErpRefused | None
    ) -> object | None:
        """What needs no asking. When a company did not say what it has, only `all` is sure to fit."""
        before = given.get(field.name)
        if refused is not None:
            return before if before == choosing.ALL else None
        return choosing.settled(field, before, self.store.all_choices(wizard, field.name), self._in_use(wizard))

    def _work(self, wizard: Wizard) -> JsonObject:
        description = describe(wizard.erp_system)
        step = next(step for step in description.steps if step.id == wizard.answered)
        notice = None
        try:
            wizard = self._look(wizard, step)
            if step.id == "companies" and wizard.problem is None:
                wizard, notice = self._offer(wizard)
        except (ErpRefused, Invalid, NotFound) as error:
            return self._again(wizard, self.problem(error))
        if wizard.problem is not None:
            return self._again(wizard, wizard.problem)
        open_steps = [one.id for one in description.steps if one.id not in wizard.answers]
        if not open_steps:
            return self._finish(wizard)
        problem = self.redactor.clean(self.problem(notice)) if notice else None
        self.store.replace(wizard.model_copy(update={"step": open_steps[0], "problem": problem}))
        return ASK

    def _look(self, wizard: Wizard, step: Step) -> Wizard:
        """What the answer leads to before the next step is asked; a problem on the wizard asks the same one again."""
        if any(field.name not in wizard.listed for field in step.listed):
            wizard, _ = self._list_choices(wizard, step, self._open(wizard))
            answer = wizard.answers[step.id]
            checked = {field.name: self._checked(wizard, field, answer[field.name]) for field in step.listed}
            wizard = wizard.model_copy(update={"answers": {**wizard.answers, step.id: answer | checked}})
        if step.tests or step.depends_on_server:
            system = self._open(wizard, with_choices=step.id != "companies")
            probes = [self._clean(probe) for probe in system.check()]
            if step.tests and _no_longer_fits(wizard, probes):
                # A good password must not depend on companies that are gone: they are chosen again.
                again = choosing.shown_by_the_server(describe(wizard.erp_system))
                answers = {name: one for name, one in wizard.answers.items() if name not in again}
                return self._look(wizard.model_copy(update={"answers": answers}), step)
            wizard = wizard.model_copy(update={"probes": [probe.as_json() for probe in probes]})
            if not passed(probes):
                return wizard.model_copy(update={"problem": _test_failed(probes)})
            if step.tests or (wizard.edit and not wizard.edit.listed):
                wizard = self._list(wizard, system)
            if step.id == "companies" and wizard.edit:
                choosing.check_companies(self.store.all_companies(wizard), wizard.settings.get("companies"))
        return wizard

    def _checked(self, wizard: Wizard, field: Field, answer: object) -> object:
        return choosing.checked(field, answer, self.store.all_choices(wizard, field.name))

    def _open(self, wizard: Wizard, *, with_choices: bool = True) -> ErpAdapter:
        """The system as answered so far, or before anything was chosen from its lists."""
        settings = wizard.settings
        if not with_choices:
            settings = choosing.without_choices(describe(wizard.erp_system), settings)
        return self._opened(wizard.erp_system, settings, wizard.secret_in_use)

    def _opened(self, erp_system: str, settings: Mapping[str, Any], secret_name: str) -> ErpAdapter:
        secret = self.secrets.get(secret_name)
        self.redactor.hide(secret.values())
        return self.open_system(erp_system, settings, secret, secret_name)

    def _clean(self, probe: Probe) -> Probe:
        """The probe, in case a server repeats a password in what it says."""
        return replace(probe, detail=self.redactor.clean(probe.detail))

    def _clean_company(self, company: FoundCompany) -> FoundCompany:
        return FoundCompany(company.key, company.name, self.redactor.clean(company.problem), company.facts)

    def _again(self, wizard: Wizard, problem: JsonObject) -> JsonObject:
        """Ask the step once more, with what was wrong and what had been answered."""
        if wizard.answered is None:  # only a look at the ERP's lists went wrong: what was answered stays
            self.store.replace(wizard.model_copy(update={"problem": self.redactor.clean(problem)}))
            return ASK
        step = wizard.answered or wizard.step
        answers = {name: answer for name, answer in wizard.answers.items() if name != step}
        refused = wizard.answers.get(step)
        changes = {"step": step, "answers": answers, "refused": refused, "problem": self.redactor.clean(problem)}
        self.store.replace(wizard.model_copy(update=changes))
        return ASK

    def _finish(self, wizard: Wizard) -> JsonObject:
        """Put what was answered in use; what somebody else took meanwhile, a name or a company, is asked for again."""
        try:
            self.finishing.finish(wizard)
        except Gone as error:
            return self._again(wizard, self.problem(error))
        except Conflict as error:
            step = _ASKED_AGAIN.get(error.code)
            if step is None:
                raise
            # The last step asked for nothing, so it is an earlier one that is asked again.
            kept = {name: answer for name, answer in wizard.answers.items() if name != wizard.answered}
            return self._again(wizard.model_copy(update={"answered": step, "answers": kept}), self.problem(error))
        return STOP

    def record_failure(self, client_id: str, wizard_id: str) -> JsonObject:
        """The answer could not be worked on, however often it was tried: say so and ask the step again.

        What follows a wizard's end asks nobody: it is only tried again, and raises until the execution has failed and
        whoever sweeps up comes.
        """
        wizard = self.store.get(client_id, wizard_id)
        if wizard is not None and wizard.status is WizardStatus.FINISHED:
            self.finishing.after(wizard)
            return STOP
        if wizard is None or wizard.status is not WizardStatus.WORKING:
            return STOP
        error = HubError(
            "It could not be tried out just now. Nothing is lost: answer the step again in a minute.",
            code="unavailable",
        )
        return self._again(wizard, self.problem(error) | {"status": 503, "title": "Not available now"})

    def finish(self, client_id: str, wizard_id: str, reason: str) -> JsonObject:
        """The machine has ended: write down why, unless somebody has, and forget the password of what never was."""
        wizard = self.store.get(client_id, wizard_id)
        if wizard is None:
            return STOP
        status = WizardStatus.EXPIRED if reason == "expired" else WizardStatus.FAILED
        error = HubError("The wizard was ended from outside. Start a new one.", code="wizard_failed")
        wizard = end(self.store, wizard, status, None if reason == "expired" else self.problem(error))
        if wizard.status is WizardStatus.FINISHED:
            self.finishing.after(wizard)
        else:
            self.finishing.undo(wizard)
            self.store.clean_up(wizard)
            self.store.tidied(wizard)
        return STOP

    def execution_ended(self, client_id: str, event: Mapping[str, Any]) -> JsonObject:
        """An execution ended without doing its own tidying: do it here."""
        if "wizard_id" in event:
            return self.finish(client_id, event["wizard_id"], "failed")
        connection = self.connections.get(client_id, event["connection_id"])
        test = connection.last_test if connection else None
        if connection and test and test.id == event["test_id"] and test.finished_at is None:
            error = HubError("The test could not be run. Start it again.", code="unavailable")
            changes = {"finished_at": self.clock(), "passed": False, "problem": self.problem(error)}
            self.connections.end_test(connection, test.model_copy(update=changes))
        return STOP

    def test(self, client_id: str, connection_id: str, test_id: str) -> JsonObject:
        """Test a connection and keep the result, unless a newer test was started. Raises Unavailable."""
        connection = self.connections.get(client_id, connection_id)
        if connection is None or connection.last_test is None or connection.last_test.id != test_id:
            return STOP
        if connection.last_test.finished_at is not None:
            # Cut off after the result was kept: the ERP need not be asked again.
            self.tested(connection, connection.last_test)
            return STOP
        probes: list[Probe] = []
        problem = None
        try:
            known, _ = credentials.read(self.connections, self.secrets, connection)
            system = self._opened(known.erp_system, self._settings(known), known.secret_name)
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
        if self.connections.end_test(connection, result):
            self.tested(connection, result)
        return STOP

    def _settings(self, connection: Connection) -> Mapping[str, Any]:
        """The settings as the wizard had them when it tested: with the companies that are in use."""
        if connection.all_companies:
            return {**connection.settings, "companies": "all"}
        companies = self.connections.companies(connection.client_id, connection.id)
        return {**connection.settings, "companies": [company.key for company in companies]}


def _no_longer_fits(wizard: Wizard, probes: Sequence[Probe]) -> bool:
    """Whether an edit's login works and only what had been chosen does not."""
    failed = next((probe for probe in probes if probe.outcome is Outcome.FAILED), None)
    chosen = any(step.depends_on_server and step.id in wizard.answers for step in describe(wizard.erp_system).steps)
    return wizard.edit is not None and chosen and failed is not None and failed.stage in _CHOSEN_LATER


def _test_failed(probes: Sequence[Probe]) -> JsonObject:
    """The failed stage as the problem to show; `code` is that of the stage."""
    failed = next((probe for probe in probes if probe.outcome is Outcome.FAILED), None)
    refused: JsonObject = {"refused": "credentials"} if failed and failed.refused else {}
    return refused | {
        "type": "/problems/test_failed",
        "title": "The test failed",
        "detail": failed.detail if failed else "The test ended without a result.",
        "code": (failed.code if failed else None) or "test_failed",
        "stage": failed.stage.value if failed else None,
    }
