"""Visma Business on SQL Server: one database per company (F0001, F0002 …) and a system database that names them.

Table and column names as installations have them; what an installation lacks is reported and null. Dates are whole
numbers (20260131, 0 for none). Customers and suppliers share one table, told apart by which number they carry.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, override

from erphub.erp.actors import Actor, ActorField, ActorSupport, ActorType, KnowsActors, ListItem
from erphub.erp.datasets import BY_ID, Dataset
from erphub.erp.description import AdapterCapability, Description, Link
from erphub.erp.probes import Probe
from erphub.erp.reading import (
    ChangeReport,
    ControlTotal,
    CountsByDay,
    DateRange,
    Reading,
    ReadPlan,
    ReadsDatasets,
    ReportsChanges,
    Slice,
)
from erphub.erp.resources import AdapterResources, UsesResources
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies
from erphub.erp.systems import visma_actors
from erphub.erp.transports.sqlserver import legacy, permissions, planning, reading, server, steps
from erphub.erp.transports.sqlserver.driver import Session, Transport
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.source import Source
from erphub.erp.transports.sqlserver.statements import ROWS, condition, listed, quote
from erphub.platform.errors import ErpRefused

_COMPANY = re.compile(r"F\d{4,}", re.IGNORECASE)


def _actor(number: str, column: str) -> Source:
    return Source(
        "Actor",
        {
            number: [column],
            "name": ["Nm"],
            "organisation_no": ["BsNo"],
            "address_1": ["Ad1"],
            "address_2": ["Ad2"],
            "postal_code": ["PNo"],
            "city": ["PArea"],
            "country": ["Ctry"],
            "email": ["MailAd"],
            "phone": ["Phone", "MobPh"],
            "currency": ["Cur"],
            "changed_on": ["ChDt"],
        },
        key=column,
        lowest=1,  # an actor without the number is not one of these
    )


def _unit(number: int) -> Source:
    return Source(
        f"R{number}",
        {
            "value": ["RNo"],
            "name": ["Nm"],
            "status": ["St"],
            "parent": [f"MainR{number}"],
            "created_on": ["CreDt"],
            "changed_on": ["ChDt"],
        },
        key="RNo",
        constants={"dimension": number},
        optional=True,
    )


SOURCES: Mapping[str, Sequence[Source]] = {
    "accounts": [
        Source(
            "Ac",
            {
                "account_no": ["AcNo"],
                "name": ["Nm"],
                "group": ["AcGr"],
                "type": ["AcCode"],
                "tax_code": ["TxCd"],
                "created_on": ["CreDt"],
                "changed_on": ["ChDt"],
            },
            key="AcNo",
        )
    ],
    "gl_transactions": [
        Source(
            "AcTr",
            {
                "journal_no": ["JNo"],
                "entry_no": ["EntNo"],
                "voucher_no": ["VoNo"],
                "voucher_type": ["VoTp"],
                "voucher_date": ["VoDt"],
                "value_date": ["ValDt"],
                "period": ["AcYrPr"],
                "account_no": ["AcNo"],
                "customer_no": ["Cust"],
                "supplier_no": ["Sup"],
                "invoice_no": ["InvoNo"],
                "description": ["Txt"],
                "amount": ["AcAm"],
                "is_credit": ["Cr"],
                "currency": ["Cur"],
                "currency_amount": ["CurAm"],
                "exchange_rate": ["ExRt"],
                "tax_code": ["TxCd"],
                "source_type": ["SrcTp"],
                **{f"dimension_{n}": [f"R{n}"] for n in range(1, 13)},
                "changed_on": ["ChDt"],
            },
            key="JNo",
        )
    ],
    "customers": [_actor("customer_no", "CustNo")],
    "suppliers": [_actor("supplier_no", "SupNo")],
    "products": [
        Source(
            "Prod",
            {
                "product_no": ["ProdNo"],
                "name": ["Descr"],
                "group": ["ProdGr", "Gr"],
                "type": ["ProdTp", "ProdTp2"],
                "unit": ["StSaleUn"],
                "price_category": ["PrCatNo"],
                "changed_on": ["ChDt"],
            },
            key="ProdNo",
        )
    ],
    "orders": [
        Source(
            "Ord",
            {
                "order_no": ["OrdNo"],
                "transaction_type": ["TrTp"],
                "order_type": ["OrdTp"],
                "order_date": ["OrdDt"],
                "delivery_date": ["DelDt"],
                "customer_no": ["CustNo"],
                "customer_name": ["Nm"],
                "currency": ["Cur"],
                "exchange_rate": ["ExRt"],
                "invoiced_amount": ["InvoSF"],
                "amount_to_invoice": ["InvoIF"],
                "invoice_no": ["InvoNo"],
                "our_reference": ["OurRef"],
                "your_reference": ["YrRef"],
                "changed_on": ["ChDt"],
            },
            key="OrdNo",
        )
    ],
    "order_lines": [
        Source(
            "OrdLn",
            {
                "order_no": ["OrdNo"],
                "line_no": ["LnNo"],
                "product_no": ["ProdNo"],
                "description": ["Descr"],
                "price": ["Price"],
                "discount_percent": ["Dc1p"],
                "quantity": ["NoOrg"],
                "quantity_invoiced": ["NoInvo"],
                "quantity_finished": ["NoFin"],
                "unit": ["Un"],
                "changed_on": ["ChDt"],
            },
            key="OrdNo",
        )
    ],
    "dimensions": [_unit(n) for n in range(1, 13)],
}

_NEEDED = ("accounts", "gl_transactions", "customers")
"""The datasets whose tables a connection test looks at: without them there is nothing to import."""

DESCRIPTION = Description(
    id="visma-business",
    title="Visma Business",
    summary="Visma Business with its databases on SQL Server: ledger, customers, suppliers, products and orders.",
    documentation=(
        Link("Visma Business documentation", "https://doc.visma.net/business/"),
        Link(
            "Create a SQL Server login",
            "https://learn.microsoft.com/sql/relational-databases/security/authentication-access/create-a-login",
        ),
    ),
    steps=(
        steps.server_step(
            steps.system_database(
                "vbsys",
                "The system database, which knows the companies' names. The login needs read access to it and to the"
                " companies' databases.",
            )
        ),
        steps.companies_step(),
        steps.name_step(),
        steps.vouchers_step(
            {"visma-document-center": "Visma Document Center"}, "visma-document-center", "Document center path"
        ),
        steps.finish_step(),
    ),
    capabilities=frozenset({AdapterCapability.COMPANIES, AdapterCapability.DATASETS, AdapterCapability.ACTORS}),
    datasets=tuple(SOURCES),
)


class VismaBusiness(ErpAdapter, ListsCompanies, ReadsDatasets, ReportsChanges, CountsByDay, KnowsActors, UsesResources):
    """A connected Visma Business."""

    def __init__(self, settings: Mapping[str, Any], sql_server: server.Server) -> None:
        self._server = sql_server
        self._system_database: str = settings.get("database") or "vbsys"
        self._chosen = permissions.chosen(settings)

    @override
    def use(self, resources: AdapterResources) -> None:
        # Of tokens and rate limits a database knows nothing.
        if resources.sql_server_reader:
            self._server.read_by(Reader(resources.sql_server_reader))

    @override
    def check(self) -> Iterator[Probe]:
        # The last stages look at the chosen companies, or at the first that opens.
        checks = permissions.Permissions(
            self._list, self._chosen, [(BY_ID[name], SOURCES[name][0]) for name in _NEEDED]
        )
        return self._server.check(checks.databases, checks.permissions, checks.read)

    @override
    def companies(self) -> Sequence[FoundCompany]:
        # By the name in the system database where that can be read.
        with self._server.session() as session:
            return self._list(self._server, session)[0]

    @override
    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        return planning.plan_reading(self._server, company, dataset, SOURCES[dataset.id], window, slice_rows)

    @override
    def daily_totals_before(self, dataset: Dataset, company: FoundCompany, before: date) -> Sequence[ControlTotal]:
        return legacy.daily_totals_before(self._server, company, dataset, SOURCES[dataset.id], before)

    @override
    def report_changes(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        return legacy.report_changes(self._server, company, dataset, SOURCES[dataset.id], since)

    @override
    def read(
        self, dataset: Dataset, company: FoundCompany, plan: ReadPlan, part: Slice
    ) -> AbstractContextManager[Reading]:
        return reading.read(self._server, company, dataset, SOURCES[dataset.id], plan, part)

    @override
    def actor_types(self) -> Mapping[ActorType, ActorSupport | str]:
        return visma_actors.TYPES

    @override
    def actor_fields(self, actor_type: ActorType, company: FoundCompany) -> Sequence[ActorField]:
        return self._actors(actor_type).fields

    @override
    def actor_list(self, list_name: str, company: FoundCompany) -> Sequence[ListItem]:
        # None of the fields takes its values from a list.
        return ()

    @override
    def actors(self, actor_type: ActorType, keys: Sequence[str], company: FoundCompany) -> Mapping[str, Actor]:
        return self._actors(actor_type).get(keys, company)

    @override
    def actors_changed_since(
        self, actor_type: ActorType, since: datetime | None, company: FoundCompany
    ) -> Iterator[Actor]:
        return self._actors(actor_type).changed_since(since, company)

    @override
    def actor_keys(self, actor_type: ActorType, company: FoundCompany) -> Iterator[str]:
        return self._actors(actor_type).keys(company)

    def _actors(self, actor_type: ActorType) -> visma_actors.VismaActors:
        return visma_actors.VismaActors(self._server, actor_type)

    def _list(self, sql_server: server.Server, session: Session) -> tuple[Sequence[FoundCompany], str | None]:
        """The companies, and why their names could not be read, if so."""
        found = server.databases(session)
        name = server.server_name(session)
        companies = [one for one in found if _COMPANY.fullmatch(one.name)]
        names, problem = self._names(sql_server, found)
        listed = [server.company(one, names.get(int(one.name[1:]), one.name), name) for one in companies]
        return sorted(listed, key=lambda one: (one.name.casefold(), one.key)), problem

    def _names(
        self, sql_server: server.Server, found: Sequence[server.Database]
    ) -> tuple[Mapping[int, str], str | None]:
        """Company numbers and names from the system database."""
        wanted = self._system_database.casefold()
        system = next((one for one in found if one.name.casefold() == wanted), None)
        problem = f"There is no database {self._system_database}." if system is None else system.problem
        if system is None or problem is not None:
            return {}, f"The companies' names could not be read from {self._system_database}: {problem}"
        try:
            with sql_server.session(system.name) as session:
                rows = session.rows(
                    ROWS(
                        columns=listed([quote("FrmNo"), quote("Nm")]),
                        schema=quote("dbo"),
                        table=quote("Frm"),
                        where=condition(None),
                    )
                )
        except ErpRefused as error:
            return {}, f"The companies' names could not be read from {self._system_database}: {error.detail}"
        return {number: name.strip() for number, name in rows if number is not None and name and name.strip()}, None


def connect(
    settings: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    networks: Sequence[str],
    transport: Transport | None = None,
) -> VismaBusiness:
    """The system behind these settings; `networks` are internal networks that are allowed all the same."""
    return VismaBusiness(settings, server.Server(settings, secret, networks, transport))
