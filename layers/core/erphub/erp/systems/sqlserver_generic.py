"""Any SQL Server database whose tables or views the user maps to the hub's datasets, column by column."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, override

from erphub.erp import problems
from erphub.erp.datasets import BY_ID, DATASETS, Dataset
from erphub.erp.description import AdapterCapability, Description, Field, Json, Link, Step
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
from erphub.erp.transports.sqlserver import legacy, permissions, planning, reading, server, steps
from erphub.erp.transports.sqlserver.driver import Session, Transport
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.source import Source
from erphub.platform.errors import FieldError

_IDENTIFIER: Json = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\u0000-\\u001f\\u007f]+$"}


def _mapping_schema() -> Json:
    """Per dataset: the table or view, and the column for each field; keys and the periods' date cannot be left out."""
    datasets: Json = {}
    for dataset in DATASETS:
        fields = {wanted.name: {**_IDENTIFIER, "title": wanted.description} for wanted in dataset.fields}
        datasets[dataset.id] = {
            "title": dataset.title,
            "type": "object",
            "properties": {
                "schema": {**_IDENTIFIER, "title": "Schema", "default": "dbo"},
                "table": {**_IDENTIFIER, "title": "Table or view"},
                "columns": {
                    "title": "Column of each field",
                    "type": "object",
                    "properties": fields,
                    "required": [*dataset.keys, *([dataset.date] if dataset.date else [])],
                    "additionalProperties": False,
                },
            },
            "required": ["table", "columns"],
            "additionalProperties": False,
        }
    return {"type": "object", "properties": datasets, "minProperties": 1, "additionalProperties": False}


def _named_columns(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    """A field mapped under a blank name would be read as missing; say so instead."""
    for dataset, mapped in answer["mapping"].items():
        for wanted, column in mapped["columns"].items():
            if not column.strip():
                pointer = f"/mapping/{dataset}/columns/{wanted}"
                yield problems.COLUMN_NAME_REQUIRED(pointer)


MAPPING = Step(
    id="mapping",
    title="Tables",
    help="Which table or view holds each kind of data, and in which columns. What you leave out is not imported.",
    fields=(
        Field(
            "mapping",
            "Tables and columns",
            "Per dataset a table or view and the column for each field. A date may be a date, a datetime, or a whole"
            " number like 20260131.",
            example={
                "accounts": {
                    "schema": "dbo",
                    "table": "ChartOfAccounts",
                    "columns": {"account_no": "AccountNo", "name": "AccountName"},
                }
            },
            schema=_mapping_schema(),
        ),
    ),
    depends_on_server=True,
    checks=(_named_columns,),
)

DESCRIPTION = Description(
    id="sqlserver-generic",
    title="SQL Server (your own tables)",
    summary="Any SQL Server database: you say which table or view is the ledger, the customers, the products.",
    documentation=(
        Link("SQL Server documentation", "https://learn.microsoft.com/sql/sql-server/"),
        Link("Create a view", "https://learn.microsoft.com/sql/relational-databases/views/create-views"),
    ),
    steps=(
        steps.server_step(),
        steps.companies_step("databases"),
        MAPPING,
        steps.name_step(),
        steps.finish_step(),
    ),
    capabilities=frozenset({AdapterCapability.COMPANIES, AdapterCapability.DATASETS}),
    datasets=tuple(BY_ID),
    datasets_when=dict.fromkeys(BY_ID, (MAPPING.id, ())),
)


def _source(dataset: str, mapped: Mapping[str, Any]) -> Source:
    columns: Mapping[str, str] = mapped["columns"]
    return Source(
        mapped["table"],
        {wanted: [column] for wanted, column in columns.items()},
        schema=mapped.get("schema", "dbo"),
        key=columns[BY_ID[dataset].keys[0]],
    )


class SqlServerGeneric(ErpAdapter, ListsCompanies, ReadsDatasets, ReportsChanges, CountsByDay, UsesResources):
    """A connected SQL Server whose databases are companies."""

    def __init__(self, settings: Mapping[str, Any], sql_server: server.Server) -> None:
        self._server = sql_server
        self._chosen = permissions.chosen(settings)
        mapping: Mapping[str, Mapping[str, Any]] = settings.get("mapping") or {}
        self._sources = {dataset: _source(dataset, mapped) for dataset, mapped in mapping.items()}

    @override
    def use(self, resources: AdapterResources) -> None:
        # Of tokens and rate limits a database knows nothing.
        if resources.sql_server_reader:
            self._server.read_by(Reader(resources.sql_server_reader))

    @override
    def check(self) -> Iterator[Probe]:
        # The last stages look at the mapped tables.
        sources = [(BY_ID[dataset], source) for dataset, source in self._sources.items()]
        checks = permissions.Permissions(self._list, self._chosen, sources)
        return self._server.check(checks.databases, checks.permissions, checks.read)

    @override
    def companies(self) -> Sequence[FoundCompany]:
        # Every database but for the server's own.
        with self._server.session() as session:
            return self._list(self._server, session)[0]

    @override
    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        return planning.plan_reading(self._server, company, dataset, [self._source(dataset)], window, slice_rows)

    @override
    def daily_totals_before(self, dataset: Dataset, company: FoundCompany, before: date) -> Sequence[ControlTotal]:
        return legacy.daily_totals_before(self._server, company, dataset, [self._source(dataset)], before)

    @override
    def report_changes(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        return legacy.report_changes(self._server, company, dataset, [self._source(dataset)], since)

    @override
    def read(
        self, dataset: Dataset, company: FoundCompany, plan: ReadPlan, part: Slice
    ) -> AbstractContextManager[Reading]:
        return reading.read(self._server, company, dataset, [self._source(dataset)], plan, part)

    def _source(self, dataset: Dataset) -> Source:
        if dataset.id not in self._sources:
            raise problems.DATASET_NOT_MAPPED(title=dataset.title.lower())
        return self._sources[dataset.id]

    def _list(self, _server: server.Server, session: Session) -> tuple[Sequence[FoundCompany], str | None]:
        name = server.server_name(session)
        found = [server.company(one, one.name, name) for one in server.databases(session) if not one.of_system]
        return sorted(found, key=lambda one: (one.name.casefold(), one.key)), None


def connect(
    settings: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    networks: Sequence[str],
    transport: Transport | None = None,
) -> SqlServerGeneric:
    """The system behind these settings; `networks` are internal networks that are allowed all the same."""
    return SqlServerGeneric(settings, server.Server(settings, secret, networks, transport))
