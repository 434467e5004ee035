"""(e) What a cold start imports: every function's whole process against a bare boto3 DynamoDB client, interleaved."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, MeasurementFailed
from local import template
from local.emulator import clean_environment

BARE = "nothing (python -c pass)"
CLIENT = "a bare boto3 DynamoDB client"
_CLIENT_CODE = "import boto3; boto3.client('dynamodb', region_name='eu-north-1')"
_OWN_CLIENT = "; from erphub.platform.aws.clients import client; client('dynamodb')"
ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-north-1", "POWERTOOLS_SERVICE_NAME": "erphub", "TABLE_NAME": "t"}
_HEAVY = {"WizardTasks", "ImportTasks", "LakeRows", "DeletionTasks"}
DRIVERS_AND_ENGINES = ("pymssql", "deltalake", "arro3", "pyarrow", "pandas", "polars", "duckdb")


@dataclass(frozen=True)
class Function:
    """A function of the template: its folder and the module that Lambda imports."""

    name: str
    folder: Path
    module: str
    layers: tuple[str, ...]

    @property
    def is_light(self) -> bool:
        """Whether it must start without a driver and a table engine: of the others the first event needs one."""
        return self.name not in _HEAVY


def functions() -> list[Function]:
    """Every function of the template."""
    drawn = template.of_type(template.load(), "AWS::Serverless::Function")
    return [
        Function(
            name,
            ROOT / properties["CodeUri"],
            properties["Handler"].split(".")[0],
            tuple(layer["Ref"] for layer in properties.get("Layers", [])),
        )
        for name, properties in drawn.items()
    ]


def environment(function: Function) -> dict[str, str]:
    """What a function finds around it, as far as importing goes."""
    path = f"{function.folder}:{ROOT / 'layers/core'}"
    return clean_environment() | ENVIRONMENT | {"PYTHONPATH": path}


def loaded(function: Function) -> set[str]:
    """The top-level packages a function has imported before its first event."""
    code = f"import sys, {function.module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    return set(run(code, environment(function)).split())


def run(code: str, given: Mapping[str, str]) -> str:
    """What a fresh Python says that runs this code. Raises MeasurementFailed when it ends badly."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=os.sep,
        env=dict(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise MeasurementFailed(f"{code}: {done.stderr[-1500:]}")
    return done.stdout


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of processor time from a process's birth until it is ready: with what it imports, and with the
    function's own client as well. What its end takes is left out: Lambda never waits for that.

    Medians. Importing does one thing at a time, so on an idle machine it is the time that passes; on a busy one it is
    still the same.
    """
    plain = clean_environment() | ENVIRONMENT
    wanted: dict[str, tuple[str, dict[str, str]]] = {BARE: ("pass", plain), CLIENT: (_CLIENT_CODE, plain)}
    for function in functions():
        wanted[function.name] = (f"import {function.module}", environment(function))
        wanted[f"{function.name}+"] = (f"import {function.module}{_OWN_CLIENT}", environment(function))
    took: dict[str, list[float]] = {name: [] for name in wanted}
    for at in range(rounds + 1):
        for name, (code, given) in wanted.items():
            ready = float(run(f"{code}\nimport time; print(time.process_time())", given))
            if at:  # the first round fills the disk cache and compiles
                took[name].append(ready * 1000)
    return {
        name: (median(values), median(took.get(f"{name}+", values)))
        for name, values in took.items()
        if not name.endswith("+")
    }
