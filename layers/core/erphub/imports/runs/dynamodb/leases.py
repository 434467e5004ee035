"""Leases of runs in the tenant table: on units' parts of the lake, and on signing in through a connection."""

from datetime import datetime, timedelta
from typing import override

from erphub.imports.runs.models import RunRef, Unit
from erphub.imports.runs.ports import RunLeases
from erphub.platform.aws.leases import LeaseTable
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key

_RUN_TIME = timedelta(days=2)
"""No run lives longer: its machine ends then. One that died before is replaced by whoever finds it dead."""
_SIGN_IN_TIME = timedelta(minutes=2)
"""How long a run may take to sign in before the next one tries."""
_KEPT = timedelta(days=1)
"""How long the item of a lease that has run out stays."""


class RunLeaseTable(RunLeases):
    """Leases: `LEASE#<dataset>#<connection>#<company>`; a sign-in slot's dataset is `SIGN-IN`."""

    def __init__(self, table: Table) -> None:
        self._leases = LeaseTable(table, _KEPT)

    @override
    def acquire(self, ref: RunRef, unit: Unit, now: datetime, in_place_of: RunRef | None = None) -> RunRef | None:
        key, dead = _unit_key(ref, unit), _holder(in_place_of) if in_place_of else None
        while self._leases.acquire(key, _holder(ref), now=now, until=now + _RUN_TIME, in_place_of=dead) is None:
            if (lease := self._leases.held(key, now=now)) is not None:
                return RunRef(ref.client_id, *lease.holder.split("/"))
        return None

    @override
    def release(self, ref: RunRef, unit: Unit, now: datetime) -> None:
        self._release(_unit_key(ref, unit), ref, now)

    @override
    def acquire_sign_in_slot(self, ref: RunRef, connection_id: str, now: datetime) -> bool:
        key = _slot_key(ref, connection_id)
        return self._leases.acquire(key, _holder(ref), now=now, until=now + _SIGN_IN_TIME) is not None

    @override
    def release_sign_in_slot(self, ref: RunRef, connection_id: str, now: datetime) -> None:
        self._release(_slot_key(ref, connection_id), ref, now)

    def _release(self, key: Key, ref: RunRef, now: datetime) -> None:
        lease = self._leases.held(key, now=now)
        if lease is not None and lease.holder == _holder(ref):
            self._leases.release(lease)


def lease_key(client_id: str, dataset: str, connection_id: str, company: str) -> Key:
    """The key of a lease."""
    return make_key(f"CLIENT#{client_id}", "LEASE", dataset, connection_id, company)


def _holder(ref: RunRef) -> str:
    return f"{ref.job_id}/{ref.run_id}"


def _unit_key(ref: RunRef, unit: Unit) -> Key:
    return lease_key(ref.client_id, unit.dataset, unit.connection_id, unit.company)


def _slot_key(ref: RunRef, connection_id: str) -> Key:
    return lease_key(ref.client_id, "SIGN-IN", connection_id, "")
