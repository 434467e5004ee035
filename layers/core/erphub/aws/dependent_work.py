"""Work of a connection, done and under way: runs, jobs and wizards, as a deletion stops and removes them."""

import json
from dataclasses import dataclass, field

from ..models.connection import Connection
from ..models.run import Status
from ..models.wizard import Wizard, WizardStatus
from ..ports.deletion import Found, TimeLeft
from ..ports.world import Clock, Machine, Secrets
from . import keys
from .dependent_basics import MOST, Items, Quiet, at_least, keys_of, mark_of, remove_items
from .lake_places import put_aside_by
from .objects import Objects
from .open_runs import OpenRuns
from .runs import RunTable
from .table import Item, Table, Taken, key_of
from .wizards import WizardTable


@dataclass(frozen=True)
class Runs(Quiet):
    """Runs of imports, with their units, parts and logs, what they put aside, and what they may write alone."""

    table: Table = field(kw_only=True)
    objects: Objects = field(kw_only=True)
    machine: Machine = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    def _runs(self, of: Connection) -> list[Item]:
        found = self.table.all(keys.client(of.client_id)["pk"], "RUN#")
        return [item for item in found if item["connection_id"] == of.id]

    def find(self, of: Connection) -> Found:
        """See the port."""
        found = keys_of(self.table, of, "RUN#")
        return Found(len(found), facts=at_least(len(found) >= MOST), mark=mark_of([key["sk"] for key in found]))

    def stop(self, of: Connection, *, force: bool) -> bool:
        """See the port. A run that goes on is asked to stop; one whose machine has ended is written down as ended."""
        store, opened, quiet = RunTable(self.table), OpenRuns(self.table), True
        for ref in list(opened.of_connection(of.client_id, of.id)):
            execution = self.machine.execution(ref.run_id)
            try:
                store.change(ref, cancel_requested=True)
            except Taken:  # it was never added
                opened.close(ref)
                continue
            if self.machine.is_running(execution):
                if not force:
                    quiet = False
                    continue
                self.machine.stop(execution, "The connection was deleted.")
            problem = {"code": "connection_deleting", "detail": "The connection was deleted."}
            store.end(ref, self.clock(), {"status": Status.CANCELLED.value, "problem": problem})
        return quiet

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port. A run goes after all that is only found by it."""
        pk = keys.client(of.client_id)["pk"]
        leases = (item for item in self.table.all(pk, "LEASE#") if item["sk"].split("#")[2] == of.id)
        opened = (item for item in self.table.all(pk, "RUN-OPEN#") if item["connection_id"] == of.id)
        if not remove_items(self.table, leases, time_left) or not remove_items(self.table, opened, time_left):
            return False
        for item in self._runs(of):
            self.objects.purge(put_aside_by(of.client_id, item["run_id"]))
            for part in ("RUN-UNIT", "RUN-PART", "RUN-LOG"):
                if not remove_items(self.table, self.table.all(pk, f"{part}#{item['run_id']}#"), time_left):
                    return False
            self.table.delete(key_of(item))
        return True


@dataclass(frozen=True)
class Jobs(Items):
    """Import jobs. Their schedules stand still while the connection is not at work; they need no stopping."""

    def find(self, of: Connection) -> Found:
        """See the port."""
        items = self.table.get_many(keys_of(self.table, of, "JOB#"))
        found = [(str(item["version"]), json.loads(item["body"])) for item in items]
        scheduled = sum(1 for _, body in found if body.get("schedule"))
        marks = sorted(f"{body['id']} {version}" for version, body in found)
        facts = {"scheduled": scheduled} | at_least(len(found) >= MOST)
        return Found(len(found), sorted(body["name"] for _, body in found), facts, mark_of(marks))


@dataclass(frozen=True)
class Wizards(Items):
    """Wizards that make or edit the connection, with what they found; the machines that wait for an answer."""

    machine: Machine = field(kw_only=True)
    secrets: Secrets = field(kw_only=True)

    def _wizards(self, of: Connection) -> list[Wizard]:
        store = WizardTable(self.table)
        found = [store.get(of.client_id, item["sk"].split("#")[1]) for item in self.items(of)]
        return [wizard for wizard in found if wizard is not None]

    def find(self, of: Connection) -> Found:
        """See the port. Only those that somebody is at are shown: one whose machine never began is nobody's."""
        store = WizardTable(self.table)
        found = [store.get(of.client_id, wizard_id) for wizard_id in store.of_connection(of.client_id, of.id)]
        open = [wizard for wizard in found if wizard and wizard.status.open and self._goes_on(wizard)]
        return Found(len(open), mark=mark_of(sorted(wizard.id for wizard in open)))

    def _goes_on(self, wizard: Wizard) -> bool:
        return wizard.execution is not None and self.machine.is_running(wizard.execution)

    def stop(self, of: Connection, *, force: bool) -> bool:  # noqa: ARG002
        """See the port. A draft is not kept for later: whoever edits begins anew after a restore."""
        store = WizardTable(self.table)
        for wizard in self._wizards(of):
            while wizard.status.open:
                try:
                    wizard = store.replace(wizard.model_copy(update={"status": WizardStatus.CANCELLED, "claim": None}))
                except Taken:
                    wizard = store.get(wizard.client_id, wizard.id) or wizard
            if wizard.execution is not None:
                self.machine.stop(wizard.execution, "The connection is being deleted.")
        return True

    def remove(self, of: Connection, time_left: TimeLeft) -> bool:
        """See the port. A wizard goes after its password and what it found."""
        for wizard in self._wizards(of):
            self.secrets.delete(wizard.secret_name)
            key = keys.wizard(of.client_id, wizard.id)
            below = self.table.all(key["pk"], key["sk"] + "#")
            if not remove_items(self.table, below, time_left):
                return False
            self.table.delete(key)
        return True
