"""Every error is raised as the catalogue declares it; each rule of that is seen to find what breaks it."""

import pytest

from erphub.platform.errors import Conflict, NotFound
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from local.check_problems import gateway, problems
from local.check_structure import Module, read
from local.emulator import ROOT
from local.problem_catalogue import Declared, declared

NOTE_TAKEN = ProblemType(Conflict, "note_taken", "Note {number} is taken.", "Choose another.", members=("note_id",))
TEXT_ODD = FieldProblemType("text_odd", "{text!r} is odd.")
LEFT_OUT = Reason("left_out", "It was left out.")
CATALOGUE: dict[str, Declared] = {
    "erphub.notes.problems.NOTE_TAKEN": NOTE_TAKEN,
    "erphub.notes.problems.TEXT_ODD": TEXT_ODD,
    "erphub.notes.problems.LEFT_OUT": LEFT_OUT,
}
ERRORS = """class HubError(Exception): ...
class Conflict(HubError): ...
class FieldError: ...
"""
GOOD = """from erphub.notes import problems
def take(number, text):
    if number: raise problems.NOTE_TAKEN(number=number, note_id="1")
    if text: raise Invalid.of(problems.TEXT_ODD("/text", text=text))
    keep(code=problems.LEFT_OUT.code)
"""


def found(text: str, catalogue: dict[str, Declared] = CATALOGUE) -> list[str]:
    modules = [
        Module(name, is_package=False, text=source, lines=source.splitlines())
        for name, source in (("erphub.platform.errors", ERRORS), ("erphub.notes.service", text))
    ]
    return [str(one) for one in problems(modules, catalogue)]


def test_the_source_tree_raises_nothing_past_the_catalogue() -> None:
    assert [str(one) for one in problems(read(ROOT), declared(), gateway())] == []


def test_what_is_raised_as_declared_is_found_right() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "problems.NOTE_TAKEN(number=number, note_id=",
            "Conflict('Taken.', code=",
            "Conflict is made past the catalogue",
        ),
        ('problems.TEXT_ODD("/text", text=text)', "FieldError('/text', 'text_odd', 'Odd.')", "FieldError is made past"),
        ("code=problems.LEFT_OUT.code", 'code="left_out"', "left_out is kept past the catalogue"),
        ("number=number, ", "", "NOTE_TAKEN is told without number"),
        ("note_id=", "other_id=", "NOTE_TAKEN does not say other_id"),
        ("keep(code=problems.LEFT_OUT.code)", "pass", "never-raised: LEFT_OUT"),
    ],
)
def test_whatever_goes_past_the_catalogue_is_found(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert [one for one in found(GOOD.replace(old, new)) if said in one]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (ProblemType(NotFound, "note_taken", "Note {number} is taken."), "note_taken has the statuses 409 and 404"),
        (ProblemType(Conflict, "note_taken", "taken"), "note_taken is told in no sentence"),
    ],
)
def test_a_code_has_one_status_and_a_sentence(second: ProblemType[Conflict], said: str) -> None:
    catalogue = {**CATALOGUE, "erphub.notes.problems.SECOND": second}
    assert [one for one in found(GOOD + "raise problems.SECOND\n", catalogue) if said in one]
