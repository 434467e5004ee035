"""The wizard as people use it: started, looked at, answered, cancelled. `connecting` has what happens in between.

An answer is safe once it is kept, and the machine is only woken: it reads what to do from the wizard itself. So nothing
secret passes through it, and being woken twice, late or never loses nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.companies.schemas import CompanySearch
from erphub.companies.service import CompanyRegistry
from erphub.connections.access import ConnectionAccess
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.catalogue import describe
from erphub.erp.description import AnswerRole, Description, Step
from erphub.erp.forms import AnswerContext, clean_answer, step_schema
from erphub.erp.probes import ProbeView
from erphub.erp.system import FoundCompany
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, Gone, Invalid, NotFound
from erphub.platform.identity import Member
from erphub.platform.secrets import Redactor, Secrets
from erphub.platform.state_machines import StateMachine
from erphub.platform.text import clean_name
from erphub.wizards import choices as choosing
from erphub.wizards.drafts import answers, changed_meanwhile, opened
from erphub.wizards.models import AnsweredBy, AnswerLease, Edit, Wizard, WizardStatus
from erphub.wizards.ports import WizardStore
from erphub.wizards.schemas import (
    AskOwner,
    ChoiceSearch,
    FoundChoicePage,
    FoundChoiceView,
    FoundCompanyPage,
    FoundCompanyView,
    StartWizard,
    StepState,
    StepView,
    WizardView,
)

CLAIM_LASTS = timedelta(seconds=30)
"""After this an answer that was being taken is taken for lost (a request ends after 29 seconds)."""
_WAKING = timedelta(seconds=60)
_LONGEST_START = 5.0
_MOVED_ON = "The wizard has moved on. Look at it again, then answer."
_BUSY = "The wizard is still working on an answer. Look at it again in a moment."


@dataclass(frozen=True)
class WizardService:
    """The use-cases behind the wizard's routes."""

    store: WizardStore
    connections: ConnectionStore
    secrets: Secrets
    machine: StateMachine
    redactor: Redactor
    clock: Clock
    ids: Ids
    answer_seconds: int
    editors: ConnectionAccess
    identities: CompanyRegistry
    pause: Callable[[float], None] = time.sleep

    def start(self, member: Member, body: StartWizard) -> WizardView:
        """Start a wizard and give it back when a step can be answered. Raises Invalid, and as `_edit` does."""
        if body.connection_id is not None:
            if body.erp_system is not None:
                raise Invalid.field("/erp_system", "not_applicable", "A connection is edited with the system it has.")
            return self._edit(member, body.connection_id, body.step)
        if body.erp_system is None:
            raise Invalid.field("/erp_system", "missing", "Name the ERP system to connect, or a connection to edit.")
        if body.step is not None:
            raise Invalid.field("/step", "not_applicable", "Only an edit begins at a step of your choice.")
        try:
            description = describe(body.erp_system)
        except NotFound as error:
            raise Invalid.field("/erp_system", error.code, error.detail) from error
        return self._begin(self._new(member, description.id, description.steps[0].id, self.ids()), list_companies=False)

    def _new(self, member: Member, erp_system: str, step: str, connection_id: str) -> Wizard:
        wizard_id, now = self.ids(), self.clock()
        return Wizard(
            id=wizard_id,
            client_id=member.client_id,
            customer_id=member.customer_id,
            erp_system=erp_system,
            owner=member.user,
            answered_by=_asker(member),
            status=WizardStatus.WORKING,
            step=step,
            connection_id=connection_id,
            execution=self.machine.execution(wizard_id),
            created_at=now,
            expires_at=now + timedelta(seconds=self.answer_seconds),
        )

    def _begin(self, wizard: Wizard, *, list_companies: bool) -> WizardView:
        self.store.create(wizard)
        input: dict[str, Any] = {"client_id": wizard.client_id, "wizard_id": wizard.id}
        self.machine.start(wizard.id, input | ({"list_companies": True} if list_companies else {}))
        return view(self._when_it_waits(wizard))

    def _edit(self, member: Member, connection_id: str, step_id: str | None) -> WizardView:
        """Start a draft of a connection. Raises NotFound, Forbidden, Invalid, Conflict (`connection_deleting`)."""
        connection = self.editors.connection(member, connection_id)
        if connection.is_being_deleted:
            raise Conflict("The connection is being deleted. Restore it first.", code="connection_deleting")
        description = describe(connection.erp_system)
        try:
            step = _step(description, step_id) if step_id else description.steps[0]
        except NotFound as error:
            raise Invalid.field("/step", error.code, error.detail) from error
        companies = [company.key for company in self.connections.companies(member.client_id, connection_id)]
        given = answers(connection, companies, description)
        draft = Edit(version=connection.version, secret_name=connection.secret_name, opened=opened(given))
        # Companies are listed anew with the live password, unless the ERP is known to refuse it: a user there who
        # gives a wrong one too often is locked out.
        known = connection.status is not ConnectionStatus.REAUTH_REQUIRED
        wizard = self._new(member, description.id, step.id, connection_id)
        changes = {"answers": given, "edit": draft, "secrets": self._secrets_of(connection)}
        return self._begin(
            wizard.model_copy(update=changes),
            list_companies=known and step.id in choosing.shown_by_the_server(description),
        )

    def _secrets_of(self, connection: Connection) -> list[str]:
        """The names of the passwords that are kept; none when somebody removed them."""
        try:
            return sorted(self.secrets.get(connection.secret_name))
        except NotFound:
            return []

    def _when_it_waits(self, wizard: Wizard) -> Wizard:
        """The wizard as soon as its machine waits for an answer; as it is when that takes long."""
        waited = 0.0
        while wizard.status is WizardStatus.WORKING and waited < _LONGEST_START:
            self.pause(0.05)
            waited += 0.05
            wizard = self._read(wizard.client_id, wizard.id)
        return wizard

    def get(self, member: Member, wizard_id: str) -> WizardView:
        """Where the wizard stands. Raises NotFound."""
        return view(self._open_to(member, wizard_id))

    def companies(self, member: Member, wizard_id: str, query: CompanySearch) -> FoundCompanyPage:
        """A page of the companies the login can see. Raises NotFound, Gone."""
        wizard = self._open_to(member, wizard_id)
        _require_open(wizard)
        found, following = self._found(wizard, query)
        elsewhere = self.identities.elsewhere(member, wizard.erp_system, found, wizard.connection_id)
        items = [
            FoundCompanyView(key=one.key, name=one.name, problem=one.problem, elsewhere=elsewhere.get(one.key))
            for one in found
        ]
        return FoundCompanyPage(items=items, next=following)

    def _found(self, wizard: Wizard, query: CompanySearch) -> tuple[Sequence[FoundCompany], str | None]:
        """The companies that were listed; in an edit that has not listed them yet, those in use."""
        what = query.search or "", query.limit, query.next
        if wizard.edit is None or wizard.edit.listed:
            return self.store.companies(wizard, *what)
        used, following = self.connections.search_companies(wizard.client_id, wizard.connection_id, *what)
        return [FoundCompany(one.key, one.name, None, one.facts) for one in used], following

    def choices(self, member: Member, wizard_id: str, field: str, query: ChoiceSearch) -> FoundChoicePage:
        """A page of what a field can be chosen from. Raises NotFound (`choices_not_found`), Gone."""
        wizard = self._open_to(member, wizard_id)
        _require_open(wizard)
        steps = choosing.listed_steps(describe(wizard.erp_system))
        if not any(field == one.name for step in steps for one in step.listed):
            raise NotFound("The wizard lists nothing under that name.", code="choices_not_found")
        found, following = self.store.choices(wizard, field, query.search or "", query.limit, query.next)
        items = [
            FoundChoiceView(key=one.key, name=one.name, company=one.company, company_name=one.company_name)
            for one in found
        ]
        return FoundChoicePage(items=items, next=following)

    def refresh(self, member: Member, wizard_id: str, step_id: str, sent: datetime) -> WizardView:
        """Have the ERP asked again what a step can be chosen from; then the wizard waits at that step.

        What was answered stays. Raises NotFound, Gone, Invalid (`nothing_listed`), Conflict as `answer` does.
        """
        wizard = self._open_to(member, wizard_id)
        _require_open(wizard)
        description = describe(wizard.erp_system)
        step = _step(description, step_id)
        if step.id != "companies" and not step.listed:
            raise Invalid("This step is not chosen from what the ERP lists.", code="nothing_listed")
        if wizard.answered_at is not None and sent < wizard.answered_at:
            raise Conflict(_MOVED_ON, code="step_answered")
        self._require_answerable(wizard, description, step)
        changes: dict[str, Any] = {
            "answered": None,
            "answered_at": self.clock(),
            "answered_by": _asker(member),
            "step": step.id,
            "refused": None,
            "status": WizardStatus.WORKING,
            "problem": None,
            "expires_at": self.clock() + timedelta(seconds=self.answer_seconds),
        }
        after = self.store.replace(wizard.model_copy(update=changes))
        self._wake(after)
        return view(after)

    def ask_owner(self, member: Member, wizard_id: str, body: AskOwner) -> None:
        """Ask whoever has a company in a connection already for access. Raises NotFound, Gone, Invalid, Conflict."""
        wizard = self._open_to(member, wizard_id)
        _require_open(wizard)
        found = next((one for one in self.store.all_companies(wizard) if one.key == body.company), None)
        if found is None:
            raise Invalid.field("/company", "company_unknown", "No such company was found.")
        self.identities.ask_owner(member, wizard.erp_system, found, wizard.connection_id)

    def answer(
        self, member: Member, wizard_id: str, step_id: str, body: Mapping[str, Any], sent: datetime
    ) -> WizardView:
        """Take the answer to a step, keep it, and wake the machine. `sent`: when the user sent it.

        Raises NotFound, Gone (ended), Conflict (`step_not_open`, `step_being_answered`, `step_answered`,
        `version_conflict`, `name_taken`), Invalid.
        """
        wizard = self._open_to(member, wizard_id)
        _require_open(wizard)
        answer = dict(body)
        version = answer.pop("version", None)
        if version is not None and version != wizard.version:
            raise Conflict(_MOVED_ON, code="version_conflict")
        if wizard.answered_at is not None and sent < wizard.answered_at:
            # However late it got here: when it was sent, its sender cannot have seen the answer that was taken.
            raise Conflict(_MOVED_ON, code="step_answered")
        description = describe(wizard.erp_system)
        step = _step(description, step_id)
        self._require_answerable(wizard, description, step)
        if wizard.edit:
            self._require_current(wizard, description)
        self.redactor.hide(str(answer[field.name]) for field in step.fields if field.secret and field.name in answer)
        # What was refused last is what the passwords that are kept were given for.
        refused = wizard.refused if wizard.answered == step.id else None
        known = AnswerContext({**(refused or {}), **wizard.settings}, frozenset(wizard.secrets))
        settings, secrets = clean_answer(step, answer, known)
        self._check(member, wizard, step, settings)
        if secrets:
            wizard = self._keep_secrets(wizard, step, secrets)
        after = self._record(wizard.model_copy(update={"answered_by": _asker(member)}), step, settings, secrets)
        self._wake(after)
        return view(after)

    def _require_answerable(self, wizard: Wizard, description: Description, step: Step) -> None:
        if wizard.status is WizardStatus.WORKING and not self._was_never_woken(wizard, step):
            raise Conflict(_BUSY, code="step_not_open")
        order = [one.id for one in description.steps]
        missing = next((name for name in order if name not in wizard.answers), order[-1])
        if order.index(step.id) > order.index(missing):
            raise Conflict(f"This step comes later. The wizard waits for an answer to {missing}.", code="step_not_open")
        claim = wizard.claim
        if claim is None:
            return
        if self.clock() - claim.at < CLAIM_LASTS:
            raise Conflict("Another answer is being taken at this moment.", code="step_being_answered")
        if claim.step != step.id:
            raise Conflict(
                f"The last answer to {claim.step} was cut off. Answer that step again first.", code="step_unfinished"
            )

    def _was_never_woken(self, wizard: Wizard, step: Step) -> bool:
        """Whether what is being worked on was kept by a request that died before it woke the machine."""
        since = wizard.answered_at
        return wizard.answered in (step.id, None) and since is not None and self.clock() - since > _WAKING

    def _require_current(self, wizard: Wizard, description: Description) -> None:
        """Refuse what was made from a connection that is no longer so. Raises Gone, Conflict (`connection_changed`)."""
        live = self.connections.get(wizard.client_id, wizard.connection_id)
        if live is None or live.is_being_deleted:
            raise Gone("The connection is being deleted. Restore it first.", code="connection_deleting")
        if wizard.edit and live.version != wizard.edit.version:
            companies = self.connections.companies(wizard.client_id, wizard.connection_id)
            raise changed_meanwhile(wizard, live, companies, description)

    def _check(self, member: Member, wizard: Wizard, step: Step, settings: dict[str, Any]) -> None:
        """What only the hub knows about an answer: which companies were found and are whose, which names are taken."""
        if step.id == "companies" and (wizard.edit is None or wizard.edit.listed):
            found = self.store.all_companies(wizard)
            choosing.check_companies(found, settings["companies"])
            self.identities.require_free(
                member,
                wizard.erp_system,
                choosing.chosen(found, settings["companies"]),
                wizard.connection_id,
                knowingly=bool(settings.get("connected_elsewhere")),
            )
        for field in step.listed:
            if field.name in wizard.listed:
                found = self.store.all_choices(wizard, field.name)
                settings[field.name] = choosing.checked(field, settings[field.name], found)
        if step.id == "name":
            settings["name"] = clean_name(settings["name"], "/name")
            if self.connections.is_taken(wizard.client_id, settings["name"], wizard.connection_id):
                raise Conflict(
                    "Another connection of this client has that name. Choose a different one.", code="name_taken"
                )

    def _keep_secrets(self, wizard: Wizard, step: Step, secrets: Mapping[str, str]) -> Wizard:
        """Claim the wizard, then write the secret: nobody else's answer can come between password and settings."""
        claimed = self.store.replace(wizard.model_copy(update={"claim": AnswerLease(step=step.id, at=self.clock())}))
        try:
            kept = self.secrets.get(wizard.secret_in_use) if set(wizard.secrets) - set(secrets) else {}
            self.secrets.put(wizard.secret_name, {**kept, **secrets}, wizard.client_id)
        except Exception:
            # Nothing was taken, so the next attempt need not wait until the claim has grown old.
            self.store.replace(claimed.model_copy(update={"claim": None}))
            raise
        return claimed

    def _record(self, wizard: Wizard, step: Step, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Wizard:
        moved = step.tests and _elsewhere(wizard, step, settings)
        dropped = {step.id, *(choosing.shown_by_the_server(describe(wizard.erp_system)) if moved else ())}
        answers = {name: answer for name, answer in wizard.answers.items() if name not in dropped}
        changes: dict[str, Any] = {
            "answers": answers | {step.id: dict(settings)},
            "listed": [] if moved or step.id == "companies" else wizard.listed,
            "refused": None,
            "answered": step.id,
            "answered_at": self.clock(),
            "step": step.id,
            "secrets": sorted({*wizard.secrets, *secrets}),
            "status": WizardStatus.WORKING,
            "edit": wizard.edit.model_copy(update={"own_secret": wizard.edit.own_secret or bool(secrets)})
            if wizard.edit
            else None,
            "claim": None,
            "problem": None,
            "probes": [] if step.tests else wizard.probes,
            "expires_at": self.clock() + timedelta(seconds=self.answer_seconds),
        }
        try:
            return self.store.replace(wizard.model_copy(update=changes))
        except Conflict:
            now = self._read(wizard.client_id, wizard.id)
            if secrets and not now.status.open and now.status is not WizardStatus.FINISHED:
                self.secrets.delete(wizard.secret_name)
            _require_open(now)
            raise

    def _wake(self, wizard: Wizard) -> None:
        """Resume the machine. One that ended without a word is said to have: the wizard ends with it."""
        token = self.store.token(wizard)
        try:
            if token is not None:
                self.machine.resume(token, {})
                return
        except Gone:
            if wizard.execution and self.machine.is_running(wizard.execution):
                # Awake already, or on its way to its end, which it will write down itself.
                return
        self._end(wizard, WizardStatus.EXPIRED)
        _require_open(self._read(wizard.client_id, wizard.id))

    def cancel(self, member: Member, wizard_id: str) -> None:
        """End the wizard at once and forget its password. Again is fine. Raises NotFound, Conflict when finished."""
        wizard = self._open_to(member, wizard_id)
        if wizard.status is WizardStatus.FINISHED:
            raise Conflict("The connection has been created. Delete it instead.", code="wizard_finished")
        self._end(wizard, WizardStatus.CANCELLED)
        if wizard.execution:
            self.machine.stop(wizard.execution, "cancelled")

    def _end(self, wizard: Wizard, status: WizardStatus) -> None:
        ended = end(self.store, wizard, status)
        if ended.status is WizardStatus.FINISHED:
            raise Conflict("The connection has just been created. Delete it instead.", code="wizard_finished")
        self.secrets.delete(wizard.secret_name)
        self.store.clean_up(wizard)

    def _open_to(self, member: Member, wizard_id: str) -> Wizard:
        """A wizard that the member may go on with: whose connection they may edit. Raises NotFound, Forbidden."""
        wizard = self._read(member.client_id, wizard_id)
        if wizard.edit:
            try:
                self.editors.connection(member, wizard.connection_id)
            except NotFound:
                if wizard.status.open and wizard.owner != member.user:
                    raise
        elif wizard.owner != member.user:
            # What it shows of an ERP is for others only once its connection has been shared.
            raise NotFound("There is no such wizard.", code="wizard_not_found")
        return wizard

    def _read(self, client_id: str, wizard_id: str) -> Wizard:
        wizard = self.store.get(client_id, wizard_id)
        if wizard is None:
            raise NotFound("There is no such wizard.", code="wizard_not_found")
        return wizard


def end(store: WizardStore, wizard: Wizard, status: WizardStatus, problem: dict[str, Any] | None = None) -> Wizard:
    """Write down that the wizard has ended, unless it has already; returns it as it then is."""
    for _ in range(5):
        if not wizard.status.open:
            return wizard
        try:
            return store.replace(wizard.model_copy(update={"status": status, "problem": problem, "claim": None}))
        except Conflict:
            wizard = store.get(wizard.client_id, wizard.id) or wizard
    raise Conflict("The wizard changes faster than it can be ended. Try again.", code="version_conflict")


def _require_open(wizard: Wizard) -> None:
    if wizard.status is WizardStatus.FINISHED:
        raise Conflict("The wizard has finished; the connection is there.", code="wizard_finished")
    if not wizard.status.open:
        raise Gone(f"The wizard has {_ENDS[wizard.status]}. Start a new one.", code=f"wizard_{wizard.status.value}")


_ENDS = {
    WizardStatus.EXPIRED: "expired",
    WizardStatus.CANCELLED: "been cancelled",
    WizardStatus.FAILED: "failed",
}


def _elsewhere(wizard: Wizard, step: Step, settings: Mapping[str, Any]) -> bool:
    """Whether an answer means another server or login; in an edit, a new password alone changes no choice."""
    before = wizard.answers.get(step.id) or (wizard.refused if wizard.answered == step.id else None)
    if wizard.edit is None or before is None:
        return True
    shared = dict.fromkeys(field.name for field in step.fields if field.role is AnswerRole.SHARED)
    return {**before, **shared} != {**settings, **shared}


def _asker(member: Member) -> AnsweredBy:
    return AnsweredBy(user=member.user, email=member.email, source=member.source)


def _step(description: Description, step_id: str) -> Step:
    for step in description.steps:
        if step.id == step_id:
            return step
    raise NotFound("The wizard has no such step.", code="step_not_found")


def view(wizard: Wizard) -> WizardView:
    """The wizard as its user sees it."""
    waits = wizard.step if wizard.status.open else None
    return WizardView(
        id=wizard.id,
        erp_system=wizard.erp_system,
        status=wizard.status,
        step=waits,
        steps=[_step_view(wizard, step, waits) for step in describe(wizard.erp_system).steps],
        probes=[ProbeView.model_validate(probe) for probe in wizard.probes],
        problem=wizard.problem,
        connection_id=wizard.connection_id if wizard.edit or wizard.status is WizardStatus.FINISHED else None,
        expires_at=wizard.expires_at,
        version=wizard.version,
    )


def _step_view(wizard: Wizard, step: Step, waits: str | None) -> StepView:
    answer = wizard.answers.get(step.id)
    given = StepState.LATER if answer is None else StepState.DONE
    state = StepState.WAITING if step.id == waits else given
    if answer is None and wizard.refused and wizard.answered == step.id:
        answer = wizard.refused
    if answer is None and wizard.edit and step.id in choosing.shown_by_the_server(describe(wizard.erp_system)):
        # What was chosen until now is a good suggestion, though it has to be chosen again; too many are only counted.
        before = wizard.edit.opened.get(step.id, {})
        answer = before if all(value == "all" or not isinstance(value, str) for value in before.values()) else None
    return StepView(id=step.id, title=step.title, help=step.help, form=step_schema(step), answer=answer, state=state)
