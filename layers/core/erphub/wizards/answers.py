"""What a wizard's user answers: checked, kept, and the machine woken to work on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.connections.capability import TESTS
from erphub.erp.catalogue import describe
from erphub.erp.description import AnswerRole, Description, Step
from erphub.erp.forms import AnswerContext, clean_answer
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.identity import Member
from erphub.platform.limits import Limits, Owner
from erphub.platform.secrets import Redactor, Secrets
from erphub.platform.versions import is_wanted
from erphub.wizards import choices as choosing
from erphub.wizards import problems
from erphub.wizards.access import WizardAccess
from erphub.wizards.answer_checks import AnswerChecks
from erphub.wizards.ending import require_open
from erphub.wizards.machine import WizardMachine
from erphub.wizards.models import AnsweredBy, AnswerLease, Wizard, WizardStatus
from erphub.wizards.ports import WizardStore
from erphub.wizards.schemas import RefreshQuery, WizardView
from erphub.wizards.views import find_step, wizard_view

ANSWER_LEASE_DURATION = timedelta(seconds=30)
"""After this an answer that was being taken is taken for lost (a request ends after 29 seconds)."""
_MAX_WAKING_TIME = timedelta(seconds=60)
_MOVED_ON = "The wizard has moved on. Look at it again, then answer."
_BUSY = "The wizard is still working on an answer. Look at it again in a moment."


@dataclass(frozen=True)
class AnswerService:
    """Takes answers. The lease on a wizard lies in its item: the write that keeps the answer ends it."""

    store: WizardStore
    access: WizardAccess
    checks: AnswerChecks
    secrets: Secrets
    machine: WizardMachine
    redactor: Redactor
    clock: Clock
    limits: Limits

    def refresh(self, member: Member, wizard_id: str, step_id: str, query: RefreshQuery, sent: datetime) -> WizardView:
        """Have the ERP asked again what a step can be chosen from; then the wizard waits at that step.

        What was answered stays. Raises NotFound, Gone, Invalid (`nothing_listed`), Conflict as `answer` does.
        """
        wizard = self.access.find_open(member, wizard_id)
        description = describe(wizard.erp_system)
        step = find_step(description, step_id)
        if step.id != "companies" and not step.listed:
            raise problems.NOTHING_LISTED()
        if wizard.answered_at is not None and sent < wizard.answered_at:
            raise problems.STEP_ANSWERED()
        self._require_answerable(wizard, description, step)
        changes: dict[str, Any] = {
            "answered": None,
            "answered_at": self.clock(),
            "answered_by": AnsweredBy.of(member),
            "step": step.id,
            "company_search": query.search or "",
            "refused": None,
            "status": WizardStatus.WORKING,
            "problem": None,
            "expires_at": self.machine.expires_at(),
        }
        after = self.store.replace(wizard.model_copy(update=changes))
        self.machine.wake(after)
        return wizard_view(after)

    def answer(
        self,
        member: Member,
        wizard_id: str,
        step_id: str,
        body: Mapping[str, Any],
        sent: datetime,
        version: int | None = None,
    ) -> WizardView:
        """Take the answer to a step, keep it, and wake the machine. `sent`: when the user sent it.

        `version` is the wizard's that was answered, as is one in the body; None when that does not matter.

        Raises NotFound, Gone (ended), Conflict (`step_not_open`, `step_being_answered`, `step_answered`,
        `version_conflict`, `name_taken`), Invalid, TooMany (`too_many_attempts`, `limit_reached`).
        """
        wizard = self.access.find_open(member, wizard_id)
        answer = dict(body)
        said = answer.pop("version", None)
        if not is_wanted(version, wizard.version) or said not in (None, wizard.version):
            raise problems.WIZARD_MOVED_ON()
        if wizard.answered_at is not None and sent < wizard.answered_at:
            # However late it got here: when it was sent, its sender cannot have seen the answer that was taken.
            raise problems.STEP_ANSWERED()
        description = describe(wizard.erp_system)
        step = find_step(description, step_id)
        self._require_answerable(wizard, description, step)
        if step.tests:
            self.limits.take(TESTS, Owner(LimitScope.CLIENT, wizard.client_id))
        if wizard.edit:
            self.checks.require_current(wizard, description)
        self.redactor.redact(str(answer[field.name]) for field in step.fields if field.secret and field.name in answer)
        # What was refused last is what the passwords that are kept were given for.
        refused = wizard.refused if wizard.answered == step.id else None
        known = AnswerContext({**(refused or {}), **wizard.settings}, frozenset(wizard.secrets))
        settings, secrets = clean_answer(step, answer, known)
        settings = self.checks.check(member, wizard, step, settings)
        if step.tests:
            self.checks.attempts.require_allowed(member.user, member.client_id, description.target(settings))
        if secrets:
            wizard = self._keep_secrets(wizard, step, secrets)
        after = self._record(wizard.model_copy(update={"answered_by": AnsweredBy.of(member)}), step, settings, secrets)
        self.machine.wake(after)
        return wizard_view(after)

    def _require_answerable(self, wizard: Wizard, description: Description, step: Step) -> None:
        if wizard.status is WizardStatus.WORKING and not self._was_never_woken(wizard, step):
            raise problems.WIZARD_AT_WORK()
        order = [one.id for one in description.steps]
        missing = next((name for name in order if name not in wizard.answers), order[-1])
        if order.index(step.id) > order.index(missing):
            raise problems.STEP_COMES_LATER(missing=missing)
        lease = wizard.answer_lease
        if lease is None:
            return
        if self.clock() - lease.at < ANSWER_LEASE_DURATION:
            raise problems.STEP_BEING_ANSWERED()
        if lease.step != step.id:
            raise problems.STEP_UNFINISHED(step=lease.step)

    def _was_never_woken(self, wizard: Wizard, step: Step) -> bool:
        """Whether what is being worked on was kept by a request that died before it woke the machine."""
        since = wizard.answered_at
        return wizard.answered in (step.id, None) and since is not None and self.clock() - since > _MAX_WAKING_TIME

    def _keep_secrets(self, wizard: Wizard, step: Step, secrets: Mapping[str, str]) -> Wizard:
        """Lease the wizard, then write the secret: nobody else's answer can come between password and settings."""
        leased = self.store.replace(
            wizard.model_copy(update={"answer_lease": AnswerLease(step=step.id, at=self.clock())})
        )
        try:
            kept = self.secrets.get(wizard.secret_in_use) if set(wizard.secrets) - set(secrets) else {}
            self.secrets.put(wizard.secret_name, {**kept, **secrets}, wizard.client_id)
        except Exception:
            # Nothing was taken, so the next attempt need not wait until the lease has grown old.
            self.store.replace(leased.model_copy(update={"answer_lease": None}))
            raise
        return leased

    def _record(self, wizard: Wizard, step: Step, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Wizard:
        moved = step.tests and _means_another_login(wizard, step, settings)
        dropped = {step.id, *(choosing.steps_listed_by_server(describe(wizard.erp_system)) if moved else ())}
        answers = {name: answer for name, answer in wizard.answers.items() if name not in dropped}
        changes: dict[str, Any] = {
            "answers": answers | {step.id: dict(settings)},
            "loaded_lists": [] if moved or step.id == "companies" else wizard.loaded_lists,
            "refused": None,
            "answered": step.id,
            "answered_at": self.clock(),
            "step": step.id,
            "secrets": sorted({*wizard.secrets, *secrets}),
            "status": WizardStatus.WORKING,
            "edit": wizard.edit.model_copy(update={"has_own_secret": wizard.edit.has_own_secret or bool(secrets)})
            if wizard.edit
            else None,
            "answer_lease": None,
            "problem": None,
            "probes": [] if step.tests else wizard.probes,
            "expires_at": self.machine.expires_at(),
        }
        try:
            return self.store.replace(wizard.model_copy(update=changes))
        except Conflict:
            now = self.store.get(wizard.client_id, wizard.id) or wizard
            if secrets and not now.status.is_open and now.status is not WizardStatus.FINISHED:
                self.secrets.delete(wizard.secret_name)
            require_open(now)
            raise


def _means_another_login(wizard: Wizard, step: Step, settings: Mapping[str, Any]) -> bool:
    """Whether an answer means another server or login; in an edit, a new password alone changes no choice."""
    before = wizard.answers.get(step.id) or (wizard.refused if wizard.answered == step.id else None)
    if wizard.edit is None or before is None:
        return True
    shared = dict.fromkeys(field.name for field in step.fields if field.role is AnswerRole.SHARED)
    return {**before, **shared} != {**settings, **shared}
