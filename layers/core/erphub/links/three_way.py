"""Which of two values counts: each side is compared with what it said when both last agreed.

A side that still says that has no opinion; the other one's change is carried across, where the direction allows it.
When both have changed it is the direction, then the master, then a person. What is overwritten goes into the history.

Each side has a base of its own, as it was read back after the last write: a system that shortens or reformats what it
is given would otherwise seem to have changed it, in each round anew. Whose clock is ahead, and who wrote last, is never
asked. The rules stand in docs/three-way.md as a table, from which they are tested.
"""

from dataclasses import dataclass
from enum import StrEnum

from erphub.links.models import ABSENT, ComparedField, Reading, Side, Value


class Presence(StrEnum):
    """Whether a record is still there."""

    PRESENT = "present"
    DELETED = "deleted"
    MERGED = "merged"
    """Another record has taken its place."""


class LinkChange(StrEnum):
    """What becomes of a link for what became of its records. Neither record is ever deleted for the other's sake."""

    KEPT = "kept"
    FOLLOWS = "follows"
    """It is tried with the record that took the place."""
    BROKEN = "broken"
    """One of both is gone: somebody is told, once."""
    CLOSED = "closed"
    """Both are gone."""


class Verdict(StrEnum):
    """What is done about a field."""

    NOTHING = "nothing"
    AGREED = "agreed"
    """Both say the same again: that is the new base, and nothing is written."""
    TO_ERP = "to_erp"
    TO_CRM = "to_crm"
    DIFFERS = "differs"
    """They differ, and the direction lets nobody write: it is shown."""
    CONFLICT = "conflict"
    """Both have changed, or the value cannot be carried across: a person decides."""


class Obstacle(StrEnum):
    """Why a value cannot be carried across."""

    NO_ITEM = "item_not_mapped"
    MANDATORY = "mandatory_field_empty"


@dataclass(frozen=True)
class FieldState:
    """What both sides say of a field, and what each said when they last agreed (ABSENT: they never did)."""

    crm: Reading
    erp: Reading
    crm_base: Reading = ABSENT
    erp_base: Reading = ABSENT


@dataclass(frozen=True)
class FieldOutcome:
    """What is to be done about a field."""

    verdict: Verdict
    value: Value = None
    """What is written, as its target writes it."""
    overwritten: Value = None
    """What the target says until then; for the history, from which it can be brought back."""
    obstacle: Obstacle | None = None


_NOTHING = FieldOutcome(Verdict.NOTHING)
_DIFFERS = FieldOutcome(Verdict.DIFFERS)
_CONFLICT = FieldOutcome(Verdict.CONFLICT)


def judge_link(crm: Presence, erp: Presence) -> LinkChange:
    """What becomes of the link of two records."""
    if crm is erp is Presence.DELETED:
        return LinkChange.CLOSED
    if Presence.DELETED in (crm, erp):
        return LinkChange.BROKEN
    return LinkChange.FOLLOWS if Presence.MERGED in (crm, erp) else LinkChange.KEPT


def compare(field: ComparedField, state: FieldState) -> FieldOutcome:
    """What is to be done about a field of two linked records."""
    crm, erp = state.crm, state.erp
    if crm is ABSENT or erp is ABSENT:
        return _NOTHING
    crm_changed = _has_changed(field, crm, state.crm_base)
    erp_changed = _has_changed(field, erp, state.erp_base)
    if not crm_changed and not erp_changed:
        return _NOTHING
    if field.same(crm, erp):
        return FieldOutcome(Verdict.AGREED)
    if crm_changed and erp_changed:
        return _decide(field, crm, erp)
    source = Side.CRM if crm_changed else Side.ERP
    if not field.direction.allows(source.other):
        return _DIFFERS
    return _write(field, source, crm, erp)


def _has_changed(field: ComparedField, now: Value, base: Reading) -> bool:
    """An empty field of records that never agreed says nothing against the other."""
    return not field.unchanged(now, None if base is ABSENT else base)


def _decide(field: ComparedField, crm: Value, erp: Value) -> FieldOutcome:
    open_sides = [side for side in Side if field.direction.allows(side)]
    if not open_sides:
        return _DIFFERS
    if len(open_sides) == 1:
        (target,) = open_sides
    elif field.master is None:
        return _CONFLICT
    else:
        target = field.master.other
    return _write(field, target.other, crm, erp)


def _write(field: ComparedField, source: Side, crm: Value, erp: Value) -> FieldOutcome:
    target = source.other
    given, there = (crm, erp) if source is Side.CRM else (erp, crm)
    value = field.translate(given, target)
    if value is ABSENT:
        return FieldOutcome(Verdict.CONFLICT, obstacle=Obstacle.NO_ITEM)
    if value is None and target in field.mandatory:
        return FieldOutcome(Verdict.CONFLICT, obstacle=Obstacle.MANDATORY)
    if field.unchanged(value, there):  # an empty value whose default stands there already
        return FieldOutcome(Verdict.AGREED)
    return FieldOutcome(Verdict.TO_ERP if target is Side.ERP else Verdict.TO_CRM, value, there)
