"""The stand-in executes the hub's own list of statements, and refuses every other text loudly."""

from datetime import date
from decimal import Decimal

import pymssql
import pytest

from erphub.erp.transports.sqlserver import statements
from erphub.erp.transports.sqlserver.statements import ALL, Column, Span, Sql, quote
from local.sqlserver import StandIn, executor
from local.sqlserver.grammar import USE, Grammar

from .clients import CONNECT, cursor, pymssql_connection, rows
from .conftest import ROWS


def ledger(where: Span | None = None, columns: str = "[no], [period]") -> Sql:
    return statements.ROWS(
        columns=Sql(columns), schema=quote("dbo"), table=quote("ledger"), where=statements.condition(where)
    )


def use(each: object, database: str = "F0001") -> None:
    each.execute(str(USE(database=quote(database))))  # type: ignore[attr-defined]


def error_of(each: object, text: str) -> int:
    with pytest.raises(pymssql.Error) as caught:
        rows(each, text)
    return int(caught.value.args[0])


def test_every_statement_of_the_hub_can_be_executed() -> None:
    assert {statement.name for statement in ALL} <= executor.KNOWN


@pytest.mark.parametrize("client", CONNECT)
def test_a_text_that_is_not_on_the_list_is_refused_and_named(standin: StandIn, client: str) -> None:
    with cursor(client, standin) as each, pytest.raises(Exception, match="DROP TABLE ledger"):
        each.execute("DROP TABLE ledger")
    assert list(standin.stats.unknown_texts) == ["DROP TABLE ledger"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT [no] FROM [dbo].[ledger]; DROP TABLE [ledger]",
        "SELECT [no] FROM [dbo].[ledger] WHERE [no] >= 1 OR 1=1",
        "SELECT [no], * FROM [dbo].[ledger]",
        "select [no] from [dbo].[ledger]",
        "SELECT [no] FROM [dbo].[led]ger]",
        "SELECT [no] FROM [dbo].[ledger] WHERE [no] >= N'it''s' AND [no] < N'it's'",
        "IF 1=1 SELECT 1",
        "SELECT @@VERSION; DROP TABLE x",
        "",
    ],
)
def test_a_text_the_hub_could_not_have_built_is_on_no_list(text: str) -> None:
    assert Grammar(ALL).read(text) is None


@pytest.mark.parametrize("name", ["a]b", "a]]b", "[x]", "';--", "%s %d", "å 😀", "a, [b]", "N'x'", "x" * 128])
def test_odd_names_are_read_back_as_they_were_written(name: str) -> None:
    asked = Grammar(ALL).read(ledger(None, f"{quote(name)}, SUM({quote(name)})"))
    assert asked is not None
    from local.sqlserver import grammar

    assert [part.column for part in grammar.columns(asked.holes["columns"])] == [name, name]
    condition = statements.condition(Span(name, f"low {name}'", f"high {name}", with_nulls=True))
    bounds = grammar.condition(condition)
    assert [(each.column, each.operator, each.value) for each in bounds] == [
        (name, ">=", f"low {name}'"),
        (name, "<", f"high {name}"),
        (name, "IS NULL", None),
    ]


def test_a_day_is_written_in_eight_digits_whatever_the_year() -> None:
    assert [statements.literal(date(year, 1, 2)) for year in (1, 999, 2026)] == [
        "'00010102'",
        "'09990102'",
        "'20260102'",
    ]


def test_names_with_quotes_brackets_and_percent_signs_are_read(quiet: StandIn) -> None:
    with cursor("pymssql", quiet) as each:
        use(each, 'Ålesund [A]\'s "bok" 😀')
        assert rows(each, statements.OBJECTS()) == [("dbo", "Kto]n 'x' %s", "U")]
        name = statements.literal(statements.qualified("dbo", "Kto]n 'x' %s"))
        assert rows(each, statements.COLUMNS(object=name))[0][0] == "b]løp %d"
        assert rows(each, statements.MAY_READ(object=name)) == [(1,)]
        found = statements.ROWS(
            columns=quote("b]løp %d"), schema=quote("dbo"), table=quote("Kto]n 'x' %s"), where=Sql("")
        )
        assert rows(each, found) == [(Decimal("1.50"),)]


def test_a_range_holds_its_low_end_and_not_its_high_end(quiet: StandIn) -> None:
    with cursor("pymssql", quiet) as each:
        use(each)
        assert [row[0] for row in rows(each, ledger(Span("no", 10, 13)))] == [10, 11, 12]
        assert [row[0] for row in rows(each, ledger(Span("no", None, 2)))] == [0, 1]
        assert len(rows(each, ledger(Span("no", ROWS - 3)))) == 3
        assert len(rows(each, ledger(Span("no")))) == ROWS


