"""Wizards and passwords that are found by their age when the news that should have had them removed was lost.

EventBridge gives up after hours of trying and Step Functions tells of an execution's end as best it can, so nothing may
hang on that news alone. Everything here can be done twice, by two at once, and again after dying anywhere."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched

from erphub.connections.ports import ConnectionStore
from erphub.platform import tenants
from erphub.platform.clock import Clock
from erphub.platform.secrets import StoredSecrets
from erphub.platform.state_machines import StateMachine
from erphub.platform.tasks import TimeLeft
from erphub.webhooks.ports import WebhookStore
from erphub.wizards import problems
from erphub.wizards.ports import FinishesWizards, WizardStore

MIN_SECONDS_LEFT = 20.0
"""Seconds that must be left to begin with another one."""
ORPHANED_AFTER = timedelta(days=2)
"""How old a secret that belongs to nothing must be: whoever was going to use it is long gone."""


_BATCH_SIZE = 100

type Report = Callable[[str, Exception], None]
"""Called with one that could not be swept: what it was, and why."""


def sweep_each[T](found: Iterable[T], sweep: Callable[[T], bool], report: Report, time_left: TimeLeft) -> int:
    """Sweep one after the other as long as there is time; how many were. Raises Unavailable when some failed."""
    swept = failed = 0
    for one in found:
        if time_left() < MIN_SECONDS_LEFT:
            break
        try:
            swept += sweep(one)
        except Exception as error:  # noqa: BLE001  one's trouble must not keep the others waiting
            report(str(one), error)
            failed += 1
    if failed:
        raise problems.NOT_SWEPT(failed=failed)
    return swept


@dataclass(frozen=True)
class OverdueWizards:
    """Ends wizards that are past their end, whatever their machine says, and cleans up after them."""

    wizards: WizardStore
    machine: StateMachine
    tasks: FinishesWizards
    clock: Clock
    report: Report

    def sweep(self, time_left: TimeLeft) -> int:
        """Sweep all that are overdue; how many. Raises Unavailable when some could not be, after the others."""
        return sweep_each(list(self.wizards.overdue(self.clock())), self._end, self.report, time_left)

    def _end(self, names: tuple[str, str]) -> bool:
        client_id, wizard_id = names
        wizard = self.wizards.get(client_id, wizard_id)
        if wizard is None or (wizard.status.is_open and self.clock() < wizard.expires_at):
            return False  # answered since the index was read
        with tenants.acting_for(client_id):
            self.tasks.finish(client_id, wizard_id, "expired")
        if wizard.execution is not None and self.machine.is_running(wizard.execution):
            self.machine.stop(wizard.execution, "The wizard is past its end.")
        return True


@dataclass(frozen=True)
class OrphanedSecrets:
    """Removes passwords that belong to nothing: stored, and whoever was to write down what for had died."""

    secrets: StoredSecrets
    connections: ConnectionStore
    wizards: WizardStore
    webhooks: WebhookStore
    clock: Clock
    report: Report

    def sweep(self, time_left: TimeLeft) -> int:
        """Remove all that are old enough; how many. Raises Unavailable when some could not be, after the others."""
        return sweep_each(self._orphans(), self._delete, self.report, time_left)

    def _orphans(self) -> Iterator[str]:
        for names in batched(self.secrets.stored_before(self.clock() - ORPHANED_AFTER), _BATCH_SIZE, strict=False):
            owners = [(name.split("/")[0], name.split("/")[1]) for name in names if "/" in name]
            used = self.connections.secrets_in_use(owners)
            yield from (name for name in names if "/" in name and name not in used and not self._is_wanted(name))

    def _delete(self, name: str) -> bool:
        # Looked at once more: since the list was read a draft may have been put in use.
        client_id, owner = name.split("/")[:2]
        if name in self.connections.secrets_in_use([(client_id, owner)]) or self._is_wanted(name):
            return False
        with tenants.acting_for(client_id, owner):
            self.secrets.delete(name)
        return True

    def _is_wanted(self, name: str) -> bool:
        """Whether a webhook signs with it, or a wizard that goes on keeps it for its end."""
        client_id, owner, *draft = name.split("/")
        if owner.startswith("webhook-"):
            return self.webhooks.get(client_id, owner.removeprefix("webhook-")) is not None
        wizards = draft or self.wizards.of_connection(client_id, owner)
        found = (self.wizards.get(client_id, wizard_id) for wizard_id in wizards)
        return any(one.status.is_open and one.secret_name == name for one in found if one is not None)
