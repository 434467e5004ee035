"""Runs the measurements and writes benchmarks/*.md: `python -m benchmarks`, or `python -m benchmarks a b f`.

a, b, c and d share one stand-in SQL Server; a, b and c take turns. h, i, j and l are the transfers' (TRANSFERS.md), k
the readers of SQL Server (READERS.md), m audit files of 1 GB (AUDIT_FILES.md), n suggestions of links (LINKING.md), all
others stand in RESULTS.md. Without letters everything runs.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import audit_speed, imports, linking, readers, servers
from benchmarks.measure import ROOT, middle, run, spread
from local import template
from local.emulator import clean_environment

IMPORTS, TRANSFERS, READERS, AUDIT_FILES, LINKING = "abcdefg", "hijl", "k", "m", "n"
PARTS = IMPORTS + TRANSFERS + READERS + AUDIT_FILES + LINKING
PAGES = {
    IMPORTS: ROOT / "benchmarks/RESULTS.md",
    TRANSFERS: ROOT / "benchmarks/TRANSFERS.md",
    READERS: ROOT / "benchmarks/READERS.md",
    AUDIT_FILES: ROOT / "benchmarks/AUDIT_FILES.md",
    LINKING: ROOT / "benchmarks/LINKING.md",
}
LEDGER, BIG_LEDGER = "F0900", "F0905"
DLT = ROOT / ".venv-dlt/bin/python"


def main(given: Sequence[str]) -> int:
    """Measure, print, and (for all parts) write the results; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="a to n; all by default")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows for a, b and c")
    parser.add_argument("--big", type=int, default=5_000_000, help="rows for the second halves of d and k")
    parser.add_argument("--audit-mb", type=int, default=1_000, help="megabytes of the long files of m")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write a page although not all its parts ran")
    options = parser.parse_args(given)
    wanted = set(options.parts) or set(PARTS)
    if wanted - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(wanted - set(PARTS)))}; there are {', '.join(PARTS)}")
    for parts, page in PAGES.items():
        ours = wanted & set(parts)
        if not ours:
            continue
        text = "\n\n".join([_head(options), *_sections(ours, options)]) + "\n"
        print(f"\n{text}")
        if options.write or ours == set(parts):
            page.write_text(text)
            print(f"Written to {page.relative_to(ROOT)}.")
    return 0


def _sections(wanted: set[str], options: argparse.Namespace) -> list[str]:
    """What each part has to say."""
    sections: list[str] = []
    with tempfile.TemporaryDirectory(prefix="erphub-bench-") as folder:
        if wanted & set("abcd"):
            sections.append(_extraction(wanted, options, Path(folder)))
    if "e" in wanted:
        sections.append(_cold_starts(options.rounds))
    if wanted & set("fg"):
        sections.append(_in_process(wanted))
    if "k" in wanted:
        sections.append(readers.section(options.rows, options.big, options.rounds, _of_import_tasks(), _say))
    if "m" in wanted:
        sections.append(audit_speed.section(options.audit_mb, _of_import_tasks(), _say))
    if "n" in wanted:
        sections.append(linking.section(rounds=options.rounds, say=_say))
    sections += [_transfers(part, options.rounds) for part in TRANSFERS if part in wanted]
    return sections


