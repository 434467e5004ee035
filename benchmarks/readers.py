"""(k) Readers of SQL Server: bare fetches and whole imports of the same rows, each by each reader."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.measure import middle, run
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.emulator import clean_environment

LEDGER, BIG_LEDGER, SMALL_LEDGER = "F0900", "F0905", "F0901"
SMALL = 1_000
"""Rows of an import that is nothing but its start-up."""

type Say = Callable[[str], None]
type Results = dict[str, list[dict[str, Any]]]


def section(rows: int, big: int, rounds: int, dlt: Path, around_imports: dict[str, str], say: Say) -> str:
    """The table. A `big` of 0 leaves out the imports of so many rows; without its environment dlt is left out."""
    ledgers = [f"{LEDGER}:{rows}", f"{SMALL_LEDGER}:{SMALL}", *([f"{BIG_LEDGER}:{big}"] if big else [])]
    found: Results = {}
    with (
        tempfile.TemporaryDirectory(prefix="erphub-bench-") as folder,
        servers.sql_server(Path(folder), ledgers) as server,
        servers.cloud(Path(folder)) as cloud,
    ):
        port, around = str(server["port"]), cloud.environment() | around_imports
        for at in range(rounds):
            for name, command, environment in _commands(port, around, big, dlt):
                say(f"round {at + 1}: {name}")
                found.setdefault(name, []).append(run(command, environment, 1800))
    return "\n".join(_table(found, rows, big))


def _commands(
    port: str, around: dict[str, str], big: int, dlt: Path
) -> Sequence[tuple[str, list[str], dict[str, str]]]:
    bare = ("fetch", Reader.PYMSSQL, [sys.executable, "-m", "benchmarks.bare", port, LEDGER])
    natives = [
        ("fetch", reader, [sys.executable, "-m", "benchmarks.bare_native", port, LEDGER, reader])
        for reader in (Reader.MSSQL_ODBC, Reader.MSODBCSQL18)
    ]
    imports = [
        (kind, reader, [sys.executable, "-m", "benchmarks.ours", port, ledger])
        for kind, ledger in (("start", SMALL_LEDGER), ("import", LEDGER), *([("big", BIG_LEDGER)] if big else []))
        for reader in Reader
    ]
    commands = [
        (f"{kind} {reader}", command, around | {"SQL_SERVER_READER": reader})
        for kind, reader, command in (bare, *natives, *imports)
    ]
    if dlt.exists():
        commands.append(("import dlt", [str(dlt), "benchmarks/with_dlt.py", port, LEDGER], clean_environment()))
    return commands


def _table(found: Results, rows: int, big: int) -> list[str]:
    fetched = middle(found["fetch pymssql"], "cpu_s")
    lines = [
        f"## (k) Readers of SQL Server: {rows:,} ledger rows of 12 columns, three of them decimal(38,20)",
        "",
        "CPU seconds of the client alone; whole imports go through the guard and are compared and published."
        f" Start-up is the same import of {SMALL:,} rows.",
        "",
        "| | CPU s | without start-up | of a bare pymssql fetch | rows per second | peak MB | USD |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, results in found.items():
        kind, _, reader = name.partition(" ")
        if kind == "start":
            continue
        count = big if kind == "big" else rows
        cpu, start = middle(results, "cpu_s"), found.get(f"start {reader}")
        own = cpu - middle(start, "cpu_s") if start and kind != "fetch" else cpu
        what = {"fetch": "bare fetch", "import": "whole import", "big": f"whole import of {big:,} rows"}[kind]
        dollars = results[-1].get("usd", "")
        lines.append(
            f"| {what}, {reader} | {cpu:.1f} | {own:.1f} | {own / fetched * rows / count:.2f} |"
            f" {count / middle(results, 'seconds'):,.0f} | {middle(results, 'peak_mb'):.0f} | {dollars} |"
        )
    starts = ", ".join(f"{reader} {middle(found[f'start {reader}'], 'cpu_s'):.2f}" for reader in Reader)
    return [*lines, "", f"Start-up, CPU s: {starts}."]
