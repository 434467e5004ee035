"""What the hub can say went wrong, declared once and raised from there.

Each package's `problems` modules declare what it raises: the code for programs, a sentence that says what happened,
what to do about it, and whose turn it is (the class of the error, of which the status of an answer follows). Values of
a sentence are named in it, `{like_this}`; whoever raises it gives them by these names:

    COMPANY_GONE = ProblemType(ErpRefused, "company_gone", "{company} is no longer on the server.", "Choose again.")

    raise problems.COMPANY_GONE(company=name)

So a code that is not declared cannot be raised; `make check-problems` sees to the rest. The catalogue of all of them
(docs/errors.md, `GET /problems`) is made from the declarations.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, LiteralString, Self, cast

from erphub.platform.errors import FieldError, HubError, Invalid

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError

_CAPITALS = {"pdf", "erp", "tls", "vat", "json", "xml", "api", "sql", "id", "utc", "uuid", "csv"}


class Declared:
    """What is said of everything in the catalogue."""

    code: str
    """What happened, for programs; it stays when the words change."""
    sentence: str
    """What happened, for people."""
    advice: str
    """What the reader does next; empty where the sentence is enough."""

    @property
    def title(self) -> str:
        """A few words that are the same whenever this happens."""
        return title_of(self.code)

    @property
    def text(self) -> str:
        """All of it as it is told, with the names of its values in place of them."""
        return f"{self.sentence} {self.advice}".strip()

    @cached_property
    def values(self) -> frozenset[str]:
        """The names of the values in its text."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.text) if name)

    def render(self, **values: object) -> str:
        """Its text with these values. Raises KeyError when one is not given."""
        return self.text.format_map(values)


@dataclass(frozen=True)
class ProblemType[E: HubError](Declared):
    """A problem that ends a request or a piece of work."""

    kind: type[E]
    """Whose turn it is now; the status of an answer follows from it."""
    code: str
    sentence: str
    advice: str = ""
    members: tuple[str, ...] = ()
    """Values that programs get as well, as members of the problem document."""

    def __call__(self, **values: object) -> E:
        """The error to raise. Raises KeyError when a value of its text is not given."""
        members = {name: value for name, value in values.items() if name in self.members}
        return self.kind(self.render(**values), code=self.code, **members)

    def saying(self, sentence: str, advice: str = "") -> Self:
        """The same in other words, where something more is known of what happened."""
        return replace(self, sentence=sentence, advice=advice)

    def ending[F: HubError](self, kind: type[F]) -> "ProblemType[F]":
        """The same as an error that is handled otherwise, with the same status."""
        return ProblemType(kind, self.code, self.sentence, self.advice, self.members)


@dataclass(frozen=True)
class FieldProblemType(Declared):
    """What may be wrong with one field of a request, a file or settings."""

    code: str
    sentence: str
    advice: str = ""
    field: str = ""
    """The JSON pointer of the field, where it is always the same one."""

    def __call__(self, pointer: str | None = None, /, **values: object) -> FieldError:
        """What is wrong with the field at `pointer`. Raises KeyError when a value of its text is not given."""
        return FieldError(self.field if pointer is None else pointer, self.code, self.render(**values))

    def alone(self, pointer: str | None = None, /, **values: object) -> Invalid:
        """A request, a line or a file that is refused for this alone, under this code."""
        wrong = self(pointer, **values)
        return Invalid(wrong.detail, code=self.code, errors=[wrong])

    def in_model(self, **values: object) -> "PydanticCustomError":
        """The same for a check of a model, whose validation knows the field."""
        return found_in_model(self("", **values))

    def saying(self, sentence: str, advice: str = "") -> Self:
        """The same in other words, where something more is known of what happened."""
        return replace(self, sentence=sentence, advice=advice)


@dataclass(frozen=True)
class Reason(Declared):
    """Why something is as it is: kept with what it is about (an entry of the export log, a run), never raised."""

    code: str
    sentence: str
    advice: str = ""

    def record(self, **values: object) -> dict[str, str]:
        """What is kept: the code, and the text with these values (`detail`)."""
        return {"code": self.code, "detail": self.render(**values)}

    def saying(self, sentence: str, advice: str = "") -> Self:
        """The same in other words, where something more is known of what happened."""
        return replace(self, sentence=sentence, advice=advice)


def found_in_model(wrong: FieldError) -> "PydanticCustomError":
    """What is wrong with a field as an error of a model's validation, which knows better where the field is."""
    from pydantic_core import PydanticCustomError

    code, text = cast("tuple[LiteralString, LiteralString]", (wrong.code, "{text}"))
    return PydanticCustomError(code, text, {"text": wrong.detail})


def title_of(code: str) -> str:
    """A code as a few words for people."""
    words = [word.upper() if word in _CAPITALS else word for word in code.split("_")]
    return re.sub(r"^[a-z]", lambda first: first.group().upper(), " ".join(words))
