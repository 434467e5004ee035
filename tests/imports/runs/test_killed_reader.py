"""A reader that takes its whole process with it: the run it worked for ends well, and says what happened.

A worker in a process of its own, as in Lambda, against a local AWS; the stand-in is the ERP.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import servers
from local.emulator import ROOT
from tests.support.integration import integration

ROWS = 5_000
WORKER = """
import json, os, signal, sys
from dataclasses import replace

from benchmarks import ours
from erphub import app
from erphub.erp.transports.sqlserver.drivers.native import Native
from erphub.imports.runs.execution import RunExecution
from erphub.imports.runs.models import RunRef

task, port, given = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
source = ours.OneSource(port, "F0900")
if task == "plan":
    ref, packages = ours.planned(source)
    print(json.dumps({"ref": ref.as_json(), "packages": packages}))
    sys.exit()
ref = RunRef(**given["ref"])
execution = replace(app.services().get(RunExecution), sources=source)
if task == "die":
    batch, fetched = Native.batch, []

    def kill(self, most):
        fetched.append(most)
        if most > 500 and len(fetched) > 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        return batch(self, most)

    Native.batch = kill
for package in given["packages"]:
    execution.read(ref, package["from"], package["to"], lambda: 900.0)
for package in execution.list_publications(ref)["packages"]:
    execution.publish(ref, package["from"], package["to"], lambda: 900.0)
execution.finish(ref)
run = execution.stores.runs.get(ref)
(unit,) = execution.stores.units.of_run(ref)
log = [line.code for line in execution.stores.log.page(ref, 200, None).items]
print(json.dumps({"status": run.status, "rows": run.totals["rows_written"], "by": unit.rows_by_reader, "log": log}))
"""


@pytest.fixture
@integration
def around(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The stand-in's port, and what a worker finds in its environment."""
    with servers.sql_server(tmp_path, [f"F0900:{ROWS}"]) as server, servers.cloud(tmp_path) as cloud:
        yield str(server["port"]), cloud.environment() | {"SQL_SERVER_READER": "mssql-odbc"}


def worker(task: str, around: tuple[str, dict[str, str]], given: Any = None) -> subprocess.CompletedProcess[str]:
    port, environment = around
    command = [sys.executable, "-c", WORKER, task, port, json.dumps(given)]
    environment = {name: value for name, value in environment.items() if name != "MSSQL_PYTHON_NATIVE_PROVIDER"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=200)


def said(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_run_whose_reader_killed_its_worker_is_done_by_the_next_with_the_other(
    around: tuple[str, dict[str, str]],
) -> None:
    planned = said(worker("plan", around))
    assert worker("die", around, planned).returncode == -signal.SIGSEGV
    ended = said(worker("live", around, planned))
    assert (ended["status"], ended["rows"], ended["by"]) == ("succeeded", ROWS, {"pymssql": ROWS})
    assert "reader_lost" in ended["log"]
