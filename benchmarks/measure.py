"""Runs a measurement in a fresh process and collects what it says of itself: seconds, memory, results."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class MeasurementFailed(RuntimeError):
    """A measured program did not do its work; the message has the end of what it wrote."""


def peak_megabytes() -> float:
    """The most memory this process has held at once (resident), in MB of a million bytes.

    Where there is /proc, its own figure: the one of getrusage begins with that of the process it was forked from.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def processor_seconds(pid: int) -> float:
    """What another process has used of the processor so far. Source: proc(5), `/proc/pid/stat`, fields 14 and 15."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tell(**results: Any) -> None:
    """The last line of a measured program: its results, with its peak memory and processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"peak_mb": peak_megabytes(), "cpu_s": used.ru_utime + used.ru_stime, **results}), flush=True)


def run(command: Sequence[str], environment: Mapping[str, str], seconds: float = 600) -> dict[str, Any]:
    """Run a measured program; returns its results with `wall_s`, start-up included. Raises MeasurementFailed."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            list(command), cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise MeasurementFailed(f"{' '.join(command[:4])} took longer than {seconds:.0f} seconds") from error
    wall = time.perf_counter() - began
    if done.returncode or not done.stdout.strip():
        raise MeasurementFailed(f"{' '.join(command[:4])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "wall_s": wall}


def middle(results: Sequence[Mapping[str, Any]], name: str) -> float:
    """The median of one figure."""
    return median(float(one[name]) for one in results)


def spread(results: Sequence[Mapping[str, Any]], name: str, digits: int = 1) -> str:
    """Smallest to largest of one figure."""
    values = [float(one[name]) for one in results]
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
