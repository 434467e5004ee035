"""Problems of notes."""

from erphub.platform.errors import NotFound
from erphub.platform.problem_types import ProblemType

NOTE_NOT_FOUND = ProblemType(NotFound, "note_not_found", "There is no such note.")
