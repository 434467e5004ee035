"""(b) Our import of the same rows: the very tasks of the import machine, from the plan to a Delta table on S3.

`python -m benchmarks.ours PORT DATABASE`. Count and sum are compared with the source's on the way, as in every import.
"""

import contextlib
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.measure import tell
from erphub import app
from erphub.erp import catalogue as erp
from erphub.erp.reading import ReadsDatasets
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver.driver import Transport
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.imports.jobs.dynamodb import JobTable
from erphub.imports.jobs.models import Everything, Job
from erphub.imports.runs.costs import calls_between, cost_of
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.execution import RunExecution
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.runs.planning import RunPlanner
from erphub.imports.runs.ports import Source
from erphub.lake.datasets.dynamodb import TableTypesTable
from erphub.platform.ids import new_id
from erphub.platform.wire import instant

MAPPING = {
    "gl_transactions": {
        "schema": "dbo",
        "table": "AcTr",
        "columns": {
            "journal_no": "JNo",
            "entry_no": "EntNo",
            "voucher_no": "VoNo",
            "voucher_date": "VoDt",
            "account_no": "AcNo",
            "period": "AcYrPr",
            "description": "Txt",
            "invoice_no": "InvoNo",
            "customer_no": "Cust",
            "amount": "AcAm",
            "currency_amount": "CurAm",
            "exchange_rate": "ExRt",
        },
    }
}
TIME_LEFT = 900.0


@dataclass(frozen=True)
class OneSource:
    """The connection behind this import: one company on the stand-in. Satisfies `ports.imports.Sources`."""

    port: str
    database: str

    def get(self, client_id: str, connection_id: str) -> Source:
        """The only one."""
        return Source(client_id, connection_id, "Bench", "sqlserver-generic", "active", ["gl_transactions"])

    def companies(self, source: Source) -> list[FoundCompany]:  # noqa: ARG002  the port's signature
        """The only one."""
        return [FoundCompany(self.database, self.database, None, {"database": self.database})]

    def open(self, source: Source) -> contextlib.AbstractContextManager[ReadsDatasets]:
        """Over TLS, as always; the stand-in's certificate is nobody's, so it is not verified."""
        return self._opened(source)

    @contextlib.contextmanager
    def _opened(self, source: Source) -> Generator[ReadsDatasets]:
        settings = {
            "server": f"127.0.0.1,{self.port}",
            "authentication": "sql",
            "login": "reader",
            "encryption": "trust",
            "mapping": MAPPING,
        }
        secret = {"password": "Read-Only-1"}
        wished = app.services().platform.settings.sql_server_reader
        transport = Transport(reader=Reader(wished)) if wished else Transport()
        system = erp.open_system(source.erp_system, settings, secret, networks=["127.0.0.0/8"], transport=transport)
        assert isinstance(system, ReadsDatasets)
        yield system


def planned(source: OneSource) -> tuple[RunRef, Sequence[Mapping[str, Any]]]:
    """A new run that is planned, and the packages of its parts."""
    services = app.services()
    jobs, runs, now = JobTable(services.platform.table), RunTable(services.platform.table), services.platform.clock()
    client = new_id()
    job = Job(
        id=new_id(), client_id=client, name="Bench", connection_id=new_id(), period=Everything(kind="everything"),
        created_by="bench", created_at=now, updated_at=now,
    )  # fmt: skip
    jobs.add(job)
    ref = RunRef(client, job.id, new_id())
    runs.add(Run(ref, job.connection_id, RunTrigger.MANUAL, RunStatus.QUEUED, "bench", instant(now)))
    plan = replace(services.get(RunPlanner), sources=source).plan(ref, lambda: TIME_LEFT)
    return ref, plan["packages"]


def main(port: str, database: str) -> None:
    """One run, its tasks one after the other in this process."""
    began = time.perf_counter()
    source = OneSource(port, database)
    execution = replace(app.services().get(RunExecution), sources=source)
    runs = RunTable(app.services().platform.table)
    before = app.services().platform.aws_call_counts()
    ref, packages = planned(source)
    read_began = time.perf_counter()
    for package in packages:
        execution.read(ref, package["from"], package["to"], lambda: TIME_LEFT)
    read_seconds = time.perf_counter() - read_began
    for package in execution.list_publications(ref)["packages"]:
        execution.publish(ref, package["from"], package["to"], lambda: TIME_LEFT)
    execution.finish(ref)
    seconds = time.perf_counter() - began
    runs.add_cost(ref, calls_between(before, app.services().platform.aws_call_counts()), int(seconds * 1000))
    run = runs.get(ref)
    if run.status is not RunStatus.SUCCEEDED:
        raise RuntimeError(f"the import {run.status}: {run.problem}")
    spent, beside, types = cost_of(run), cost_of(replace(run, lambda_ms=0)), app.services().get(TableTypesTable)
    tell(
        seconds=seconds, read_seconds=read_seconds, rows=run.totals["rows_written"], calls=spent.aws_calls,
        readers=list(next(execution.stores.units.of_run(ref)).rows_by_reader),
        usd=spent.estimated_usd, usd_beside=float(beside.estimated_usd),
        types=dict(types.of_client(ref.client_id)["gl_transactions"]),
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
