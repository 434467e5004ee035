"""Everything that hangs on a connection, as people are shown it before it is deleted, and compared when they mean it.

Each capability says what it keeps of a connection (its `dependents`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from erphub.connections.models import Connection
from erphub.deletions import problems
from erphub.deletions.models import DeletedKindView, KeptKindView, KindDetails, Plan
from erphub.deletions.ports import PlanStore
from erphub.platform.clock import Clock
from erphub.platform.removal import Dependent

PLAN_LIFETIME = timedelta(hours=1)
MAX_NAMES_SHOWN = 20

KEPT = (
    KeptKindView(
        kind="audit",
        title="Audit log",
        reason="Who did what stays readable, for good: it is part of the client's chain, and has no secrets.",
    ),
    KeptKindView(
        kind="executions",
        title="Histories of finished work",
        reason="Step Functions keeps them for 90 days; they hold identifiers only, no data and no password.",
    ),
    KeptKindView(
        kind="erp", title="What is in the ERP", reason="Nothing is changed there: documents that were sent stay."
    ),
)
"""What a deletion leaves, whatever the connection."""


@dataclass(frozen=True)
class DeletionPreview:
    """Plans of deletions: made, and held against what there is when they are meant."""

    plans: PlanStore
    dependents: Sequence[Dependent]
    clock: Clock

    def make(self, connection: Connection) -> Plan:
        """All that is deleted, under a token for exactly that."""
        deleted, fingerprints = survey(self.dependents, connection)
        now = self.clock()
        versions = f"{connection.version} {connection.health.rev if connection.health else 0}"
        text = f"{connection.id} {versions} {deleted!r} {fingerprints!r} {now.isoformat()}"
        plan = Plan(
            token=hashlib.sha256(text.encode()).hexdigest()[:40],
            client_id=connection.client_id,
            connection_id=connection.id,
            version=connection.version,
            created_at=now,
            expires_at=now + PLAN_LIFETIME,
            deleted=deleted,
            fingerprints=fingerprints,
        )
        self.plans.save(plan)
        return plan

    def require_unchanged(self, connection: Connection, token: str) -> Plan:
        """The plan of a token, when all is still as it showed.

        Raises Gone (`plan_expired`), Conflict (`plan_changed` with the difference).
        """
        plan = self.plans.get(connection.client_id, connection.id, token)
        if plan is None or plan.expires_at <= self.clock():
            raise problems.PLAN_EXPIRED()
        changed = differences(plan, *survey(self.dependents, connection))
        if plan.version != connection.version:
            versions = {"was": {"version": plan.version}, "is": {"version": connection.version}}
            changed.append({"kind": "connection", "title": "The connection", **versions})
        if changed:
            raise problems.PLAN_CHANGED(difference=changed)
        return plan


def survey(dependents: Sequence[Dependent], connection: Connection) -> tuple[list[DeletedKindView], dict[str, str]]:
    """What is deleted, by kind, and a fingerprint for each kind."""
    shown: list[DeletedKindView] = []
    fingerprints: dict[str, str] = {}
    for dependent in dependents:
        if not dependent.shown:
            continue
        found = dependent.find(connection)
        fingerprints[dependent.kind] = found.fingerprint
        shown.append(
            DeletedKindView(
                kind=dependent.kind,
                title=dependent.title,
                count=found.count,
                names=list(found.names)[:MAX_NAMES_SHOWN],
                details=KindDetails.model_validate(found.details),
            )
        )
    return shown, fingerprints


def differences(
    before: Plan, deleted: Sequence[DeletedKindView], fingerprints: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What is no longer as the plan showed it, by kind, with what it was and what it is."""
    old, new = {view.kind: view for view in before.deleted}, {view.kind: view for view in deleted}
    found: list[dict[str, Any]] = []
    for kind in dict.fromkeys([*old, *new]):
        was, now = old.get(kind), new.get(kind)
        if was == now and before.fingerprints.get(kind) == fingerprints.get(kind):
            continue
        title = (now or was or DeletedKindView(kind=kind, title=kind, count=0)).title
        found.append({"kind": kind, "title": title, "was": _brief(was), "is": _brief(now)})
    return found


def _brief(view: DeletedKindView | None) -> dict[str, Any]:
    return {"count": 0} if view is None else view.model_dump(include={"count", "names", "details"}, mode="json")
