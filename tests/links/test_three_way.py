"""Both sides of a link changed, one, or neither: what becomes of each field."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.actors import ActorFieldType
from erphub.links.models import ABSENT, Absent, ComparedField, Direction, Reading, Side, Value, normal
from erphub.links.three_way import (
    FieldOutcome,
    FieldState,
    LinkChange,
    Obstacle,
    Presence,
    Verdict,
    compare,
    judge_link,
)

PAGE = Path(__file__).parents[2] / "docs" / "three-way.md"
COLUMNS = (
    (Direction.TO_ERP, (None, Side.CRM, Side.ERP)),
    (Direction.TO_CRM, (None, Side.CRM, Side.ERP)),
    (Direction.NONE, (None, Side.CRM, Side.ERP)),
    (Direction.BOTH, (None,)),
    (Direction.BOTH, (Side.CRM,)),
    (Direction.BOTH, (Side.ERP,)),
)
STATES = ("absent", "same", "changed", "changed alike", "cleared", "deleted", "merged")
ITEMS = {"retail": "1", "wholesale": "2", "farming": "3", "fishing": "4"}
# By type: what each side said when they agreed, what each changed it to, and a change that both made.
VALUES = {
    ActorFieldType.TEXT: (("Bryggen 1", " Bryggen 1"), ("Kaien 2", "Torget 3"), ("B\u00f8 4\nB", "B\u00f8 4\r\nB ")),
    ActorFieldType.EMAIL: (("post@a.test", "Post@A.test"), ("x@a.test", "y@a.test"), ("Z@a.test", "z@A.test")),
    ActorFieldType.PHONE: (("+47 22 33 44 55", "004722334455"), ("+4711111111", "22222222"), ("(+47) 33", "004733")),
    ActorFieldType.INTEGER: (("7", "07"), ("8", "9"), ("10", "10.0")),
    ActorFieldType.DECIMAL: (("25", "25.00"), ("12.5", "15"), ("0.50", "0.5")),
    ActorFieldType.BOOLEAN: (("true", "1"), ("not known", "2"), ("0", "False")),
    ActorFieldType.DATE: (("2026-01-31", "2026-01-31T00:00:00"), ("2026-02-01", "2026-02-03"), ("2026-03-01",) * 2),
    ActorFieldType.LIST: (("retail", "1"), ("wholesale", "3"), ("fishing", "4")),
}  # fmt: skip


def rows() -> Iterator[tuple[str, str, list[str]]]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 8 and cells[0] in STATES:
            yield cells[0], cells[1], cells[2:]


TABLE = list(rows())


def reading(state: str, side: int, of: ActorFieldType) -> Reading:
    base, changed, alike = VALUES[of]
    match state:
        case "absent":
            return ABSENT
        case "cleared":
            return (None, "  ")[side]
        case "changed":
            return changed[side]
        case "changed alike":
            return alike[side]
        case _:
            return base[side]


def outcome(crm: str, erp: str, field: ComparedField) -> str:
    presence = {"deleted": Presence.DELETED, "merged": Presence.MERGED}
    link = judge_link(presence.get(crm, Presence.PRESENT), presence.get(erp, Presence.PRESENT))
    if link is not LinkChange.KEPT:
        return link.value
    base = VALUES[field.type][0]
    state = FieldState(reading(crm, 0, field.type), reading(erp, 1, field.type), *base)
    return compare(field, state).verdict.value


def test_the_table_has_every_pair_of_states_once():
    assert sorted((crm, erp) for crm, erp, _ in TABLE) == sorted(product(STATES, STATES))


@pytest.mark.parametrize("of", ActorFieldType)
def test_every_cell_of_the_page_is_what_is_done(of: ActorFieldType):
    wrong = [
        (crm, erp, direction.value, master, expected, found)
        for crm, erp, cells in TABLE
        for expected, (direction, masters) in zip(cells, COLUMNS, strict=True)
        for master in masters
        if (found := outcome(crm, erp, ComparedField(of, direction, master, erp_items=ITEMS))) != expected
    ]
    assert wrong == []


def test_what_is_written_is_the_other_sides_value_as_its_target_writes_it_and_what_stood_there_is_kept():
    erp_takes_six = ComparedField(longest={Side.ERP: 6})
    assert compare(erp_takes_six, FieldState("Fjordgata 9", "Torget", "Torget", "Torget")) == FieldOutcome(
        Verdict.TO_ERP, "Fjordg", "Torget"
    )
    items = ComparedField(ActorFieldType.LIST, erp_items=ITEMS)
    assert compare(items, FieldState("retail", "2", "retail", "1")) == FieldOutcome(
        Verdict.TO_CRM, "wholesale", "retail"
    )


@pytest.mark.parametrize(("crm", "erp"), [("Fjordgata 9", "Fjordg"), ("Fjordg", "Fjordg"), ("Torget 14 B", "Torget")])
def test_a_value_that_its_target_cut_short_is_no_change_in_any_later_round(crm: str, erp: str):
    field = ComparedField(longest={Side.ERP: 6})
    assert compare(field, FieldState(crm, erp, crm, erp)).verdict is Verdict.NOTHING
    assert compare(field, FieldState(crm, erp)).verdict is Verdict.AGREED


def test_a_placeholder_for_an_empty_field_is_not_written_back():
    field = ComparedField(mandatory=frozenset({Side.ERP}), default="Unknown")
    first = compare(field, FieldState(None, "Hansen", "Hansen", "Hansen"))
    assert (first.verdict, first.value) == (Verdict.TO_ERP, "Unknown")
    assert compare(field, FieldState(None, "Unknown", None, "Unknown")).verdict is Verdict.NOTHING
    assert compare(field, FieldState(None, "Unknown", "Hansen", "Unknown")).verdict is Verdict.AGREED


@pytest.mark.parametrize(
    ("field", "state", "obstacle"),
    [
        (ComparedField(mandatory=frozenset({Side.ERP})), FieldState(None, "a", "a", "a"), Obstacle.MANDATORY),
        (ComparedField(mandatory=frozenset({Side.CRM})), FieldState("a", " ", "a", "a"), Obstacle.MANDATORY),
        (ComparedField(ActorFieldType.LIST, erp_items=ITEMS), FieldState("x", "1", "retail", "1"), Obstacle.NO_ITEM),
        (
            ComparedField(ActorFieldType.LIST, erp_items=ITEMS),
            FieldState("retail", "9", "retail", "1"),
            Obstacle.NO_ITEM,
        ),
    ],
)
def test_a_value_that_cannot_be_carried_across_is_a_named_problem_and_nothing_is_written(
    field: ComparedField, state: FieldState, obstacle: Obstacle
):
    assert compare(field, state) == FieldOutcome(Verdict.CONFLICT, obstacle=obstacle)


@pytest.mark.parametrize(
    ("crm", "erp", "direction", "verdict"),
    [
        ("Kari", None, Direction.BOTH, Verdict.TO_ERP),
        (None, "Kari", Direction.BOTH, Verdict.TO_CRM),
        (None, "Kari", Direction.TO_ERP, Verdict.DIFFERS),
        ("Kari", "Ola", Direction.BOTH, Verdict.CONFLICT),
        ("Kari", "kari", Direction.TO_ERP, Verdict.TO_ERP),
        ("Kari", "Kari ", Direction.BOTH, Verdict.AGREED),
        (None, "", Direction.BOTH, Verdict.NOTHING),
    ],
)
def test_records_that_never_agreed_overwrite_nothing_that_somebody_typed_unless_the_direction_says_so(
    crm: Value, erp: Value, direction: Direction, verdict: Verdict
):
    assert compare(ComparedField(direction=direction), FieldState(crm, erp)).verdict is verdict


READINGS = st.one_of(st.just(ABSENT), st.none(), st.sampled_from(["", " ", "a", "A", "b", "1", "1.0", "true", "+47 1"]))


@given(
    st.sampled_from(ActorFieldType),
    st.sampled_from(Direction),
    st.sampled_from([None, *Side]),
    st.tuples(READINGS, READINGS, READINGS, READINGS),
)
def test_once_done_it_is_done_and_no_side_loses_what_the_direction_does_not_give_away(
    of: ActorFieldType, direction: Direction, master: Side | None, said: tuple[Reading, Reading, Reading, Reading]
):
    field = ComparedField(of, direction, master, erp_items={"a": "a", "b": "b"})
    state = FieldState(*said)
    found = compare(field, state)
    crm, erp = state.crm, state.erp
    if found.verdict is Verdict.TO_ERP:
        assert direction.allows(Side.ERP)
        assert found.overwritten == erp
        crm_after, erp_after = crm, found.value
    elif found.verdict is Verdict.TO_CRM:
        assert direction.allows(Side.CRM)
        assert found.overwritten == crm
        crm_after, erp_after = found.value, erp
    else:
        assert (found.value, found.overwritten) == (None, None)
        if found.verdict is not Verdict.AGREED:
            return
        crm_after, erp_after = crm, erp
    assert not isinstance(crm_after, Absent)
    assert not isinstance(erp_after, Absent)
    assert field.same(crm_after, erp_after)
    assert compare(field, FieldState(crm_after, erp_after, crm_after, erp_after)).verdict is Verdict.NOTHING


@given(st.sampled_from(ActorFieldType), st.one_of(st.none(), st.text()))
def test_a_value_in_its_normal_form_stays_as_it_is(of: ActorFieldType, value: Value):
    once = normal(value, of)
    assert normal(once, of) == once
