"""DynamoDB's expressions, read as its manual writes them down: conditions, key conditions, updates.

What the hub does not use (paths into maps and lists, `BETWEEN`, `size`, sets) is an error here, never a guess.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

type Wire = dict[str, Any]
"""An item, or one value of it, in DynamoDB's way of writing."""

_TOKEN = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<=|>=|<>|[=<>(),+-]))")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_VERBS = ("SET", "REMOVE", "ADD")


class Refused(Exception):
    """What DynamoDB calls a ValidationException."""


@dataclass(frozen=True)
class Given:
    """An item, and the names and values a request brought along."""

    item: Wire
    names: Mapping[str, str]
    values: Mapping[str, Wire]

    def name(self, word: str) -> str:
        """The attribute a word stands for."""
        return self.names[word] if word.startswith("#") else word

    def operand(self, word: str) -> Wire | None:
        """The value a word stands for; None when the item has no such attribute."""
        return self.values[word] if word.startswith(":") else self.item.get(self.name(word))


type Condition = Callable[[Given], bool]
type Source = Callable[[Given], Wire]


@dataclass(frozen=True)
class Comparison:
    """One part of a key condition: attribute, operator, value."""

    attribute: str
    operator: str
    value: str

    def __call__(self, given: Given) -> bool:
        one, other = given.operand(self.attribute), given.operand(self.value)
        if self.operator == "=":
            return one is not None and _same(one, other)
        if self.operator == "<>":
            return one is None or not _same(one, other)
        if one is None or other is None or one.keys() != other.keys():
            return False
        if self.operator == "begins_with":
            return one["S"].startswith(other["S"])
        return _ORDER[self.operator](plain(one), plain(other))


@dataclass(frozen=True)
class Update:
    """What an update expression does: attribute words to where their values come from, and those that go."""

    sets: tuple[tuple[str, Source], ...]
    removes: tuple[str, ...]
    adds: tuple[tuple[str, str], ...]

    def targets(self, given: Given) -> list[str]:
        """The attributes it changes."""
        return [given.name(word) for word in (*(word for word, _ in (*self.sets, *self.adds)), *self.removes)]

    def apply(self, given: Given) -> Wire:
        """The item as it is afterwards. Values are those from before, whatever the order of the clauses."""
        targets = self.targets(given)
        if len(set(targets)) < len(targets):
            raise Refused("Two document paths overlap with each other; must remove or rewrite one of these paths")
        after = dict(given.item)
        for word, source in self.sets:
            after[given.name(word)] = source(given)
        for word in self.removes:
            after.pop(given.name(word), None)
        for word, by in self.adds:
            before = given.item.get(given.name(word), {"N": "0"})
            after[given.name(word)] = _number(before, given.operand(by), 1)
        return after


