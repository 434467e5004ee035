"""The project's own statements, and nothing else: reads a text back into the statement and what fills its holes.

Each entry of `erphub.erp.sqlserver.statements.ALL` becomes one strict pattern, so a text passes here exactly when the
hub could have built it. What a hole may hold is the same short grammar the hub fills it with.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from erphub.erp.transports.sqlserver.statements import Statement

USE = Statement("use", "USE {database:name}")
"""What other clients say to be in a database; the hub is in one from its login on."""

_NAME = r"\[(?:[^\]\0]|\]\]){1,256}\]"
_VALUE = r"(?:-?\d{1,38}|'\d{8}'|N'(?:[^']|'')*')"
_OPERAND = rf"(?:SUM\({_NAME}\)|{_NAME})"
_EXPRESSION = rf"(?:CONVERT\(n?varchar\((?:\d+|max)\), {_OPERAND}(?:, \d+)?\)|{_OPERAND})"
_BOUNDS = rf"(?:{_NAME} >= {_VALUE}(?: AND {_NAME} < {_VALUE})?|{_NAME} < {_VALUE})"
_CONDITION = rf"(?: WHERE \({_BOUNDS}\) OR {_NAME} IS NULL| WHERE {_BOUNDS}| WHERE {_NAME} IS NOT NULL)?"
_KINDS = {
    "name": _NAME,
    "value": _VALUE,
    "columns": rf"{_EXPRESSION}(?:, {_EXPRESSION})*",
    "condition": _CONDITION,
}
_HOLE = re.compile(r"\{(\w+):(\w+)\}")
_PART = re.compile(
    rf"(?:CONVERT\((?P<unicode>n)?varchar\((?P<width>\d+|max)\), )?"
    rf"(?:(?P<sum>SUM)\()?(?P<name>{_NAME})\)?(?:, (?P<style>\d+))?\)?(?:, |$)"
)
_BOUND = re.compile(rf"(?P<name>{_NAME}) (?P<operator>>=|<|IS NOT NULL|IS NULL)(?: (?P<value>{_VALUE}))?")

type Value = int | str | date


@dataclass(frozen=True)
class Expression:
    """One item of a select list: a column or its sum, perhaps converted to `varchar(width)` in a style, or to
    `nvarchar(width)`; a width of -1 is max.
    """

    column: str
    total: bool = False
    width: int | None = None
    style: int | None = None
    unicode: bool = False


@dataclass(frozen=True)
class Bound:
    """`column operator value`; operator is `>=`, `<`, `IS NULL` or `IS NOT NULL`."""

    column: str
    operator: str
    value: Value | None = None


@dataclass(frozen=True)
class Asked:
    """A statement of the list, with its holes' contents by name (as text; read them with the functions below)."""

    name: str
    holes: dict[str, str]


class Grammar:
    """Recognises the texts of a list of statements."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._patterns = [(statement.name, re.compile(_pattern(statement.text), re.DOTALL)) for statement in statements]

    def read(self, text: str) -> Asked | None:
        """The statement this text is, or None when the hub could not have built it."""
        for name, pattern in self._patterns:
            match = pattern.fullmatch(text)
            if match is not None:
                return Asked(name, match.groupdict())
        return None


def _pattern(text: str) -> str:
    """The regular expression of a statement: holes become groups, and a hole named twice must hold the same twice."""
    out: list[str] = []
    seen: set[str] = set()
    position = 0
    for hole in _HOLE.finditer(text):
        out.append(re.escape(text[position : hole.start()]))
        name, kind = hole[1], hole[2]
        out.append(f"(?P={name})" if name in seen else f"(?P<{name}>{_KINDS[kind]})")
        seen.add(name)
        position = hole.end()
    out.append(re.escape(text[position:]))
    return "".join(out)


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    return -1 if text == "max" else int(text)


def name(text: str) -> str:
    """`[a]]b]` is `a]b`."""
    return text[1:-1].replace("]]", "]")


def value(text: str) -> Value:
    """A literal: a number, `'20240131'` as a date, `N'…'` as text. Raises ValueError for a day that is none."""
    if text.startswith("N'"):
        return text[2:-1].replace("''", "'")
    if text.startswith("'"):
        return date(int(text[1:5]), int(text[5:7]), int(text[7:9]))
    return int(text)


def columns(text: str) -> list[Expression]:
    """A select list."""
    return [
        Expression(
            column=name(part["name"]),
            total=part["sum"] is not None,
            width=_width(part["width"]),
            style=int(part["style"]) if part["style"] else None,
            unicode=bool(part["unicode"]),
        )
        for part in _PART.finditer(text)
    ]


def condition(text: str) -> list[Bound]:
    """The bounds of a WHERE clause (an IS NULL among them is an alternative to the others)."""
    return [
        Bound(name(part["name"]), part["operator"], value(part["value"]) if part["value"] else None)
        for part in _BOUND.finditer(text.removeprefix(" WHERE "))
    ]


def object_name(text: str) -> tuple[str, str] | None:
    """`[schema].[table]` (or bare names) as two names; None when it is neither."""
    match = re.fullmatch(rf"({_NAME}|\w+)\.({_NAME}|\w+)", text, re.DOTALL)
    if match is None:
        return None
    first, second = (name(part) if part.startswith("[") else part for part in match.groups())
    return first, second
