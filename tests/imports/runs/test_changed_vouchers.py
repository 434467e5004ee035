"""A 24SevenOffice ledger night by night: what its people change in old vouchers, moved ones too, is in the lake."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.resources import AdapterResources
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore
from erphub.imports.jobs.models import Days, Job
from erphub.imports.runs.models import Run, RunStatus
from erphub.imports.runs.ports import Source
from erphub.imports.runs.schemas import UnitView
from local.erps.twentyfourseven import App, Transport, seed
from local.erps.twentyfourseven.state import Line, Voucher
from tests.standins.twentyfourseven.contract import Contract, available
from tests.support.imports import Imports

LEDGER = ("gl_transactions",)
SIGN_IN = {
    "organisation": (
        {"sign_in": "organisation", "organisation_id": str(seed.SHOP), "client_id": seed.CLIENT_ID},
        {"client_secret": seed.CLIENT_SECRET},
    ),
    "user": (
        {"sign_in": "user", "username": seed.USER, "has_several_companies": True},
        {"password": seed.PASSWORD},
    ),
}


@dataclass
class Office:
    """The stand-in as a connection's ERP; what imports ask is held against the published contracts."""

    app: App
    watched: Any
    way: str
    imports: Imports

    def get(self, client_id: str, connection_id: str) -> Source:
        return Source(client_id, connection_id, "Books", "24sevenoffice", "active", LEDGER)

    def companies(self, source: Source) -> Sequence[FoundCompany]:
        return [FoundCompany(str(seed.SHOP), "Fjellbutikken AS")]

    @contextmanager
    def open(self, source: Source) -> Iterator[Any]:
        settings, secret = SIGN_IN[self.way]
        clock = self.imports.clock
        applications = {"24sevenoffice": seed.APPLICATION_ID}
        resources = AdapterResources(
            InProcessTokenStore(), InProcessRateLimiter(clock), clock, applications=applications, pause=lambda _: None
        )
        yield erp.open_system("24sevenoffice", settings, secret, transport=Transport(self.watched), resources=resources)

    # --- what people do there

    @property
    def lines(self) -> list[Line]:
        return self.app.world.organisation(seed.SHOP).lines()

    def voucher(self, number: int) -> Voucher:
        """One of the vouchers, the oldest first."""
        ordered = sorted(self.app.world.organisation(seed.SHOP).vouchers.values(), key=lambda one: one.lines[0].day)
        return ordered[number]

    def change(self, voucher: Voucher, **changes: Any) -> None:
        for line in voucher.lines:
            line.modified = self.app.world.now()
            for name, value in changes.items():
                setattr(line, name, value)
        self.app.world.organisation(seed.SHOP).sorted_lines = None


@pytest.fixture(params=["organisation", "user"])
def office(request: pytest.FixtureRequest, imports: Imports) -> Iterator[Office]:
    """Everything was imported once, two hours ago."""
    app = App.seeded(400)
    contract = Contract(app) if available() else None
    office = Office(app, contract or app, request.param, imports)
    imports.now = datetime.now(UTC)
    app.world.clock = imports.clock
    for line in office.lines:
        line.created = line.modified = datetime(2000, 1, 1, tzinfo=UTC)
    imports.read_through(office)
    assert imports.run(imports.job(dataset_ids=LEDGER)).status is RunStatus.SUCCEEDED
    imports.now += timedelta(hours=2)
    yield office
    assert contract is None or contract.violations == []


@pytest.fixture
def nightly(imports: Imports, office: Office) -> Job:
    return imports.job(Days(kind="days", days=3), dataset_ids=LEDGER)


def here(imports: Imports) -> Counter[tuple[str, date, Decimal]]:
    rows = imports.rows("gl_transactions", "company, journal_no, entry_no, voucher_date, amount")
    return Counter((row["entry_no"], row["voucher_date"], row["amount"]) for row in rows)


def there(office: Office) -> Counter[tuple[str, date, Decimal]]:
    return Counter((line.id, line.day, line.amount) for line in office.lines)


def succeeds(imports: Imports, job: Job) -> Run:
    run = imports.run(job)
    assert run.status is RunStatus.SUCCEEDED, [line.text for line in imports.stores.log.page(run.ref, 100, None).items]
    return run


def test_what_was_changed_moved_and_entered_late_is_brought(imports: Imports, office: Office, nightly: Job) -> None:
    today = imports.now.date()
    office.change(office.voucher(3), comment="Corrected", amount=Decimal(0))
    office.change(office.voucher(10), day=office.voucher(40).lines[0].day)
    office.change(office.voucher(20), day=today)
    late = office.voucher(30)
    for line in late.lines:
        line.day, line.created = date(today.year - 1, 2, 3), office.app.world.now()
    office.change(late)
    succeeds(imports, nightly)
    assert here(imports) == there(office)


def test_a_quiet_night_leaves_everything_as_it_is(imports: Imports, office: Office, nightly: Job) -> None:
    before = here(imports)
    for _ in range(2):
        run = succeeds(imports, nightly)
        assert "late_changes_found" not in imports.log(run)
        imports.now += timedelta(days=1)
    assert here(imports) == before == there(office)


def test_what_nobody_calls_changed_waits_for_an_import_of_everything(
    imports: Imports, office: Office, nightly: Job
) -> None:
    """A voucher that is deleted leaves no trace: the published contracts know neither deletions nor former days."""
    org = office.app.world.organisation(seed.SHOP)
    gone = office.voucher(5)
    del org.vouchers[gone.id]
    org.sorted_lines = None
    succeeds(imports, nightly)
    assert {entry for entry, _, _ in here(imports) - there(office)} == {line.id for line in gone.lines}
    succeeds(imports, imports.job(dataset_ids=LEDGER))
    assert here(imports) == there(office)


@pytest.mark.parametrize("fault", ["error_before", "half", "cut_after"])
def test_an_erp_that_breaks_off_leaves_the_old_or_the_new(
    imports: Imports, office: Office, nightly: Job, fault: str
) -> None:
    office.change(office.voucher(10), day=office.voucher(40).lines[0].day)
    before = here(imports)
    for operation in ("rest:GET /transactionlines", "soap:GetTransactions"):
        office.app.faults.add(operation, fault, times=None, after=2)
    assert imports.run(nightly).status is RunStatus.FAILED
    assert here(imports) == before
    office.app.faults.clear()
    succeeds(imports, nightly)
    assert here(imports) == there(office)


def test_a_run_tells_how_far_it_is_in_parts(imports: Imports, office: Office, nightly: Job) -> None:
    office.change(office.voucher(3))
    [unit] = imports.units(succeeds(imports, nightly)).values()
    shown = UnitView.of(unit).model_dump()
    assert shown["rows_planned"] is None
    assert shown["part_count"] == shown["parts_done"] >= 2
