"""The whole fault sweep: every request with every fault, and seeded pairs; writes its table into docs/reliability.md.

python -m tests.reliability [--scene NAME] [--pairs 100] [--seed 1] [--part 1/2]
"""

import argparse
import os
import re
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.reliability.fault_proxy import Fault
from tests.reliability.scenes import SCENES
from tests.reliability.stage import theatre
from tests.reliability.sweep import SAID, SAME, WRONG, Result, Sweep

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/reliability.md"
_TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", re.DOTALL)


def played(name: str, pairs: int, seed: int, part: int, parts: int) -> tuple[Counter[str], int, list[Result]]:
    """Play a part of a scene's runs. Gives its calls by service, the number of its requests, and what became of it."""
    for variable in [one for one in os.environ if one.startswith("AWS_")]:
        del os.environ[variable]
    scene = next(kind for kind in SCENES if kind.name == name)
    with theatre() as house:
        sweep = Sweep(scene(), house).prepare()
        runs = [*sweep.every(), *sweep.pairs(pairs, seed)][part::parts]
        results: list[Result] = []
        for done, faults in enumerate(runs, 1):
            results.append(sweep.run(faults))
            if done % 50 == 0 or results[-1].is_wrong:
                print(f"{name} {part + 1}/{parts}: {done} of {len(runs)}", flush=True)
            if results[-1].is_wrong:
                print("\n".join(results[-1].in_words()), flush=True)
        return sweep.services, len(sweep.calls), results


def table(rows: list[tuple[str, Counter[str], int, list[Result]]]) -> str:
    """What came of it, for the document."""
    lines = [
        "| scene | requests (crash points) | of them DynamoDB / S3 / others | fault | runs |"
        f" {SAME} | {SAID} | exceptions |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, services, calls, results in rows:
        others = calls - services["dynamodb"] - services["s3"]
        about = f"| {name} | {calls} | {services['dynamodb']} / {services['s3']} / {others} |"
        singles = [(fault.value, [r for r in results if list(r.faults.values()) == [fault]]) for fault in Fault]
        pairs = [("two of them, drawn", [r for r in results if len(r.faults) == 2])]
        for fault, found in [*singles, *pairs]:
            seen = Counter(result.outcome for result in found)
            lines.append(f"{about} {fault} | {len(found)} | {seen[SAME]} | {seen[SAID]} | {seen[WRONG]} |")
            about = "| | | |"
    every = Counter(result.outcome for *_, results in rows for result in results)
    points = sum(calls for _, _, calls, _ in rows)
    lines.append(
        f"| **all** | **{points}** | | | **{every.total()}** | {every[SAME]} | {every[SAID]} | **{every[WRONG]}** |"
    )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Play, print, write; ends with 1 when there is an exception."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scene", choices=[kind.name for kind in SCENES], action="append")
    arguments.add_argument("--pairs", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--every", type=int, default=1, help="only each so manieth run, for a quick look")
    given = arguments.parse_args()
    began = time.monotonic()
    rows: list[tuple[str, Counter[str], int, list[Result]]] = []
    for name in given.scene or [kind.name for kind in SCENES]:
        parts = 2 * given.every
        with ProcessPoolExecutor(2) as pool:
            halves = [pool.submit(played, name, given.pairs, given.seed, part, parts) for part in (0, 1)]
            (services, calls, first), (_, _, second) = (half.result() for half in halves)
        rows.append((name, services, calls, [*first, *second]))
    shown = table(rows)
    print(shown)
    print(f"{(time.monotonic() - began) / 60:.0f} minutes")
    if given.scene is None and given.every == 1:
        DOCUMENT.write_text(_TABLE.sub(lambda found: found[1] + shown + found[2], DOCUMENT.read_text()))
    if any(result.is_wrong for *_, results in rows for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
