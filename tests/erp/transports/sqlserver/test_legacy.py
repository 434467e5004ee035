"""What a database says of the days before a rolling import's window."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.datasets import BY_ID
from erphub.erp.reading import ChangeReport, ControlTotal, CountsByDay, ReportsChanges
from local.sqlserver import Database

from .conftest import Fill, Site

LEDGER = BY_ID["gl_transactions"]
FEBRUARY = date(2024, 2, 1)
COLUMNS = {"JNo": "int", "EntNo": "int", "VoDt": "int", "AcNo": "int", "AcAm": "decimal(18,2)", "ChDt": "int"}


def generic(site: Site, columns: dict[str, str], *rows: tuple[Any, ...]) -> tuple[Any, Any]:
    """A company of a mapped table, with the system that reads it."""
    database = site.catalogue.database("Lager", grant=["reader"], snapshot=True)
    database.table("data.Poster", columns, list(rows))
    fields = ["journal_no", "entry_no", "voucher_date", "amount", "changed_on"]
    mapping = {"schema": "data", "table": "Poster", "columns": dict(zip(fields, columns, strict=False))}
    opened = site.open("sqlserver-generic", mapping={"gl_transactions": mapping})
    return opened, next(company for company in opened.companies() if company.key == "Lager")


def test_days_before_the_window_are_counted_and_added_up(site: Site, ledger: Fill) -> None:
    days = [20231231, 20240131, 20240131, 20240201, 0, None]
    ledger(*[(1, n, day, 1500, n) for n, day in enumerate(days)])
    system = site.open()
    assert isinstance(system, CountsByDay)
    found = system.daily_totals_before(LEDGER, site.company(), FEBRUARY)
    assert found == [ControlTotal(date(2023, 12, 31), 1, Decimal(0)), ControlTotal(date(2024, 1, 31), 2, Decimal(3))]


@pytest.mark.parametrize(
    ("declaration", "amount", "total"),
    [("float", 1.5, None), ("decimal(38,0)", "9" * 38, None), ("money", "1.5", Decimal(3))],
)
def test_days_that_cannot_be_added_up_are_counted(
    site: Site, declaration: str, amount: Any, total: Decimal | None
) -> None:
    columns = {"Bilag": "int", "Linje": "int", "Dato": "date", "Beløp": declaration}
    system, company = generic(site, columns, *[(1, n, date(2024, 1, 31), amount) for n in range(2)])
    assert system.daily_totals_before(LEDGER, company, FEBRUARY) == [ControlTotal(date(2024, 1, 31), 2, total)]


def test_days_of_rows_changed_since_are_told_whatever_zone_noted_it(site: Site, ledger: Fill) -> None:
    ledger(
        (1, 1, 20240105, 1500, 1, 20240105),
        (1, 2, 20240106, 1500, 1, 20240219),
        (1, 3, 20240107, 1500, 1, 20240220),
        (1, 4, 20240107, 1500, 1, 20240301),
        (1, 5, 0, 1500, 1, 20240301),
        (1, 6, 20240108, 1500, 1, None),
        columns=COLUMNS,
    )
    system = site.open()
    assert isinstance(system, ReportsChanges)
    since = datetime(2024, 2, 20, 23, 30, tzinfo=UTC)
    assert system.report_changes(LEDGER, site.company(), since) == ChangeReport({date(2024, 1, 6), date(2024, 1, 7)})


def test_a_table_that_does_not_note_changes_tells_none(site: Site) -> None:
    columns = {"Bilag": "int", "Linje": "int", "Dato": "date", "Beløp": "money"}
    system, company = generic(site, columns, (1, 1, date(2024, 1, 31), 1))
    assert system.report_changes(LEDGER, company, datetime(2024, 1, 1, tzinfo=UTC)) is None


def test_a_change_noted_to_the_second_counts(site: Site, company: Database) -> None:
    columns = {"Bilag": "int", "Linje": "int", "Dato": "date", "Beløp": "money", "Endret": "datetime"}
    old, new = datetime.fromisoformat("2024-02-01T10:00:00"), datetime.fromisoformat("2024-03-01T10:00:00")
    rows = [(1, 1, date(2024, 1, 30), 1, old), (1, 2, date(2024, 1, 31), 1, new)]
    system, found = generic(site, columns, *rows)
    assert system.report_changes(LEDGER, found, datetime(2024, 2, 20, tzinfo=UTC)) == ChangeReport({date(2024, 1, 31)})
