"""Every system of the catalogue with its stand-in: what a user answers, what its ERP holds, and how that ERP fails.

A new system is one more function here, and then has to pass the suite.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from erphub.erp import catalogue, systems
from erphub.erp.approvals import ReadsApprovals
from erphub.erp.documents import Customer, Document, Payment, PaymentMeans, Sales, Settlement
from erphub.erp.forms import clean_answer
from erphub.erp.posting import ListsSetup, Posting, ReadsChanges
from erphub.erp.reading import CountsByDay, ReportsChanges
from erphub.erp.resources import AdapterResources, UsesResources
from erphub.erp.system import ErpAdapter, ListsOptions
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore
from erphub.erp.transports.sqlserver import driver
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.erps.twentyfourseven import App, Transport, seed
from local.sqlserver import Catalogue, StandIn, certificate, company, saft, visma
from tests.erp.conformance.toy import server as toy
from tests.erp.systems.twentyfourseven import conftest as of_24sevenoffice
from tests.standins.twentyfourseven.contract import Contract, available

LOOPBACK = ("127.0.0.0/8", "::1/128")
KEY = "EH-01JD8ZK4M2X7Q9T3V5W6Y8A0BC"

type Answers = Mapping[str, Mapping[str, Any]]
type Line = tuple[date, Decimal]


@dataclass
class Subject:
    """A system to be asked, over its stand-in."""

    erp_system: str
    answers: Answers
    """What a user answers, by step, secrets included; companies, the name and the end are the same for every system."""
    company: str
    """The key of a company that can be opened."""
    datasets: frozenset[str]
    """What can be read with these answers."""
    ledger: Callable[[], Sequence[Line]]
    """Day and amount of every ledger line that the stand-in holds for the company."""
    connect: Callable[[Mapping[str, Any], Mapping[str, str]], ErpAdapter]
    connect_away: Callable[[Mapping[str, Any], Mapping[str, str]], ErpAdapter]
    """The same, but nobody answers where the ERP should be."""
    fall_silent: Callable[[], None]
    """From now on the ERP takes what is asked for data and answers nothing; the adapter's patience is short."""
    recover: Callable[[], None]
    touch: Callable[[], tuple[datetime, date]] | None = None
    """Changes an old line of the ledger: an instant before that, and the line's day."""
    documents: "Documents | None" = None
    optional: frozenset[type] = frozenset()
    """Protocols beyond the capabilities of the catalogue that it satisfies."""

    def settings(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The answers as the wizard would take them: settings, and secrets."""
        settings: dict[str, Any] = {}
        secrets: dict[str, str] = {}
        for step in catalogue.describe(self.erp_system).steps:
            if step.id in self.answers:
                cleaned, secret = clean_answer(step, self.answers[step.id])
                settings |= cleaned
                secrets |= secret
        return settings, secrets

    def open(self, **secrets: str) -> ErpAdapter:
        """The connected system."""
        settings, kept = self.settings()
        return self.connect(settings, kept | secrets)


@dataclass
class Documents:
    """What a system that takes documents is given."""

    accepted: Document
    refused: Document
    routing: Mapping[str, Any]
    refused_routing: Mapping[str, Any]
    attaches: bool
    held: Callable[[], int] = field(repr=False)
    """How many vouchers the ERP holds for the company."""

    def posting(self, key: str = KEY) -> Posting:
        return Posting(key, self.routing)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


# --- SQL Server ---

OF_A_DATABASE = frozenset({ReportsChanges, CountsByDay, UsesResources})
MAPPING = {
    "accounts": {"table": "Ac", "columns": {"account_no": "AcNo", "name": "Nm"}},
    "gl_transactions": {
        "table": "AcTr",
        "columns": {
            "journal_no": "JNo",
            "entry_no": "EntNo",
            "voucher_date": "VoDt",
            "account_no": "AcNo",
            "amount": "AcAm",
            "changed_on": "ChDt",
        },
    },
}


@contextmanager
def sql_server(
    erp_system: str,
    datasets: frozenset[str],
    folder: Path,
    patch: pytest.MonkeyPatch,
    reader: Reader = Reader.MSSQL_ODBC,
    **steps: Mapping[str, Any],
) -> Iterator[Subject]:
    """A company of a year, made from an audit file."""
    path = folder / "company.xml"
    company.write_saft(path, company.two_years("Ærlig Handel AS", "999999999", 400, date(2026, 3, 31), 7))
    file, made = saft.read(path), Catalogue()
    company.add_trade(visma.load(made, "F0001", file), products=5, orders=8, last=date(2026, 3, 31))
    made.login("reader", "s3cret;'%]å", databases=["vbsys", "F0001"])
    made.database("F0002")
    with StandIn(made, tls=certificate(["127.0.0.1"], signed_by_authority=True)) as server:
        login = {"login": "reader", "password": "s3cret;'%]å", "encryption": "trust"}

        def connect(settings: Mapping[str, Any], secret: Mapping[str, str], **changed: str) -> ErpAdapter:
            transport = driver.Transport(reader=reader)
            return catalogue.open_system(
                erp_system, {**settings, **changed}, secret, networks=LOOPBACK, transport=transport
            )

        def fall_silent() -> None:
            patch.setattr(driver, "ANSWER_SECONDS", 1)
            server.inject("stall", statement="rows", after_rows=1, times=0)

        def touch() -> tuple[datetime, date]:
            changed = server.catalogue["F0001"].sql("SELECT min(VoDt) FROM {AcTr} WHERE VoDt > 0")
            day = int(changed[0][0])
            server.catalogue["F0001"].sql(f"UPDATE {{AcTr}} SET ChDt = 20990105 WHERE VoDt = {day}")
            return datetime.fromisoformat("2099-01-03T00:00:00+00:00"), date(day // 10000, day // 100 % 100, day % 100)

        yield Subject(
            erp_system,
            {"server": {"server": f"127.0.0.1,{server.port}", **login}, **steps},
            "F0001",
            datasets,
            lambda: [(voucher.day, line.amount) for voucher in file.vouchers for line in voucher.lines],
            connect,
            lambda settings, secret: connect(settings, secret, server=f"127.0.0.1,{closed_port()}"),
            fall_silent,
            server.mend,
            touch,
            optional=OF_A_DATABASE,
        )


def visma_business(folder: Path, patch: pytest.MonkeyPatch) -> AbstractContextManager[Subject]:
    """Visma Business."""
    datasets = frozenset(catalogue.describe("visma-business").datasets)
    return sql_server("visma-business", datasets, folder, patch)


def by_pymssql(folder: Path, patch: pytest.MonkeyPatch) -> AbstractContextManager[Subject]:
    """The same tables, mapped by hand and read as objects."""
    datasets = frozenset(MAPPING)
    return sql_server("sqlserver-generic", datasets, folder, patch, Reader.PYMSSQL, mapping={"mapping": MAPPING})


def sqlserver_generic(folder: Path, patch: pytest.MonkeyPatch) -> AbstractContextManager[Subject]:
    """The same tables, mapped by hand."""
    return sql_server("sqlserver-generic", frozenset(MAPPING), folder, patch, mapping={"mapping": MAPPING})


# --- 24SevenOffice ---


class Nobody(httpx.BaseTransport):
    """A network without the ERP in it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused", request=request)


@contextmanager
def twentyfourseven(answers: Mapping[str, Any], without: set[str], attaches: bool = True) -> Iterator[Subject]:
    """The stand-in in process, with the published contracts watching where they are at hand."""
    app, moving = App.seeded(150), of_24sevenoffice.Time()
    app.world.clock = moving
    watched: Any = Contract(app) if available() else app
    resources = AdapterResources(
        InProcessTokenStore(),
        InProcessRateLimiter(moving),
        moving,
        applications={"24sevenoffice": seed.APPLICATION_ID},
        pause=moving.sleep,
    )
    shop = app.world.organisation(seed.SHOP)

    def connect(settings: Mapping[str, Any], secret: Mapping[str, str], transport: Any = None) -> ErpAdapter:
        transport = transport or Transport(watched)
        return catalogue.open_system("24sevenoffice", settings, secret, transport=transport, resources=resources)

    def touch() -> tuple[datetime, date]:
        lines = shop.lines()
        for line in lines:
            line.modified = line.created = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        lines[3].modified = app.world.now() - timedelta(days=2)
        return app.world.now() - timedelta(days=5), lines[3].day

    routing = of_24sevenoffice.ROUTING
    documents = Documents(
        of_24sevenoffice.settlement(app),
        of_24sevenoffice.settlement(app, number=18),
        routing,
        {**routing, "sales_accounts": {**routing["sales_accounts"], "25": "9999"}},
        attaches,
        lambda: len(shop.vouchers),
    )
    subject = Subject(
        "24sevenoffice",
        {"sign-in": answers},
        str(seed.SHOP),
        frozenset(catalogue.describe("24sevenoffice").datasets) - without,
        lambda: [(line.day, line.amount) for line in shop.lines()],
        connect,
        lambda settings, secret: connect(settings, secret, Nobody()),
        lambda: app.faults.add("*", "timeout_before", times=None) and None,
        app.faults.clear,
        touch,
        documents,
        frozenset({UsesResources, ListsOptions, ReportsChanges, ListsSetup, ReadsChanges, ReadsApprovals}),
    )
    yield subject
    assert getattr(watched, "violations", []) == []


def of_an_organisation(folder: Path, patch: pytest.MonkeyPatch) -> AbstractContextManager[Subject]:
    """24SevenOffice over REST."""
    answers = {
        "sign_in": "organisation",
        "organisation_id": str(seed.SHOP),
        "client_id": seed.CLIENT_ID,
        "client_secret": seed.CLIENT_SECRET,
    }
    return twentyfourseven(answers, {"order_lines"})


def of_a_user(folder: Path, patch: pytest.MonkeyPatch) -> AbstractContextManager[Subject]:
    """24SevenOffice over SOAP."""
    answers = {"sign_in": "user", "username": seed.USER, "password": seed.PASSWORD, "has_several_companies": True}
    return twentyfourseven(answers, set())


# --- Toy Ledger, which only the tests have ---


@contextmanager
def in_the_catalogue(folder: Path, module: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module lies among the systems, and its name is in their list: all that a new system is."""
    patch.setattr(systems, "__path__", [*systems.__path__, str(folder)])
    patch.setattr(catalogue, "MODULES", (*catalogue.MODULES, module))
    yield


@contextmanager
def toy_ledger(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """Over HTTP on loopback."""
    world = toy.World()
    first = date(2026, 1, 1)
    lines = [(first + timedelta(days=n // 4), Decimal(n * 25 - 1875) / 100) for n in range(150)]
    world.tables["N1", "gl_transactions"] = [
        {
            "voucher": n // 2,
            "line": n,
            "day": day.isoformat(),
            "account": "1500",
            "text": f"Bilag {n}",
            "amount": f"{amount}",
        }
        for n, (day, amount) in enumerate(lines)
    ]
    world.tables["N1", "accounts"] = [{"number": str(1500 + n), "name": f"Konto {n}"} for n in range(90)]
    world.tables["N1", "customers"] = [{"number": str(n), "name": f"Kunde {n}", "city": "Bodø"} for n in range(3)]
    sold = (Sales(vat_rate=Decimal(25), amount=Decimal("125.00"), vat=Decimal("25.00")),)
    paid = (Payment(means=PaymentMeans.CASH, amount=Decimal("125.00")),)
    routing = {"company": "N1", "sales_accounts": {"25": "3000"}, "payment_accounts": {"cash": "1900"}}
    with in_the_catalogue(Path(__file__).parent / "toy" / "systems", "toy_ledger", patch), toy.running(world) as server:
        from erphub.erp.systems import toy_ledger as adapter  # type: ignore[attr-defined]

        def connect(settings: Mapping[str, Any], secret: Mapping[str, str], **changed: str) -> ErpAdapter:
            return catalogue.open_system("toy-ledger", {**settings, **changed}, secret, networks=LOOPBACK)

        def fall_silent() -> None:
            patch.setattr(adapter, "TIMEOUT_SECONDS", 0.5)
            world.silent = True

        def recover() -> None:
            world.silent = False

        site = f"http://127.0.0.1:{server.server_port}"
        yield Subject(
            "toy-ledger",
            {"site": {"site": site, "toy_login": toy.LOGIN, "toy_password": toy.PASSWORD}},
            "N1",
            frozenset({"accounts", "customers", "gl_transactions"}),
            lambda: lines,
            connect,
            lambda settings, secret: connect(settings, secret, site=f"http://127.0.0.1:{closed_port()}"),
            fall_silent,
            recover,
            documents=Documents(
                Settlement(date=first, number=1, sales=sold, payments=paid),
                Customer(name="Kunde"),
                routing,
                routing,
                attaches=False,
                held=lambda: len(world.vouchers),
            ),
        )


SUBJECTS: Mapping[str, Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Subject]]] = {
    "visma-business": visma_business,
    "sqlserver-generic": sqlserver_generic,
    "sqlserver-generic, read by pymssql": by_pymssql,
    "24sevenoffice, an organisation": of_an_organisation,
    "24sevenoffice, a user": of_a_user,
    "toy-ledger": toy_ledger,
}