def _say(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def _head(options: argparse.Namespace) -> str:
    packages = (
        "pymssql",
        "mssql-python",
        "mssql-python-rs",
        "deltalake",
        "arro3-core",
        "rapidfuzz",
        "botocore",
        "pydantic",
        "aws-lambda-powertools",
    )
    return "\n".join(
        [
            "# What was measured",
            "",
            "Written by `make bench`; each measurement is a fresh process, figures are medians"
            f" of {options.rounds}, interleaved. Compare figures with each other, not with other machines.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load when it began"
            f" {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
            + ", ".join(f"{name} {version(name)}" for name in packages),
        ]
    )


# --- a, b, c, d ------------------------------------------------------------------------------------------------------


def _extraction(wanted: set[str], options: argparse.Namespace, folder: Path) -> str:
    ledgers = [f"{LEDGER}:{options.rows}"] + ([f"{BIG_LEDGER}:{options.big}"] if "d" in wanted else [])
    found: dict[str, list[dict[str, Any]]] = {"a": [], "b": [], "c": [], "d": []}
    _say("starting the stand-in SQL Server and a local AWS")
    with servers.sql_server(folder, ledgers) as server, servers.cloud(folder) as cloud:
        port, around = str(server["port"]), cloud.environment()
        commands = {
            "a": ([sys.executable, "-m", "benchmarks.bare", port, LEDGER], around),
            "b": ([sys.executable, "-m", "benchmarks.ours", port, LEDGER], around | _of_import_tasks()),
            "c": ([str(DLT), "benchmarks/with_dlt.py", port, LEDGER], clean_environment()),
        }
        for at in range(options.rounds):
            for part in sorted(wanted & set("abc")):
                _say(f"round {at + 1}: {part}")
                found[part].append(_counted(run(*commands[part]), options.rows))
        if "d" in wanted:
            _say(f"d: {options.big:,} rows")
            command, its = commands["b"]
            found["d"].append(_counted(run([*command[:-1], BIG_LEDGER], its, 1800), options.big))
    lines = _comparison(found, options.rows)
    return "\n".join([*lines, *_memory(found, options), *_run_calls(found["b"] or found["d"])])


def _of_import_tasks() -> dict[str, str]:
    """What the template sets for the function that imports, beside names of resources."""
    function = template.of_type(template.load(), "AWS::Serverless::Function")["ImportTasks"]
    return {name: value for name, value in function["Environment"]["Variables"].items() if isinstance(value, str)}


def _counted(result: dict[str, Any], rows: int) -> dict[str, Any]:
    if result["rows"] != rows:
        raise RuntimeError(f"{result['rows']} rows came instead of {rows}")
    return result


_NAMES = {
    "a": "(a) bare pymssql, rows dropped",
    "b": "(b) ERP Hub: read, reconciled, published as Delta on S3",
    "c": "(c) dlt `sql_database`, pyarrow: Parquet on the local disk",
}


def _comparison(found: dict[str, list[dict[str, Any]]], rows: int) -> list[str]:
    """The table of a, b and c."""
    shown = [part for part in "abc" if found[part]]
    if not shown:
        return []
    fastest, least_work = middle(found[shown[0]], "seconds"), middle(found[shown[0]], "cpu_s")
    lines = [
        f"## {rows:,} ledger rows of 12 columns, three of them decimal(38,20)",
        "",
        "| | CPU s | (a)'s by it | seconds (least to most) | rows/s | (a)'s by it | whole process, s | peak MB |"
        " decimals |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    kept = {"a": "dropped", "b": "decimal(38,20)", "c": (found["c"] or [{}])[0].get("amount", "")}
    for part in shown:
        one = found[part]
        seconds = middle(one, "seconds")
        lines.append(
            f"| {_NAMES[part]} | {middle(one, 'cpu_s'):.1f} | {least_work / middle(one, 'cpu_s'):.2f} |"
            f" {seconds:.1f} ({spread(one, 'seconds')}) | {rows / seconds:,.0f} |"
            f" {fastest / seconds:.2f} | {middle(one, 'wall_s'):.1f} | {middle(one, 'peak_mb'):.0f} | {kept[part]} |"
        )
    if {"a", "b", "c"} <= set(shown):
        ours = found["b"]
        to_a = [middle(found["a"], figure) / middle(ours, figure) for figure in ("cpu_s", "seconds")]
        to_c = [middle(found["c"], figure) / middle(ours, figure) for figure in ("cpu_s", "seconds")]
        lines += [
            "",
            f"What to compare is the client's own work, its CPU seconds: (a) takes {to_a[0]:.2f} times those of (b),"
            f" and (c), dlt {found['c'][0]['version']}, {to_c[0]:.2f} times."
            f" By the clock (b) runs at {to_a[1]:.2f} of (a)"
            f" (aim: at least 0.85) and at {to_c[1]:.2f} times the speed of (c) (aim: ahead of it); but most of that"
            " time is the server's, a stand-in in Python on the same cores, which (b) asks for decimals as text and (a)"
            " does not. So the ratios of time are the stand-in's too, and say nothing of a real SQL Server."
            " Seconds are from"
            " before connecting until the data can be read; (b) has by then counted and summed both sides, per day"
            " before and per month after storing.",
        ]
    return lines


def _memory(found: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> list[str]:
    if not found["d"]:
        return []
    lines = ["", "## (d) Peak memory of the import", "", "| rows | peak MB | seconds |", "|---:|---:|---:|"]
    for rows, results in ((options.rows, found["b"]), (options.big, found["d"])):
        if results:
            lines.append(f"| {rows:,} | {middle(results, 'peak_mb'):.0f} | {middle(results, 'seconds'):.1f} |")
    return [*lines, "", "Aim: below 300 MB, and the same at both sizes."]


def _run_calls(results: list[dict[str, Any]]) -> list[str]:
    if not results:
        return []
    one = results[-1]
    calls = ", ".join(f"{name} {count}" for name, count in one["calls"].items())
    return [
        "",
        f"AWS calls of a run of {one['rows']:,} rows of one dataset, the table engine's own requests to S3 apart:"
        f" {sum(one['calls'].values())} ({calls}); estimated ${one['usd']} at list prices.",
    ]


# --- e ---------------------------------------------------------------------------------------------------------------


def _cold_starts(rounds: int) -> str:
    _say("e: imports of every function")
    took = imports.measure(max(rounds, 3))
    base = took[imports.CLIENT][0]
    lines = [
        "## (e) Cold start: processor time of a process until it is ready",
        "",
        "| | ms | against the bare client | with its own DynamoDB client, ms | against the bare client |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, (plain, with_client) in took.items():
        lines.append(f"| {name} | {plain:.0f} | {plain / base:.2f} | {with_client:.0f} | {with_client / base:.2f} |")
    heavy = [
        f"{function.name} imports {name}"
        for function in imports.functions()
        for name in imports.DRIVERS_AND_ENGINES
        if name in imports.loaded(function) and function.is_light
    ]
    said = "; ".join(heavy) if heavy else "no function without a driver or lake layer imports one"
    return "\n".join([*lines, "", f"Aim: below 1.5 for the APIs. Drivers, Arrow and table engines: {said}."])


# --- f, g ------------------------------------------------------------------------------------------------------------


def _in_process(wanted: set[str]) -> str:
    _say("f, g: in process")
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    counted = run([sys.executable, "-m", "benchmarks.in_process"], environment)
    lines: list[str] = []
    if "f" in wanted:
        one = counted["listing"]
        own = one["whole_ms"] - one["calls_ms"]
        lines += [
            "## (f) A warm listing call in process",
            "",
            f"`GET /clients/{{client_id}}/connections` on moto: {one['whole_ms']:.1f} ms, of which its {one['calls']}"
            f" DynamoDB calls, made bare, take {one['calls_ms']:.1f} ms: {one['whole_ms'] / one['calls_ms']:.2f} times"
            f" the calls alone, {own:.1f} ms are our own.",
        ]
    if "g" in wanted:
        lines += ["", "## (g) AWS calls", "", "| | calls | of which |", "|---|---:|---|"]
        rows = {"a wizard, start to connection, its five steps answered and looked at": counted["wizard"]}
        rows |= {f"a tick of the scheduler, {due} of 10,000 jobs due": calls for due, calls in counted["ticks"].items()}
        for name, calls in rows.items():
            listed = ", ".join(f"{call} {count}" for call, count in calls.items())
            lines.append(f"| {name} | {sum(calls.values())} | {listed} |")
    return "\n".join(lines).strip()


# --- h, i, j ---------------------------------------------------------------------------------------------------------


def _transfers(part: str, rounds: int) -> str:
    _say(f"{part}: transfers")
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    return str(run([sys.executable, "-m", "benchmarks.transfers", part, str(rounds)], environment)["text"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
