"""By what a table is read: as the deployment wishes, as far as machine, login and table allow it; and it is told."""

from collections.abc import Callable
from typing import Any

import pytest

from erphub.erp.datasets import BY_ID
from erphub.erp.problems import ReaderFailed
from erphub.erp.reading import Slice
from erphub.erp.transports.sqlserver import readers
from erphub.erp.transports.sqlserver.driver import Transport
from erphub.erp.transports.sqlserver.drivers.connection import Login, Reader
from local.sqlserver import Database

from .conftest import NATIVE, Fill, Site

ACCOUNTS = BY_ID["accounts"]
LONG = "Kundefordringer " * 1000


def read_accounts(site: Site, *, cautiously: bool = False, **settings: Any) -> tuple[str | None, list[str | None]]:
    """What read the accounts, and their names."""
    opened, company, plan = site.plan_reading("accounts", **settings)
    (part,) = plan.slices
    with opened.read(ACCOUNTS, company, plan, Slice(part.where, part.rows, cautiously)) as reading:
        names = [name for batch in reading.batches() for name in batch.column("name").to_pylist()]
    return reading.read_by, names


def test_rows_are_read_by_native_code_where_nobody_wishes_otherwise() -> None:
    assert Transport().reader is Reader.MSSQL_ODBC


def test_a_table_of_ordinary_columns_is_read_by_the_reader_that_is_wished_for(site: Site, ledger: Fill) -> None:
    ledger()
    assert read_accounts(site) == (NATIVE, ["Kundefordringer"])


def test_a_windows_login_reads_by_pymssql(site: Site, ledger: Fill) -> None:
    ledger()
    site.catalogue.login("CORP\\kari", "w1ndows", databases=["vbsys", "F0001"], windows=True)
    windows = {"authentication": "windows", "login": "CORP\\kari", "password": "w1ndows"}
    assert read_accounts(site, **windows) == (Reader.PYMSSQL, ["Kundefordringer"])


@pytest.mark.parametrize("reader", Reader)
def test_no_native_driver_is_given_a_windows_login(reader: Reader) -> None:
    assert readers.choose(reader, Login("CORP\\kari", "w1ndows")) is Reader.PYMSSQL


def test_where_the_driver_is_not_installed_pymssql_reads(
    site: Site, ledger: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger()
    installed: Callable[[Reader], bool] = Reader.PYMSSQL.__eq__
    monkeypatch.setattr(readers, "is_here", installed)
    assert read_accounts(site) == (Reader.PYMSSQL, ["Kundefordringer"])


@pytest.mark.parametrize("declared", ["nvarchar(max)", "varchar(max)", "varchar(8000)"])
def test_a_table_whose_values_have_no_limit_is_read_by_pymssql(site: Site, company: Database, declared: str) -> None:
    company.table("Ac", {"AcNo": "int", "Nm": declared}, [(1500, "Kunder")])
    assert read_accounts(site) == (Reader.PYMSSQL, ["Kunder"])


def test_values_without_a_limit_that_no_catalogue_foretold_are_left_to_pymssql(
    site: Site, company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a view gives them that knows its columns as they were when it was made."""
    company.table("Ac", {"AcNo": "int", "Nm": "nvarchar(max)"}, [(1500, LONG)])
    monkeypatch.setattr(readers, "_is_long", lambda column: False)
    with pytest.raises(ReaderFailed, match="without a limit"):
        read_accounts(site)
    assert read_accounts(site, cautiously=True) == (Reader.PYMSSQL, [LONG])
