"""Every type of SQL Server arrives whole in every driver, NULLs included."""
# ruff: noqa: DTZ001 (SQL Server's dates have no zone)

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from erphub.erp.transports.sqlserver import statements
from erphub.erp.transports.sqlserver.statements import Column, Sql, quote
from local.sqlserver import StandIn
from local.sqlserver.grammar import USE

from .clients import CONNECT, cursor, rows
from .conftest import COLUMNS, EDGE, FULL, NULLS

NAMES = list(COLUMNS)


def select(columns: str, table: str = "every") -> Sql:
    return statements.ROWS(columns=Sql(columns), schema=quote("dbo"), table=quote(table), where=Sql(""))


def use(client: Any) -> None:
    client.execute(str(USE(database=quote("F0001"))))


def expected(column: str, value: Any) -> Any:
    """What the server keeps of a value: fixed texts are padded."""
    if value is None:
        return None
    return value.ljust(5) if COLUMNS[column] in ("char(5)", "nchar(5)") else value


def same(column: str, got: Any, wanted: Any) -> bool:
    """Equal, but for how a driver wraps it: ids as texts, dates as datetimes, instants in another zone."""
    if wanted is None:
        return got is None
    if isinstance(wanted, UUID):
        return UUID(str(got)) == wanted
    if isinstance(wanted, datetime) and wanted.tzinfo is not None:
        return got.astimezone(UTC) == wanted.astimezone(UTC)
    if isinstance(wanted, Decimal):
        return Decimal(got) == wanted
    if isinstance(wanted, float):
        return got == pytest.approx(wanted, rel=1e-6 if COLUMNS[column] == "real" else 0, abs=0)
    return bool(got == wanted)


@pytest.mark.parametrize("client", CONNECT)
@pytest.mark.parametrize("place", [0, 1, 2], ids=["a full row", "a row of extremes", "a row of nulls"])
def test_every_type_arrives_whole(quiet: StandIn, client: str, place: int) -> None:
    wanted = (FULL, EDGE, NULLS)[place]
    with cursor(client, quiet) as each:
        use(each)
        found = [row for row in rows(each, select(", ".join(f"[{name}]" for name in NAMES))) if row[0] == wanted[0]]
    assert len(found) == 1
    wrong = {
        name: (got, expected(name, value))
        for name, got, value in zip(NAMES, found[0], wanted, strict=True)
        if not same(name, got, expected(name, value))
    }
    assert wrong == {}


@pytest.mark.parametrize("client", CONNECT)
def test_an_empty_table_has_columns_and_no_rows(quiet: StandIn, client: str) -> None:
    with cursor(client, quiet) as each:
        use(each)
        assert rows(each, select("[id], [text]", "empty")) == []
        assert [column[0] for column in each.description] == ["id", "text"]


def described(name: str) -> Column:
    declaration = COLUMNS[name]
    base = declaration.split("(")[0].split(" ")[0]
    return Column(name, base, 0, 0, 0, nullable=True)


def test_exact_types_travel_as_the_texts_sql_server_writes(quiet: StandIn) -> None:
    wanted = {
        "c_decimal38": ["123456789012345678.12345678901234567891", "-999999999999999999.99999999999999999999"],
        "c_decimal9": ["-0.05", "9999999.99"],
        "c_decimal_all": ["-0.1234", "0.9999"],
        "c_decimal28": ["-9487049.350000", "0.000000"],
        "c_money": ["-922337203685477.5808", "922337203685477.5807"],
        "c_smallmoney": ["214748.3647", "-214748.3648"],
        "c_datetime": ["2024-02-29T23:59:59.997", "1753-01-01T00:00:00"],
        "c_datetime2": ["9999-12-31T23:59:59.9999990", "0001-01-01T00:00:00"],
        "c_datetime2_0": ["0001-01-01T00:00:01", "9999-12-31T23:59:59"],
        "c_smalldatetime": ["2024-02-29T12:34:00", "1900-01-01T00:00:00"],
        "c_date": ["2024-02-29", "0001-01-01"],
        "c_datetimeoffset": ["2024-02-29T23:30:00.5000000-03:30", "2024-02-29T12:00:00+00:00"],
        "c_guid": ["6F9619FF-8B86-D011-B42D-00C04FC964FF", "00000000-0000-0000-0000-000000000000"],
    }
    with cursor("pymssql", quiet) as each:
        use(each)
        for name, texts in wanted.items():
            found = rows(each, select(statements.expression(described(name))))
            assert [row[0] for row in found] == [*texts, None], name


def test_columns_are_described_as_in_the_system_view(quiet: StandIn) -> None:
    with cursor("pymssql", quiet) as each:
        use(each)
        found = rows(each, statements.COLUMNS(object=statements.literal(statements.qualified("dbo", "every"))))
    shapes = {row[0]: row[1:] for row in found}
    assert list(shapes) == NAMES
    assert shapes["id"] == ("int", 4, 10, 0, False)
    assert shapes["c_decimal38"] == ("decimal", 17, 38, 20, True)
    assert shapes["c_decimal9"] == ("decimal", 5, 9, 2, True)
    assert shapes["c_money"] == ("money", 8, 19, 4, True)
    assert shapes["c_nvarchar"] == ("nvarchar", 100, 0, 0, True)
    assert shapes["c_nvarchar_max"] == ("nvarchar", -1, 0, 0, True)
    assert shapes["c_datetime2"] == ("datetime2", 8, 27, 7, True)
    assert shapes["c_datetime2_0"] == ("datetime2", 6, 19, 0, True)
    assert shapes["c_time"] == ("time", 5, 16, 7, True)
    assert shapes["c_datetimeoffset"] == ("datetimeoffset", 10, 34, 7, True)
    assert shapes["c_guid"] == ("uniqueidentifier", 16, 0, 0, True)


def test_the_values_a_column_cannot_hold_are_refused_when_they_are_put_in(standin: StandIn) -> None:
    company = standin.catalogue["F0001"]
    with pytest.raises(ValueError, match="truncated"):
        company.insert("empty", [(1, "x" * 21)])
    with pytest.raises(ValueError, match="does not allow NULL"):
        company.insert("empty", [(None, "x")])
    assert company.sql("SELECT count(*) FROM {empty}") == [(0,)]


def test_old_datetimes_keep_a_three_hundredth_of_a_second(standin: StandIn) -> None:
    company = standin.catalogue["F0001"]
    company.table("stamps", {"at": "datetime"}, [(datetime(2024, 1, 1, 0, 0, 0, 2000),)])
    with cursor("pymssql", standin) as each:
        use(each)
        assert rows(each, select("[at]", "stamps")) == [(datetime(2024, 1, 1, 0, 0, 0, 3000),)]
