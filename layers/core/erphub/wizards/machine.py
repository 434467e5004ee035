"""The state machine of wizards: started, woken by an answer, waited for."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.platform.clock import Clock, Pause
from erphub.platform.errors import Gone
from erphub.platform.state_machines import StateMachine
from erphub.platform.wire import JsonObject
from erphub.wizards.ending import WizardEnding, require_open
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.ports import WizardStore

ANSWER_TIME = timedelta(days=1)
"""How long a wizard waits for an answer before it expires: the TimeoutSeconds of connect.asl.json."""
_MAX_START_SECONDS = 5.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class WizardMachine:
    """connect.asl.json, as far as it serves wizards."""

    machine: StateMachine
    store: WizardStore
    ending: WizardEnding
    clock: Clock
    timeout: timedelta
    """How long a wizard waits for an answer before it expires."""
    pause: Pause = time.sleep

    def execution(self, wizard_id: str) -> str:
        """The execution that a wizard has, or will have."""
        return self.machine.execution(wizard_id)

    def expires_at(self) -> datetime:
        """When a wizard expires that is answered now."""
        return self.clock() + self.timeout

    def start(self, wizard: Wizard, *, list_companies: bool) -> Wizard:
        """Start it; the wizard as soon as it can be answered, or as it is when that takes long."""
        names: JsonObject = {"client_id": wizard.client_id, "wizard_id": wizard.id}
        self.machine.start(wizard.id, names | ({"list_companies": True} if list_companies else {}))
        waited = 0.0
        while wizard.status is WizardStatus.WORKING and waited < _MAX_START_SECONDS:
            self.pause(_POLL_SECONDS)
            waited += _POLL_SECONDS
            wizard = self.store.get(wizard.client_id, wizard.id) or wizard
        return wizard

    def wake(self, wizard: Wizard) -> None:
        """Resume it. One that ended without a word is said to have: the wizard ends with it. Raises Gone, Conflict."""
        token = self.store.token(wizard)
        try:
            if token is not None:
                self.machine.resume(token, {})
                return
        except Gone:
            if wizard.execution and self.machine.is_running(wizard.execution):
                # Awake already, or on its way to its end, which it will write down itself.
                return
        self.ending.end(wizard, WizardStatus.EXPIRED)
        require_open(self.store.get(wizard.client_id, wizard.id) or wizard)

    def stop(self, wizard: Wizard, cause: str) -> None:
        """End it from outside."""
        if wizard.execution:
            self.machine.stop(wizard.execution, cause)
