"""The whole fault sweep: every request with every fault, and seeded pairs; writes its table into docs/reliability.md.

python -m tests.reliability [--scene NAME] [--pairs 100] [--seed 1] [--every N]

What was played is kept in .build/reliability, a line for each run, and a sweep that was broken off goes on from there
as long as the code is the same.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.fault_proxy import Fault
from tests.reliability.scenes import SCENES
from tests.reliability.stage import theatre
from tests.reliability.sweep import SAID, SAME, WRONG, Result, Sweep

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT, KEPT = ROOT / "docs/reliability.md", ROOT / ".build/reliability"
_TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", re.DOTALL)


def of_the_code() -> str:
    """A digest of all that a run depends on."""
    digest = hashlib.sha256()
    for folder in ("layers/core/erphub", "functions", "statemachines", "tests/reliability", "tests/support"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".json"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@dataclass
class Kept:
    """The results of one process, a line each, so that a sweep that was broken off goes on where it was."""

    path: Path

    @staticmethod
    def of_scene(name: str) -> dict[str, Result]:
        """What all processes played of a scene so far, by its faults: how it is shared out may have been another."""
        files = sorted((KEPT / of_the_code()).glob(f"{name}-*.jsonl"))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return {
            line["faults"]: Result(_faults(line["faults"]), line["outcome"], (), tuple(line["details"]))
            for line in lines
        }

    def add(self, result: Result) -> None:
        """One more."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = {"faults": _key(result.faults), "outcome": result.outcome, "details": result.details}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _key(faults: Mapping[int, Fault]) -> str:
    return json.dumps({str(number): fault.name for number, fault in faults.items()})


def _faults(key: str) -> dict[int, Fault]:
    return {int(number): Fault[name] for number, name in json.loads(key).items()}


def play(name: str, pairs: int, seed: int, minutes: float, part: int, parts: int) -> tuple[Counter[str], int]:
    """Play a part of a scene's runs and keep what became of them. Gives its calls by service, and how many they are."""
    for variable in [one for one in os.environ if one.startswith("AWS_")]:
        del os.environ[variable]
    scene = next(kind for kind in SCENES if kind.name == name)
    kept = Kept(KEPT / of_the_code() / f"{name}-{part}-of-{parts}.jsonl")
    before, until = Kept.of_scene(name), time.monotonic() + 60 * minutes
    with theatre() as local_aws:
        sweep = Sweep(scene(), local_aws).prepare()
        # Pairs stand among the first, so that a sweep that is broken off has some of them.
        singles, drawn = sweep.every(), sweep.pairs(pairs, seed)
        runs = [*singles[: len(sweep.calls)], *drawn, *singles[len(sweep.calls) :]][part::parts]
        for done, faults in enumerate(runs, 1):
            if _key(faults) in before or time.monotonic() > until:
                continue
            result = sweep.run(faults)
            kept.add(result)
            if done % 50 == 0 or result.is_wrong:
                print(f"{name} {part + 1}/{parts}: {done} of {len(runs)}", flush=True)
            if result.is_wrong:
                print("\n".join(result.in_words()), flush=True)
        return sweep.services, len(sweep.calls)


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
    arguments.add_argument(
        "--minutes", type=float, default=1e6, help="for each scene; what is left is played next time"
    )
    arguments.add_argument("--every", type=int, default=1, help="only each so manieth run, for a quick look")
    given = arguments.parse_args()
    began = time.monotonic()
    rows: list[tuple[str, Counter[str], int, list[Result]]] = []
    for name in given.scene or [kind.name for kind in SCENES]:
        parts = 2 * given.every
        with ProcessPoolExecutor(2) as pool:
            halves = [pool.submit(play, name, given.pairs, given.seed, given.minutes, part, parts) for part in (0, 1)]
            (services, calls), _ = (half.result() for half in halves)
        rows.append((name, services, calls, list(Kept.of_scene(name).values())))
    shown = table(rows)
    print(shown)
    print(f"{(time.monotonic() - began) / 60:.0f} minutes")
    if given.scene is None and given.every == 1:
        DOCUMENT.write_text(_TABLE.sub(lambda found: found[1] + shown + found[2], DOCUMENT.read_text()))
    if any(result.is_wrong for *_, results in rows for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
