"""Thousands of histories, in several processes; ends with 1 when one of them went wrong, and shows which.

python -m tests.histories [--count 10000] [--seed 1] [--workers 2] [--as-found]
"""

import argparse
import itertools
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from erphub.platform import logging
from tests.histories.machine import Chain
from tests.support.aws import in_memory
from tests.support.operators_log import LOG

PART = 250
"""Histories of one seed; with more of them the generator begins to look for what it has not met, and gets slow."""
STEPS = 15


def prepare() -> None:
    """No process reaches an AWS of anybody's, and what operators are told is kept."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_DEFAULT_REGION"] = "eu-north-1"
    logging.logger().handlers[:] = [LOG]


def played(number: int, *, count: int, as_found: bool) -> tuple[int, float, str]:
    """Play the histories of a seed. Gives the seed, the processor's seconds, and what went wrong."""
    phases = [Phase.generate] if as_found else [Phase.generate, Phase.shrink]
    chosen = settings(
        max_examples=count,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine = seed(number)(type(f"Chain{number}", (Chain,), {}))
    begun = time.process_time()
    try:
        with in_memory():
            run_state_machine_as_test(machine, settings=chosen)
    except BaseException:  # noqa: BLE001 - whatever it was, the other seeds are played
        return number, time.process_time() - begun, traceback.format_exc(limit=-12)
    return number, time.process_time() - begun, ""


def main() -> int:
    """Play them and say what came of it."""
    reader = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    reader.add_argument("--count", type=int, default=10_000)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--workers", type=int, default=2)
    reader.add_argument(
        "--as-found", action="store_true", help="show what went wrong as it was found, not its shortest form"
    )
    given = reader.parse_args()
    parts = -(-given.count // PART)
    play = partial(played, count=min(PART, given.count), as_found=given.as_found)
    begun, used, wrong = time.monotonic(), 0.0, 0
    with ProcessPoolExecutor(given.workers, initializer=prepare) as pool:
        for number, seconds, what in pool.map(play, itertools.islice(itertools.count(given.seed), parts)):
            used += seconds
            wrong += bool(what)
            if what:
                print(f"seed {number}:\n{what}", flush=True)
    last, histories = given.seed + parts - 1, parts * min(PART, given.count)
    print(f"{histories} histories of at most {STEPS} steps, seeds {given.seed} to {last}: {wrong} seeds went wrong;")
    print(f"{time.monotonic() - begun:.0f} s, {used:.0f} s of processor time")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
