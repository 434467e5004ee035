"""(k) Readers of SQL Server: bare fetches and whole imports of the same rows, each by each reader, with dlt beside.

arrow-odbc and dlt over pyodbc want unixODBC's libodbc: on the machine, or in the folder that LIBODBC_FOLDER names.
"""

import ctypes.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.measure import ROOT, middle, processor_seconds, run
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.imports.runs.costs import TASK_MEMORY_GB
from local.emulator import clean_environment

LEDGER, BIG_LEDGER, SMALL_LEDGER = "F0900", "F0905", "F0901"
SMALL = 1_000
"""Rows of an import that is nothing but its start-up."""
USD_PER_GB_SECOND = {"arm64": 0.0000133334, "x86_64": 0.0000166667}
"""Lambda's list prices of us-east-1."""
DLT, ARROW_ODBC = ROOT / ".venv-dlt/bin/python", ROOT / ".venv-arrow-odbc/bin/python"
SECONDS = 3600.0
BASE = "pymssql, bare fetch"

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Client:
    """What is measured: its name, how it is started for a ledger, and what is around it."""

    name: str
    command: Callable[[str], list[str]]
    environment: dict[str, str]
    is_import: bool = False
    is_slow: bool = False
    """Whether it makes a Python object of every value: a row costs it the same however many there are, so it is spared
    the big ledger.
    """


@dataclass
class Found:
    """What a client needed for a ledger, by how many rows it has."""

    client: Client
    by_rows: dict[int, list[dict[str, Any]]]

    def cpu(self, rows: int) -> float:
        """CPU seconds of a million rows, without what so much as a beginning takes."""
        start = middle(self.by_rows[SMALL], "cpu_s")
        return (middle(self.by_rows[rows], "cpu_s") - start) * 1_000_000 / rows

    def usd(self, rows: int, processor: str) -> float:
        """Dollars of a million rows: CPU seconds, start-up included, on the one core of ImportTasks, and AWS calls."""
        seconds = middle(self.by_rows[rows], "cpu_s")
        beside = float(self.by_rows[rows][-1].get("usd_beside", 0))
        return (seconds * TASK_MEMORY_GB * USD_PER_GB_SECOND[processor] + beside) * 1_000_000 / rows


def section(rows: int, big: int, rounds: int, around_imports: dict[str, str], say: Say) -> str:
    """The table. A `big` of 0 leaves out ledgers of so many rows; what is not installed is left out."""
    ledgers = {SMALL: SMALL_LEDGER, rows: LEDGER, **({big: BIG_LEDGER} if big else {})}
    with (
        tempfile.TemporaryDirectory(prefix="erphub-bench-") as folder,
        servers.sql_server(Path(folder), [f"{name}:{count}" for count, name in ledgers.items()], seconds=900) as server,
        servers.cloud(Path(folder)) as cloud,
    ):
        found = [Found(one, {}) for one in _clients(str(server["port"]), cloud.environment() | around_imports)]
        try:
            for count, name in ledgers.items():
                for at in range(1 if count == big else rounds):
                    _round(found, name, count, big, server["pid"], lambda text, at=at: say(f"round {at + 1}, {text}"))
        except KeyboardInterrupt:
            say("stopped: the table has what was measured until now")
    return "\n".join(_table(found, [count for count in ledgers if count != SMALL]))


def _round(found: list[Found], ledger: str, rows: int, big: int, server: int, say: Say) -> None:
    for one in found:
        if not (one.client.is_slow and rows == big):
            result = _measured(one.client, ledger, rows, server)
            say(f"{rows:,} rows, {one.client.name}: {result}")
            one.by_rows.setdefault(rows, []).append(result)


def _measured(client: Client, ledger: str, rows: int, server: int) -> dict[str, Any]:
    before = processor_seconds(server)
    result = run(client.command(ledger), client.environment, SECONDS)
    if result["rows"] != rows:
        raise RuntimeError(f"{client.name}: {result['rows']} rows came instead of {rows}")
    return {**result, "server_s": processor_seconds(server) - before}