def test_counts_sums_and_extents_are_those_of_the_rows(quiet: StandIn) -> None:
    table = {"schema": quote("dbo"), "table": quote("ledger")}
    total = statements.expression(Column("amount", "decimal", 17, 38, 20, nullable=True), total=True)
    with cursor("pymssql", quiet) as each:
        use(each)
        extent = rows(each, statements.EXTENT(key=quote("no"), where=Sql(""), **table))
        totals = rows(each, statements.TOTALS(period=quote("period"), total=total, where=Sql(""), **table))
        counts = rows(each, statements.COUNTS(period=quote("period"), where=Sql(""), **table))
    assert extent == [(ROWS, 0, ROWS - 1)]
    assert [row[0] for row in totals] == list(range(202401, 202413))
    assert [row[:2] for row in totals] == counts
    assert sum(Decimal(row[2]) for row in totals) == Decimal(ROWS * (ROWS - 1) // 2) / 8


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SELECT [no] FROM [dbo].[gone]", 208),
        ("SELECT [gone] FROM [dbo].[ledger]", 207),
        ("SELECT [id] FROM [dbo].[secret]", 229),
        ("SELECT SUM([text]) FROM [dbo].[ledger]", 8117),
        ("SELECT [no] FROM [dbo].[ledger] WHERE [no] >= N'abc'", 245),
        ("SELECT [no] FROM [dbo].[ledger] WHERE [text] >= 5", 245),
        ("SELECT [id] FROM [dbo].[every] WHERE [c_date] >= 5", 206),
    ],
)
def test_what_cannot_be_read_is_refused_with_sql_servers_number(quiet: StandIn, text: str, number: int) -> None:
    with cursor("pymssql", quiet) as each:
        use(each)
        assert error_of(each, text) == number
        assert rows(each, ledger(Span("no", 1, 2))) == [(1, 202402)]  # the connection goes on


def test_a_sum_beyond_a_decimal_overflows(standin: StandIn) -> None:
    standin.catalogue["F0001"].table("huge", {"n": "int"}, [(2**31 - 1,), (1,)])
    with cursor("pymssql", standin) as each:
        use(each)
        assert error_of(each, "SELECT SUM([n]) FROM [dbo].[huge]") == 8115


def test_rights_on_one_table_are_told_before_it_is_read(quiet: StandIn) -> None:
    with cursor("pymssql", quiet) as each:
        use(each)
        found = [
            rows(each, statements.MAY_READ(object=statements.literal(statements.qualified("dbo", name))))[0][0]
            for name in ("ledger", "secret", "gone")
        ]
    assert found == [1, 0, None]


def test_upper_and_lower_case_are_the_same_in_names_and_in_texts(standin: StandIn) -> None:
    company = standin.catalogue["F0001"]
    company.table("words", {"word": "nvarchar(20)"}, [("Ås",), ("ås",), ("b",), (None,)])
    with cursor("pymssql", standin) as each:
        use(each, "f0001")
        text = statements.COUNTS(period=quote("WORD"), schema=quote("DBO"), table=quote("Words"), where=Sql(""))
        assert [row[1] for row in rows(each, text)] == [1, 1, 2]  # NULL, b, ås
        span = statements.condition(Span("word", "ÅS", "ås "))
        found = statements.ROWS(columns=quote("word"), schema=quote("dbo"), table=quote("words"), where=span)
        assert len(rows(each, found)) == 2


# --- transactions ----------------------------------------------------------------------------------------------------


def counted(each: object) -> int:
    text = statements.EXTENT(key=quote("no"), schema=quote("dbo"), table=quote("ledger"), where=Sql(""))
    return int(rows(each, text)[0][0])


def test_a_snapshot_sees_one_moment_whatever_others_write(standin: StandIn) -> None:
    company = standin.catalogue["F0001"]
    with cursor("pymssql", standin) as each:
        use(each)
        each.execute(str(statements.SNAPSHOT()))
        each.execute(str(statements.BEGIN()))
        assert counted(each) == ROWS
        company.sql("DELETE FROM {ledger} WHERE no < 1000")
        assert counted(each) == ROWS
        each.execute(str(statements.COMMIT()))
        assert counted(each) == ROWS - 1000


def test_read_committed_sees_what_others_have_written_meanwhile(standin: StandIn) -> None:
    with cursor("pymssql", standin) as each:
        use(each)
        each.execute(str(statements.READ_COMMITTED()))
        each.execute(str(statements.BEGIN()))
        assert counted(each) == ROWS
        standin.catalogue["F0001"].sql("DELETE FROM {ledger} WHERE no < 1000")
        assert counted(each) == ROWS - 1000
        each.execute(str(statements.COMMIT()))


def test_a_database_that_keeps_no_versions_refuses_a_snapshot(standin: StandIn) -> None:
    standin.catalogue["F0001"].snapshot = False
    with cursor("pymssql", standin) as each:
        use(each)
        each.execute(str(statements.SNAPSHOT()))
        each.execute(str(statements.BEGIN()))
        assert error_of(each, ledger()) == 3952


def test_a_commit_without_a_beginning_is_an_error(standin: StandIn) -> None:
    with cursor("pymssql", standin) as each:
        assert error_of(each, statements.COMMIT()) == 3902


def test_drivers_that_keep_transactions_by_themselves_are_served(standin: StandIn) -> None:
    connection = pymssql_connection(standin, autocommit=False)
    try:
        each = connection.cursor()
        use(each)
        assert counted(each) == ROWS
        connection.commit()
        connection.rollback()
        assert counted(each) == ROWS
    finally:
        connection.close()


def test_a_database_dropped_under_a_reader_ends_its_connection_and_is_gone_for_the_next(standin: StandIn) -> None:
    with cursor("pymssql", standin) as each:
        use(each, "F0002")
        standin.catalogue.drop("F0002")
        with pytest.raises(pymssql.Error):
            rows(each, statements.OBJECTS())
    with cursor("pymssql", standin) as each:
        assert error_of(each, USE(database=quote("F0002"))) == 911
