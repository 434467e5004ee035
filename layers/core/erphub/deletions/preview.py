"""Everything that hangs on a connection, as people are shown it before it is deleted, and compared when they mean it.

Each capability says what it keeps of a connection (its `dependents`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from erphub.connections.models import Connection
from erphub.deletions.models import KindView, Plan, StaysView
from erphub.platform.removal import Dependent

NAMES_SHOWN = 20

STAYS = (
    StaysView(kind="audit", title="Audit trail", why="Who did what to the connection stays readable, for good."),
    StaysView(
        kind="executions",
        title="Histories of finished work",
        why="Step Functions keeps them for 90 days; they hold identifiers only, no data and no password.",
    ),
    StaysView(kind="erp", title="What is in the ERP", why="Nothing is changed there: documents that were sent stay."),
)
"""What a deletion leaves, whatever the connection."""


def survey(kinds: Sequence[Dependent], connection: Connection) -> tuple[list[KindView], dict[str, str]]:
    """What goes, by kind, and a mark for each kind."""
    shown: list[KindView] = []
    marks: dict[str, str] = {}
    for kind in kinds:
        if not kind.shown:
            continue
        found = kind.find(connection)
        marks[kind.kind] = found.fingerprint
        shown.append(
            KindView(
                kind=kind.kind,
                title=kind.title,
                count=found.count,
                names=list(found.names)[:NAMES_SHOWN],
                facts=dict(found.details),
            )
        )
    return shown, marks


def differences(before: Plan, goes: Sequence[KindView], marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """What is no longer as the plan showed it, by kind, with what it was and what it is."""
    old, new = {view.kind: view for view in before.goes}, {view.kind: view for view in goes}
    found: list[dict[str, Any]] = []
    for kind in dict.fromkeys([*old, *new]):
        was, now = old.get(kind), new.get(kind)
        if was == now and before.marks.get(kind) == marks.get(kind):
            continue
        title = (now or was or _nothing(kind)).title
        found.append({"kind": kind, "title": title, "was": _brief(was), "is": _brief(now)})
    return found


def _brief(view: KindView | None) -> dict[str, Any]:
    return {"count": 0} if view is None else view.model_dump(include={"count", "names", "facts"}, mode="json")


def _nothing(kind: str) -> KindView:
    return KindView(kind=kind, title=kind, count=0)
