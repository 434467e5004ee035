"""Whatever a table is like, its rows are the same by every reader: values, types, totals, and what was odd."""

import random
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from erphub.erp.datasets import BY_ID, FieldType
from erphub.erp.reading import DateRange
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.sqlserver import Database

from .conftest import JANUARY, NATIVE, Imported, Site

LEDGER = BY_ID["gl_transactions"]
ROWS = 40
TABLES = 12
DECLARED = {
    FieldType.TEXT: (
        *(
            "nvarchar(40)",
            "nchar(12)",
            "varchar(40)",
            "char(9)",
            "int",
            "bigint",
            "smallint",
            "tinyint",
            "bit",
            "float",
        ),
        *("real", "decimal(38,20)", "decimal(9,2)", "money", "smallmoney", "date", "datetime", "datetime2(7)"),
        *("smalldatetime", "datetimeoffset(7)", "time(7)", "uniqueidentifier"),
    ),
    FieldType.INTEGER: ("int", "bigint", "smallint", "tinyint", "bit", "decimal(18,0)"),
    FieldType.DECIMAL: (
        *("decimal(38,20)", "decimal(28,6)", "decimal(5,0)", "money", "smallmoney", "float", "real", "int", "bigint"),
        *("tinyint", "bit"),
    ),
    FieldType.DATE: ("int", "bigint", "date", "datetime", "datetime2(7)", "smalldatetime"),
    FieldType.TIMESTAMP: ("datetime", "datetime2(7)", "datetime2(0)", "smalldatetime", "date"),
    FieldType.BOOLEAN: ("bit", "int", "tinyint"),
}
LETTERS = string.ascii_letters + "æøåÆØÅ €ß"


def _day(chance: random.Random) -> date:
    return date(2024, 1, 1) + timedelta(days=chance.randrange(-20_000, 20_000))


def _moment(chance: random.Random) -> datetime:
    return datetime.combine(_day(chance), time()) + timedelta(milliseconds=10 * chance.randrange(8_640_000))


def _number(digits: int, scale: int) -> Callable[[random.Random], Decimal]:
    return lambda chance: Decimal(chance.randrange(-(10**digits) + 1, 10**digits)).scaleb(-scale)


def _whole(low: int, high: int) -> Callable[[random.Random], int]:
    return lambda chance: chance.choice([low, high, 0, chance.randint(low, high)])


def _text(chance: random.Random) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randrange(10)))


VALUES: dict[str, Callable[[random.Random], Any]] = {
    "nvarchar": lambda chance: _text(chance) + chance.choice(["", "🌿", "漢", "a\0b"]),
    "nchar": _text,
    "varchar": lambda chance: _text(chance) + chance.choice(["", "\x81", "’"]),
    "char": lambda chance: _text(chance)[:9],
    "int": _whole(-(2**31), 2**31 - 1),
    "bigint": _whole(-(2**63), 2**63 - 1),
    "smallint": _whole(-(2**15), 2**15 - 1),
    "tinyint": _whole(0, 255),
    "bit": lambda chance: chance.random() < 0.5,
    "float": lambda chance: chance.choice([0.1, -0.0, 1e-13, 123456.7890123456, chance.uniform(-1e6, 1e6), 1.5e15]),
    "real": lambda chance: chance.choice([0.1, 0.5, chance.uniform(-1e3, 1e3)]),
    "money": _number(18, 4),
    "smallmoney": _number(9, 4),
    "date": _day,
    "datetime": _moment,
    "datetime2": _moment,
    "smalldatetime": lambda chance: datetime(2024, 1, 1) + timedelta(minutes=chance.randrange(10**6)),  # noqa: DTZ001
    "datetimeoffset": lambda chance: _moment(chance).replace(
        tzinfo=chance.choice([UTC, timezone(timedelta(hours=-3.5))])
    ),
    "time": lambda chance: chance.choice([time(23, 59, 59, 999999), time(1, 2, 3), time(0, 0, 0, 1000), time()]),
    "uniqueidentifier": lambda chance: UUID(int=chance.getrandbits(128)),
}
DAY_NUMBERS = (0, 20240131, 20240231, 19991231, -1, 7)


def value(chance: random.Random, declared: str, kind: FieldType) -> Any:
    base = declared.partition("(")[0]
    if chance.random() < 0.15:
        return None
    if kind is FieldType.DATE and base in ("int", "bigint"):
        return chance.choice(DAY_NUMBERS)
    if base == "decimal":
        digits, scale = map(int, declared[8:-1].split(","))
        return _number(digits, scale)(chance)
    if base == "float" and kind is FieldType.TEXT:
        return chance.choice([0.1, 5e-324, 1.7976931348623157e308, chance.random()])
    return VALUES[base](chance)


def random_table(site: Site, seed: int) -> dict[str, str]:
    """A table for a mapped ledger, and which column is behind which field."""
    chance = random.Random(seed)
    declared = {
        field.name: chance.choice(DECLARED[field.type])
        for field in LEDGER.fields
        if field.key or field.name == LEDGER.date or chance.random() < 0.9
    }
    kinds = {field.name: field.type for field in LEDGER.fields}
    rows = [tuple(value(chance, declared[name], kinds[name]) for name in declared) for _ in range(ROWS)]
    database: Database = site.catalogue.database("Random", grant=["reader"], snapshot=True)
    database.table("Ledger", {f"C {name}": kind for name, kind in declared.items()}, rows)
    return {name: f"C {name}" for name in declared}


def imported(site: Site, reader: Reader, columns: dict[str, str], window: DateRange) -> Imported:
    site.reader = reader
    mapping = {"gl_transactions": {"schema": "dbo", "table": "Ledger", "columns": columns}}
    return site.imported("gl_transactions", key="Random", system="sqlserver-generic", mapping=mapping, window=window)


def in_order(found: Imported) -> list[str]:
    return sorted(repr(row) for row in found.rows)


@pytest.mark.parametrize("window", [DateRange(), JANUARY], ids=["everything", "a window"])
@pytest.mark.parametrize("seed", range(TABLES))
def test_a_random_table_is_the_same_by_every_reader(
    site: Site, seed: int, window: DateRange, rows_at_a_time: Callable[[int], None]
) -> None:
    rows_at_a_time(16)
    columns = random_table(site, seed)
    by_rows = imported(site, Reader.PYMSSQL, columns, window)
    by_columns = imported(site, NATIVE, columns, window)
    assert in_order(by_columns) == in_order(by_rows)
    assert by_columns.totals == by_rows.totals
    assert [(one.code, one.count) for one in by_columns.anomalies] == [
        (one.code, one.count) for one in by_rows.anomalies
    ]
    assert by_columns.rows or window is JANUARY