def _clients(port: str, around: dict[str, str]) -> Iterator[Client]:
    def ours(module: str, *more: str) -> Callable[[str], list[str]]:
        return lambda ledger: [sys.executable, "-m", f"benchmarks.{module}", port, ledger, *more]

    def theirs(python: Path, program: str, *more: str) -> Callable[[str], list[str]]:
        return lambda ledger: [str(python), f"benchmarks/{program}.py", port, ledger, *more]

    folder = os.environ.get("LIBODBC_FOLDER", "")
    outside = clean_environment() | ({"LD_LIBRARY_PATH": folder} if folder else {})
    driver = _microsofts_driver() if folder or ctypes.util.find_library("odbc") else None
    yield Client(BASE, ours("bare"), around, is_slow=True)
    if driver and ARROW_ODBC.exists():
        yield Client("arrow-odbc over msodbcsql18, bare fetch", theirs(ARROW_ODBC, "with_arrow_odbc", driver), outside)
    for reader in (Reader.MSODBCSQL18, Reader.MSSQL_ODBC):
        yield Client(f"{reader}, bare fetch", ours("bare_native", reader), around)
    for reader in Reader:
        chosen = around | {"SQL_SERVER_READER": reader}
        yield Client(f"{reader}, whole import", ours("ours"), chosen, True, reader is Reader.PYMSSQL)
    if DLT.exists():
        yield Client("dlt over pymssql", theirs(DLT, "with_dlt"), outside, is_slow=True)
    if driver and DLT.exists():
        yield Client("dlt over pyodbc and msodbcsql18", theirs(DLT, "with_dlt", driver), outside, is_slow=True)


def _microsofts_driver() -> str | None:
    """The file that mssql-python loads as `msodbcsql18`, where it is installed."""
    found = find_spec("mssql_python_odbc")
    if found is None or not found.submodule_search_locations:
        return None
    libraries = Path(found.submodule_search_locations[0], "libs/linux/debian_ubuntu", _machine(), "lib")
    files = sorted(libraries.glob("libmsodbcsql*"))
    return str(files[0]) if files else None


def _machine() -> str:
    return "arm64" if os.uname().machine == "aarch64" else os.uname().machine


def _table(found: list[Found], counts: list[int]) -> list[str]:
    lines = [
        "## (k) Readers of SQL Server: a ledger of 12 columns, three of them decimal(38,20)",
        "",
        "CPU seconds of the client alone, for a million rows, without start-up, which is the same with 1,000 rows."
        " Whole imports go through the guard, are compared with the server's sums and published as Delta on a local S3;"
        " bare fetches drop what they get; dlt writes Parquet to the local disk. Dollars are of a million rows on"
        f" Lambda, start-up included: CPU seconds on the one core that {TASK_MEMORY_GB * 1024:,.0f} MB give, and for"
        " imports AWS calls and transitions.",
        "",
        "| | rows | start-up | CPU s | of a bare pymssql fetch | rows per second | peak MB | USD arm64 | USD x86_64 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    base = found[0].cpu(counts[0])
    for rows in counts:
        there = [one for one in found if rows in one.by_rows]
        if not there:
            continue
        for one in there:
            results = one.by_rows[rows]
            lines.append(
                f"| {one.client.name} | {rows:,} | {middle(one.by_rows[SMALL], 'cpu_s'):.2f} | {one.cpu(rows):.2f} |"
                f" {one.cpu(rows) / base:.2f} | {rows / middle(results, 'seconds'):,.0f} |"
                f" {middle(results, 'peak_mb'):.0f} | {one.usd(rows, 'arm64'):.6f} | {one.usd(rows, 'x86_64'):.6f} |"
            )
        least = min(middle(one.by_rows[rows], "server_s") for one in there)
        lines.append(f"| the stand-in itself, at most | {rows:,} | | | | {rows / least:,.0f} | | | |")
    return [*lines, "", *_ratios(found, counts[0])]


def _ratios(found: list[Found], rows: int) -> Iterator[str]:
    """How the imports stand against what they are compared with."""
    base, dlt = found[0], [one for one in found if one.client.name.startswith("dlt")]
    for one in found:
        if one.client.is_import:
            against = [f"a bare pymssql fetch takes {base.cpu(rows) / one.cpu(rows):.1f} times as long"]
            against += [f"{other.client.name} {other.cpu(rows) / one.cpu(rows):.1f} times" for other in dlt]
            yield f"* {one.client.name}, {rows:,} rows, CPU seconds without start-up: {', '.join(against)}."
