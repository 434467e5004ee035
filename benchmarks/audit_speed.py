"""(m) Audit files of 1 GB: what reading one takes, in memory and in a processor's time.

`python -m benchmarks.audit_speed FILE STORE` makes a company database of a ledger file, as the demo does.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import audit_files, servers
from benchmarks.measure import run, tell
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.sqlserver import Catalogue, company, saft, state, visma

SHORT = 20
"""Megabytes of the file beside which the long one is put."""
LINE_BYTES = 511
"""What a ledger line takes in an invented SAF-T file, its share of the vouchers with it."""
KEY, DATABASE = "staging/uploads/bench/{}.xml", "F0001"


def section(megabytes: int, around_imports: dict[str, str], say: Callable[[str], None]) -> str:
    """The table, of a short and of a long file of either kind."""
    lines = [
        f"## (m) Audit files of {SHORT} and {megabytes:,} MB",
        "",
        "A process each. The cash register file is read from the local S3, 4 MB at a time, into settlements. The ledger"
        " file becomes a company of the stand-in SQL Server (read twice, stored by DuckDB, whose pages are most of the"
        " memory), whose ledger the hub imports: read by mssql-odbc, compared, published as Delta.",
        "",
        "| what | MB | of which | CPU s | CPU s per 100,000 | wall s | peak MB |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    with tempfile.TemporaryDirectory(prefix="erphub-bench-") as folder, servers.cloud(Path(folder)) as cloud:
        around = cloud.environment()
        for size in (SHORT, megabytes):
            say(f"a cash register file of {size} MB")
            file = audit_files.stream(audit_files.cash_registers(size * 10**6))
            cloud.aws.client("s3").upload_fileobj(file, servers.BUCKET, KEY.format(size))
            found = run([sys.executable, "-m", "benchmarks.audit_cash", KEY.format(size)], around, 1800)
            cloud.aws.client("s3").delete_object(Bucket=servers.BUCKET, Key=KEY.format(size))
            lines.append(_line("SAF-T Cash Register, read from S3", size, found, "Z-reports", found["reports"]))
        for size in (SHORT, megabytes):
            lines += _ledger(Path(folder), size, around | around_imports, say)
    return "\n".join(lines)


def _ledger(folder: Path, size: int, around: dict[str, str], say: Callable[[str], None]) -> list[str]:
    say(f"a ledger file of {size} MB")
    file, store = folder / f"{size}.xml", folder / f"{size}.duckdb"
    wanted = company.two_years("Fjord AS", "999999999", size * 10**6 // LINE_BYTES, date(2026, 3, 31), 1)
    company.write_saft(file, wanted)
    loaded = run([sys.executable, "-m", "benchmarks.audit_speed", str(file), str(store)], around, 1800)
    lines = [_line("SAF-T Financial, into the stand-in", size, loaded, "lines", loaded["lines"])]
    file.unlink()
    with servers.sql_server(folder, [], state=store) as server:
        command = [sys.executable, "-m", "benchmarks.ours", str(server["port"]), DATABASE]
        imported = run(command, around | {"SQL_SERVER_READER": Reader.MSSQL_ODBC}, 1800)
    if imported["rows"] != loaded["lines"]:
        raise RuntimeError(f"{imported['rows']} lines of {loaded['lines']} were imported")
    return [*lines, _line("that company's ledger, imported", size, imported, "lines", imported["rows"])]


def _line(what: str, size: int, found: dict[str, Any], kind: str, count: int) -> str:
    per = f"{found['cpu_s'] / count * 100_000:.2f}" if kind == "lines" else ""
    return (
        f"| {what} | {size:,} | {count:,} {kind} | {found['cpu_s']:.1f} | {per} |"
        f" {found['wall_s']:.0f} | {found['peak_mb']:.0f} |"
    )


def main(path: str, kept: str) -> None:
    """A file becomes a company, whose sums are the file's."""
    began = time.perf_counter()
    file, store = saft.read(Path(path)), Catalogue(path=Path(kept))
    made = visma.load(store, DATABASE, file)
    (sums,) = made.sql("SELECT sum(AcAm) FILTER (AcAm > 0), -sum(AcAm) FILTER (AcAm < 0) FROM {AcTr}")
    if list(sums) != [file.total_debit, file.total_credit]:
        raise RuntimeError(f"{sums} is not what the file says: {file.total_debit}, {file.total_credit}")
    state.save(store, None)
    tell(seconds=time.perf_counter() - began, lines=file.ledger.lines)


if __name__ == "__main__":
    main(*sys.argv[1:])
