"""Text of every code page arrives as the server has it; no bound is sent that a date type cannot hold."""

from datetime import UTC, date, datetime, timedelta

import pytest

from erphub.erp.reading import DateRange
from erphub.erp.transports.sqlserver.planning import lower_bound, upper_bound
from erphub.erp.transports.sqlserver.statements import Column, expression
from local.sqlserver import Database

from .conftest import EACH_READER, LEDGER, Site

UNASSIGNED = "Kr\x81ger \x8d\x8f\x90\x9d AS"


@EACH_READER
@pytest.mark.parametrize("declared", ["varchar(60)", "char(60)", "varchar(8000)", "varchar(max)", "nvarchar(60)"])
@pytest.mark.parametrize("name", [UNASSIGNED, "Blåbær – 100 € ’", "Žluťoučký? Nei, “Fjord”"])
def test_text_is_never_a_question_mark_that_the_source_did_not_have(
    site: Site, company: Database, declared: str, name: str
) -> None:
    if "nvarchar" not in declared and "ť" in name:
        name = "Zlutoucky? Nei, “Fjord”"  # a code page has no more than its characters
    company.table("Ac", {"AcNo": "int", "Nm": declared}, [(1500, name), (1501, "Bank")])
    assert [row["name"].rstrip() for row in site.imported("accounts").rows] == [name, "Bank"]


@pytest.mark.parametrize(
    ("column", "asked"),
    [
        (Column("N", "varchar", 60, 0, 0, True), "CONVERT(nvarchar(60), [N])"),
        (Column("N", "char", 4000, 0, 0, True), "CONVERT(nvarchar(4000), [N])"),
        (Column("N", "varchar", 4001, 0, 0, True), "CONVERT(nvarchar(max), [N])"),
        (Column("N", "varchar", -1, 0, 0, True), "CONVERT(nvarchar(max), [N])"),
        (Column("N", "text", 16, 0, 0, True), "CONVERT(nvarchar(max), [N])"),
        (Column("N", "nvarchar", 60, 0, 0, True), "[N]"),
        (Column("N]", "ntext", 16, 0, 0, True), "[N]]]"),
    ],
)
def test_text_of_a_code_page_is_asked_for_as_unicode(column: Column, asked: str) -> None:
    assert expression(column) == asked


def dated(type_name: str) -> Column:
    return Column("VoDt", type_name, 8, 0, 0, True)


@pytest.mark.parametrize(
    ("type_name", "first", "last"),
    [
        ("smalldatetime", date(1900, 1, 1), date(2079, 6, 6)),
        ("datetime", date(1753, 1, 1), date.max),
        ("datetime2", date.min, date.max),
        ("date", date.min, date.max),
    ],
)
def test_every_bound_is_one_that_the_type_can_hold_or_none(type_name: str, first: date, last: date) -> None:
    column = dated(type_name)
    for day in (date.min, first, date(2024, 2, 29), last, date.max):
        low, high = lower_bound(day, column), upper_bound(day, column)
        assert isinstance(low, date)
        assert first <= low <= last
        assert high is None or (isinstance(high, date) and first <= high <= last)
        assert (high is None) == (day > last)


def test_a_day_written_as_a_number_has_no_bound_but_the_calendar_s() -> None:
    assert lower_bound(date.max, dated("int")) == 99991231
    assert upper_bound(date(2024, 1, 5), dated("bigint")) == 20240105


@pytest.mark.parametrize("type_name", ["smalldatetime", "datetime", "datetime2", "date", "int"])
@pytest.mark.parametrize("end", [date(2079, 6, 7), date(2100, 1, 1), date.max])
@pytest.mark.parametrize("first", [date(1, 1, 1), date(1800, 1, 1), date(2024, 1, 1)])
def test_a_period_to_the_end_of_time_is_imported_whatever_the_type(
    site: Site, company: Database, type_name: str, first: date, end: date
) -> None:
    day = 20240105 if type_name == "int" else datetime(2024, 1, 5)  # noqa: DTZ001 — columns have no zone
    company.table("AcTr", LEDGER | {"VoDt": type_name}, [(1, 1, day, 1500, "10.00", "x", None, None, None)])
    assert len(site.imported("gl_transactions", window=DateRange(first, end)).rows) == 1


def test_a_period_after_all_that_the_type_can_hold_is_empty(site: Site, company: Database) -> None:
    rows = [(1, 1, datetime(2079, 6, 6), 1500, "10.00", "x", None, None, None)]  # noqa: DTZ001 — columns have no zone
    company.table("AcTr", LEDGER | {"VoDt": "smalldatetime"}, rows)
    window = DateRange(date(2090, 1, 1), date(2100, 1, 1))
    assert site.imported("gl_transactions", window=window).rows == []


@pytest.mark.parametrize("type_name", ["smalldatetime", "datetime", "date"])
def test_what_lies_before_a_day_and_what_changed_since_are_asked_for_within_the_type(
    site: Site, company: Database, type_name: str
) -> None:
    from erphub.erp.datasets import BY_ID

    columns = LEDGER | {"VoDt": type_name, "ChDt": type_name}
    day = datetime(2024, 1, 5)  # noqa: DTZ001 — columns have no zone
    company.table("AcTr", columns, [(1, 1, day, 1500, "10.00", "x", None, None, None, day)])
    opened = site.open()
    found = next(one for one in opened.companies() if one.key == "F0001")
    dataset = BY_ID["gl_transactions"]
    assert [total.rows for total in opened.daily_totals_before(dataset, found, date.max)] == [1]
    since = datetime(1, 1, 3, tzinfo=UTC) + timedelta(days=1)
    assert opened.report_changes(dataset, found, since).days == {date(2024, 1, 5)}
