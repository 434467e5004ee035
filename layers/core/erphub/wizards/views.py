"""A wizard as its user sees it."""

from erphub.erp.catalogue import describe
from erphub.erp.description import Description, Step
from erphub.erp.forms import step_schema
from erphub.erp.probes import ProbeView
from erphub.wizards import choices as choosing
from erphub.wizards import problems
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.schemas import StepStatus, StepView, WizardView


def find_step(description: Description, step_id: str) -> Step:
    """The step of this id. Raises NotFound."""
    for step in description.steps:
        if step.id == step_id:
            return step
    raise problems.STEP_NOT_FOUND()


def wizard_view(wizard: Wizard) -> WizardView:
    """The wizard as its user sees it."""
    waits = wizard.step if wizard.status.is_open else None
    return WizardView(
        id=wizard.id,
        erp_system=wizard.erp_system,
        status=wizard.status,
        step=waits,
        steps=[_step_view(wizard, step, waits) for step in describe(wizard.erp_system).steps],
        probes=[ProbeView.model_validate(probe) for probe in wizard.probes],
        problem=wizard.problem,
        notice=_notice(wizard),
        connection_id=wizard.connection_id if wizard.edit or wizard.status is WizardStatus.FINISHED else None,
        expires_at=wizard.expires_at,
        version=wizard.version,
    )


def _notice(wizard: Wizard) -> str | None:
    """What is left out of the lists, and how to come by it."""
    if not wizard.status.is_open:
        return None
    sentences = [
        f"Of the {name}, {count:,} more than are listed here are left out. Choose fewer companies to see all of theirs."
        for name, count in wizard.choices_omitted.items()
        if count
    ]
    if wizard.companies_omitted:
        sentences.insert(
            0,
            f"The login sees {wizard.companies_omitted:,} companies more than are listed here. To find one of them, ask"
            " for the companies again with words that stand in its name (POST …/steps/companies/refresh?search=…).",
        )
    return " ".join(sentences) or None


def _step_view(wizard: Wizard, step: Step, waits: str | None) -> StepView:
    answer = wizard.answers.get(step.id)
    given = StepStatus.LATER if answer is None else StepStatus.DONE
    status = StepStatus.WAITING if step.id == waits else given
    if answer is None and wizard.refused and wizard.answered == step.id:
        answer = wizard.refused
    if answer is None and wizard.edit and step.id in choosing.steps_listed_by_server(describe(wizard.erp_system)):
        # What was chosen until now is a good suggestion, though it has to be chosen again; too many are only counted.
        before = wizard.edit.original_answers.get(step.id, {})
        answer = before if all(value == "all" or not isinstance(value, str) for value in before.values()) else None
    return StepView(id=step.id, title=step.title, help=step.help, form=step_schema(step), answer=answer, status=status)
