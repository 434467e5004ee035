"""The ERP systems that stand in for real ones beside the local stack: programs that say in a line of JSON where they listen."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import processes
from local.emulator import ROOT, clean_environment
from local.processes import Started


@dataclass(frozen=True)
class StandIn:
    """A stand-in: its name in stack.json and its command, without the Python it runs with."""

    name: str
    arguments: tuple[str, ...]


STAND_INS: tuple[StandIn, ...] = ()


def start(standin: StandIn, directory: Path) -> tuple[Started, dict[str, Any]]:
    """Start a stand-in; returns the program and the address it announced. Raises StartupError when it does not come up."""
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    return processes.start_announced(
        [sys.executable, *standin.arguments],
        log=directory / "log" / f"{standin.name}.log",
        environment=environment,
        cwd=directory,
    )
