"""How each reader does with each type: `python -m tests.erp.transports.sqlserver.conformance` writes the table anew.

A process loads one native driver, so each reader has a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from erphub.erp.transports.sqlserver.drivers.connection import Reader

from .every_type import cases
from .spelled import reading

ROOT = Path(__file__).resolve().parents[4]
PAGE = ROOT / "docs/sqlserver-readers.md"
BEGIN, END = "<!-- conformance -->", "<!-- end of conformance -->"


def written_down() -> Mapping[str, Mapping[str, str]]:
    """What the page says: {type: {reader: how it does}}."""
    lines = PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    heads = [cell.strip() for cell in lines[0].strip("|").split("|")][1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {name: dict(zip(heads, cells, strict=True)) for name, *cells in rows}


def main() -> None:
    """Ask every reader, and write down what each says."""
    if len(sys.argv) > 1:
        print(json.dumps([reading(Reader(sys.argv[1]), case) for case in cases()]))
        return
    said = {reader: _in_a_process_of_its_own(reader) for reader in Reader}
    lines = ["| type | " + " | ".join(Reader) + " |", "|---" * (len(Reader) + 1) + "|"]
    for place, case in enumerate(cases()):
        lines.append(f"| {case.name} | " + " | ".join(said[reader][place] for reader in Reader) + " |")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([f"{before}{BEGIN}", *lines, f"{END}{rest.partition(END)[2]}"]))


def _in_a_process_of_its_own(reader: Reader) -> list[str]:
    command = [sys.executable, "-m", "tests.erp.transports.sqlserver.conformance", reader]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True, timeout=300
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
