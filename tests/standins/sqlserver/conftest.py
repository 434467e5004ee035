"""A running stand-in server with one company, for the tests of the server and of the drivers that talk to it."""
# ruff: noqa: DTZ001 (SQL Server's dates have no zone)

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from local.sqlserver import Catalogue, StandIn

READER, PASSWORD = "reader", "s3cret æøå"
ROWS = 60_000

COLUMNS = {
    "id": "int not null",
    "c_bigint": "bigint",
    "c_smallint": "smallint",
    "c_tinyint": "tinyint",
    "c_bit": "bit",
    "c_decimal38": "decimal(38,20)",
    "c_decimal28": "decimal(28,6)",
    "c_decimal9": "decimal(9,2)",
    "c_decimal_all": "decimal(4,4)",
    "c_numeric": "numeric(18,0)",
    "c_money": "money",
    "c_smallmoney": "smallmoney",
    "c_float": "float",
    "c_real": "real",
    "c_nvarchar": "nvarchar(50)",
    "c_nvarchar_max": "nvarchar(max)",
    "c_varchar": "varchar(50)",
    "c_varchar_max": "varchar(max)",
    "c_char": "char(5)",
    "c_nchar": "nchar(5)",
    "c_datetime": "datetime",
    "c_datetime2": "datetime2(7)",
    "c_datetime2_0": "datetime2(0)",
    "c_smalldatetime": "smalldatetime",
    "c_date": "date",
    "c_time": "time(7)",
    "c_datetimeoffset": "datetimeoffset(7)",
    "c_varbinary": "varbinary(20)",
    "c_varbinary_max": "varbinary(max)",
    "c_guid": "uniqueidentifier",
}
GUID = UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff")
FULL: tuple[Any, ...] = (
    1,
    -(2**63),
    -32768,
    255,
    True,
    Decimal("123456789012345678.12345678901234567891"),
    Decimal("-9487049.350000"),
    Decimal("-0.05"),
    Decimal("-0.1234"),
    Decimal("999999999999999999"),
    Decimal("-922337203685477.5808"),
    Decimal("214748.3647"),
    0.1,
    -1.5,
    "Blåbærsyltetøy 😀",
    "æ" * 5000 + "😀",
    "Blåbær €",
    "x" * 9000,
    "åb",
    "øy",
    datetime(2024, 2, 29, 23, 59, 59, 997000),
    datetime(9999, 12, 31, 23, 59, 59, 999999),
    datetime(1, 1, 1, 0, 0, 1),
    datetime(2024, 2, 29, 12, 34),
    date(2024, 2, 29),
    time(23, 59, 59, 123456),
    datetime(2024, 2, 29, 23, 30, 0, 500000, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    b"\x00\xff\x10",
    bytes(range(256)) * 40,
    GUID,
)
EDGE: tuple[Any, ...] = (
    2,
    2**63 - 1,
    32767,
    0,
    False,
    Decimal("-999999999999999999.99999999999999999999"),
    Decimal(0),
    Decimal("9999999.99"),
    Decimal("0.9999"),
    Decimal("-999999999999999999"),
    Decimal("922337203685477.5807"),
    Decimal("-214748.3648"),
    -1.7976931348623157e308,
    0.0,
    "",
    "",
    "",
    "",
    "",
    "",
    datetime(1753, 1, 1),
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59),
    datetime(1900, 1, 1),
    date(1, 1, 1),
    time(0),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    b"",
    b"",
    UUID(int=0),
)
NULLS: tuple[Any, ...] = (3, *[None] * (len(COLUMNS) - 1))


def make_catalogue() -> Catalogue:
    """One company with every type, one with a larger ledger, and databases that cannot be opened."""
    catalogue = Catalogue()
    catalogue.login(READER, PASSWORD)
    catalogue.login("CORP\\anna", "Vår-2026 ☀", windows=True)
    company = catalogue.database("F0001", snapshot=True, grant=[READER, "CORP\\anna"])
    company.table("every", COLUMNS, [FULL, EDGE, NULLS])
    company.table("empty", {"id": "int not null", "text": "nvarchar(20)"})
    company.table("secret", {"id": "int"}, [(1,)])
    company.deny(READER, "secret")
    company.table("ledger", {"no": "int not null", "period": "int", "amount": "decimal(38,20)", "text": "nvarchar(40)"})
    company.sql(
        "INSERT INTO {ledger} SELECT i, 202401 + i % 12, CAST(i AS DECIMAL(18,0)) * 0.125, 'linje ' || i "
        f"FROM range({ROWS}) AS r(i)"
    )
    catalogue.database("F0002", grant=[READER])
    catalogue.database("private")
    catalogue.database("asleep", grant=[READER]).state = "OFFLINE"
    catalogue.database("waking", grant=[READER]).state = "RESTORING"
    odd = catalogue.database('Ålesund [A]\'s "bok" 😀', grant=[READER])
    odd.table("Kto]n 'x' %s", {"b]løp %d": "decimal(9,2)"}, [(Decimal("1.50"),)])
    return catalogue


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A server of this test alone."""
    with StandIn(make_catalogue()) as server:
        yield server


@pytest.fixture(scope="module")
def quiet() -> Iterator[StandIn]:
    """A server for tests that change nothing in it."""
    with StandIn(make_catalogue()) as server:
        yield server
