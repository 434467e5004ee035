"""Runs the stand-in SQL Server by itself: `python -m local.sqlserver --saft FILE --as F0001 --login reader:secret`.

Prints one line of JSON with its ports when it is ready, and stops on SIGTERM or SIGINT.
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from local.sqlserver import company, saft, state, visma
from local.sqlserver.admin import Admin
from local.sqlserver.catalogue import Catalogue
from local.sqlserver.server import StandIn
from local.sqlserver.tunnel import certificate

# Share of the demo's lines, and the name, of each invented company.
DEMO = (
    ("F0001", "Fjellheim Handel AS", 40),
    ("F0002", "Nordlys Teknikk AS", 30),
    ("F0003", "Bjørkely Bygg & Anlegg AS", 20),
    ("F0010", "Åsgård Eiendom AS", 10),
)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.sqlserver", description="A stand-in SQL Server.")
    parser.add_argument("--saft", action="append", default=[], metavar="FILE", help="a SAF-T Financial file to load")
    parser.add_argument(
        "--as", action="append", default=[], dest="databases", metavar="F0001", help="… as this company"
    )
    parser.add_argument("--trade", action="store_true", help="invent products and orders for each file's company")
    parser.add_argument("--closed", action="store_true", help="add two companies that nobody can open")
    parser.add_argument("--demo", type=int, metavar="LINES", help="invent four companies with so many ledger lines")
    parser.add_argument("--ledger", action="append", default=[], metavar="F0900:ROWS", help="a ledger for measuring")
    parser.add_argument("--login", action="append", default=[], metavar="NAME:PASSWORD[:DATABASE,…]")
    parser.add_argument("--windows-login", action="append", default=[], metavar="DOMAIN\\NAME:PASSWORD[:DATABASE,…]")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--instance", default="VISMA", help="the instance's name for SQL Browser")
    parser.add_argument(
        "--browser-port", type=int, default=0, help="UDP port; the real one is 1434, 0 takes a free one"
    )
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--encryption", choices=("offered", "required", "none"), default="offered")
    parser.add_argument("--open", action="store_true", help="run whatever can be translated (for benchmarks only)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep everything in this file across restarts")
    parser.add_argument("--today", type=date.fromisoformat, default=date.today(), help="last day of invented companies")  # noqa: DTZ011
    out = parser.parse_args(given)
    if len(out.saft) != len(out.databases):
        parser.error("each --saft FILE needs its --as DATABASE")
    return out


def fill(catalogue: Catalogue, options: argparse.Namespace) -> None:
    """Load what was asked for and is not there yet."""
    for seed, (file, database) in enumerate(zip(options.saft, options.databases, strict=True), 1):
        if catalogue.find(database) is None:
            made = visma.load(catalogue, database, saft.read(Path(file)))
            if options.trade:
                company.add_trade(made, seed=seed, last=options.today)
    if options.demo:
        demo(catalogue, options.demo, options.today)
    if options.demo or options.closed:
        closed(catalogue)
    for wanted in options.ledger:
        database, rows = wanted.split(":")
        if catalogue.find(database) is None:
            company.big_ledger(visma.company(catalogue, database, f"Ledger of {rows} rows"), int(rows))
    for text in options.login:
        _login(catalogue, text, windows=False)
    for text in options.windows_login:
        _login(catalogue, text, windows=True)


def demo(catalogue: Catalogue, lines: int, today: date) -> None:
    """Four companies made by way of SAF-T files."""
    with tempfile.TemporaryDirectory() as folder:
        for seed, (database, name, share) in enumerate(DEMO, 1):
            if catalogue.find(database) is not None:
                continue
            file = Path(folder) / f"{database}.xml"
            count = max(lines * share // 100, 2)
            company.write_saft(file, company.two_years(name, company.organisation_number(seed), count, today, seed))
            company.add_trade(visma.load(catalogue, database, saft.read(file)), seed=seed, last=today)


def closed(catalogue: Catalogue) -> None:
    """Two companies that nobody can open: one is offline, to the other the logins have no right."""
    if catalogue.find("F0011") is None:
        visma.company(catalogue, "F0011", "Avviklet Drift AS").state = "OFFLINE"
        visma.company(catalogue, "F0012", "Styrets Private AS")


def _login(catalogue: Catalogue, text: str, *, windows: bool) -> None:
    """`name:password` may enter every database but the demo's private one; a third part lists databases instead."""
    name, password, *places = text.split(":", 2)
    everywhere = [each.name for each in catalogue.sorted_databases() if each.name not in ("F0012", "model")]
    catalogue.login(name, password, windows=windows, databases=places[0].split(",") if places else everywhere)


def main(given: Sequence[str]) -> int:
    """Run until told to stop; returns the exit code."""
    options = arguments(given)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: stop.set())
    catalogue, tls = state.restore(options.state) if options.state else (Catalogue(), None)
    try:
        fill(catalogue, options)
    except (saft.NotSaft, OSError, ValueError) as error:
        print(f"The stand-in server cannot start: {error}", file=sys.stderr)
        return 2
    tls = tls or certificate(signed_by_authority=True)
    server = StandIn(
        catalogue,
        host=options.host,
        port=options.port,
        instance=options.instance,
        browser_port=options.browser_port,
        encryption=options.encryption,
        tls=tls,
        open_mode=options.open,
    )
    with server:
        state.save(catalogue, tls)
        admin = Admin(server, options.admin_port, lambda: state.save(catalogue, tls))
        ready = {
            "host": server.host,
            "port": server.port,
            "instance": server.instance,
            "browser_port": server.browser_port,
            "admin_url": admin.url,
            "databases": [each.name for each in catalogue.sorted_databases()],
            "logins": [login.name for login in catalogue.logins.values()],
            "authority": tls.authority.decode(),
        }
        print(json.dumps(ready, ensure_ascii=False), flush=True)
        stop.wait()
        admin.close()
    state.save(catalogue, tls)
    catalogue.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
