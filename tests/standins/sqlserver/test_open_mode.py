"""To measure other tools the stand-in also runs ordinary queries; what it cannot translate it refuses."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pymssql
import pytest

from local.sqlserver import StandIn

from .clients import CONNECT, MICROSOFT, cursor, rows
from .conftest import READER, ROWS, make_catalogue


@pytest.fixture(scope="module")
def opened() -> Iterator[StandIn]:
    catalogue = make_catalogue()
    catalogue["F0001"].table("keyed", {"a": "int not null", "b": "nvarchar(10) not null"}, [(1, "x")], key=("b", "a"))
    with StandIn(catalogue, open_mode=True) as server:
        yield server


def asked(server: StandIn, text: str, client: str = "pymssql") -> list[tuple[Any, ...]]:
    with cursor(client, server) as each:
        each.execute("USE [F0001]")
        return rows(each, text)


@pytest.mark.parametrize("client", CONNECT)
def test_ordinary_queries_are_run(opened: StandIn, client: str) -> None:
    text = (
        "SELECT TOP 2 l.period, COUNT(*) AS n, SUM(l.amount) AS total FROM dbo.ledger AS l WITH (NOLOCK) "
        "WHERE l.text LIKE N'LINJE 1%' GROUP BY l.period HAVING COUNT(*) > 1 ORDER BY l.period DESC"
    )
    found = asked(opened, text, client)
    assert [row[0] for row in found] == [202412, 202411]
    wanted = [n for n in range(ROWS) if str(n).startswith("1") and n % 12 == 11]
    assert found[0][1:] == (len(wanted), Decimal(sum(wanted)) / 8)


@pytest.mark.parametrize(("client", "mark"), [("python-tds", "%s"), (MICROSOFT, "?"), ("pymssql", "%s")])
def test_values_travel_beside_the_statement(opened: StandIn, client: str, mark: str) -> None:
    with cursor(client, opened) as each:
        each.execute("USE [F0001]")
        for low, text in ((5, "linje 7"), (20, "LINJE 30")):
            each.execute(f"SELECT no FROM ledger WHERE no > {mark} AND text = {mark}", (low, text))
            assert [row[0] for row in each.fetchall()] == [int(text.split()[1])]


def test_databases_are_reached_by_three_part_names(opened: StandIn) -> None:
    with cursor("pymssql", opened) as each:
        assert rows(each, "SELECT COUNT(*) FROM [F0001].[dbo].[ledger]") == [(ROWS,)]
        assert rows(each, "SELECT DB_NAME(), SUSER_SNAME(), SCHEMA_NAME()") == [("master", READER, "dbo")]


def test_declared_types_reach_the_client(opened: StandIn) -> None:
    found = asked(opened, "SELECT c_guid, c_money, c_datetimeoffset FROM every WHERE id = 1")
    assert str(found[0][0]) == "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    assert found[0][1] == Decimal("-922337203685477.5808")


def test_tools_find_tables_columns_and_keys_in_the_system_views(opened: StandIn) -> None:
    columns = (
        "SELECT c.name, t.name, c.is_nullable FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id "
        "WHERE c.object_id = OBJECT_ID(N'dbo.keyed') ORDER BY c.column_id"
    )
    assert asked(opened, columns) == [("a", "int", False), ("b", "nvarchar", False)]
    keys = (
        "SELECT K.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS AS C JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE "
        "AS K ON K.CONSTRAINT_NAME = C.CONSTRAINT_NAME WHERE C.CONSTRAINT_TYPE = 'PRIMARY KEY' "
        "AND K.TABLE_NAME = 'keyed' ORDER BY K.ORDINAL_POSITION"
    )
    assert asked(opened, keys) == [("b",), ("a",)]
    tables = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'dbo' ORDER BY TABLE_NAME"
    assert [row[0] for row in asked(opened, tables)] == ["empty", "every", "keyed", "ledger", "secret"]


@pytest.mark.parametrize(
    "text",
    [
        "IF 1 = 1 SELECT 1",
        "DECLARE @x int = 1; SELECT @x",
        "DELETE FROM ledger",
        "EXEC sp_who",
        "SELECT no INTO copy FROM ledger",
        "WHILE 1=1 SELECT 1",
        "SELECT 1 FROM OPENROWSET(BULK 'x', SINGLE_CLOB) AS x",
        "SELECT (",
    ],
)
def test_control_flow_and_changes_are_refused_not_skipped(opened: StandIn, text: str) -> None:
    with pytest.raises(pymssql.Error) as caught:
        asked(opened, text)
    assert caught.value.args[0] in (102, 137, 208)


def test_rights_hold_in_open_mode_too(opened: StandIn) -> None:
    for text, number in (
        ("SELECT * FROM secret", 229),
        ("SELECT * FROM private.dbo.x", 916),
        ("SELECT gone FROM ledger", 207),
    ):
        with pytest.raises(pymssql.Error) as caught:
            asked(opened, text)
        assert caught.value.args[0] == number
