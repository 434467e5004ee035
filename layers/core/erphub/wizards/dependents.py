"""Wizards of a connection."""

import json
from dataclasses import dataclass, field
from typing import override

from erphub.platform.aws.removal import DependentItems, all_of_client, fingerprint_of, remove_items
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.secrets import Secrets
from erphub.platform.state_machines import StateMachine
from erphub.platform.tasks import TimeLeft
from erphub.wizards.dynamodb import WizardTable, wizard_key
from erphub.wizards.models import Wizard, WizardStatus


def wizard_dependents(table: Table, machine: StateMachine, secrets: Secrets) -> list[Dependent]:
    """Wizards in progress."""
    return [
        Wizards(
            "wizards",
            "Wizards in progress",
            RemovalStage.RECORDS,
            ("tenants:WIZARD",),
            table=table,
            prefix=all_of_client("WIZARD"),
            belongs=lambda item, of: "body" in item and json.loads(item["body"])["connection_id"] == of.id,
            machine=machine,
            secrets=secrets,
        )
    ]


@dataclass(frozen=True)
class Wizards(DependentItems):
    """Wizards that make or edit the connection, with what they found; the machines that wait for an answer."""

    machine: StateMachine = field(kw_only=True)
    secrets: Secrets = field(kw_only=True)

    def _wizards(self, of: ConnectionRef) -> list[Wizard]:
        store = WizardTable(self.table)
        found = [store.get(of.client_id, item["sk"].split("#")[1]) for item in self.items(of)]
        return [wizard for wizard in found if wizard is not None]

    @override
    def find(self, of: ConnectionRef) -> Found:
        # Only those that somebody is at are shown: one whose machine never began is nobody's.
        store = WizardTable(self.table)
        found = [store.get(of.client_id, wizard_id) for wizard_id in store.of_connection(of.client_id, of.id)]
        running = [wizard for wizard in found if wizard and wizard.status.is_open and self._is_running(wizard)]
        return Found(len(running), fingerprint=fingerprint_of(sorted(wizard.id for wizard in running)))

    def _is_running(self, wizard: Wizard) -> bool:
        return wizard.execution is not None and self.machine.is_running(wizard.execution)

    @override
    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        # A draft is not kept for later: whoever edits begins anew after a restore.
        store = WizardTable(self.table)
        for wizard in self._wizards(of):
            while wizard.status.is_open:
                try:
                    wizard = store.replace(
                        wizard.model_copy(update={"status": WizardStatus.CANCELLED, "answer_lease": None})
                    )
                except VersionConflict:
                    wizard = store.get(wizard.client_id, wizard.id) or wizard
            if wizard.execution is not None:
                self.machine.stop(wizard.execution, "The connection is being deleted.")
        return True

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        # A wizard goes after its password and what it found.
        for wizard in self._wizards(of):
            self.secrets.delete(wizard.secret_name)
            key = wizard_key(of.client_id, wizard.id)
            below = self.table.read_all(key["pk"], key["sk"] + "#")
            if not remove_items(self.table, below, time_left):
                return False
            self.table.delete(key)
        return True
