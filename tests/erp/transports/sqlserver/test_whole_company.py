"""A whole company, made from an audit file, through every dataset: the sums are the file's own."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from erphub.erp.datasets import DATASETS
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.sqlserver import Catalogue, StandIn, company, saft, visma
from tests.support.integration import integration

from .conftest import EACH_READER, PASSWORD, Imported, Site

pytestmark = EACH_READER

type Load = Callable[[Path], Site]


@pytest.fixture
@integration
def loaded(request: pytest.FixtureRequest, reader: Reader) -> Load:
    """Starts a server with the file's company as F0001."""

    def load(path: Path) -> Site:
        catalogue = Catalogue()
        made = visma.load(catalogue, "F0001", saft.read(path))
        company.add_trade(made, products=20, orders=30, last=date(2026, 3, 31))
        catalogue.login("reader", PASSWORD, databases=["vbsys", "F0001"])
        server = StandIn(catalogue).start()
        request.addfinalizer(server.stop)
        return Site(server, reader)

    return load


def debit_and_credit(found: Imported) -> tuple[Decimal, Decimal]:
    amounts: list[Decimal] = found.column("amount")
    return sum((a for a in amounts if a > 0), Decimal(0)), -sum((a for a in amounts if a < 0), Decimal(0))


def test_an_invented_company_arrives_whole_in_every_dataset(loaded: Load, tmp_path: Path) -> None:
    path = tmp_path / "company.xml"
    company.write_saft(path, company.two_years("Ærlig Handel AS", "999999999", 3000, date(2026, 3, 31), 7))
    site, file = loaded(path), saft.read(path)
    found = {dataset.id: site.imported(dataset.id, slice_rows=500) for dataset in DATASETS}
    assert debit_and_credit(found["gl_transactions"]) == (file.total_debit, file.total_credit)
    assert len(found["gl_transactions"].rows) == 3000
    assert len(found["accounts"].rows) == len(file.accounts)
    assert {row["customer_no"] for row in found["customers"].rows} >= {party.number for party in file.customers}
    assert len(found["products"].rows) == 20
    assert len(found["orders"].rows) == 30
    assert {row["order_no"] for row in found["order_lines"].rows} == {row["order_no"] for row in found["orders"].rows}
    assert {row["dimension"] for row in found["dimensions"].rows} >= {1}
    assert {name: one.plan.missing for name, one in found.items() if one.plan.missing} == {
        "order_lines": ["changed_on"],
    }
    assert all(one.anomalies == [] and one.consistent for one in found.values())
    for dataset, one in found.items():
        assert sum(total.rows for total in one.totals) == len(one.rows) == one.plan.rows, dataset


def test_the_official_example_file_arrives_with_its_own_totals(loaded: Load, samples: Path) -> None:
    path = next(iter((samples / "saft").glob("ExampleFile_SAF-T_Financial_888888888_*.xml")))
    site, file = loaded(path), saft.read(path)
    found = site.imported("gl_transactions", slice_rows=50)
    assert debit_and_credit(found) == (file.total_debit, file.total_credit)
    assert sum((total.amount or 0 for total in found.totals), Decimal(0)) == file.total_debit - file.total_credit