@dataclass
class Reader:
    """Reads one expression, word for word."""

    words: list[str]
    at: int = 0
    used: set[str] = field(default_factory=set[str])

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, *expected: str) -> str:
        word = self.peek()
        if not word or (expected and word.upper() not in expected):
            raise Refused(f'Syntax error; token: "{word or "<EOF>"}", near: "{" ".join(self.words[self.at - 1 :])}"')
        self.at += 1
        return word

    def sees(self, *words: str) -> bool:
        return self.peek().upper() in words

    def taken(self, *words: str) -> bool:
        if self.sees(*words):
            self.at += 1
            return True
        return False

    def closes(self, at: int) -> int:
        """Where what opens here is closed."""
        depth = 0
        for place, word in enumerate(self.words[at:], at):
            depth += (word == "(") - (word == ")")
            if depth == 0:
                return place
        return len(self.words)

    def path(self) -> str:
        word = self.take()
        if not re.fullmatch(r"#\w+|[A-Za-z]\w*", word):
            raise Refused(f'Syntax error; token: "{word}"')
        if word.upper() in _reserved():
            raise Refused(f"Attribute name is a reserved keyword; reserved keyword: {word}")
        self.used.add(word)
        return word

    def operand(self) -> str:
        if not self.peek().startswith(":"):
            return self.path()
        self.used.add(self.peek())
        return self.take()

    def value(self) -> str:
        word = self.operand()
        if not word.startswith(":"):
            raise NotImplementedError(f"a function of two attributes: {word}")
        return word

    def separated(self, read: Callable[[], Any]) -> Iterator[Any]:
        yield read()
        while self.taken(","):
            yield read()

    # --- conditions ---------------------------------------------------------------------------------------------

    def either(self) -> Condition:
        parts = [self.both()]
        while self.taken("OR"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda given: any(part(given) for part in parts)

    def both(self) -> Condition:
        parts = [self.negated()]
        while self.taken("AND"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else lambda given: all(part(given) for part in parts)

    def negated(self) -> Condition:
        if self.taken("NOT"):
            part = self.negated()
            return lambda given: not part(given)
        if self.taken("("):
            if self.sees("(") and self.closes(self.at) + 1 == self.closes(self.at - 1):
                raise Refused("The expression has redundant parentheses;")
            part = self.either()
            self.take(")")
            return part
        return self.test()

    def test(self) -> Condition:
        if self.sees("ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS") and self.words[self.at + 1 : self.at + 2] == ["("]:
            wanted = self.take().lower() == "attribute_exists"
            self.take("(")
            path = self.path()
            self.take(")")
            return lambda given: (given.operand(path) is not None) == wanted
        return self.comparison()

    def comparison(self) -> Condition:
        if self.sees("BEGINS_WITH"):
            self.take()
            self.take("(")
            path = self.path()
            self.take(",")
            found = Comparison(path, "begins_with", self.value())
            self.take(")")
            return found
        one = self.operand()
        if self.taken("IN"):
            self.take("(")
            parts = [Comparison(one, "=", word) for word in self.separated(self.operand)]
            self.take(")")
            return lambda given: any(part(given) for part in parts)
        operator = self.take("=", "<>", *_ORDER)
        return Comparison(one, operator, self.operand())

    # --- updates ------------------------------------------------------------------------------------------------

    def update(self) -> Update:
        clauses: dict[str, list[Any]] = {}
        while self.peek():
            verb = self.take(*_VERBS).upper()
            if verb in clauses:
                raise Refused(f'The "{verb}" section can only be used once in an update expression;')
            read = {"SET": self.assignment, "REMOVE": self.path, "ADD": self.addition}[verb]
            clauses[verb] = list(self.separated(read))
        return Update(*(tuple(clauses.get(verb, [])) for verb in _VERBS))

    def assignment(self) -> tuple[str, Source]:
        path = self.path()
        self.take("=")
        source = self.source()
        while self.sees("+", "-"):
            sign = 1 if self.take() == "+" else -1
            source = _sum(source, self.source(), sign)
        return path, source

    def addition(self) -> tuple[str, str]:
        return self.path(), self.value()

    def source(self) -> Source:
        if not self.taken("IF_NOT_EXISTS"):
            word = self.operand()
            return lambda given: _present(given.operand(word))
        self.take("(")
        path = self.path()
        self.take(",")
        otherwise = self.source()
        self.take(")")
        return lambda given: found if (found := given.operand(path)) is not None else otherwise(given)


@cache
def condition(text: str) -> tuple[Condition, frozenset[str]]:
    """A condition, and the words it uses. Raises Refused, NotImplementedError."""
    return _read(text, Reader.either)


@cache
def key_condition(text: str) -> tuple[tuple[Comparison, ...], frozenset[str]]:
    """The comparisons that all have to hold: first the partition's, then perhaps one of the sort key."""
    parts, used = _read(text, lambda reader: _anded(reader))
    return tuple(parts), used


@cache
def update(text: str) -> tuple[Update, frozenset[str]]:
    """An update, and the words it uses. Raises Refused, NotImplementedError."""
    return _read(text, Reader.update)


def plain(value: Wire) -> Any:
    """A value that can be compared: text as bytes, as DynamoDB orders it."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content.encode() if kind == "S" else content


def _anded(reader: Reader) -> list[Any]:
    parts = [reader.comparison()]
    while reader.taken("AND"):
        parts.append(reader.comparison())
    if not all(isinstance(part, Comparison) for part in parts):
        raise Refused("Invalid operator used in KeyConditionExpression: IN")
    return parts


def _read(text: str, how: Callable[[Reader], Any]) -> tuple[Any, frozenset[str]]:
    reader = Reader(list(_words(text)))
    found = how(reader)
    if reader.peek():
        reader.take("<EOF>")
    return found, frozenset(reader.used)


def _words(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    if not end:
        raise Refused("Invalid expression: The expression can not be empty;")
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotImplementedError(f"{text[at:]!r} in {text!r}")
        yield found[1] or found[2]
        at = found.end()


def _same(one: Wire, other: Wire | None) -> bool:
    if other is None or one.keys() != other.keys():
        return False
    return plain(one) == plain(other) if one.keys() <= {"N"} else one == other


def _present(value: Wire | None) -> Wire:
    if value is None:
        raise Refused("The provided expression refers to an attribute that does not exist in the item")
    return value


def _sum(one: Source, other: Source, sign: int) -> Source:
    return lambda given: _number(one(given), other(given), sign)


def _number(one: Wire, other: Wire | None, sign: int) -> Wire:
    if other is None or "N" not in one or "N" not in other:
        raise Refused("An operand in the update expression has an incorrect data type")
    return {"N": str(Decimal(one["N"]) + sign * Decimal(other["N"]))}


@cache
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())
