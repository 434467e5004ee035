"""What happens between a wizard's answers: the connection is tested, companies are listed, the connection is made.

These are the tasks of connect.asl.json. Each may be run again after it was cut off anywhere, and then ends the same.
What an ERP refuses is an answer and asks the same step again; only what may pass by itself (Unavailable) is raised, so
that the machine tries again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erphub.connections.attempts import Attempt, AttemptGuard
from erphub.connections.ports import OpensErp
from erphub.connections.testing import ConnectionTester, probes_of, problem_of_failed
from erphub.erp.catalogue import describe
from erphub.erp.description import Field, Step
from erphub.erp.probes import Outcome, Probe, Stage, passed
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies, ListsOptions
from erphub.platform.errors import Conflict, ErpRefused, Gone, Invalid, NotFound
from erphub.platform.outbound import deadlines
from erphub.platform.problem_documents import as_problem
from erphub.platform.secrets import Redactor, Secrets
from erphub.platform.wire import JsonObject
from erphub.wizards import choices as choosing
from erphub.wizards import problems
from erphub.wizards.completion import WizardCompletion
from erphub.wizards.ending import end_wizard
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.options import WizardCompanies
from erphub.wizards.ports import WizardStore

ANSWER_SECONDS = 100.0
"""The longest that working on an answer may hold a worker: a test, and what is listed afterwards."""
ASK: JsonObject = {"next": "ask"}
STOP: JsonObject = {"next": "stop"}
_STEP_TO_ASK_AGAIN = {
    "name_taken": "name",
    "company_connected": "companies",
    "licences_used_up": "companies",
    "connection_changed": "finish",
    "limit_reached": "finish",
}
"""The step that can mend what stood in the way at the end."""
_STAGES_OF_COMPANIES = frozenset({Stage.DATABASES, Stage.PERMISSIONS, Stage.READ})
"""Stages that fail when the companies chosen are no longer what they were."""


@dataclass(frozen=True)
class WizardTasks:
    """The tasks of the machine."""

    store: WizardStore
    attempts: AttemptGuard
    companies: WizardCompanies
    secrets: Secrets
    erp: OpensErp
    redactor: Redactor
    completion: WizardCompletion
    tester: ConnectionTester

    @deadlines.at_most(ANSWER_SECONDS)
    def process_answer(self, client_id: str, wizard_id: str) -> JsonObject:
        """Work on the answer that was kept last. Raises Unavailable."""
        while True:
            wizard = self.store.get(client_id, wizard_id)
            if wizard is not None and wizard.status is WizardStatus.FINISHED:
                self.completion.cleanup.after(wizard)
                return STOP
            if wizard is None or wizard.status is not WizardStatus.WORKING:
                return STOP
            try:
                return self._work_on(wizard) if wizard.answered else self._reload_lists(wizard)
            except Conflict as error:
                # Cancelled, or answered anew, while we worked: what is written there now counts.
                now = self.store.get(client_id, wizard_id)
                if now is not None and now.version == wizard.version:
                    return self._ask_again(wizard, as_problem(error))

    def _reload_lists(self, wizard: Wizard) -> JsonObject:
        """Look again, with the live password, at what the waiting step is chosen from; what was answered stays."""
        step = next(step for step in describe(wizard.erp_system).steps if step.id == wizard.step)
        try:
            system = self._open(wizard)
            wizard, refused = (
                self._list_choices(wizard, step, system)
                if step.listed
                else (self._list_companies(wizard, system), None)
            )
        except (ErpRefused, Invalid, NotFound) as error:
            refused = error
        problem = self.redactor.clean(as_problem(refused)) if refused else None
        self.store.replace(wizard.model_copy(update={"problem": problem}))
        return ASK

    def _list_companies(self, wizard: Wizard, system: ErpAdapter) -> Wizard:
        """Keep the companies that the login can see, to be chosen from."""
        if not isinstance(system, ListsCompanies):
            return wizard
        wizard = self.companies.keep(wizard, [self._clean_company(company) for company in system.companies()])
        listed = wizard.edit.model_copy(update={"companies_listed": True}) if wizard.edit else None
        return wizard.model_copy(update={"edit": listed})

    def _list_choices(self, wizard: Wizard, step: Step, system: ErpAdapter) -> tuple[Wizard, ErpRefused | None]:
        """Keep what a step can be chosen from in the companies in use. Raises Unavailable, keeping what was known.

        A company that will not say is no reason to stop: why it will not is told beside what the others have.
        """
        refused: ErpRefused | None = None
        if not isinstance(system, ListsOptions):
            return wizard, None
        for field in step.listed:
            found, why = choosing.load_choices(system, field, self.companies.in_use(wizard))
            wizard = self.companies.keep_choices(wizard, field, found)
            wizard = wizard.model_copy(update={"loaded_lists": sorted({*wizard.loaded_lists, field.name})})
            refused = refused or why
        return wizard, refused

    def _load_further_lists(self, wizard: Wizard) -> tuple[Wizard, ErpRefused | None]:
        """With the companies chosen, list what further steps choose from in them.

        A step where nothing is left to choose is answered with that; an answer that no longer fits is asked for again.
        """
        refused: ErpRefused | None = None
        for step in choosing.listed_steps(describe(wizard.erp_system)):
            wizard, why = self._list_choices(wizard, step, self._open(wizard))
            refused = refused or why
            given = wizard.answers.get(step.id, {})
            answer = {field.name: self._resolved(wizard, field, given, why) for field in step.listed}
            others = {name: one for name, one in wizard.answers.items() if name != step.id}
            complete = all(value is not None for value in answer.values())
            wizard = wizard.model_copy(update={"answers": others | ({step.id: given | answer} if complete else {})})
        return wizard, refused

    def _resolved(
        self, wizard: Wizard, field: Field, given: Mapping[str, Any], refused: ErpRefused | None
    ) -> object | None:
        """What needs no asking. When a company did not say what it has, only `all` is sure to fit."""
        before = given.get(field.name)
        if refused is not None:
            return before if before == choosing.ALL else None
        return choosing.resolve_choice(
            field, before, self.companies.options.choices(wizard, field.name), self.companies.in_use(wizard)
        )

    def _work_on(self, wizard: Wizard) -> JsonObject:
        description = describe(wizard.erp_system)
        step = next(step for step in description.steps if step.id == wizard.answered)
        notice = None
        try:
            wizard = self._evaluate(wizard, step)
            if step.id == "companies" and wizard.problem is None:
                wizard, notice = self._load_further_lists(wizard)
        except (ErpRefused, Invalid, NotFound) as error:
            if step.tests:
                self.attempts.record(_attempt(wizard), as_problem(error))
            return self._ask_again(wizard, as_problem(error))
        if wizard.problem is not None:
            if step.tests:
                self.attempts.record(_attempt(wizard), wizard.problem)
            return self._ask_again(wizard, wizard.problem)
        open_steps = [one.id for one in description.steps if one.id not in wizard.answers]
        if not open_steps:
            return self._finish(wizard)
        problem = self.redactor.clean(as_problem(notice)) if notice else None
        self.store.replace(wizard.model_copy(update={"step": open_steps[0], "problem": problem}))
        return ASK

    def _evaluate(self, wizard: Wizard, step: Step) -> Wizard:
        """What the answer leads to before the next step is asked; a problem on the wizard asks the same one again."""
        if any(field.name not in wizard.loaded_lists for field in step.listed):
            wizard, _ = self._list_choices(wizard, step, self._open(wizard))
            answer = wizard.answers[step.id]
            checked = {field.name: self._check_choice(wizard, field, answer[field.name]) for field in step.listed}
            wizard = wizard.model_copy(update={"answers": {**wizard.answers, step.id: answer | checked}})
        if step.tests or step.depends_on_server:
            system = self._open(wizard, with_choices=step.id != "companies")
            probes = probes_of(system, self.redactor)
            if step.tests and _no_longer_fits(wizard, probes):
                # A good password must not depend on companies that are gone: they are chosen again.
                again = choosing.steps_listed_by_server(describe(wizard.erp_system))
                answers = {name: one for name, one in wizard.answers.items() if name not in again}
                return self._evaluate(wizard.model_copy(update={"answers": answers}), step)
            wizard = wizard.model_copy(update={"probes": [probe.as_json() for probe in probes]})
            if not passed(probes):
                return wizard.model_copy(update={"problem": problem_of_failed(probes)})
            if step.tests or (wizard.edit and not wizard.edit.companies_listed):
                wizard = self._list_companies(wizard, system)
            if step.id == "companies" and wizard.edit:
                choosing.check_companies(self.companies.options.companies(wizard), wizard.settings.get("companies"))
        return wizard

    def _check_choice(self, wizard: Wizard, field: Field, answer: object) -> object:
        return choosing.check_choice(field, answer, self.companies.options.choices(wizard, field.name))

    def _open(self, wizard: Wizard, *, with_choices: bool = True) -> ErpAdapter:
        """The system as answered so far, or before anything was chosen from its lists."""
        settings = wizard.settings
        if not with_choices:
            settings = choosing.without_choices(describe(wizard.erp_system), settings)
        secret = self.secrets.get(wizard.secret_in_use)
        self.redactor.redact(secret.values())
        return self.erp.open(wizard.erp_system, settings, secret, wizard.secret_in_use)

    def _clean_company(self, company: FoundCompany) -> FoundCompany:
        return FoundCompany(company.key, company.name, self.redactor.clean(company.problem), company.attributes)

    def _ask_again(self, wizard: Wizard, problem: JsonObject) -> JsonObject:
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
            self.completion.complete(wizard)
        except Gone as error:
            return self._ask_again(wizard, as_problem(error))
        except Conflict as error:
            step = _STEP_TO_ASK_AGAIN.get(error.code)
            if step is None:
                raise
            # The last step asked for nothing, so it is an earlier one that is asked again.
            kept = {name: answer for name, answer in wizard.answers.items() if name != wizard.answered}
            return self._ask_again(wizard.model_copy(update={"answered": step, "answers": kept}), as_problem(error))
        return STOP

    def test_connection(self, client_id: str, connection_id: str, test_id: str, user_id: str) -> JsonObject:
        """Test a connection that is kept, as somebody asked by hand: a try like an answer's. Raises Unavailable."""
        done = self.tester.test(client_id, connection_id, test_id)
        connection = self.tester.connections.get(client_id, connection_id)
        test = connection.last_test if connection else None
        if connection and test and user_id and test.id == test_id and test.problem and not test.has_passed:
            target = describe(connection.erp_system).target(connection.settings)
            self.attempts.record(Attempt(f"test {test_id}", client_id, connection_id, target, user_id), test.problem)
        return done

    def record_failure(self, client_id: str, wizard_id: str) -> JsonObject:
        """The answer could not be worked on, however often it was tried: say so and ask the step again.

        What follows a wizard's end asks nobody: it is only tried again, and raises until the execution has failed and
        whoever sweeps up comes.
        """
        wizard = self.store.get(client_id, wizard_id)
        if wizard is not None and wizard.status is WizardStatus.FINISHED:
            self.completion.cleanup.after(wizard)
            return STOP
        if wizard is None or wizard.status is not WizardStatus.WORKING:
            return STOP
        error = problems.NOT_TRIED_OUT()
        tested = next((step.tests for step in describe(wizard.erp_system).steps if step.id == wizard.answered), False)
        if tested:  # a server that held every try until it was given up was tried all the same
            self.attempts.record(_attempt(wizard), as_problem(error))
        return self._ask_again(wizard, as_problem(error) | {"status": 503, "title": "Not available now"})

    def finish(self, client_id: str, wizard_id: str, reason: str) -> JsonObject:
        """The machine has ended: write down why, unless somebody has, and forget the password of what never was."""
        wizard = self.store.get(client_id, wizard_id)
        if wizard is None:
            return STOP
        status = WizardStatus.EXPIRED if reason == "expired" else WizardStatus.FAILED
        error = problems.WIZARD_ABORTED()
        wizard = end_wizard(self.store, wizard, status, None if reason == "expired" else as_problem(error))
        if wizard.status is WizardStatus.FINISHED:
            self.completion.cleanup.after(wizard)
        else:
            self.completion.cleanup.undo(wizard)
            self.companies.options.delete(wizard)
            self.store.mark_cleaned_up(wizard)
        return STOP

    def execution_ended(self, client_id: str, event: Mapping[str, Any]) -> JsonObject:
        """An execution ended without cleaning up after itself: do it here."""
        if "wizard_id" in event:
            return self.finish(client_id, event["wizard_id"], "failed")
        return self.tester.execution_ended(client_id, event["connection_id"], event["test_id"])


def _no_longer_fits(wizard: Wizard, probes: Sequence[Probe]) -> bool:
    """Whether an edit's login works and only what had been chosen does not."""
    failed = next((probe for probe in probes if probe.outcome is Outcome.FAILED), None)
    chosen = any(step.depends_on_server and step.id in wizard.answers for step in describe(wizard.erp_system).steps)
    return wizard.edit is not None and chosen and failed is not None and failed.stage in _STAGES_OF_COMPANIES


def _attempt(wizard: Wizard) -> Attempt:
    """The answer that is being tried out."""
    by, target = wizard.answered_by, describe(wizard.erp_system).target(wizard.settings)
    ids = f"{wizard.id} {wizard.answered_at}", wizard.client_id, wizard.connection_id, target
    return Attempt(*ids, by.user, by.email, by.source) if by else Attempt(*ids, wizard.owner)
