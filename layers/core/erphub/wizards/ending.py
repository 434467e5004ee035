"""How a wizard ends before its connection is made: what was entered and listed goes with it."""

from dataclasses import dataclass

from erphub.platform.errors import Conflict
from erphub.platform.secrets import Secrets
from erphub.platform.wire import JsonObject
from erphub.wizards import problems
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.ports import ListedOptions, WizardStore

_MAX_ATTEMPTS = 5
_ENDS = {
    WizardStatus.EXPIRED: problems.WIZARD_EXPIRED,
    WizardStatus.CANCELLED: problems.WIZARD_CANCELLED,
    WizardStatus.FAILED: problems.WIZARD_FAILED,
}


@dataclass(frozen=True)
class WizardEnding:
    """Ends wizards, and removes their passwords and what was listed for them."""

    store: WizardStore
    options: ListedOptions
    secrets: Secrets

    def end(self, wizard: Wizard, status: WizardStatus, *, as_read: bool = False) -> None:
        """End a wizard; one that has ended stays as it is. Raises Conflict (`wizard_finished`).

        `as_read`: only while it is what was read. Raises Conflict (`version_conflict`).
        """
        ended = end_wizard(self.store, wizard, status, as_read=as_read)
        if ended.status is WizardStatus.FINISHED:
            raise problems.CONNECTION_JUST_CREATED()
        self.secrets.delete(wizard.secret_name)
        self.options.delete(wizard)


def end_wizard(
    store: WizardStore,
    wizard: Wizard,
    status: WizardStatus,
    problem: JsonObject | None = None,
    *,
    as_read: bool = False,
) -> Wizard:
    """Write down that the wizard has ended, unless it has already; returns it as it then is. Raises Conflict.

    `as_read`: a wizard that has changed since it was read is left alone, and the Conflict raised.
    """
    for _ in range(_MAX_ATTEMPTS):
        if not wizard.status.is_open:
            return wizard
        try:
            return store.replace(wizard.model_copy(update={"status": status, "problem": problem, "answer_lease": None}))
        except Conflict:
            if as_read:
                raise
            wizard = store.get(wizard.client_id, wizard.id) or wizard
    raise problems.WIZARD_CHANGES_TOO_FAST()


def require_open(wizard: Wizard) -> None:
    """Raises Conflict (`wizard_finished`), Gone when it has ended otherwise."""
    if wizard.status is WizardStatus.FINISHED:
        raise problems.WIZARD_FINISHED()
    if not wizard.status.is_open:
        raise _ENDS[wizard.status]()
