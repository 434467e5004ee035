"""What a function can end in is found in the source: through annotations, protocols, and past what is caught."""

import textwrap
from collections.abc import Mapping

import pytest

from erphub.platform.errors import Conflict, FieldError, Gone, HubError, Invalid, NotFound
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from local.problem_catalogue import Declared
from local.raised_problems import Raised, RaisedProblems
from local.source_modules import Module
from local.source_types import Source

CATALOGUE: Mapping[str, Declared] = {
    "erphub.notes.problems.NOTE_GONE": ProblemType(NotFound, "note_gone", "It is gone."),
    "erphub.notes.problems.NOTE_TAKEN": ProblemType(Conflict, "note_taken", "It is taken."),
    "erphub.notes.problems.TEXT_ODD": FieldProblemType("text_odd", "It is odd."),
    "erphub.notes.problems.LEFT_OUT": Reason("left_out", "It was left out."),
}
PROBLEMS = """
NOTE_GONE = ProblemType(NotFound, "note_gone", "It is gone.")
NOTE_TAKEN = ProblemType(Conflict, "note_taken", "It is taken.")
"""
PORTS = """
class NoteStore(Protocol):
    def get(self, note_id: str) -> Note: ...
    def put(self, note: Note) -> None: ...
class Note:
    text: str
"""
STORE = """
from erphub.notes import problems
from erphub.notes.ports import Note
class NoteTable:
    def get(self, note_id: str) -> Note:
        raise problems.NOTE_GONE()
    def put(self, note: Note) -> None:
        raise problems.NOTE_TAKEN()
class Elsewhere:
    def get(self, key: str) -> Note:
        raise problems.NOTE_TAKEN()
    def put(self, key: str) -> None: ...
"""
HEAD = """
from erphub.notes import problems
from erphub.notes.ports import NoteStore, Note
from erphub.notes.store import NoteTable
from erphub.platform.errors import NotFound, Conflict, HubError, Invalid, Gone
"""
ERRORS = """
class HubError(Exception): ...
class NotFound(HubError): ...
class Conflict(HubError): ...
class Invalid(HubError): ...
class Gone(HubError): ...
"""


def found(text: str, name: str = "work") -> "Ends":
    """What a function of this module can end in: codes with kinds."""
    modules = {
        "erphub.notes.problems": PROBLEMS,
        "erphub.notes.ports": PORTS,
        "erphub.notes.store": STORE,
        "erphub.platform.errors": ERRORS,
        "erphub.notes.service": HEAD + textwrap.dedent(text),
    }
    source = Source([Module(name, False, text, text.splitlines()) for name, text in modules.items()])
    raised = RaisedProblems(source, CATALOGUE).of(f"erphub.notes.service.{name}")
    assert all(isinstance(one, Raised) for one in raised)
    return {(one.code, one.kind) for one in raised}


GONE, TAKEN, ODD = ("note_gone", NotFound), ("note_taken", Conflict), ("text_odd", FieldError)


type Ends = set[tuple[str, type[HubError | FieldError]]]
CASES: list[tuple[str, Ends]] = [
    ("def work(): raise problems.NOTE_GONE()", {GONE}),
    ("def work(): return problems.NOTE_GONE.code", set()),
    ("def work(): keep(problems.LEFT_OUT.record())", set()),
    ("def work(): raise problems.NOTE_GONE.saying('Oh.')()", {GONE}),
    ("def work(): raise problems.NOTE_TAKEN.ending(Gone)()", {("note_taken", Gone)}),
    ("def work(): raise Invalid.of(problems.TEXT_ODD('/text'))", {ODD, ("invalid_request", Invalid)}),
    ("def work(): raise problems.TEXT_ODD.alone('/text')", {("text_odd", Invalid)}),
    # Whom it calls
    ("def work(): other()\ndef other(): raise problems.NOTE_GONE()", {GONE}),
    ("def work(): run(other)\ndef other(): raise problems.NOTE_GONE()", {GONE}),
    ("def work(store: NoteTable): store.get('1')", {GONE}),
    ("def work(store: NoteStore): store.get('1')", {GONE}),  # by NoteTable, not by Elsewhere
    ("def work(store: NoteStore): return lambda: store.get('1')", {GONE}),
    ("def work(store: NoteStore): use(store)", set()),
    ("def work(stores: list[NoteTable]):\n for one in stores: one.put(Note())", {TAKEN}),
    ("def work(stores: list[NoteTable]): return [one.get('1') for one in stores]", {GONE}),
    ("def work(stores: dict[str, NoteTable]): stores['a'].get('1')", {GONE}),
    ("def work(store: NoteTable | None):\n if store: store.get('1')", {GONE}),
    ("def work(): made().get('1')\ndef made() -> NoteTable: ...", {GONE}),
    ("def work(): NoteTable().get('1')", {GONE}),
    ("WORDS = {1: problems.NOTE_GONE}\ndef work(): raise WORDS[1]()", {GONE}),
    (
        "class Service:\n  store: NoteStore\n  def do(self): self.store.get('1')\ndef work(it: Service): it.do()",
        {GONE},
    ),
    (
        "class Service:\n"
        "  def __init__(self, store: NoteStore): self._store = store\n"
        "  @property\n"
        "  def one(self): return self._store.get('1')\n"
        "def work(it: Service): return it.one",
        {GONE},
    ),
    # What is caught
    ("def work(store: NoteStore):\n try: store.get('1')\n except NotFound: pass", set()),
    ("def work(store: NoteStore):\n try: store.get('1')\n except HubError: pass", set()),
    ("def work(store: NoteStore):\n try: store.get('1')\n except (Conflict, Gone): pass", {GONE}),
    ("def work(store: NoteStore):\n try: store.get('1')\n except NotFound:\n  note()\n  raise", {GONE}),
    ("def work(store: NoteStore):\n try: store.get('1')\n except NotFound as error: raise error", {GONE}),
    (
        "def work(store: NoteStore):\n try: store.get('1')\n except NotFound: raise problems.NOTE_TAKEN()",
        {TAKEN},
    ),
    (
        "def work(store: NoteStore):\n"
        " try: store.get('1')\n except NotFound as error: raise Invalid.of(error.at('/note'))",
        {("note_gone", FieldError), ("invalid_request", Invalid)},
    ),
    ("def work(store: NoteStore):\n with suppress(NotFound): store.get('1')", set()),
    ("def work(store: NoteStore):\n with suppress(Conflict): store.get('1')", {GONE}),
]


@pytest.mark.parametrize(("text", "ends_in"), CASES)
def test_what_a_function_can_end_in(text: str, ends_in: Ends) -> None:
    assert found(text) == ends_in


def test_functions_that_call_each_other_are_followed_to_the_end() -> None:
    text = "def work(): other()\ndef other():\n work()\n raise problems.NOTE_GONE()"
    assert found(text) == {GONE}
