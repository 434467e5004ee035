"""Every statement that the hub can send is T-SQL to two parsers that know it, with the names that were meant.

sqlglot takes any name; of statements it lets pass what it does not know, and it does not know the level SNAPSHOT.
sqlfluff knows that and refuses what it does not know, but no name in which a bracket is closed. It takes a tenth of a
second for a statement, so it sees one of each.
"""
# pyright: reportPrivateImportUsage=false

import random
import re
import sys

import pytest
import sqlglot
from sqlfluff.core import FluffConfig, Linter
from sqlglot import exp

from erphub.erp.datasets import DatasetField, FieldType
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days
from erphub.erp.transports.sqlserver.columns import ColumnConversion
from erphub.erp.transports.sqlserver.rows import RowConversion
from erphub.erp.transports.sqlserver.selecting import Selection
from erphub.erp.transports.sqlserver.statements import (
    ALL,
    SNAPSHOT,
    Column,
    Span,
    Sql,
    condition,
    day,
    expression,
    listed,
    literal,
    qualified,
    quote,
)

from .test_conversions_alike import DECLARED

PIECES = (
    "Ac",
    "]",
    "[",
    "'",
    '"',
    ";",
    "--",
    " ",
    "ø",
    "%",
    "🌿",
    "select",
    "/*",
    ".",
    "@",
    "a#",
    "a b",
)  # a name that begins with # is a temporary table's
ROUNDS = 40


def name(chance: random.Random) -> str:
    return "".join(chance.choices(PIECES, k=chance.randint(1, 6))).strip() or "x"


@pytest.fixture
def no_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are of everything but brackets."""
    monkeypatch.setattr(sys.modules[__name__], "PIECES", tuple(one for one in PIECES if one not in "[]"))


def described(chance: random.Random, declared: str) -> Column:
    base, _, digits = declared.partition("(")
    numbers = [int(number) for number in re.findall(r"\d+", digits)]
    length = numbers[0] if numbers else 8
    return Column(name(chance), base, chance.choice([length, -1, 8000]), *[*numbers, 0, 0][:2], True)


def conversion(kind: type[RowConversion] | type[ColumnConversion]) -> RowConversion | ColumnConversion:
    """A reader's conversion that has selected nothing yet."""
    made = kind.__new__(kind)
    made._days, made._anomalies, made._selection = Days(), Anomalies(), Selection((), (), ())  # type: ignore[attr-defined]
    return made


def selected(chance: random.Random) -> list[tuple[str, Sql]]:
    """Columns of every kind of field, as each reader asks for them."""
    found: list[tuple[str, Sql]] = []
    for kind in (RowConversion, ColumnConversion):
        for field in FieldType:
            column = described(chance, chance.choice(DECLARED[field]))
            wanted = DatasetField("field", field, "A field")
            found.append((column.name, conversion(kind).expression(wanted, column)))
    return found


def fillings(chance: random.Random, statement_text: str) -> tuple[dict[str, Sql], set[str]]:
    """What fills a statement's holes, and the names that it then holds."""
    filled: dict[str, Sql] = {}
    names: set[str] = set()
    for hole, kind in dict(re.findall(r"\{(\w+):(\w+)\}", statement_text)).items():
        match kind:
            case "name":
                names.add(one := name(chance))
                filled[hole] = quote(one)
            case "value" if hole == "milliseconds":
                filled[hole] = literal(chance.randint(0, 600_000))
            case "value":
                filled[hole] = literal(chance.choice([1500, qualified(name(chance), name(chance)), "it's"]))
            case "columns" if hole == "columns":
                columns = selected(chance)
                names |= {column for column, _ in columns}
                filled[hole] = listed([asked for _, asked in columns])
            case "columns":
                column = described(chance, chance.choice(DECLARED[FieldType.DECIMAL]))
                names.add(column.name)
                filled[hole] = expression(column, total=True) if hole == "total" else day(column)
            case _:
                low, high = chance.choice([None, 20240101]), chance.choice([None, 20250101])
                span = Span(name(chance), low, high, chance.random() < 0.5)
                filled[hole] = condition(span)
                names |= {span.column} if filled[hole] else set()
    return filled, names


@pytest.mark.parametrize("statement", [one for one in ALL if one is not SNAPSHOT], ids=lambda one: one.name)
def test_a_statement_is_parsed_whatever_fills_it(statement: object) -> None:
    text: str = statement.text  # type: ignore[attr-defined]
    for seed in range(ROUNDS):
        filled, names = fillings(random.Random(seed), text)
        (parsed,) = sqlglot.parse(statement(**filled), read="tsql")  # type: ignore[operator]
        assert parsed is not None
        assert not isinstance(parsed, exp.Command)
        assert names <= {one.this for one in parsed.find_all(exp.Identifier)}


def test_the_one_level_that_the_parser_does_not_know_is_the_only_thing_it_minds() -> None:
    (parsed,) = sqlglot.parse(SNAPSHOT().replace("SNAPSHOT", "SERIALIZABLE"), read="tsql")
    assert isinstance(parsed, exp.Set)


@pytest.fixture(scope="module")
def second_parser() -> Linter:
    return Linter(config=FluffConfig(overrides={"dialect": "tsql"}))


@pytest.mark.usefixtures("no_brackets")
@pytest.mark.parametrize("statement", ALL, ids=lambda one: one.name)
def test_a_second_parser_reads_every_statement_and_its_names(statement: object, second_parser: Linter) -> None:
    text: str = statement.text  # type: ignore[attr-defined]
    filled, names = fillings(random.Random(text), text)
    sent = str(statement(**filled))  # type: ignore[operator]
    parsed = second_parser.parse_string(sent)
    assert parsed.violations == [], sent
    assert parsed.tree is not None
    assert len(list(parsed.tree.recursive_crawl("statement", recurse_into=False))) == 1
    read = {one.raw for one in parsed.tree.recursive_crawl("quoted_identifier", "naked_identifier")}
    assert {str(quote(one)) for one in names} <= read


@pytest.mark.parametrize(
    "broken", ["SELECT (1", "SELECT FROM [a]", "SELECT [a] FROM", "SET LOCK_TIMEOUT N'1'", "SELECT [a]]"]
)
def test_the_second_parser_minds_what_is_no_statement(broken: str, second_parser: Linter) -> None:
    assert second_parser.parse_string(broken).violations
