"""A stand-in SQL Server per test, and short words for connecting to it and reading from it."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.datasets import BY_ID
from erphub.erp.probes import Probe
from erphub.erp.reading import Anomaly, ControlTotal, DateRange, ReadPlan
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import columns, driver, rows
from erphub.erp.transports.sqlserver.arrow import data_type
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.sqlserver import Catalogue, Certificate, Database, StandIn, certificate
from tests.support.integration import integration

# A process loads one native driver: `make test-sqlserver` reads with the other one too.
NATIVE = Reader(os.environ.get("MSSQL_PYTHON_NATIVE_PROVIDER", Reader.MSSQL_ODBC))
EACH_READER = pytest.mark.parametrize("reader", [Reader.PYMSSQL, NATIVE], indirect=True)
LOOPBACK = ("127.0.0.0/8", "::1/128")
PASSWORD = "s3cret;'%]å"
EVERYTHING = DateRange()
LEDGER = {
    "JNo": "int",
    "EntNo": "int",
    "VoDt": "int",
    "AcNo": "int",
    "AcAm": "decimal(28,6)",
    "Txt": "nvarchar(60)",
    "R1": "int",
    "R7": "varchar(20)",
    "Colour": "int",
}


@dataclass
class Imported:
    """What one dataset of one company gave: its plan, rows as dictionaries, totals and anomalies of all slices."""

    plan: ReadPlan
    rows: list[dict[str, Any]]
    totals: list[ControlTotal]
    anomalies: list[Anomaly]
    consistent: bool

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


class Site:
    """A stand-in server and how the hub sees it."""

    def __init__(self, server: StandIn, reader: Reader = NATIVE) -> None:
        self.server = server
        self.reader = reader
        self.catalogue = server.catalogue

    def open(
        self,
        system: str = "visma-business",
        *,
        password: str = PASSWORD,
        transport: driver.Transport | None = None,
        networks: tuple[str, ...] = LOOPBACK,
        **settings: Any,
    ) -> Any:
        answers = {
            "server": f"127.0.0.1,{self.server.port}",
            "database": "vbsys",
            "authentication": "sql",
            "login": "reader",
            "encryption": "trust",
        }
        secret = {"password": password}
        transport = transport or driver.Transport(reader=self.reader)
        return erp.open_system(system, answers | settings, secret, networks=networks, transport=transport)

    def probes(self, **options: Any) -> dict[str, Probe]:
        return {probe.stage.value: probe for probe in self.open(**options).check()}

    def company(self, key: str = "F0001", **options: Any) -> FoundCompany:
        return next(company for company in self.open(**options).companies() if company.key == key)

    def plan_reading(
        self,
        dataset: str,
        *,
        key: str = "F0001",
        window: DateRange = EVERYTHING,
        slice_rows: int = 100_000,
        system: str = "visma-business",
        **settings: Any,
    ) -> tuple[Any, FoundCompany, ReadPlan]:
        opened = self.open(system, **settings)
        company = next(company for company in opened.companies() if company.key == key)
        return opened, company, opened.plan_reading(BY_ID[dataset], company, window, slice_rows)

    def imported(self, dataset: str, **options: Any) -> Imported:
        """Survey and read all slices of a dataset, as an import does."""
        opened, company, plan = self.plan_reading(dataset, **options)
        found = Imported(plan, [], [], [], True)
        for part in plan.slices:
            with opened.read(BY_ID[dataset], company, plan, part) as reading:
                found.totals += reading.totals
                found.consistent &= reading.consistent
                for batch in reading.batches():
                    assert batch.schema.names == [field.name for field in BY_ID[dataset].fields]
                    assert all(field.type.equals(data_type(plan.types[field.name])) for field in batch.schema)
                    found.rows += rows_of(batch)
                found.anomalies += reading.anomalies
        return found


def rows_of(batch: Any) -> list[dict[str, Any]]:
    names = batch.schema.names
    columns = [batch.column(name).to_pylist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@pytest.fixture(scope="session")
def authority_signed() -> Certificate:
    return certificate(["localhost", "127.0.0.1", "::1"], signed_by_authority=True)


@pytest.fixture
@integration
def catalogue() -> Catalogue:
    """A server with a system database and nobody's companies yet."""
    made = Catalogue()
    made.login("reader", PASSWORD)
    made.database("vbsys", grant=["reader"]).table(
        "Frm", {"FrmNo": "int", "Nm": "nvarchar(60)"}, [(1, "Fjord Handel AS")]
    )
    return made


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Reader:
    """By what rows are read: as in production, unless a test is for EACH_READER."""
    return getattr(request, "param", NATIVE)


@pytest.fixture
@integration
def site(catalogue: Catalogue, authority_signed: Certificate, reader: Reader) -> Iterator[Site]:
    with StandIn(catalogue, tls=authority_signed) as server:
        yield Site(server, reader)


@pytest.fixture
def company(catalogue: Catalogue) -> Database:
    """A company database that may be read, without tables."""
    return catalogue.database("F0001", snapshot=True, grant=["reader"])


type Fill = Callable[..., Database]


@pytest.fixture
def ledger(company: Database) -> Fill:
    """Fills the company's ledger: rows as (journal, entry, day, account, amount, text)."""

    def fill(*rows: tuple[Any, ...], columns: Mapping[str, str] = LEDGER) -> Database:
        company.table("Ac", {"AcNo": "int", "Nm": "nvarchar(60)", "ChDt": "int"}, [(1500, "Kundefordringer", 20240105)])
        company.table("Actor", {"ActNo": "int", "CustNo": "int", "SupNo": "int", "Nm": "nvarchar(60)"})
        padded = [(*row, *[None] * (len(columns) - len(row))) for row in rows]
        company.table("AcTr", columns, padded)
        return company

    return fill


@pytest.fixture
def many(ledger: Fill) -> Database:
    """A ledger of 1,000 lines over 25 days."""
    return ledger(*[(n // 10, n % 10, 20240101 + n % 25, 1500, n - 500, f"Bilag {n}") for n in range(1000)])


@pytest.fixture
def rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes every reader give its rows in batches of so many."""

    def limit(count: int) -> None:
        monkeypatch.setattr(rows, "MAX_BATCH_ROWS", count)
        monkeypatch.setattr(columns, "FETCH_ROWS", count)

    return limit


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter patience than production has, so that a stall is noticed within a test."""
    monkeypatch.setattr(driver, "ANSWER_SECONDS", 1)


JANUARY = DateRange(date(2024, 1, 1), date(2024, 2, 1))
