"""What of imports hangs on a connection."""

import json
from dataclasses import dataclass, field
from typing import override

from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import RunStatus
from erphub.lake.locations import staging_prefix
from erphub.platform.aws.items import Item
from erphub.platform.aws.removal import (
    MAX_COUNTED,
    DependentItems,
    PassiveDependent,
    all_of_client,
    at_least,
    fingerprint_of,
    keys_of,
    remove_items,
)
from erphub.platform.aws.table import Table, key_of
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock
from erphub.platform.objects import ObjectStore
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.state_machines import StateMachine
from erphub.platform.tasks import TimeLeft
from erphub.tenancy.dynamodb import client_key


def import_dependents(table: Table, objects: ObjectStore, machine: StateMachine, clock: Clock) -> list[Dependent]:
    """Runs, and then the jobs they are of."""
    run_words = ("RUN", "RUN-OPEN", "RUN-UNIT", "RUN-PART", "RUN-LOG", "LEASE")
    return [
        Runs(
            "runs",
            "Import runs",
            RemovalStage.RECORDS,
            tuple(f"tenants:{word}" for word in run_words),
            table=table,
            objects=objects,
            machine=machine,
            clock=clock,
        ),
        Jobs(
            "import_jobs",
            "Import jobs",
            RemovalStage.RECORDS,
            ("tenants:JOB",),
            table=table,
            prefix=all_of_client("JOB"),
            belongs=lambda item, of: json.loads(item["body"])["connection_id"] == of.id,
        ),
    ]


@dataclass(frozen=True)
class Runs(PassiveDependent):
    """Runs of imports, with their units, parts and logs, what they have staged, and what they may write alone."""

    table: Table = field(kw_only=True)
    objects: ObjectStore = field(kw_only=True)
    machine: StateMachine = field(kw_only=True)
    clock: Clock = field(kw_only=True)

    def _runs(self, of: ConnectionRef) -> list[Item]:
        found = self.table.read_all(client_key(of.client_id)["pk"], "RUN#")
        return [item for item in found if item["connection_id"] == of.id]

    @override
    def find(self, of: ConnectionRef) -> Found:
        found = keys_of(self.table, of, "RUN#")
        fingerprint = fingerprint_of([key["sk"] for key in found])
        return Found(len(found), details=at_least(len(found) >= MAX_COUNTED), fingerprint=fingerprint)

    @override
    def stop(self, of: ConnectionRef, *, force: bool) -> bool:
        # A run that goes on is asked to stop; one whose machine has ended is written down as ended.
        runs, open_runs, is_quiet = RunTable(self.table), OpenRunTable(self.table), True
        for ref in list(open_runs.of_connection(of.client_id, of.id)):
            execution = self.machine.execution(ref.run_id)
            try:
                runs.update(ref, cancel_requested=True)
            except VersionConflict:  # it was never added
                open_runs.close(ref)
                continue
            if self.machine.is_running(execution):
                if not force:
                    is_quiet = False
                    continue
                self.machine.stop(execution, "The connection was deleted.")
            problem = {"code": "connection_deleting", "detail": "The connection was deleted."}
            runs.end(ref, self.clock(), {"status": RunStatus.CANCELLED.value, "problem": problem})
        return is_quiet

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        # A run goes after all that is only found by it.
        pk = client_key(of.client_id)["pk"]
        leases = (item for item in self.table.read_all(pk, "LEASE#") if item["sk"].split("#")[2] == of.id)
        opened = (item for item in self.table.read_all(pk, "RUN-OPEN#") if item["connection_id"] == of.id)
        if not remove_items(self.table, leases, time_left) or not remove_items(self.table, opened, time_left):
            return False
        for item in self._runs(of):
            self.objects.purge(staging_prefix(of.client_id, item["run_id"]))
            for part in ("RUN-UNIT", "RUN-PART", "RUN-LOG"):
                if not remove_items(self.table, self.table.read_all(pk, f"{part}#{item['run_id']}#"), time_left):
                    return False
            self.table.delete(key_of(item))
        return True


@dataclass(frozen=True)
class Jobs(DependentItems):
    """Import jobs. Their schedules stand still while the connection is not at work; they need no stopping."""

    @override
    def find(self, of: ConnectionRef) -> Found:
        items = self.table.get_many(keys_of(self.table, of, "JOB#"))
        found = [(str(item["version"]), json.loads(item["body"])) for item in items]
        scheduled = sum(1 for _, body in found if body.get("schedule"))
        versions = sorted(f"{body['id']} {version}" for version, body in found)
        details = {"scheduled_count": scheduled} | at_least(len(found) >= MAX_COUNTED)
        return Found(len(found), sorted(body["name"] for _, body in found), details, fingerprint_of(versions))
